from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import EndpointConnectionError

from tests.sdk.orders import GET, AsyncOrdersClient, Keys, Server, perform
from users_sdk import _credentials
from users_sdk._auth import Signer, signer_for
from users_sdk._credentials import KeySource
from users_sdk._http import Request, Response
from users_sdk.errors import ConfigurationError, RequestNotSent

REQUEST = Request("GET", "https://a1.execute-api.eu-west-1.amazonaws.com/v1/orders")
SOON = timedelta(minutes=5)
LATER = timedelta(minutes=12)
"""Before botocore wants a refresh, and before it insists on one: 15 and 10 minutes."""


def unreachable(request: Request) -> Response:
    raise AssertionError("signing sends nothing")


def sign(signer: Signer, request: Request = REQUEST) -> Request:
    return perform(signer.sign(request), unreachable)[0]


def sigv4(credentials: Any = None, region: str | None = "eu-west-1") -> Signer:
    return signer_for(None, region=region, credentials=credentials)


def test_refreshable_credentials_are_frozen_for_each_signature() -> None:
    """Corner 28: asked each time, off the loop only when they have to be refreshed."""

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
    assert steps == [("AKID1", 0), ("AKID2", 0), ("AKID3", 1)]


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
    """Corner 28: one error tells where they could have come from."""
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


class Refresh:
    """What refreshes temporary credentials: slow, failing, or at once."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.may_end = threading.Event()
        self.calls = 0
        self.failure = failure

    def __call__(self) -> dict[str, str]:
        """Return the next keys, once that is allowed."""
        self.calls += 1
        self.may_end.wait(10)
        if self.failure is not None:
            raise self.failure
        expiry = datetime.now(UTC) + timedelta(hours=1)
        return {
            "access_key": f"AKID{self.calls}",
            "secret_key": "x",
            "token": "t",
            "expiry_time": expiry.isoformat(),
        }

    def credentials(self, left: timedelta) -> RefreshableCredentials:
        """Return temporary credentials that end after this time."""
        return RefreshableCredentials(
            "AKID0", "x", "t", datetime.now(UTC) + left, refresh_using=self, method="test"
        )


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> float:
    """Wait for credentials for a fraction of a second only."""
    monkeypatch.setattr(_credentials, "FETCH_SECONDS", 0.3)
    return 0.3


def test_a_refresh_is_made_once_for_all_who_wait() -> None:
    """Corner 28: single flight, and all sign with the new keys."""
    refresh = Refresh()
    source = KeySource("eu-west-1", refresh.credentials(SOON))
    seen: list[str] = []
    threads = [
        threading.Thread(target=lambda: seen.append(source.fetch().access_key)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    refresh.may_end.set()
    for thread in threads:
        thread.join()
    assert seen == ["AKID1"] * 8
    assert refresh.calls == 1
    assert source.at_hand() is not None


@pytest.mark.usefixtures("hurry")
def test_a_refresh_that_hangs_costs_nothing_while_the_keys_are_good() -> None:
    """Corner 28: botocore insists on a refresh only ten minutes before the end."""
    refresh = Refresh()
    source = KeySource("eu-west-1", refresh.credentials(LATER))
    assert source.fetch().access_key == "AKID0"
    refresh.may_end.set()


def test_a_refresh_that_hangs_fails_calls_and_not_the_service(hurry: float) -> None:
    """Corner 28: one waits, the next fail at once, and once it has ended all go on."""
    refresh = Refresh()
    source = KeySource("eu-west-1", refresh.credentials(SOON))
    with pytest.raises(RequestNotSent, match="their refresh hangs"):
        source.fetch()
    began = time.monotonic()
    for _ in range(20):
        with pytest.raises(RequestNotSent):
            source.fetch()
    assert time.monotonic() - began < hurry
    assert refresh.calls == 1
    refresh.may_end.set()
    while source.at_hand() is None and time.monotonic() < began + 5:
        time.sleep(0.01)
    assert source.fetch().access_key == "AKID1"


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (EndpointConnectionError(endpoint_url="http://sts"), RequestNotSent),
        (OSError("no such program"), ConfigurationError),
    ],
)
def test_a_refresh_that_fails_is_explained(
    failure: Exception, expected: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    """A source out of reach may be there later, anything else is a wrong setting."""
    refresh = Refresh(failure)
    refresh.may_end.set()
    source = KeySource("eu-west-1", refresh.credentials(SOON))
    caught = []
    for _ in range(2):
        with pytest.raises(expected, match="AWS credentials cannot be had") as info:
            source.fetch()
        caught.append(info.value)
    assert caught[0] is not caught[1]
    assert caught[0].__cause__ is failure
    assert "Refreshing temporary credentials failed" in caplog.text


@pytest.fixture
def hung_metadata(monkeypatch: pytest.MonkeyPatch, no_aws: None) -> Iterator[socket.socket]:
    """An instance's metadata that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", url)
        monkeypatch.setenv("AWS_METADATA_SERVICE_TIMEOUT", "1")
        yield server


@pytest.mark.usefixtures("hung_metadata", "hurry")
def test_metadata_that_hang_are_named_and_so_are_the_providers_before() -> None:
    """Corner 28: the error says what has not answered, and what had nothing."""
    with pytest.raises(
        RequestNotSent, match=r"iam-role has not answered yet; env, .*, container-role had none"
    ):
        sign(sigv4())


@pytest.mark.usefixtures("hung_metadata")
async def test_a_search_that_hangs_does_not_block_the_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Corner 28: it ends with the call's own time, and other tasks go on meanwhile."""
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.01)
            beats += 1

    heart = asyncio.create_task(beat())
    server = Server()
    async with (
        server.async_client() as http_client,
        AsyncOrdersClient(
            base_url="https://orders.example",
            region="eu-west-1",
            http_client=http_client,
            timeout=0.3,
        ) as client,
    ):
        began = time.monotonic()
        with pytest.raises(RequestNotSent):
            await client._call(GET, arguments={"order_id": "1"})
        assert time.monotonic() - began < 0.9
    heart.cancel()
    assert beats >= 10
    assert server.requests == []


def test_given_keys_need_no_botocore() -> None:
    """Corner 36: signing with them imports neither botocore nor an HTTP client."""
    program = """
import sys
from types import SimpleNamespace
from users_sdk._auth import signer_for
from users_sdk._http import Request

keys = SimpleNamespace(access_key="a", secret_key="b", token=None)
signing = signer_for(None, region="eu-west-1", credentials=keys).sign(Request("GET", "https://h/"))
try:
    next(signing)
except StopIteration as stop:
    assert "Authorization" in stop.value.headers
print([name for name in sys.modules if name in ("botocore", "boto3", "httpx", "httpx2")])
"""
    root = Path(_credentials.__file__).parents[1]
    ran = subprocess.run(
        [sys.executable, "-c", program], check=True, cwd=root, capture_output=True, text=True
    )
    assert ran.stdout == "[]\n"
