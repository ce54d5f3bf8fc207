from __future__ import annotations

import threading
from typing import Any

import pytest
import requests
from aws_requests_auth.boto_utils import BotoAWSRequestsAuth
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials

from tests.sdk.orders import Keys, perform
from users_sdk._auth import Auth, BearerToken, Signer, Unsigned, signer_for
from users_sdk._auth import Keys as FrozenKeys
from users_sdk._http import Headers, Request, Response
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
    """Path, query, body, host with port, content type and x-amz headers; nothing else."""
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


def test_a_second_attempt_is_signed_afresh() -> None:
    """What the first signature added is taken off, an old session token above all."""
    once = sign(sigv4(Keys(token="old")))
    again = sign(sigv4(Keys()), once)
    assert "X-Amz-Security-Token" not in again.headers
    assert again.headers["Authorization"] != once.headers["Authorization"]


def test_refreshable_credentials_are_frozen_for_each_signature() -> None:
    """Asked each time, off the loop only when they have to be refreshed."""

    class Refreshable:
        stale = False
        asked = 0
        access_key = secret_key = token = "never read one by one"

        def refresh_needed(self) -> bool:
            return self.stale

        def get_frozen_credentials(self) -> Keys:
            self.asked += 1
            return Keys(access_key=f"AKID{self.asked}")

    credentials = Refreshable()
    signer = sigv4(credentials)
    steps = []
    for stale in (False, False, True):
        credentials.stale = stale
        signed, calls = perform(signer.sign(REQUEST), unreachable)
        steps.append((signed.headers["Authorization"].split("=")[1].split("/")[0], len(calls)))
    assert steps == [("AKID1", 1), ("AKID2", 0), ("AKID3", 1)]


@pytest.fixture
def no_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """Take every source of credentials away that a machine may have."""
    for name in (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


@pytest.mark.usefixtures("no_aws")
def test_without_credentials_every_provider_that_was_tried_is_named() -> None:
    """One error tells where they could have come from."""
    with pytest.raises(ConfigurationError, match=r"credentials=.* env, .*shared-credentials-file"):
        sign(sigv4())


@pytest.mark.usefixtures("no_aws")
def test_without_a_region_every_source_is_named() -> None:
    """One error tells where it could have come from."""
    with pytest.raises(ConfigurationError, match=r"region=.*AWS_REGION.*profile"):
        sign(sigv4(Keys(), region=None))


@pytest.mark.usefixtures("no_aws")
def test_credentials_and_region_come_from_the_profile(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """What boto3 would use is used."""
    (tmp_path / "config").write_text("[profile shop]\nregion = ap-south-1\n")
    (tmp_path / "credentials").write_text(
        "[shop]\naws_access_key_id = AKIDSHOP\naws_secret_access_key = x\n"
    )
    monkeypatch.setenv("AWS_PROFILE", "shop")
    authorization = sign(sigv4(region=None)).headers["Authorization"]
    assert "Credential=AKIDSHOP/" in authorization
    assert "/ap-south-1/execute-api/" in authorization


@pytest.mark.usefixtures("no_aws")
def test_a_chain_that_fails_is_a_wrong_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The errors of botocore do not leave the package bare."""
    monkeypatch.setenv("AWS_PROFILE", "missing")
    with pytest.raises(ConfigurationError, match="missing") as caught:
        sign(sigv4())
    assert type(caught.value.__cause__).__module__ == "botocore.exceptions"


@pytest.mark.usefixtures("no_aws")
def test_the_chain_is_searched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many threads that need credentials at once make one search."""
    import botocore.session

    made: list[object] = []
    original = botocore.session.Session

    def session() -> object:
        made.append(object())
        return original()

    monkeypatch.setattr(botocore.session, "Session", session)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKID")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    signer = sigv4()
    threads = [threading.Thread(target=sign, args=(signer,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


@pytest.mark.parametrize("keys", [Keys(access_key=""), Keys(secret_key="")])
def test_incomplete_credentials_are_refused(keys: Keys) -> None:
    """A signature with half of them could only be wrong."""
    with pytest.raises(ConfigurationError, match="lack"):
        sign(sigv4(keys))


def test_no_secret_is_shown() -> None:
    """Neither keys nor tokens are in a repr."""
    shown = repr(FrozenKeys("AKID", "hush", "hush", "r")) + repr(BearerToken("hush"))
    assert "hush" not in shown


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

    with pytest.raises(SDKError, match="returned a int"):
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
