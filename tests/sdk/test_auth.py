from __future__ import annotations

from email.utils import formatdate
from typing import Any

import pytest
import requests
from aws_requests_auth.boto_utils import BotoAWSRequestsAuth
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials

from tests.sdk.orders import Keys, OrdersClient, perform
from users_sdk._auth import Auth, BearerToken, Signer, SigV4, Unsigned, signer_for
from users_sdk._credentials import Keys as FrozenKeys
from users_sdk._credentials import KeySource
from users_sdk._http import Headers, Request, Response
from users_sdk._sigv4 import amz_date
from users_sdk._steps import Call
from users_sdk.errors import ConfigurationError, SDKError

REQUEST = Request(
    "POST",
    "https://a1.execute-api.eu-west-1.amazonaws.com:8443/v1/a%2Fb%20c?b=2&a=%C3%A9%2F",
    Headers({"Content-Type": "application/json", "X-Amz-Meta": " a  b ", "X-Other": "1"}),
    b'{"item":"\\u2603"}',
)


def unreachable(request: Request) -> Response:
    raise AssertionError("signing sends nothing")


def sign(signer: Signer, request: Request = REQUEST) -> Request:
    return perform(signer.sign(request), unreachable)[0]


def sigv4(credentials: Any = None, region: str | None = "eu-west-1") -> Signer:
    return signer_for(None, region=region, credentials=credentials)


def recomputed(signed: Request, keys: Any) -> str:
    """Return the signature that botocore computes for the request as it is on the wire."""
    names = signed.headers["Authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    headers = {name: signed.headers[name] for name in names if name != "host"}
    request = AWSRequest(signed.method, signed.url, headers=headers, data=signed.body)
    request.context["timestamp"] = signed.headers["X-Amz-Date"]
    auth = SigV4Auth(keys, "execute-api", "eu-west-1")
    return str(
        auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    )


@pytest.mark.parametrize("token", [None, "session"])
def test_the_signature_covers_what_is_sent(token: str | None) -> None:
    """Corner 27: path, query, body, host and port, content type, x-amz headers; nothing else."""
    keys = Keys(token=token)
    signed = sign(sigv4(keys))
    authorization = signed.headers["Authorization"]
    assert authorization.endswith(
        f"Signature={recomputed(signed, BotoCredentials('AKIDEXAMPLE', 'not-a-secret', token))}"
    )
    assert "/eu-west-1/execute-api/aws4_request" in authorization
    token_header = "x-amz-security-token;" if token else ""
    expected = f"SignedHeaders=content-type;host;x-amz-date;x-amz-meta;{token_header}".rstrip(";")
    assert expected in authorization
    assert (signed.method, signed.url, signed.body) == (REQUEST.method, REQUEST.url, REQUEST.body)
    assert signed.headers["X-Other"] == "1"


def test_a_lambda_url_is_signed_for_its_service() -> None:
    """Corner 31: what the client's URL names is what the signature is for."""
    url = "https://abc.lambda-url.eu-west-1.on.aws"
    client = OrdersClient(base_url=url, credentials=Keys())
    signed = sign(client._endpoint.signer, Request("GET", f"{url}/orders"))
    assert "/eu-west-1/lambda/aws4_request" in signed.headers["Authorization"]


def test_a_second_attempt_is_signed_afresh() -> None:
    """Corner 25: what the first signature added is taken off, an old session token above all."""
    once = sign(sigv4(Keys(token="old")))
    again = sign(sigv4(Keys()), once)
    assert "X-Amz-Security-Token" not in again.headers
    assert again.headers["Authorization"] != once.headers["Authorization"]


def test_no_secret_is_shown() -> None:
    """Corner 32: neither keys nor tokens nor bodies are in a repr."""
    shown = [FrozenKeys("AKID", "hush", "hush", "r"), BearerToken("hush")]
    request = Request("POST", "https://h", Headers({"Authorization": "hush"}), b"hush")
    response = Response(200, Headers({"Set-Cookie": "hush"}), b"hush")
    assert "hush" not in repr([*shown, request, response])


NOW = 1_700_000_000.0
REFUSED = Response(403, Headers({"Date": formatdate(NOW, usegmt=True)}))


def signed_at(signer: Signer) -> str:
    return sign(signer).headers["X-Amz-Date"]


@pytest.mark.parametrize("hours", [-30, -1, 1, 30])
def test_a_refusal_teaches_the_server_s_time(hours: int) -> None:
    """Corner 29: the offset is remembered, and holds for all that is signed later."""
    signer = SigV4(KeySource("eu-west-1", Keys()), wall_clock=lambda: NOW + hours * 3600)
    assert signer.learn(sign(signer), REFUSED)
    assert signed_at(signer) == amz_date(NOW)


@pytest.mark.parametrize(
    "response",
    [
        Response(403, Headers({"Date": formatdate(NOW + 239, usegmt=True)})),
        Response(403, Headers({"Date": formatdate(NOW - 239, usegmt=True)})),
        Response(403, Headers({"Date": "yesterday"})),
        Response(403, Headers()),
        Response(400, Headers({"Date": formatdate(NOW + 9999, usegmt=True)})),
        Response(200, Headers({"Date": formatdate(NOW + 9999, usegmt=True)})),
    ],
)
def test_any_other_answer_teaches_nothing(response: Response) -> None:
    """Corner 29: a refusal for another reason is not put down to the clock."""
    signer = SigV4(KeySource("eu-west-1", Keys()), wall_clock=lambda: NOW)
    assert not signer.learn(sign(signer), response)
    assert signed_at(signer) == amz_date(NOW)


def test_all_that_were_refused_at_once_are_signed_again() -> None:
    """Corner 29: that another request has taught the offset meanwhile changes nothing."""
    signer = SigV4(KeySource("eu-west-1", Keys()), wall_clock=lambda: NOW - 3600)
    first, second = sign(signer), sign(signer)
    assert signer.learn(first, REFUSED)
    assert signer.learn(second, REFUSED)
    assert not signer.learn(sign(signer), REFUSED)


def test_a_clock_that_was_set_right_is_believed_again() -> None:
    """Corner 29: an offset that no longer holds is unlearned in the same way."""
    now = NOW - 3600
    signer = SigV4(KeySource("eu-west-1", Keys()), wall_clock=lambda: now)
    assert signer.learn(sign(signer), REFUSED)
    now = NOW
    assert signer.learn(sign(signer), REFUSED)
    assert signed_at(signer) == amz_date(NOW)


@pytest.mark.parametrize(
    "auth", [BearerToken("t"), lambda request: {"X-Amz-Date": amz_date(NOW - 3600)}]
)
def test_other_signers_learn_nothing(auth: Auth) -> None:
    """Corner 29: only a signature has a time."""
    signer = signer_for(auth, region=None, credentials=None)
    assert not signer.learn(sign(signer), REFUSED)


@pytest.mark.parametrize("token", ["t0", lambda: "t0"])
def test_a_bearer_token_is_sent(token: Any) -> None:
    """A text, or a function that returns the one to use now."""
    signer = signer_for(BearerToken(token), region=None, credentials=None)
    assert sign(signer).headers["Authorization"] == "Bearer t0"


def test_aws_requests_auth_signs_our_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signer made for requests is passed as it is, and what it signs is what is sent."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    request = Request("POST", "https://h.example/orders", Headers({"X-A": "1"}), b"{}")
    auth = BotoAWSRequestsAuth("h.example", "eu-west-1", "execute-api")
    signed = sign(signer_for(auth, region=None, credentials=None), request)
    keys = BotoCredentials("AKIDEXAMPLE", "not-a-secret")
    assert signed.headers["Authorization"].endswith(recomputed(signed, keys))
    assert signed.headers["X-A"] == "1"


def test_a_requests_signer_sees_a_real_prepared_request() -> None:
    """Whatever it reads of it is there, and headers of bytes are understood."""
    seen: list[requests.PreparedRequest] = []

    class Stamp(requests.auth.AuthBase):
        def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
            seen.append(r)
            r.headers["X-Stamp"] = b"stamped"  # type: ignore[assignment]
            return r

    signed = sign(signer_for(Stamp(), region=None, credentials=None))
    assert signed.headers["X-Stamp"] == "stamped"
    [prepared] = seen
    assert isinstance(prepared, requests.PreparedRequest)
    assert prepared.path_url == "/v1/a%2Fb%20c?b=2&a=%C3%A9%2F"
    assert (prepared.method, prepared.body) == ("POST", REQUEST.body)


def test_a_function_signs_with_headers_or_with_a_request() -> None:
    """Both ways give the same."""

    def with_headers(request: Request) -> dict[str, str]:
        return {"X-Key": "k"}

    def with_request(request: Request) -> Request:
        headers = request.headers.merged({"X-Key": "k"})
        return Request(request.method, request.url, headers, request.body)

    for function in (with_headers, with_request):
        signer = signer_for(function, region=None, credentials=None)
        assert sign(signer).headers["X-Key"] == "k"


def test_a_function_that_returns_nonsense_is_one_clear_error() -> None:
    """The message says what it must return."""

    def nonsense(request: Request) -> Any:
        return 7

    with pytest.raises(SDKError, match="not a int"):
        sign(signer_for(nonsense, region=None, credentials=None))


def test_what_may_block_is_a_call() -> None:
    """The driver decides on which thread foreign code runs."""
    signer = signer_for(lambda request: {}, region=None, credentials=None)
    assert isinstance(next(signer.sign(REQUEST)), Call)


def test_nothing_is_signed_where_nothing_is_asked() -> None:
    """The request goes out as it is."""
    assert sign(Unsigned()) is REQUEST


@pytest.mark.parametrize(
    ("auth", "credentials", "said"),
    [(BearerToken("t"), Keys(), "credentials="), ("Bearer t", None, "BearerToken")],
)
def test_an_auth_that_cannot_be_used_is_refused(auth: Any, credentials: Any, said: str) -> None:
    """When the client is made, not when it is used."""
    given: Auth = auth
    with pytest.raises(ConfigurationError, match=said):
        signer_for(given, region=None, credentials=credentials)


SECRET = "hush-hush"
UNSENDABLE = [
    f"{SECRET}\n",
    f"{SECRET}\r\nX: y",
    f"{SECRET} ",
    f"{SECRET}ü",
    SECRET.encode(),
    5,
    None,
]


@pytest.mark.parametrize("token", [*UNSENDABLE, ""], ids=repr)
def test_a_token_that_cannot_be_sent_is_refused_when_it_is_given(token: Any) -> None:
    """Nothing is sent, and the message does not show it."""
    with pytest.raises(ConfigurationError, match="token cannot be sent as Authorization") as caught:
        BearerToken(token)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("token", [*UNSENDABLE, ""], ids=repr)
def test_a_function_s_token_that_cannot_be_sent_is_refused(token: Any) -> None:
    """`Bearer None` is no token; the message names the function, and does not show the token."""
    signer = signer_for(BearerToken(lambda: token), region=None, credentials=None)
    with pytest.raises(ConfigurationError, match="<lambda> of BearerToken returned") as caught:
        sign(signer)
    assert SECRET not in str(caught.value)


async def coroutine_function(*_: object) -> Any:
    """Return nothing."""


def test_what_nobody_awaits_is_refused() -> None:
    """A coroutine function at once, what returns a coroutine when called; without a warning."""
    with pytest.raises(ConfigurationError, match="coroutine function coroutine_function"):
        BearerToken(coroutine_function)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="coroutine function coroutine_function"):
        signer_for(coroutine_function, region=None, credentials=None)  # type: ignore[arg-type]
    token: Any = lambda: coroutine_function()  # noqa: E731
    headers: Any = lambda request: coroutine_function(request)  # noqa: E731
    for auth in (BearerToken(token), headers):
        with pytest.raises(ConfigurationError, match="returned what is to be awaited"):
            sign(signer_for(auth, region=None, credentials=None))


