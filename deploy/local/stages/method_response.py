"""Method response: renamed and dropped headers, and the gateway's own."""

from collections.abc import Sequence

from deploy.local.api import IntegrationType
from deploy.local.exchange import Context, Response, RoutedRequest
from deploy.local.headers import field_text

# Mapped or passed headers of these names come out as x-amzn-Remapped-{name}. Recorded, but for two:
# what a proxy passes of the second line is said by AWS ("Amazon API Gateway important notes") and
# seen by many for WWW-Authenticate; x-amz-apigw-id is by analogy with the request's other ID.
_REMAPPED = frozenset(
    {
        *("connection", "content-length", "date", "server", "x-amzn-requestid"),
        *("authorization", "content-md5", "expect", "host", "max-forwards"),
        *("proxy-authenticate", "trailer", "upgrade", "user-agent", "www-authenticate"),
        "x-amz-apigw-id",
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
    dropped = _DROPPED_FROM_PROXY if integration_type == "http_proxy" else _DROPPED
    added = list(gateway_headers(routed.context))
    if integration_type not in _WITHOUT_TRACE:
        added.append(("X-Amzn-Trace-Id", routed.parameters.header["X-Amzn-Trace-Id"]))
        dropped |= {"x-amzn-trace-id"}
    headers = [
        (f"x-amzn-Remapped-{name}" if name.lower() in _REMAPPED else name, field_text(value))
        for name, value in response.headers
        if name.lower() not in dropped
    ]
    body = b"" if response.status in _BODILESS else response.body
    return Response(response.status, [*headers, *added], body)


def gateway_headers(context: Context) -> Sequence[tuple[str, str]]:
    """Return the headers that every response has."""
    return (
        ("x-amzn-RequestId", str(context["requestId"])),
        ("x-amz-apigw-id", str(context["extendedRequestId"])),
    )
