"""`$context`: what is known of a request when it arrives, before any stage."""

import base64
import hashlib
import re
import secrets
import time
import uuid
from collections.abc import Mapping
from functools import lru_cache

from deploy.local.credentials import LocalKey
from deploy.local.exchange import Context, Request

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
# Root stands anywhere: load balancers put Self before it.
_TRACE = re.compile(r"([\w.:=-]*;)*Root=1-[0-9a-f]{8}-[0-9a-f]{24}(;[\w.:=-]*)*", re.ASCII)
_IDENTITY_MEMBERS = (
    "accessKey",
    "accountId",
    "caller",
    "cognitoAuthenticationProvider",
    "cognitoAuthenticationType",
    "cognitoIdentityId",
    "cognitoIdentityPoolId",
    "principalOrgId",
    "sourceIp",
    "user",
    "userAgent",
    "userArn",
)


def arrival_context(
    request: Request, *, account_id: str, api_id: str, stage: str, now: float
) -> Context:
    """
    Return `$context` of a request that has just arrived.

    Args:
        request: The request.
        account_id: Account of the API.
        api_id: Identifier of the API.
        stage: Name of the stage.
        now: Seconds since the epoch.
    """
    domain_name = (request.header("host") or "localhost").partition(":")[0]
    return {
        "accountId": account_id,
        "apiId": api_id,
        "deploymentId": "local",
        "domainName": domain_name,
        "domainPrefix": domain_name.partition(".")[0],
        "extendedRequestId": base64.urlsafe_b64encode(secrets.token_bytes(11)).decode(),
        "httpMethod": request.method,
        "identity": {
            **dict.fromkeys(_IDENTITY_MEMBERS),
            "sourceIp": request.source_ip,
            "userAgent": request.header("user-agent"),
        },
        "path": request.raw_path,
        "protocol": f"HTTP/{request.http_version}",
        "requestId": str(uuid.uuid4()),
        "requestOverride": {"header": {}, "path": {}, "querystring": {}},
        "requestTime": _common_log_time(now),
        "requestTimeEpoch": int(now * 1000),
        "responseOverride": {"header": {}},
        "stage": stage,
    }


def with_caller(context: Context, key: LocalKey) -> None:
    """Put the caller that IAM found in `$context.identity`."""
    principal = _principal_id(key.user_arn)
    _identify(
        context,
        accessKey=key.access_key_id,
        accountId=key.account_id,
        caller=principal,
        user=principal,
        userArn=key.user_arn,
    )


def with_api_key(context: Context, api_key: str) -> None:
    """
    Put the API key in `$context.identity`, of methods that require one.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
    """
    _identify(context, apiKey=api_key, apiKeyId=_digest(api_key)[:10].lower())


def _identify(context: Context, **members: str) -> None:
    identity = context["identity"]
    known = identity if isinstance(identity, Mapping) else {}
    context["identity"] = {**known, **members}


def trace_header(request: Request, now: float) -> str:
    """
    Return `X-Amzn-Trace-Id` of a request: the client's where it is well formed, else a new one.

    Source: https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
    """
    sent = request.header("x-amzn-trace-id")
    if sent is not None and _TRACE.fullmatch(sent):
        return sent
    return f"Root=1-{int(now):08x}-{secrets.token_hex(12)}"


def _common_log_time(now: float) -> str:
    moment = time.gmtime(now)
    month = _MONTHS[moment.tm_mon - 1]
    return time.strftime(f"%d/{month}/%Y:%H:%M:%S +0000", moment)


@lru_cache(maxsize=256)
def _principal_id(arn: str) -> str:
    """Return an ID in the form of IAM's unique IDs; the same ARN has the same."""
    return f"AIDA{_digest(arn)[:17]}"


def _digest(text: str) -> str:
    return base64.b32encode(hashlib.sha256(text.encode()).digest()).decode()
