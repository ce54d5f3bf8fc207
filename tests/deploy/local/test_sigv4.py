"""The verification of signatures, against requests that botocore signed."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest import mock
from urllib.parse import quote, quote_plus, urlsplit

import pytest
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from deploy.local.credentials import KeyStore, LocalKey
from deploy.local.signature_claim import SignatureError
from deploy.local.sigv4 import SignedRequest, verify
from deploy.local.sigv4 import authorization as make_authorization

REGION = "us-east-1"
SERVICE = "execute-api"


def signed(
    key: LocalKey,
    url: str = "http://127.0.0.1:8000/local/users",
    *,
    method: str = "POST",
    body: bytes = b'{"name":"Ada"}',
    headers: dict[str, str] | None = None,
    region: str = REGION,
    service: str = SERVICE,
) -> SignedRequest:
    """Return a request as it comes over the wire, signed by botocore."""
    request = AWSRequest(method, url, data=body, headers=headers or {})
    credentials = Credentials(key.access_key_id, key.secret_access_key, key.session_token)
    SigV4Auth(credentials, service, region).add_auth(request)
    parts = urlsplit(url)
    wire_headers = [("Host", parts.netloc), *((k, v) for k, v in request.headers.items())]
    return SignedRequest(method, parts.path or "/", parts.query, wire_headers, body)


def check(request: SignedRequest, store: KeyStore, now: datetime | None = None) -> LocalKey:
    """Verify a request at the current time, or at another."""
    return verify(request, store, region=REGION, service=SERVICE, now=now or datetime.now(UTC))


def with_header(request: SignedRequest, name: str, value: str | None) -> SignedRequest:
    """Return the request with a header replaced, or without it."""
    headers = [(k, v) for k, v in request.headers if k.lower() != name.lower()]
    return replace(request, headers=[*headers, *([(name, value)] if value is not None else [])])


def authorization(request: SignedRequest) -> str:
    """Return the Authorization header of a request."""
    return next(value for name, value in request.headers if name.lower() == "authorization")


@pytest.mark.parametrize(
    "path",
    [
        "/local/users",
        "/local/",
        "/",
        "/local/status/a%20b",
        "/local/status/a%2Fb",
        "/local/status/%C3%A9%F0%9F%98%80",
        "/local/status/a:b@c(d)e*f+g",
        "/local/status/~tilde-dash_under.dot",
        "/local/users?name=a%20b&name=b%2Bc&empty=&z=1&a=2",
        "/local/users?b=2&b=1&a=%C3%A9",
    ],
)
def test_awkward_paths_and_queries_verify(path: str) -> None:
    """What botocore signs verifies, encoded ids and repeated query parameters included."""
    store = KeyStore()
    key = store.issue()
    assert check(signed(key, f"http://127.0.0.1:8000{path}"), store) == key


@given(st.text(min_size=1, max_size=20).filter(lambda text: text not in (".", "..")))
def test_any_id_verifies(identifier: str) -> None:
    """Any text as one encoded path segment verifies."""
    store = KeyStore()
    encoded = quote(identifier.encode("utf-8", "replace"), safe="")
    assert check(signed(store.issue(), f"http://h/local/status/{encoded}"), store)


def test_session_tokens_verify() -> None:
    """Temporary credentials verify with their token, and not without it or with another."""
    store = KeyStore()
    key = store.issue(temporary=True)
    request = signed(key)
    assert check(request, store) == key
    for token in (None, "another"):
        with pytest.raises(SignatureError, match="security token included in the request is inval"):
            check(with_header(request, "X-Amz-Security-Token", token), store)


def test_repeated_and_spaced_headers_verify() -> None:
    """Runs of spaces in a signed header count as one, as the algorithm says."""
    store = KeyStore()
    request = signed(store.issue(), headers={"X-Note": "a   b"})
    assert check(request, store)


@pytest.mark.parametrize(
    "tamper",
    [
        lambda r: replace(r, body=b"{}"),
        lambda r: replace(r, method="PUT"),
        lambda r: replace(r, raw_path="/local/other"),
        lambda r: replace(r, raw_query="a=1"),
        lambda r: with_header(r, "Host", "elsewhere"),
        lambda r: with_header(r, "Authorization", authorization(r)[:-1] + "g"),
    ],
    ids=["body", "method", "path", "query", "host", "signature"],
)
def test_tampering_is_noticed(tamper: Callable[[SignedRequest], SignedRequest]) -> None:
    """A change to any signed part fails, and the message says what should have been signed."""
    store = KeyStore()
    with pytest.raises(SignatureError) as raised:
        check(tamper(signed(store.issue())), store)
    assert raised.value.error_type == "InvalidSignatureException"
    assert "The Canonical String for this request should have been" in raised.value.message


def test_wrong_secret_is_noticed() -> None:
    """A signature by another secret key fails."""
    store = KeyStore()
    key = store.issue()
    with pytest.raises(SignatureError, match="does not match the signature you provided"):
        check(signed(replace(key, secret_access_key="wrong")), store)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"region": "eu-west-1"}, "a valid region, not 'eu-west-1'"),
        ({"service": "sqs"}, "correct service: 'execute-api'"),
    ],
)
def test_scope_has_to_match(changes: dict[str, str], message: str) -> None:
    """A signature for another region or service is refused, and the message names it."""
    store = KeyStore()
    with pytest.raises(SignatureError, match=message) as raised:
        check(
            signed(
                store.issue(),
                region=changes.get("region", REGION),
                service=changes.get("service", SERVICE),
            ),
            store,
        )
    assert raised.value.error_type == "InvalidSignatureException"


@pytest.mark.parametrize(
    ("minutes", "message"),
    [(5.2, "Signature expired: .* is now earlier than"), (-5.2, "Signature not yet current")],
)
def test_clock_skew_is_bounded(minutes: float, message: str) -> None:
    """Five minutes either way are allowed, more are not."""
    store = KeyStore()
    request = signed(store.issue())
    now = datetime.now(UTC)
    assert check(request, store, now + timedelta(minutes=minutes * 0.9))
    with pytest.raises(SignatureError, match=message):
        check(request, store, now + timedelta(minutes=minutes))


def test_expired_credentials_are_refused() -> None:
    """Temporary credentials end."""
    store = KeyStore()
    now = datetime.now(UTC)
    key = store.issue(temporary=True, expires_at=now + timedelta(seconds=1))
    request = signed(key)
    assert check(request, store, now)
    with pytest.raises(SignatureError, match="is expired") as raised:
        check(request, store, now + timedelta(seconds=2))
    assert raised.value.error_type == "ExpiredTokenException"


def test_unknown_key_is_refused() -> None:
    """A key that was never issued is an invalid token."""
    with pytest.raises(SignatureError) as raised:
        check(signed(KeyStore().issue()), KeyStore())
    assert raised.value.error_type == "UnrecognizedClientException"


def test_unsigned_request_is_refused() -> None:
    """Without the header there is no authentication token."""
    store = KeyStore()
    with pytest.raises(SignatureError, match="Missing Authentication Token"):
        check(with_header(signed(store.issue()), "Authorization", None), store)


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("Bearer abc", "missing equal-sign"),
        ("abc", "requires 'Credential' parameter. .*'Signature' .*'SignedHeaders' parameter"),
        ("AWS4-HMAC-SHA256", "requires 'Credential' parameter"),
        ("Basic dTpw==", "requires 'Credential' parameter"),
        ("AWS4-HMAC-SHA256 nonsense", "missing equal-sign"),
        ("AWS4-HMAC-SHA256 Signature=x, SignedHeaders=host", "requires 'Credential' parameter"),
        ("AWS4-HMAC-SHA256 Credential=a/b, Signature=x, SignedHeaders=host", "exactly 5"),
    ],
)
def test_malformed_header_is_incomplete(header: str, message: str) -> None:
    """A header that is not a signature says what is missing."""
    store = KeyStore()
    with pytest.raises(SignatureError, match=message) as raised:
        check(with_header(signed(store.issue()), "Authorization", header), store)
    assert raised.value.error_type == "IncompleteSignatureException"


@pytest.mark.parametrize(
    ("date", "message"),
    [
        (None, "requires existence of either a 'X-Amz-Date' or a 'Date' header"),
        ("yesterday", "must be in ISO-8601 'basic format'. Got 'yesterday'. See http"),
        (
            "20269999T000000Z",
            "Date must be in ISO-8601 'basic format'. Got '20269999T000000Z'.",
        ),
    ],
)
def test_request_needs_a_date(date: str | None, message: str) -> None:
    """Without a date, or with one that is none, the signature is incomplete."""
    store = KeyStore()
    with pytest.raises(SignatureError, match=re.escape(message)) as raised:
        check(with_header(signed(store.issue()), "X-Amz-Date", date), store)
    assert raised.value.error_type == "IncompleteSignatureException"


def test_scope_has_the_date_of_the_request() -> None:
    """The day of the scope is that of X-Amz-Date; the text names both, and the date sent."""
    store = KeyStore()
    request = signed(store.issue())
    sent = dict(request.headers)["X-Amz-Date"]
    header = authorization(request).replace(f"/{sent[:8]}/", "/20130609/")
    with pytest.raises(SignatureError) as raised:
        check(with_header(request, "Authorization", header), store)
    assert raised.value.message == (
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
        f"HTTP: '20130609' != '{sent[:8]}', from '{sent}'. "
    )


def test_first_of_several_faults_is_told() -> None:
    """Date, age, signed headers, scope, key, signature: the first that is wrong is told."""
    store = KeyStore()
    now = datetime.now(UTC)
    old = (now - timedelta(days=1)).strftime("%Y%m%dT%H%M%SZ")
    header = (
        "AWS4-HMAC-SHA256 Credential=AKIANONE/20130609/nowhere/s/t, SignedHeaders={}, Signature=0"
    )
    unsigned_host = with_header(signed(store.issue()), "Authorization", header.format("x-amz-date"))
    scoped = with_header(unsigned_host, "Authorization", header.format("host;x-amz-date"))
    good_scope = f"{now:%Y%m%d}/{REGION}/{SERVICE}/aws4_request"
    unknown = header.format("host").replace("20130609/nowhere/s/t", good_scope)
    faults = [
        (with_header(unsigned_host, "X-Amz-Date", "soon"), "Date must be in"),
        (with_header(unsigned_host, "X-Amz-Date", old), "Signature expired"),
        (unsigned_host, "'Host' or ':authority' must be"),
        (scoped, "Credential should be scoped to a valid region, not 'nowhere'"),
        (with_header(scoped, "Authorization", unknown), "The security token included"),
    ]
    for request, message in faults:
        with pytest.raises(SignatureError, match=message):
            check(request, store, now)


def test_host_has_to_be_signed() -> None:
    """A signature that leaves Host out is refused."""
    store = KeyStore()
    request = signed(store.issue())
    header = authorization(request).replace("host;", "")
    with pytest.raises(SignatureError, match="must be a 'SignedHeader'"):
        check(with_header(request, "Authorization", header), store)


def test_a_made_signature_is_botocores() -> None:
    """What the gateway signs its calls of services with is what AWS's own library makes."""
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "A.B"}
    url = "http://127.0.0.1:1/0/a%20b?y=2&x=1"
    theirs = AWSRequest("POST", url, data=b"{}", headers=headers)
    SigV4Auth(Credentials("AKID", "secret", "token"), "sqs", "eu-west-1").add_auth(theirs)
    sent = {**dict(theirs.headers.items()), "Host": "127.0.0.1:1"}
    expected = sent.pop("Authorization")
    request = SignedRequest("POST", "/0/a%20b", "y=2&x=1", list(sent.items()), b"{}")
    ours = make_authorization(
        request, access_key_id="AKID", secret="secret", region="eu-west-1", service="sqs"
    )
    assert ours == expected


def presigned(
    key: LocalKey, url: str = "http://h/local/x?a=b%20c&a=1", body: bytes = b"", expires: int = 3600
) -> SignedRequest:
    """Return a request for a URL that botocore presigned."""
    request = AWSRequest("POST" if body else "GET", url)
    credentials = Credentials(key.access_key_id, key.secret_access_key, key.session_token)
    signer = SigV4QueryAuth(credentials, SERVICE, REGION, expires=expires)
    # botocore itself would make query parameters of a body.
    with mock.patch.object(signer, "payload", return_value=hashlib.sha256(body).hexdigest()):
        signer.add_auth(request)
    parts = urlsplit(str(request.url))
    return SignedRequest(str(request.method), parts.path, parts.query, [("Host", "h")], body)


def with_parameter(request: SignedRequest, name: str, value: str | None) -> SignedRequest:
    """Return the request with a query parameter replaced, or without it."""
    kept = [part for part in request.raw_query.split("&") if not part.startswith(f"{name}=")]
    added = [] if value is None else [f"{name}={quote_plus(value)}"]
    return replace(request, raw_query="&".join([*kept, *added]))


@pytest.mark.parametrize("temporary", [False, True])
@pytest.mark.parametrize("body", [b"", b'{"name":"Ada"}'])
def test_presigned_urls_verify(temporary: bool, body: bytes) -> None:
    """A signature in the query string is as good, with a session token and with a body."""
    store = KeyStore()
    key = store.issue(temporary=temporary)
    assert check(presigned(key, body=body), store) == key


