"""
What travels through the stages: one type for each hand-over.

`Request` arrives; routing makes it a `RoutedRequest`; the integration request stage makes a
`BackendRequest` of that, the integration a `BackendResponse`; the response stages make the
`Response`. A stage that cannot go on raises `GatewayError`, and the gateway response stage answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from deploy.contract.responses import GatewayResponseType
from deploy.local.api import Method

# $context: members are filled in by the stage that first knows them, as on AWS.
Context: TypeAlias = dict[str, object]


class GatewayError(Exception):
    """
    The request ends here, with a gateway response.

    Args:
        response_type: Which gateway response answers.
        message: `$context.error.message`.
        error_type: `x-amzn-ErrorType`.
        validation_error: `$context.error.validationErrorString`, of failed validations.
        status: HTTP status, for the types that have none of their own.
    """

    def __init__(
        self,
        response_type: GatewayResponseType,
        message: str,
        error_type: str,
        *,
        validation_error: str | None = None,
        status: int = 500,
    ) -> None:
        super().__init__(message)
        self.response_type: GatewayResponseType = response_type
        self.message = message
        self.error_type = error_type
        self.validation_error = validation_error
        self.status = status


class ConfigurationError(GatewayError):
    """
    The API itself is at fault: `API_CONFIGURATION_ERROR`, 500.

    Args:
        cause: What is wrong and where; for the log, never for the client.
    """

    def __init__(self, cause: str) -> None:
        super().__init__(
            "API_CONFIGURATION_ERROR", "Internal server error", "InternalServerErrorException"
        )
        self.cause = cause


@dataclass(frozen=True, slots=True)
class Request:
    """
    One HTTP request as it came over the wire.

    Args:
        method: HTTP method, upper case.
        raw_path: Path, percent-encoded, stage included.
        raw_query: Query string without `?`, percent-encoded.
        headers: Names as the client wrote them, and values.
        body: Payload.
        source_ip: Address of the client.
        http_version: Such as `1.1`.
    """

    method: str
    raw_path: str
    raw_query: str
    headers: Sequence[tuple[str, str]]
    body: bytes
    source_ip: str
    http_version: str

    def header(self, name: str) -> str | None:
        """Return the last value of a header by its lower-case name, or `None`."""
        for key, value in reversed(self.headers):
            if key.lower() == name:
                return value
        return None


@dataclass(frozen=True, slots=True)
class Parameters:
    """
    Parameters of the method request, percent-decoded; of several values of one name the last.

    Args:
        path: Path parameters by name.
        querystring: Query parameters by name.
        header: Headers by name, in the client's spelling; `Authorization` is not among them when
            the method is authorized by IAM.
        multi_querystring: All values of each query parameter.
        multi_header: All values of each header.
    """

    path: Mapping[str, str]
    querystring: Mapping[str, str]
    header: Mapping[str, str]
    multi_querystring: Mapping[str, Sequence[str]]
    multi_header: Mapping[str, Sequence[str]]

    def header_value(self, name: str) -> str | None:
        """Return a header by its name in any case, or `None`."""
        value = self.header.get(name)
        if value is not None:
            return value
        lower = name.lower()
        return next((v for k, v in self.header.items() if k.lower() == lower), None)

    def as_input(self) -> dict[str, dict[str, str]]:
        """Return the map behind `$input.params()`."""
        return {
            "path": dict(self.path),
            "querystring": dict(self.querystring),
            "header": dict(self.header),
        }


@dataclass(frozen=True, slots=True)
class RoutedRequest:
    """
    A request whose method is known.

    Args:
        request: The request.
        method: The method that answers it.
        parameters: The request's parameters.
        path: Path without the stage, percent-encoded.
        context: `$context` so far.
        stage_variables: `$stageVariables`.
    """

    request: Request
    method: Method
    parameters: Parameters
    path: str
    context: Context
    stage_variables: Mapping[str, str]

    @property
    def text(self) -> str:
        """The payload as text, as every API without binary media types reads it."""
        return self.request.body.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class BackendRequest:
    """
    What the integration request stage makes for the backend.

    Args:
        method: HTTP method towards the backend.
        path: Values for the `{placeholders}` of the integration's URI.
        querystring: Query parameters to add; values are lists because names may repeat.
        headers: Headers to send, not those that the integration adds by itself.
        body: Text to send.
        binary: What is sent in its place where that is no text.
    """

    method: str
    path: Mapping[str, str]
    querystring: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]
    body: str
    binary: bytes | None = None

    @property
    def payload(self) -> bytes:
        """What is sent."""
        return self.body.encode("utf-8", "replace") if self.binary is None else self.binary


@dataclass(frozen=True, slots=True)
class BackendResponse:
    """
    What the backend answered.

    Args:
        status: HTTP status.
        selection: What the patterns of the integration responses are matched against.
        headers: Names and values.
        body: Payload.
    """

    status: int
    selection: str
    headers: Sequence[tuple[str, str]]
    body: bytes

    def values(self, name: str) -> Sequence[str]:
        """Return the values of a header by its name in any case, none where it is not there."""
        lower = name.lower()
        return [value for key, value in self.headers if key.lower() == lower]


@dataclass(frozen=True, slots=True)
class Response:
    """
    What the client gets.

    Args:
        status: HTTP status.
        headers: Names and values, Content-Length not among them.
        body: Payload.
    """

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes
