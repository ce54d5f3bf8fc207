"""Routing: stage, resource and method of a request, and its parameters."""

from collections.abc import Sequence
from urllib.parse import parse_qsl, unquote

from deploy.local.api import Api, Method, Resource
from deploy.local.exchange import GatewayError, Parameters, Request

MAX_METHOD_ARN_BYTES = 1_600

# Never visible to mappings and templates (observed by third parties).
_DROPPED_HEADERS = frozenset(
    {
        *("connection", "content-length", "content-md5", "expect", "max-forwards"),
        *("proxy-authenticate", "server", "te", "transfer-encoding", "trailer", "upgrade"),
        *("www-authenticate", "x-amzn-trace-id", "x-forwarded-port", "x-forwarded-proto"),
    }
)


def stage_path(request: Request, stage: str) -> str:
    """
    Return the path behind the stage name, percent-encoded, with leading slash.

    Raises:
        GatewayError: The path is not of this stage.
    """
    prefix = f"/{stage}"
    rest = request.raw_path.removeprefix(prefix)
    if rest == request.raw_path or (rest and not rest.startswith("/")):
        raise unknown_route()
    return rest or "/"


def route(api: Api, http_method: str, path: str) -> tuple[Method, dict[str, str]]:
    """
    Find the method that answers.

    A literal path part wins over a parameter, a parameter over a greedy one; a resource without a
    method for the request leaves it to the next.

    Args:
        api: The API.
        http_method: HTTP method, upper case.
        path: Path behind the stage name, percent-encoded.

    Returns:
        The method, and the path parameters, percent-decoded.

    Raises:
        GatewayError: No method answers: 403, as unknown routes are to API Gateway.
    """
    parts = [unquote(part) for part in path.strip("/").split("/")] if path.strip("/") else []
    parameters: dict[str, str] = {}
    method = _find(api.root, http_method, parts, parameters)
    if method is None:
        raise unknown_route()
    return method, parameters


def check_method_arn(method_arn: str) -> None:
    """
    Refuse a request whose method ARN is too long; path parameters are a part of it.

    Args:
        method_arn: `arn:aws:execute-api:{region}:{account}:{api}/{stage}/{METHOD}/{path}`.

    Raises:
        GatewayError: 414.

    Source: AWS documentation, "Quotas for configuring and running a REST API", ARN of a method.
    """
    if len(method_arn) > MAX_METHOD_ARN_BYTES:
        raise GatewayError(
            "DEFAULT_4XX",
            f"Method ARN exceeded {MAX_METHOD_ARN_BYTES} bytes.",
            "RequestUriTooLongException",
            status=414,
        )


def unknown_route() -> GatewayError:
    """Return the error of an unknown route, which is that of a missing signature."""
    return GatewayError(
        "MISSING_AUTHENTICATION_TOKEN",
        "Missing Authentication Token",
        "MissingAuthenticationTokenException",
    )


def _find(
    resource: Resource, http_method: str, parts: Sequence[str], parameters: dict[str, str]
) -> Method | None:
    if not parts:
        return resource.method(http_method)
    part, rest = parts[0], parts[1:]
    literal = resource.literals.get(part)
    method = _find(literal, http_method, rest, parameters) if literal else None
    if method is None and resource.parameter is not None and part:
        name, child = resource.parameter
        method = _find(child, http_method, rest, parameters)
        if method is not None:
            parameters[name] = part
    if method is None and resource.greedy is not None:
        name, child = resource.greedy
        method = child.method(http_method)
        if method is not None:
            parameters[name] = "/".join(parts)
    return method


def parameters_of(
    request: Request, path: dict[str, str], *, trace: str, drop_authorization: bool
) -> Parameters:
    """
    Return the parameters of the method request.

    Args:
        request: The request.
        path: Path parameters.
        trace: `X-Amzn-Trace-Id` of the request.
        drop_authorization: Leave `Authorization` out, as for methods authorized by IAM.
    """
    headers = _headers(request, trace, drop_authorization)
    query = query_values(request)
    return Parameters(
        path=path,
        querystring={name: values[-1] for name, values in query.items()},
        header={name: values[-1] for name, values in headers.items()},
        multi_querystring=query,
        multi_header=headers,
    )


def query_values(request: Request) -> dict[str, list[str]]:
    """Return the values of each query parameter, percent-decoded."""
    query: dict[str, list[str]] = {}
    # A raw semicolon splits the query string as an ampersand does.
    for name, value in parse_qsl(request.raw_query.replace(";", "&"), keep_blank_values=True):
        query.setdefault(name, []).append(value)
    return query


def _headers(request: Request, trace: str, drop_authorization: bool) -> dict[str, list[str]]:
    """Return header values by name: one spelling for each, the first that the client used."""
    spelling: dict[str, str] = {}
    headers: dict[str, list[str]] = {}
    forwarded = request.source_ip
    for name, value in request.headers:
        lower = name.lower()
        if lower == "x-forwarded-for":
            forwarded = f"{value}, {request.source_ip}"
        elif lower not in _DROPPED_HEADERS and not (
            drop_authorization and lower == "authorization"
        ):
            headers.setdefault(spelling.setdefault(lower, name), []).append(value)
    host, _, port = (request.header("host") or "").partition(":")
    headers["X-Amzn-Trace-Id"] = [trace]
    headers["X-Forwarded-For"] = [forwarded]
    headers["X-Forwarded-Port"] = [port or "80"] if host else ["80"]
    headers["X-Forwarded-Proto"] = ["http"]
    return headers
