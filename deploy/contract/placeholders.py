"""
Placeholders: what a deployment fills in.

Ours are capitalised, `${QueueName}`; those of other tools are `${AWS::Region}` (CloudFormation) and
`${queue_name}` (Terraform). In a mapping template a name in lower case is a variable of VTL, so a
lower-case placeholder is one only outside of templates, in API Gateway's extensions.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from deploy.contract.document import join

PLACEHOLDERS: Final = frozenset(
    {"AccountId", "ApiRoleArn", "Partition", "QueueName", "Region", "TableName"}
)
"""Every placeholder that this project's own contract may have."""

PSEUDO_PARAMETERS: Final = frozenset(
    {"AWS::AccountId", "AWS::Partition", "AWS::Region", "AWS::URLSuffix"}
)
"""CloudFormation's own, which whoever deploys may give whether they are used or not."""

REFERENCE: Final = re.compile(r"\$\{([^}\n]*)\}")
"""Anything that is written like a placeholder."""

_CAPITALISED: Final = re.compile(r"\$\{([A-Z][A-Za-z0-9]*(?:::[A-Za-z0-9]+)?)\}")
_ANY_CASE: Final = re.compile(r"\$\{([A-Za-z_]\w*(?:::\w+)?)\}", re.ASCII)
# What a template assigns is its own variable, whatever its case.
_ASSIGNED: Final = re.compile(r"#(?:set|foreach)\s*\(\s*\$!?\{?(\w+)")
_TEMPLATES: Final = ("requestTemplates", "responseTemplates")
_EXTENSION: Final = "x-amazon-apigateway-"


def placeholders_in(node: object) -> dict[str, str]:
    """Return the names of the placeholders in all texts of a tree, and where each is first used."""
    found: dict[str, str] = {}

    def note(pointer: str, match: re.Match[str]) -> str:
        found.setdefault(match[1], pointer)
        return match[0]

    _replaced(node, "", _CAPITALISED, note)
    return found


def filled(node: Any, values: Mapping[str, str]) -> Any:
    """Copy a tree with its placeholders filled; what a value brings in is not filled again."""
    return _replaced(node, "", _CAPITALISED, lambda _, match: values[match[1]])


def _replaced(
    node: Any,
    pointer: str,
    pattern: re.Pattern[str],
    replace: Callable[[str, re.Match[str]], str],
) -> Any:
    """Copy a tree with each placeholder replaced; a text's pointer and the match say which."""
    if isinstance(node, str):
        own = set(_ASSIGNED.findall(node))
        return pattern.sub(lambda m: m[0] if m[1] in own else replace(pointer, m), node)
    if isinstance(node, Mapping):
        return {
            key: _replaced(value, join(pointer, key), _pattern(key, pattern), replace)
            for key, value in node.items()
        }
    if isinstance(node, list):
        return [
            _replaced(value, join(pointer, index), pattern, replace)
            for index, value in enumerate(node)
        ]
    return node


def _pattern(key: str, above: re.Pattern[str]) -> re.Pattern[str]:
    """Return what a placeholder looks like below a member of that name."""
    if key in _TEMPLATES:
        return _CAPITALISED
    return _ANY_CASE if key.startswith(_EXTENSION) else above
