"""
What AWS takes without a word, and answers otherwise than the document says once it runs.

These are facts about AWS, of any document: each has a line of its own at the start. What this
project demands beyond them is in `lint`.

Source: Developer Guide, "Amazon API Gateway important notes", "Gateway response types" and the
pages that the rules name; a status that is not declared: execution logs that third parties publish.
"""

from collections.abc import Iterator
from dataclasses import replace

from deploy.contract import operations, overrides, references, responses, schemas
from deploy.contract.document import METHODS, Contract, join
from deploy.contract.finding import Finding, Problem, located
from deploy.contract.operations import INTEGRATION
from deploy.contract.sound import integrated


def failing(contract: Contract) -> list[Finding]:
    """
    Return what is imported and then fails, or has no effect, in the order of the file.

    Args:
        contract: A document in which `imports.refused` finds nothing, or the sound part of one.
    """
    mapped = _mapped(integrated(contract))
    rules = {
        "response-status": responses.unmapped_statuses,
        "override-once": overrides.override_once,
        "template-member": references.template_members,
        "gateway-response": responses.unsubstituted,
        "integration": operations.called_in_vain,
        "response-schema": schemas.response_schemas,
        "schema-keyword": schemas.schema_keywords,
    }
    findings = [
        located(contract, rule, problem) for rule, each in rules.items() for problem in each(mapped)
    ]
    findings += [located(contract, "integration-key", each) for each in _unused(contract)]
    return sorted({(each.line, each.message): each for each in findings}.values())


def _mapped(contract: Contract) -> Contract:
    """Return a contract with those operations only whose answers are mapped: not proxies."""
    paths = {
        path: {
            name: member
            for name, member in item.items()
            if name not in METHODS or not _is_proxy(member[INTEGRATION]["type"])
        }
        for path, item in contract.document["paths"].items()
    }
    return replace(contract, document={**contract.document, "paths": paths})


def _is_proxy(integration_type: str) -> bool:
    return integration_type.lower().endswith("_proxy")


def _unused(contract: Contract) -> Iterator[Problem]:
    for operation in integrated(contract).operations():
        node = operation.node[INTEGRATION]
        for key in ("requestTemplates", "responses"):
            if _is_proxy(node["type"]) and node.get(key):
                message = f"`{key}` of a proxy integration is not used"
                at = join(operation.pointer, INTEGRATION, key)
                yield Problem(at, message, "Remove it, or write the type without `_proxy`")