@pytest.mark.parametrize("value", [v for v in UNSENDABLE if not isinstance(v, bytes)], ids=repr)
def test_what_a_signer_adds_must_be_sendable(value: Any) -> None:
    """By a signer of any kind: the field and where it comes from are named, and not its value."""

    class Stamp(requests.auth.AuthBase):
        def __call__(self, r: requests.PreparedRequest) -> requests.PreparedRequest:
            r.headers["X-Key"] = value
            return r

    def with_headers(request: Request) -> Any:
        return {"X-Key": value}

    def with_request(request: Request) -> Any:
        return Request(request.method, request.url, Headers({"X-Key": value}), request.body)

    for auth, name in (
        (Stamp(), "signer .*Stamp"),
        (with_headers, "with_headers"),
        (with_request, "with_request"),
    ):
        with pytest.raises(ConfigurationError, match=f"{name} returned .*'X-Key'") as caught:
            sign(signer_for(auth, region=None, credentials=None))
        assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (Keys(token=f"{SECRET}\n"), "session token, which is sent as X-Amz-Security-Token"),
        (Keys(access_key=f"{SECRET}\r\n"), "access key ID, which is sent in Authorization"),
        (Keys(secret_key=f"{SECRET}\n"), "secret access key"),
    ],
)
def test_keys_that_were_read_with_a_line_break_are_refused(keys: Keys, said: str) -> None:
    """As they often are from files and variables: they are named, and not shown."""
    with pytest.raises(ConfigurationError, match=said) as caught:
        sign(sigv4(keys))
    assert SECRET not in str(caught.value)
