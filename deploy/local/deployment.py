"""A contract made ready to run: filled, imported, and what it needs beside the gateway."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from deploy import contract as contracts
from deploy.contract import Contract, ContractError, Entity, Finding, Operation
from deploy.contract.document import join, value_at
from deploy.contract.entity import can_be_made, makes_entity
from deploy.contract.finding import located
from deploy.contract.operations import INTEGRATION
from deploy.contract.placeholders import placeholders_in
from deploy.contract.responses import GatewayResponseType
from deploy.local.api import Api, Method
from deploy.local.api_import import BasePath, import_api
from deploy.local.definition import ApiImportError, ImportProblem, Node, Refusals
from deploy.local.integration_uri import import_uri
from deploy.local.stages.gateway_response import GatewayResponse, import_gateway_responses

EMBEDDED_SERVICES = frozenset({"dynamodb", "events", "kinesis", "s3", "sns", "sqs", "states"})
"""Services that the embedded engine answers for."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """
    A contract, ready to run.

    Args:
        contract: The contract as it is written.
        api: What the stages work with.
        gateway_responses: Likewise.
        entity: What it makes, if it sends to `${QueueName}` and reads `${TableName}` as this
            project's own contract does, so that the consumer and the table belong to it.
    """

    contract: Contract
    api: Api
    gateway_responses: Mapping[GatewayResponseType, GatewayResponse]
    entity: Entity | None

    @property
    def services(self) -> frozenset[str]:
        """The AWS services that it calls."""
        return frozenset(_service(method) for method in self.api.methods) - {""}

    @property
    def queues(self) -> list[str]:
        """Names of the queues that its integrations name, each once."""
        uris = (method.integration.uri for method in self.api.methods)
        paths = (uri.template for uri in uris if uri and uri.service == "sqs" and uri.constant)
        return list(dict.fromkeys(path.rpartition("/")[2] for path in paths if path.count("/") > 1))

    @property
    def signed(self) -> bool:
        """Whether any method has to be signed."""
        return any(method.iam for method in self.api.methods)


def deploy(
    contract: Contract,
    placeholders: Mapping[str, str],
    *,
    endpoints: Iterable[str] = (),
    base_path: BasePath = "ignore",
) -> Deployment:
    """
    Make a contract ready to run.

    Args:
        contract: Any document that API Gateway imports.
        placeholders: Name to value for every placeholder in it.
        endpoints: Services that have an endpoint, beside those of the embedded engine; it has to
            call each of them.
        base_path: What to do with the path of its first server.

    Raises:
        ContractError: AWS would refuse it, the local gateway has no such integration, a placeholder
            has no value, or an endpoint is for nothing. Each line of the text has the file, the
            reason and, where there is one, the line.
    """
    readable = contracts.readable(contract)
    document, unfilled = contracts.draft(readable, placeholders)
    # No part of the copy, because a deployment has its own; the import reads the path of one.
    document["servers"] = readable.document.get("servers")
    findings = [*contracts.refused(contract), *unfilled, *_unmade(readable)]
    refusals, unanswered = Refusals(), Refusals()
    with refusals.collected():
        imported = _imported(document, base_path)
    with unanswered.collected():
        _check_services(readable, document, EMBEDDED_SERVICES.union(endpoints))
    problems = [each for each in refusals.problems if not follows(each, findings, document)]
    if findings or problems or unanswered.problems:
        raise contract_error(contract, [*problems, *unanswered.problems], findings)
    api, gateway_responses = imported
    deployment = Deployment(contract, api, gateway_responses, entity_of(contract))
    _check_endpoints(deployment, endpoints)
    return deployment


def _unmade(contract: Contract) -> list[Finding]:
    """Return why the consumer, if it is meant, cannot make what a contract makes."""
    problems = can_be_made(contract) if _is_meant(contract) else ()
    return [located(contract, "entity", problem) for problem in problems]


def follows(
    problem: ImportProblem, findings: Iterable[Finding], document: Mapping[str, object]
) -> bool:
    """
    Return whether a problem is only there because of something that is told already.

    Args:
        problem: What the import says.
        findings: What is told, placeholders without a value among it.
        document: The copy that was imported.
    """
    at = f"{problem.pointer}/"
    if any(at.startswith(f"{finding.pointer.removesuffix('/$ref')}/") for finding in findings):
        return True
    text = value_at(document, problem.pointer)
    unfilled = any(finding.rule == "placeholder" for finding in findings)
    return unfilled and isinstance(text, str) and "${" in text


def entity_of(contract: Contract) -> Entity | None:
    """
    Return what a contract makes; `None` if the consumer is not meant, or cannot make it.

    Args:
        contract: Any; why it cannot be made, `deploy` says.
    """
    readable = contracts.readable(contract)
    if not _is_meant(readable) or _unmade(readable):
        return None
    return contracts.entity(readable)


def _is_meant(contract: Contract) -> bool:
    names = placeholders_in(contract.document).keys()
    return {"QueueName", "TableName"} <= names and makes_entity(contract)


def contract_error(
    contract: Contract, problems: Iterable[ImportProblem], findings: Iterable[Finding] = ()
) -> ContractError:
    """Return what is refused, with a line for each in the order of the file."""
    lines = [(finding.line, str(finding)) for finding in findings]
    operations = list(contracts.readable(contract).operations())
    lines += [_located(contract, operations, problem) for problem in problems]
    ordered = sorted(dict.fromkeys(lines), key=lambda each: each[0])
    return ContractError("\n".join(text for _, text in ordered))


def _located(
    contract: Contract, operations: Iterable[Operation], problem: ImportProblem
) -> tuple[int, str]:
    """Return the line of a problem and `file:line: operation: reason`."""
    pointer, reason, text_line = problem
    line = contract.text_line(pointer, text_line) if text_line else contract.line(pointer)
    within = (o.name for o in operations if f"{pointer}/".startswith(f"{o.pointer}/"))
    operation = next(within, "")
    return line, f"{contract.file}:{line}: {operation + ': ' if operation else ''}{reason}"


def _imported(
    document: Mapping[str, object], base_path: BasePath
) -> tuple[Api, Mapping[GatewayResponseType, GatewayResponse]]:
    refusals = Refusals()
    with refusals.collected():
        api = import_api(document, base_path=base_path)
    with refusals.collected():
        gateway_responses = import_gateway_responses(document)
    refusals.raise_any()
    if not api.methods:
        raise Node.root(document).child("paths").refusal("The REST API doesn't contain any methods")
    return api, gateway_responses


def _check_services(
    contract: Contract, document: Mapping[str, object], answered: frozenset[str]
) -> None:
    """Look into the document, because the import returns nothing where it refuses anything."""
    refusals = Refusals()
    for operation in replace(contract, document=dict(document)).operations():
        integration = operation.node.get(INTEGRATION, {})
        if str(integration.get("type")).lower() == "aws":
            pointer = join(operation.pointer, INTEGRATION, "uri")
            uri = Node(document, pointer, integration.get("uri"))
            with refusals.collected():
                _check_service(uri, answered)
    refusals.raise_any()


def _check_service(node: Node, answered: frozenset[str]) -> None:
    try:
        service = import_uri(node, "aws").service
    except ApiImportError:
        return  # The import says what is wrong with it.
    if service not in answered and "${" not in service:
        raise node.refusal(
            f"nothing here answers for the service {service!r}: start with --endpoint {service}=URL"
        )


def _check_endpoints(deployment: Deployment, endpoints: Iterable[str]) -> None:
    called = ", ".join(sorted(deployment.services)) or "none"
    unused = sorted(set(endpoints) - deployment.services)
    if unused:
        raise ContractError(
            "\n".join(
                f"{deployment.contract.file}: no integration calls the service {service!r}, for "
                f"which there is an endpoint; these are called: {called}"
                for service in unused
            )
        )


def _service(method: Method) -> str:
    uri = method.integration.uri
    return uri.service if uri else ""
