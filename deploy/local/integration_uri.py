"""The `uri` of an integration: a service's path or action, or an HTTP endpoint."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias
from urllib.parse import quote

from deploy.local.definition import Node

UriTarget: TypeAlias = Literal["http", "path", "action"]

_PLACEHOLDER = re.compile(r"\$\{stageVariables\.(\w+)\}|\{([\w.:-]+)\+?\}")
_ARN = re.compile(r"arn:[\w-]+:apigateway:(?P<region>[^:]*):(?P<service>[^:]+):(?P<rest>.+)", re.S)
_PATH_SAFE = "/-_.~:@!$&'()*+,;="


class UndefinedVariableError(LookupError):
    """The URI names a stage variable or path parameter that has no value."""


@dataclass(frozen=True, slots=True)
class IntegrationUri:
    """
    A parsed integration URI.

    Args:
        target: `path` and `action` call an AWS service; `http` a URL.
        region: Region of the service; empty for HTTP.
        service: Name of the service, such as `sqs`; empty for HTTP.
        template: URL, path with leading `/`, or action; may hold `{name}` and
            `${stageVariables.name}`.
        constant: Whether there is nothing to fill in.
    """

    target: UriTarget
    region: str
    service: str
    template: str
    constant: bool

    def expand(self, path: Mapping[str, str], stage_variables: Mapping[str, str]) -> str:
        """
        Fill the placeholders in.

        Args:
            path: Values of the `{name}`; they are percent-encoded, slashes excepted.
            stage_variables: Values of the `${stageVariables.name}`; taken as they are.

        Raises:
            UndefinedVariableError: A placeholder has no value.
        """
        if self.constant:
            return self.template
        return _PLACEHOLDER.sub(lambda m: _value(m, path, stage_variables), self.template)


def _value(
    match: re.Match[str], path: Mapping[str, str], stage_variables: Mapping[str, str]
) -> str:
    variable, parameter = match.groups()
    if variable is not None and variable in stage_variables:
        return stage_variables[variable]
    if parameter is not None and parameter in path:
        return quote(path[parameter], safe=_PATH_SAFE)
    raise UndefinedVariableError(f"{match[0]} has no value")


def import_uri(node: Node, integration_type: str) -> IntegrationUri:
    """
    Parse the URI of an integration.

    Args:
        node: The URI in the document.
        integration_type: `aws`, `http` or `http_proxy`.

    Raises:
        ApiImportError: It is not a URI of that type; the reason is AWS's text.
    """
    text = str(node.value or "")
    constant = _PLACEHOLDER.search(text) is None
    if integration_type != "aws":
        if not text.startswith(("http://", "https://", "${stageVariables.")):
            raise node.refusal("Invalid HTTP endpoint specified for URI")
        return IntegrationUri("http", "", "", text, constant)
    if not text.startswith("arn:"):
        raise node.refusal("Invalid ARN specified in the request")
    match = _ARN.fullmatch(text)
    if match is None or not match["rest"].startswith(("path/", "action/")):
        raise node.refusal("AWS ARN for integration must contain path or action")
    service = match["service"].rpartition(".")[2]
    target, _, rest = match["rest"].partition("/")
    if target == "action":
        return IntegrationUri("action", match["region"], service, rest, constant)
    return IntegrationUri("path", match["region"], service, f"/{rest.lstrip('/')}", constant)
