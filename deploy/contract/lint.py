"""The rules, by name, in the order in which the deployment's baseline lists them."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from deploy.contract import (
    links,
    operations,
    overrides,
    references,
    responses,
    schemas,
    structure,
    templates,
)
from deploy.contract.document import Contract
from deploy.contract.entity import can_be_made
from deploy.contract.finding import Finding, Problem, located
from deploy.contract.taint import taint

Rule = Callable[[Contract], Iterator[Problem]]

RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "structure": structure.structure,
        "security": operations.security,
        "validator": operations.validator,
        "passthrough": operations.passthrough,
        "integration-key": operations.integration_keys,
        "integration": operations.integration,
        "parameter-mapping": operations.parameter_mapping,
        "response-status": responses.response_status,
        "override-status": overrides.override_status,
        "response-template": responses.response_template,
        "response-media-type": overrides.response_media_type,
        "taint": taint,
        "schema": schemas.schemas,
        "schema-keyword": schemas.schema_keywords,
        "response-schema": schemas.response_schemas,
        "openapi-version": structure.openapi_version,
        "placeholder": templates.placeholders,
        "template-text": templates.template_text,
        "template-syntax": templates.template_syntax,
        "template-member": references.template_members,
        "response-header": overrides.response_header,
        "override-once": overrides.override_once,
        "gateway-response": responses.gateway_response,
        "path": structure.paths,
        "link": links.links,
        "entity": can_be_made,
    }
)
"""Name to rule. Each rule's docstring says what it demands."""


def lint(contract: Contract) -> list[Finding]:
    """
    Return what breaks a rule, in the order of the file.

    The other rules read the document as `structure` leaves it, so they wait until that is mended.
    """
    findings = _findings(contract, "structure")
    if not findings:
        findings = [finding for name in RULES for finding in _findings(contract, name)]
    # A text that several places share has one finding, not one for each place.
    unique = {(f.line, f.rule, f.message): f for f in sorted(findings, reverse=True)}
    return sorted(unique.values())


def _findings(contract: Contract, name: str) -> list[Finding]:
    return [located(contract, name, problem) for problem in RULES[name](contract)]
