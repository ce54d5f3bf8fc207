"""The mock integration: the request template itself says which status "the backend" answers."""

from deploy.local.exchange import (
    BackendRequest,
    BackendResponse,
    ConfigurationError,
    RoutedRequest,
)
from deploy.local.jsonpath import BrokenJsonError, parse

# Of a Java int: that is what the status is read as.
_INTEGERS = range(-(2**31), 2**31)


class MockIntegration:
    """Answers without a backend."""

    async def call(self, routed: RoutedRequest, request: BackendRequest) -> BackendResponse:
        """
        Answer with the `statusCode` of the rendered request template, and nothing else.

        It is any integer, not a string; an HTTP status becomes of it by the integration responses.
        The template is read as `$input.path` reads a payload, so that `{statusCode: 200}` will do
        (recorded; the edges as LocalStack's developers saw them).

        Raises:
            ConfigurationError: The template says no status.
        """
        status = _status(request.body)
        if status is None:
            raise ConfigurationError(
                f"{routed.method.integration.pointer}: the mock's request template renders no "
                'JSON object with "statusCode", an integer without quotes'
            )
        return BackendResponse(status, str(status), (), b"")


def _status(body: str) -> int | None:
    try:
        document = parse(body)
    except BrokenJsonError:
        return None
    status = document.get("statusCode") if isinstance(document, dict) else None
    return status if type(status) is int and status in _INTEGERS else None
