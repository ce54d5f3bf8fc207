"""Authorization."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from deploy.local.api import Method
from deploy.local.context import arrival_context
from deploy.local.credentials import KeyStore, LocalKey
from deploy.local.exchange import Context, GatewayError, Request
from deploy.local.stages.authorization import authorize, check_claim

URL = "http://127.0.0.1/dev/x/1"


@pytest.fixture
def iam_method(method_of: Callable[..., Method]) -> Method:
    """A method that IAM authorizes."""
    scheme = {"type": "apiKey", "name": "Authorization", "in": "header"}
    scheme["x-amazon-apigateway-authtype"] = "awsSigv4"
    return method_of(
        security=[{"sigv4": []}], root={"components": {"securitySchemes": {"sigv4": scheme}}}
    )


def signed_by(key: LocalKey | None, **tamper: Any) -> Request:
    """Return a request, signed if there is a key; `tamper` replaces members after signing."""
    signed = AWSRequest("POST", URL, data=b"{}")
    if key is not None:
        credentials = Credentials(key.access_key_id, key.secret_access_key, key.session_token)
        SigV4Auth(credentials, "execute-api", "us-east-1").add_auth(signed)
    members = {
        "method": "POST",
        "raw_path": "/dev/x/1",
        "raw_query": "",
        "headers": [("host", "127.0.0.1"), *signed.headers.items()],
        "body": b"{}",
        "source_ip": "192.0.2.7",
        "http_version": "1.1",
    }
    return Request(**(members | tamper))


def run(request: Request, method: Method, keys: KeyStore, now: float | None = None) -> Context:
    """Authorize a request; return its context."""
    moment = time.time() if now is None else now
    context = arrival_context(
        request, account_id="123456789012", api_id="api", stage="dev", now=moment
    )
    authorize(request, method, "/x/1", context, keys=keys, region="us-east-1", now=moment)
    return context


def test_caller_is_put_in_the_context(iam_method: Method) -> None:
    """`$context.identity` says who signed."""
    keys = KeyStore()
    key = keys.issue(account_id="123456789012", user_name="ada")
    identity = run(signed_by(key), iam_method, keys)["identity"]
    assert isinstance(identity, dict)
    assert identity["accountId"] == "123456789012"
    assert identity["accessKey"] == key.access_key_id
    assert identity["userArn"] == "arn:aws:iam::123456789012:user/ada"
    assert identity["caller"] == identity["user"]
    assert identity["sourceIp"] == "192.0.2.7"


def test_unsigned_request_passes_an_open_method(method_of: Callable[..., Method]) -> None:
    """A method without security is public, and has no caller."""
    identity = run(signed_by(None), method_of(), KeyStore())["identity"]
    assert isinstance(identity, dict)
    assert identity["accountId"] is None


@pytest.mark.parametrize(
    ("tamper", "seconds", "response_type", "error_type"),
    [
        ({"headers": []}, 0, "MISSING_AUTHENTICATION_TOKEN", "MissingAuthenticationTokenException"),
        (
            {"headers": [("Authorization", "Basic x")]},
            0,
            "INVALID_SIGNATURE",
            "IncompleteSignatureException",
        ),
        ({"body": b"[]"}, 0, "INVALID_SIGNATURE", "InvalidSignatureException"),
        ({}, 301, "INVALID_SIGNATURE", "InvalidSignatureException"),
        ({}, -301, "INVALID_SIGNATURE", "InvalidSignatureException"),
    ],
)
def test_failures_have_their_gateway_response(
    iam_method: Method,
    tamper: dict[str, Any],
    seconds: float,
    response_type: str,
    error_type: str,
) -> None:
    """Each way to fail has AWS's gateway response and error type."""
    keys = KeyStore()
    request = signed_by(keys.issue(), **tamper)
    with pytest.raises(GatewayError) as raised:
        run(request, iam_method, keys, time.time() + seconds)
    assert (raised.value.response_type, raised.value.error_type) == (response_type, error_type)


def test_presigned_urls_are_as_good_as_headers(iam_method: Method) -> None:
    """The caller is known; what is wrong has the gateway response of a wrong header."""
    keys = KeyStore()
    key = keys.issue(user_name="ada")
    signed = AWSRequest("POST", URL)
    credentials = Credentials(key.access_key_id, key.secret_access_key)
    SigV4QueryAuth(credentials, "execute-api", "us-east-1").add_auth(signed)
    raw_query = str(signed.url).partition("?")[2]
    request = signed_by(None, body=b"", raw_query=raw_query)
    identity = run(request, iam_method, keys)["identity"]
    assert isinstance(identity, dict)
    assert identity["userArn"] == key.user_arn
    with pytest.raises(GatewayError) as raised:
        run(signed_by(None, raw_query="X-Amz-Algorithm=AWS4-HMAC-SHA256"), iam_method, keys)
    assert raised.value.response_type == "INVALID_SIGNATURE"
    assert raised.value.error_type == "IncompleteSignatureException"


def test_key_without_permission_is_denied(iam_method: Method) -> None:
    """A key that may not invoke the method gets AWS's text, with the account masked."""
    keys = KeyStore()
    key = keys.issue(may_invoke=("GET/*",))
    with pytest.raises(GatewayError) as raised:
        run(signed_by(key), iam_method, keys)
    assert raised.value.response_type == "ACCESS_DENIED"
    assert "us-east-1:********9012:api/dev/POST/x/1" in raised.value.message


def test_api_key_is_required(method_of: Callable[..., Method]) -> None:
    """A method with an API key scheme lets only known keys through, and tells which."""
    scheme = {"type": "apiKey", "name": "x-api-key", "in": "header"}
    method = method_of(
        security=[{"key": []}], root={"components": {"securitySchemes": {"key": scheme}}}
    )
    keys = KeyStore(api_keys=["good"])
    identity = run(signed_by(None, headers=[("X-Api-Key", "good")]), method, keys)["identity"]
    assert isinstance(identity, dict)
    assert (identity["apiKey"], len(identity["apiKeyId"])) == ("good", 10)
    with pytest.raises(GatewayError) as raised:
        run(signed_by(None, headers=[("X-Api-Key", "bad")]), method, keys)
    assert raised.value.response_type == "INVALID_API_KEY"


@pytest.mark.parametrize("where", ["root", "operation"])
def test_security_of_the_root_is_for_all_without_their_own(
    method_of: Callable[..., Method], where: str
) -> None:
    """An operation takes the security of the root (recorded), unless it has its own, be it none."""
    scheme = {"type": "apiKey", "name": "x-api-key", "in": "header"}
    root = {"components": {"securitySchemes": {"key": scheme}}, "security": [{"key": []}]}
    own: dict[str, Any] = {"security": []} if where == "operation" else {}
    assert method_of(root=root, **own).api_key_required == (where == "root")


def test_claim_of_an_unknown_route_has_to_be_whole() -> None:
    """A bearer token is a malformed signature even where nothing answers; nothing at all is not."""
    with pytest.raises(GatewayError) as raised:
        check_claim(signed_by(None, headers=[("Authorization", "Bearer abc")]))
    assert raised.value.error_type == "IncompleteSignatureException"
    with pytest.raises(GatewayError) as raised:
        check_claim(signed_by(None, headers=[]))
    assert raised.value.error_type == "MissingAuthenticationTokenException"
    check_claim(signed_by(KeyStore().issue()))
