"""A contract made ready to run: filled, imported, and what it needs beside the gateway."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from deploy import contract as contracts
from deploy.contract import Contract, ContractError
from deploy.contract.placeholders import placeholders_in
from deploy.contract.responses import GatewayResponseType
from deploy.local.api import Api, Method
from deploy.local.api_import import BasePath, import_api
from deploy.local.definition import ApiImportError, ImportProblem, Node, Refusals
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
        whole_chain: Whether it sends to `${QueueName}` and reads `${TableName}`, as this project's
            own contract does, so that the consumer and the table belong to it.
    """

    contract: Contract
    api: Api
    gateway_responses: Mapping[GatewayResponseType, GatewayResponse]
    whole_chain: bool

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
        endpoints: Services that have an endpoint, beside those of the embedded engine.
        base_path: What to do with the path of its first server.

    Raises:
        ContractError: AWS would refuse it, the local gateway has no such integration, or a
            placeholder has no value. Each line of the text has the file, the line and the reason.
    """
    if findings := contracts.refused(contract):
        raise ContractError("\n".join(map(str, findings)))
    document = contracts.derive(contract, placeholders)
    # No part of the copy, because a deployment has its own; the import reads the path of one.
    document["servers"] = contract.document.get("servers")
    try:
        deployment = _imported(contract, document, base_path)
        _check_services(deployment.api, EMBEDDED_SERVICES.union(endpoints))
    except ApiImportError as error:
        raise contract_error(contract, error) from error
    return deployment


def contract_error(contract: Contract, error: ApiImportError) -> ContractError:
    """Return what the import refuses with a line for each, `file:line: operation: reason`."""
    problems = sorted(error.problems, key=lambda problem: contract.line(problem.pointer))
    return ContractError("\n".join(dict.fromkeys(_located(contract, each) for each in problems)))


def _located(contract: Contract, problem: ImportProblem) -> str:
    pointer, reason, text_line = problem
    line = contract.text_line(pointer, text_line) if text_line else contract.line(pointer)
    within = (o.name for o in contract.operations() if f"{pointer}/".startswith(f"{o.pointer}/"))
    operation = next(within, "")
    return f"{contract.file}:{line}: {operation + ': ' if operation else ''}{reason}"


def _imported(
    contract: Contract, document: Mapping[str, object], base_path: BasePath
) -> Deployment:
    refusals = Refusals()
    with refusals.collected():
        api = import_api(document, base_path=base_path)
    with refusals.collected():
        gateway_responses = import_gateway_responses(document)
    refusals.raise_any()
    if not api.methods:
        raise Node.root(document).child("paths").refusal("The REST API doesn't contain any methods")
    used = placeholders_in(contract.document)
    return Deployment(contract, api, gateway_responses, {"QueueName", "TableName"} <= used.keys())


def _check_services(api: Api, answered: frozenset[str]) -> None:
    problems = [
        ImportProblem(
            f"{method.integration.pointer}/uri",
            f"nothing here answers for the service {_service(method)!r}: "
            f"start with --endpoint {_service(method)}=URL",
        )
        for method in api.methods
        if _service(method) not in answered | {""}
    ]
    if problems:
        raise ApiImportError(*problems)


def _service(method: Method) -> str:
    uri = method.integration.uri
    return uri.service if uri else ""
