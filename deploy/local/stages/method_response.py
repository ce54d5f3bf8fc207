"""Method response: renamed and dropped headers, and the gateway's own."""

from collections.abc import Sequence

from deploy.local.api import IntegrationType
from deploy.local.exchange import Context, Response, RoutedRequest
from deploy.local.headers import field_text

# Mapped or passed headers of these names come out as x-amzn-Remapped-{name} (recorded).
_REMAPPED_FROM_PROXY = frozenset({"connection", "content-length", "date", "server"})
_REMAPPED = _REMAPPED_FROM_PROXY | frozenset(
    {
        *("authorization", "content-md5", "expect", "host", "max-forwards"),
        *("proxy-authenticate", "trailer", "upgrade", "user-agent", "www-authenticate"),
    }
)
_DROPPED = frozenset({"transfer-encoding"})
_DROPPED_FROM_PROXY = _DROPPED | {"content-encoding", "via"}
_WITHOUT_TRACE: frozenset[IntegrationType] = frozenset({"mock", "http_proxy"})
_BODILESS = frozenset({204, 205, 304})


def finish(routed: RoutedRequest, response: Response) -> Response:
    """
    Return the response as the client gets it.

    Args:
        routed: The request.
        response: The response with the headers that were mapped.
    """
    integration_type = routed.method.integration.type
    proxy = integration_type == "http_proxy"
    remapped = _REMAPPED_FROM_PROXY if proxy else _REMAPPED
    dropped = _DROPPED_FROM_PROXY if proxy else _DROPPED
    headers = [
        (f"x-amzn-Remapped-{name}" if name.lower() in remapped else name, field_text(value))
        for name, value in response.headers
        if name.lower() not in dropped
    ]
    headers.extend(gateway_headers(routed.context))
    if integration_type not in _WITHOUT_TRACE:
        headers.append(("X-Amzn-Trace-Id", routed.parameters.header["X-Amzn-Trace-Id"]))
    body = b"" if response.status in _BODILESS else response.body
    return Response(response.status, headers, body)


def gateway_headers(context: Context) -> Sequence[tuple[str, str]]:
    """Return the headers that every response has."""
    return (
        ("x-amzn-RequestId", str(context["requestId"])),
        ("x-amz-apigw-id", str(context["extendedRequestId"])),
    )
