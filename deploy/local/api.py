"""
A REST API as the stages work with it: resources, methods, integrations.

All of it is made once, by `api_import`; templates, patterns and mappings are compiled in it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from deploy.local.content_handling import BinaryMediaTypes, ContentHandling
from deploy.local.integration_uri import IntegrationUri
from deploy.local.models import Model
from deploy.local.parameters import RequestSource, ResponseSource
from deploy.local.vtl import Template

IntegrationType: TypeAlias = Literal["aws", "http", "http_proxy", "mock"]
PassthroughBehavior: TypeAlias = Literal["never", "when_no_match", "when_no_templates"]
ParameterLocation: TypeAlias = Literal["path", "querystring", "header"]


@dataclass(frozen=True, slots=True)
class RequestMapping:
    """`integration.request.{location}.{name}` and where its values come from."""

    location: ParameterLocation
    name: str
    source: RequestSource


@dataclass(frozen=True, slots=True)
class HeaderMapping:
    """`method.response.header.{name}` and where its value comes from."""

    name: str
    source: ResponseSource


@dataclass(frozen=True, slots=True)
class IntegrationResponse:
    """
    One entry of an integration's `responses`.

    Args:
        pointer: Where it stands in the document.
        pattern: Matched whole against the selection value; `None` for `default`.
        status: Status of the method response.
        headers: Response parameter mappings.
        templates: Response templates by media type.
        content_handling: What becomes of the backend's payload.
    """

    pointer: str
    pattern: re.Pattern[str] | None
    status: int
    headers: Sequence[HeaderMapping]
    templates: Mapping[str, Template]
    content_handling: ContentHandling | None


@dataclass(frozen=True, slots=True)
class Integration:
    """
    The integration of a method.

    Args:
        pointer: Where it stands in the document.
        type: Integration type, lower case.
        http_method: Method towards the backend; `None` for mock, `ANY` for the client's.
        uri: Where to send; `None` for mock.
        passthrough_behavior: What happens to a body for which there is no template.
        parameters: Request parameter mappings.
        templates: Request templates by media type.
        responses: Integration responses with a pattern, in document order.
        default: The integration response for everything else.
        timeout: Seconds until `INTEGRATION_TIMEOUT`.
        content_handling: What becomes of the client's payload.
    """

    pointer: str
    type: IntegrationType
    http_method: str | None
    uri: IntegrationUri | None
    passthrough_behavior: PassthroughBehavior
    parameters: Sequence[RequestMapping]
    templates: Mapping[str, Template]
    responses: Sequence[IntegrationResponse]
    default: IntegrationResponse | None
    timeout: float
    content_handling: ContentHandling | None


@dataclass(frozen=True, slots=True)
class Method:
    """
    A method of a resource.

    Args:
        http_method: HTTP method, upper case, or `ANY`.
        resource_id: `$context.resourceId`.
        resource_path: Such as `/status/{messageId}`.
        iam: Whether the caller has to sign.
        api_key_required: Whether the caller has to send `x-api-key`.
        required_parameters: Locations and names, in the order of AWS's message; empty where
            parameters are not validated.
        models: Models by media type; empty where bodies are not validated.
        statuses: Statuses of the method responses.
        integration: The integration.
        binary_media_types: Those of the API.
    """

    http_method: str
    resource_id: str
    resource_path: str
    iam: bool
    api_key_required: bool
    required_parameters: Sequence[tuple[ParameterLocation, str]]
    models: Mapping[str, Model]
    statuses: frozenset[int]
    integration: Integration
    binary_media_types: BinaryMediaTypes


@dataclass(slots=True)
class Resource:
    """
    A node of the tree of resources; not changed after import.

    Args:
        path: Such as `/status/{messageId}`.
        methods: Methods by HTTP method or `ANY`.
        literals: Child resources by path part.
        parameter: Name of the path parameter and child resource `{name}`.
        greedy: Name of the path parameter and child resource `{name+}`.
    """

    path: str
    methods: dict[str, Method] = field(default_factory=dict)
    literals: dict[str, "Resource"] = field(default_factory=dict)
    parameter: "tuple[str, Resource] | None" = None
    greedy: "tuple[str, Resource] | None" = None

    def method(self, http_method: str) -> Method | None:
        """Return the method for an HTTP method, that of `ANY` included."""
        return self.methods.get(http_method) or self.methods.get("ANY")


@dataclass(frozen=True, slots=True)
class Api:
    """
    An imported REST API.

    Args:
        id: Ten characters, made of the title, so that it stays the same over restarts.
        root: Resource `/`.
        methods: All methods, in document order.
    """

    id: str
    root: Resource
    methods: Sequence[Method]