@pytest.mark.parametrize(
    "tamper",
    [
        lambda r: replace(r, body=b"{}"),
        lambda r: replace(r, method="PUT"),
        lambda r: replace(r, raw_path="/local/other"),
        lambda r: with_parameter(r, "a", "2"),
        lambda r: with_parameter(r, "X-Amz-Expires", "604800"),
        lambda r: with_parameter(r, "X-Amz-Signature", "0" * 64),
        lambda r: with_header(r, "Host", "elsewhere"),
    ],
    ids=["body", "method", "path", "parameter", "expiry", "signature", "host"],
)
def test_tampering_with_a_presigned_url_is_noticed(
    tamper: Callable[[SignedRequest], SignedRequest],
) -> None:
    """The signature covers the query string but for itself, and all that it covers elsewhere."""
    store = KeyStore()
    with pytest.raises(SignatureError, match="The Canonical String for this request") as raised:
        check(tamper(presigned(store.issue())), store)
    assert raised.value.error_type == "InvalidSignatureException"


@pytest.mark.parametrize(
    "name", ["X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date"]
)
@pytest.mark.parametrize("value", [None, ""])
def test_presigned_url_has_to_be_whole(name: str, value: str | None) -> None:
    """What is missing, or empty, is named."""
    store = KeyStore()
    with pytest.raises(SignatureError) as raised:
        check(with_parameter(presigned(store.issue()), name, value), store)
    assert raised.value.error_type == "IncompleteSignatureException"
    wanted = f"AWS query-string parameters must include '{name}'."
    assert raised.value.message == f"{wanted} Re-examine the query-string parameters."


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("X-Amz-Algorithm", "AWS4-RSA", "Unsupported AWS 'algorithm': 'AWS4-RSA'"),
        ("X-Amz-Credential", "a/b", "exactly 5"),
        ("X-Amz-Date", "yesterday", "must be in ISO-8601"),
        ("X-Amz-SignedHeaders", "accept", "must be a 'SignedHeader'"),
    ],
)
def test_presigned_url_that_is_wrong_says_so(name: str, value: str, message: str) -> None:
    """Each parameter has to be what the algorithm says."""
    store = KeyStore()
    with pytest.raises(SignatureError, match=message):
        check(with_parameter(presigned(store.issue()), name, value), store)


def test_presigned_urls_last_five_minutes() -> None:
    """Whatever X-Amz-Expires says, as API Gateway has it."""
    store = KeyStore()
    request = presigned(store.issue(), expires=604_800)
    now = datetime.now(UTC)
    assert check(request, store, now + timedelta(minutes=4.5))
    with pytest.raises(SignatureError, match=r"Signature expired: .* - 5 min\.\)"):
        check(request, store, now + timedelta(minutes=5.2))


def test_token_of_a_presigned_url_is_in_it() -> None:
    """Temporary credentials without their token are invalid."""
    store = KeyStore()
    request = presigned(store.issue(temporary=True))
    with pytest.raises(SignatureError, match="security token included in the request is inval"):
        check(with_parameter(request, "X-Amz-Security-Token", None), store)


def test_two_signatures_are_one_too_many() -> None:
    """A header and a presigned URL at once are refused."""
    store = KeyStore()
    request = presigned(store.issue())
    both = with_header(request, "Authorization", "AWS4-HMAC-SHA256 Credential=a")
    with pytest.raises(SignatureError, match="Found both 'X-Amz-Algorithm'"):
        check(both, store)
