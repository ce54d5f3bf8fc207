"""
`$context.requestOverride` and `$context.responseOverride`: what templates set, for the stages.

Values print as a template prints them. A list makes a header of several values and a query
parameter that is repeated (LocalStack's developers saw the header sent twice, which says the same).
"""

from collections.abc import Mapping

from deploy.local.exchange import ConfigurationError
from deploy.local.headers import is_name, one_line
from deploy.local.vtl import text_of

# What LocalStack's developers saw AWS take; the first hundred cannot end an exchange, however.
_STATUSES = range(100, 600)
_FINAL = 200


def path_parameters(override: object) -> dict[str, str]:
    """Return `path` of a request override."""
    return {name: _text(value) for name, value in _members(override, "path").items()}


def query_parameters(override: object) -> dict[str, list[str]]:
    """Return `querystring` of a request override, each with its values."""
    return {name: _texts(value) for name, value in _members(override, "querystring").items()}


def header_fields(override: object, pointer: str) -> dict[str, str]:
    """
    Return `header` of an override.

    Args:
        override: The request or response override.
        pointer: Where the integration stands in the document.

    Raises:
        ConfigurationError: A name is none that a header can have.
    """
    members = _members(override, "header")
    fields = {name: one_line(",".join(_texts(value))) for name, value in members.items()}
    wrong = next((name for name in fields if not is_name(name)), None)
    if wrong is not None:
        raise ConfigurationError(f"{pointer}: the header {wrong!r} of an override is no name")
    return fields


def status(override: object, pointer: str) -> int | None:
    """
    Return `status` of a response override; nothing where it is no integer from 100 to 599.

    Args:
        override: The response override.
        pointer: Where the integration stands in the document.

    Raises:
        ConfigurationError: It is a status that no final answer has (RFC 9110, section 15.2).
    """
    value = override.get("status") if isinstance(override, Mapping) else None
    if not isinstance(value, int) or isinstance(value, bool) or value not in _STATUSES:
        return None
    if value < _FINAL:
        raise ConfigurationError(f"{pointer}: responseOverride.status is {value}")
    return int(value)


def _members(override: object, part: str) -> Mapping[str, object]:
    members = override.get(part) if isinstance(override, Mapping) else None
    return {str(k): v for k, v in members.items()} if isinstance(members, Mapping) else {}


def _texts(value: object) -> list[str]:
    return [_text(item) for item in value] if isinstance(value, list) else [_text(value)]


def _text(value: object) -> str:
    return "" if value is None else text_of(value)
