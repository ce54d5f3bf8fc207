"""Integration response: selection by pattern, header mappings, template, overrides."""

from collections.abc import Mapping
from dataclasses import dataclass

from deploy.local import overrides
from deploy.local.api import Integration, IntegrationResponse
from deploy.local.content_handling import response_payload
from deploy.local.exchange import (
    BackendResponse,
    ConfigurationError,
    Response,
    RoutedRequest,
)
from deploy.local.headers import overlay
from deploy.local.jsonpath import BrokenJsonError
from deploy.local.stages.request_validation import JSON, media_type
from deploy.local.templates import render_mapping
from deploy.local.vtl import Template, VtlError


def build(routed: RoutedRequest, answer: BackendResponse) -> Response:
    """
    Make the method response of what the backend answered.

    Args:
        routed: The request.
        answer: The backend's answer.

    Raises:
        ConfigurationError: No response is selected, its status is not declared, or its template
            fails.
    """
    if routed.method.integration.type == "http_proxy":
        return Response(answer.status, answer.headers, answer.body)
    selected = select(routed.method.integration, answer.selection)
    if selected.status not in routed.method.statuses:
        raise ConfigurationError(
            f"{selected.pointer}/statusCode: Output mapping refers to an invalid method response: "
            f"the operation declares no response {selected.status}"
        )
    rendered = _render(routed, answer, selected)
    headers = _mapped_headers(routed, answer, selected)
    override = routed.context["responseOverride"]
    pointer = routed.method.integration.pointer
    headers = overlay(headers, overrides.header_fields(override, pointer))
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = rendered.media_type
    status = overrides.status(override, pointer) or selected.status
    return Response(status, tuple(headers.items()), rendered.body)


@dataclass(frozen=True, slots=True)
class _Rendered:
    media_type: str
    body: bytes


def select(integration: Integration, selection: str) -> IntegrationResponse:
    """
    Return the integration response whose pattern matches first, or the default.

    Raises:
        ConfigurationError: No pattern matches and there is no default.
    """
    for response in integration.responses:
        if response.pattern is not None and response.pattern.fullmatch(selection):
            return response
    if integration.default is None:
        raise ConfigurationError(
            f"{integration.pointer}/responses: no pattern matches {selection!r} and there is no "
            "default"
        )
    return integration.default


def _render(
    routed: RoutedRequest, answer: BackendResponse, selected: IntegrationResponse
) -> _Rendered:
    """Return the rendered template; the backend's body where there is no template."""
    chosen = template_for(selected.templates, routed.parameters.header_value("Accept"))
    payload = _payload(routed, answer, selected)
    if chosen is None:
        return _Rendered(JSON, payload if isinstance(payload, bytes) else payload.encode())
    name, template = chosen
    if not isinstance(payload, str):
        raise ConfigurationError(
            f"{selected.pointer}/responseTemplates, {name}: Unable to transform response: the "
            "payload is binary. Write contentHandling: CONVERT_TO_TEXT"
        )
    try:
        result = render_mapping(
            template,
            phase="response",
            body=payload,
            params=routed.parameters.as_input(),
            context=routed.context,
            stage_variables=routed.stage_variables,
        )
    except VtlError as error:
        raise ConfigurationError(
            f"{selected.pointer}/responseTemplates, {name}: {error}"
        ) from error
    routed.context["responseOverride"] = result.response_override
    return _Rendered(name, result.output.encode("utf-8", "replace"))


def _payload(
    routed: RoutedRequest, answer: BackendResponse, selected: IntegrationResponse
) -> str | bytes:
    types = routed.method.binary_media_types
    try:
        return response_payload(
            answer.body,
            selected.content_handling,
            binary=types.match(next(iter(answer.values("content-type")), None)),
            accepted=types.match(routed.parameters.header_value("Accept")),
        )
    except ValueError as error:
        raise ConfigurationError(
            f"{selected.pointer}/contentHandling: no Base64: {error}"
        ) from error


def template_for(
    templates: Mapping[str, Template], accept: str | None
) -> tuple[str, Template] | None:
    """Return the template for Accept's first media type, else that for JSON, else the first."""
    for wanted in (media_type(accept) if accept else JSON, JSON):
        if wanted in templates:
            return wanted, templates[wanted]
    return next(iter(templates.items()), None)


def _mapped_headers(
    routed: RoutedRequest, answer: BackendResponse, selected: IntegrationResponse
) -> dict[str, str]:
    headers = {}
    for mapping in selected.headers:
        try:
            values = mapping.source(routed, answer)
        except BrokenJsonError as error:
            raise ConfigurationError(
                f"{selected.pointer}/responseParameters: the answer is broken JSON: {error}"
            ) from error
        if values:
            headers[mapping.name] = ",".join(values)
    return headers
