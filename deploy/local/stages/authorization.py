"""Authorization: the IAM signature, the caller's permission, the API key."""

from collections.abc import Mapping
from datetime import UTC, datetime

from deploy.contract.responses import GatewayResponseType
from deploy.local.api import Method
from deploy.local.context import with_api_key, with_caller
from deploy.local.credentials import KeyStore, LocalKey
from deploy.local.exchange import Context, GatewayError, Request
from deploy.local.signature_claim import FailureType, SignatureError, claim
from deploy.local.sigv4 import SignedRequest, verify

# Which gateway response a malformed header and an unknown key have is not documented.
_RESPONSE_TYPES: Mapping[FailureType, GatewayResponseType] = {
    "MissingAuthenticationTokenException": "MISSING_AUTHENTICATION_TOKEN",
    "ExpiredTokenException": "EXPIRED_TOKEN",
    "InvalidSignatureException": "INVALID_SIGNATURE",
    "UnrecognizedClientException": "INVALID_SIGNATURE",
    "IncompleteSignatureException": "INVALID_SIGNATURE",
}


def authorize(
    request: Request,
    method: Method,
    path: str,
    context: Context,
    *,
    keys: KeyStore,
    region: str,
    now: float,
) -> None:
    """
    Let the request through, and put its caller and API key in `$context.identity`.

    Args:
        request: The request.
        method: The method that it is for.
        path: Path without the stage.
        context: `$context`; `identity` gets the caller.
        keys: The keys that are known.
        region: Region that signatures have to name.
        now: Seconds since the epoch.

    Raises:
        GatewayError: The request is not signed, not signed rightly, or not allowed.
    """
    if method.iam:
        key = _signer(request, keys, region, datetime.fromtimestamp(now, UTC))
        if not key.allows(request.method, path):
            raise _access_denied(key, request, path, context, region)
        with_caller(context, key)
    if method.api_key_required:
        api_key = request.header("x-api-key")
        if api_key is None or not keys.accepts_api_key(api_key):
            raise GatewayError("INVALID_API_KEY", "Forbidden", "ForbiddenException")
        with_api_key(context, api_key)


def check_claim(request: Request) -> None:
    """
    Refuse a request for an unknown route by what its signature lacks, if it has one.

    Such a request is authenticated before it is said that nothing answers it: a bearer token is
    malformed to IAM (observed by third parties).

    Raises:
        GatewayError: `Authorization`, or the query string, holds no whole signature.
    """
    try:
        claim({name.lower(): value for name, value in request.headers}, request.raw_query)
    except SignatureError as error:
        raise _refusal(error) from error


def _signer(request: Request, keys: KeyStore, region: str, now: datetime) -> LocalKey:
    signed = SignedRequest(
        request.method, request.raw_path, request.raw_query, request.headers, request.body
    )
    try:
        return verify(signed, keys, region=region, service="execute-api", now=now)
    except SignatureError as error:
        raise _refusal(error) from error


def _refusal(error: SignatureError) -> GatewayError:
    return GatewayError(_RESPONSE_TYPES[error.error_type], error.message, error.error_type)


def _access_denied(
    key: LocalKey, request: Request, path: str, context: Context, region: str
) -> GatewayError:
    masked = "*" * 8 + str(context["accountId"])[-4:]
    resource = f"{context['apiId']}/{context['stage']}/{request.method}{path}"
    return GatewayError(
        "ACCESS_DENIED",
        f"User: {key.user_arn} is not authorized to perform: execute-api:Invoke on resource: "
        f"arn:aws:execute-api:{region}:{masked}:{resource}",
        "AccessDeniedException",
    )
