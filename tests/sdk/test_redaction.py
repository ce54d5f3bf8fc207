"""Corner 32: no secret is in a log, a `repr` or a traceback, whoever writes it."""

from __future__ import annotations

import http.server
import logging
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import httpx
import pytest

from tests.sdk.orders import CREATE, AsyncOrdersClient, Keys, OrdersClient, Server
from users_sdk._auth import BearerToken
from users_sdk.errors import ConfigurationError, ForbiddenError, UnknownOutcome

SECRET, TOKEN, SOURCE_SECRET = "secret-of-the-role", "token-of-the-role", "secret-of-the-source"
ITEM = {"item": "x"}
ROLE_KEYS = f"""<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId>
<SecretAccessKey>{SECRET}</SecretAccessKey><SessionToken>{TOKEN}</SessionToken>
<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult>
<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></AssumeRoleResponse>"""


class Sts(http.server.BaseHTTPRequestHandler):
    """A token service that gives the keys of a role to everybody."""

    def do_POST(self) -> None:
        """Answer `AssumeRole`."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(ROLE_KEYS)))
        self.end_headers()
        self.wfile.write(ROLE_KEYS.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def role(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A profile whose keys come from `AssumeRole`, on this machine."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sts) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        (tmp_path / "config").write_text(
            "[profile role]\nregion = eu-west-1\nsource_profile = source\n"
            "role_arn = arn:aws:iam::123456789012:role/r\n"
        )
        (tmp_path / "credentials").write_text(
            f"[source]\naws_access_key_id = AKIDSOURCE\naws_secret_access_key = {SOURCE_SECRET}\n"
        )
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
        monkeypatch.setenv("AWS_PROFILE", "role")
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"http://127.0.0.1:{server.server_port}")
        yield
        server.shutdown()
        thread.join()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Everything that anybody logs."""
    caplog.set_level(logging.DEBUG)
    return caplog


def searched_by_the_application() -> str | None:
    """Return the session token that botocore finds by itself."""
    found = botocore.session.Session().get_credentials()
    assert found is not None
    token: str | None = found.get_frozen_credentials().token
    return token


@pytest.mark.usefixtures("role")
def test_what_botocore_logs_of_a_search_is_kept_back(log: pytest.LogCaptureFixture) -> None:
    """Corner 32: botocore logs the token service's answer; within a client's search not."""
    assert searched_by_the_application() == TOKEN
    assert SECRET in log.text, "botocore logs no secrets any more: the filter has no purpose"
    log.clear()
    server = Server()
    with (
        server.client() as http_client,
        OrdersClient(base_url="https://orders.example", http_client=http_client) as client,
    ):
        client._call(CREATE, arguments={}, body=ITEM)
    [sent] = server.requests
    assert sent.headers["x-amz-security-token"] == TOKEN
    signature = sent.headers["authorization"].rpartition("=")[2]
    assert log.records, "nothing was logged at all: the test shows nothing"
    for secret in (SECRET, TOKEN, SOURCE_SECRET, signature):
        assert secret not in log.text
    log.clear()
    searched_by_the_application()
    assert SECRET in log.text, "the application's own use of botocore is not our business"


async def test_a_call_logs_no_secret(log: pytest.LogCaptureFixture) -> None:
    """Corner 32: neither keys nor signature nor body, with given keys and with a bearer token."""
    server = Server()
    url = "https://orders.example"
    async with server.async_client() as http_client:
        for options in ({"credentials": Keys(token=TOKEN)}, {"auth": BearerToken(TOKEN)}):
            async with AsyncOrdersClient(
                base_url=url, region="eu-west-1", http_client=http_client, **options
            ) as client:
                await client._call(CREATE, arguments={}, body={"item": SECRET})
                shown = repr(client) + repr(vars(client))
                assert TOKEN not in shown
    signatures = [
        request.headers["authorization"].rpartition("=")[2] for request in server.requests
    ]
    for secret in (TOKEN, SECRET, Keys().secret_key, *signatures):
        assert secret not in log.text


@pytest.mark.parametrize("lost", [True, False])
def test_a_traceback_shows_no_secret(lost: bool) -> None:
    """Corner 32: not even one that shows the variables of our functions, as error trackers do."""

    def handle(request: httpx.Request) -> httpx.Response:
        if lost:
            raise httpx.ReadError("reset")
        return httpx.Response(403)

    with (
        httpx.Client(transport=httpx.MockTransport(handle)) as http_client,
        OrdersClient(
            base_url="https://orders.example",
            region="eu-west-1",
            credentials=Keys(secret_key=SECRET, token=TOKEN),
            http_client=http_client,
            max_retries=0,
        ) as client,
        pytest.raises(UnknownOutcome if lost else ForbiddenError) as caught,
    ):
        client._call(CREATE, arguments={}, body={"item": SOURCE_SECRET})
    stack = traceback.StackSummary.extract(
        traceback.walk_tb(caught.value.__traceback__), capture_locals=True
    )
    # The test's own function knows what it gives.
    ours = [frame for frame in stack if Path(frame.filename).parent.name == "users_sdk"]
    assert "attempt" in {frame.name for frame in ours}
    shown = "".join(str(frame.locals) for frame in ours) + str(caught.value)
    for secret in (SECRET, TOKEN):
        assert secret not in shown


@pytest.mark.parametrize(
    ("variables", "options"),
    [
        ({"AWS_SESSION_TOKEN": f"{TOKEN}\r\n"}, {}),
        ({"AWS_SECRET_ACCESS_KEY": f"{SECRET}\n"}, {}),
        ({}, {"credentials": Keys(token=f"{TOKEN}\n")}),
        ({}, {"auth": BearerToken(lambda: f"{TOKEN}\n")}),
        ({}, {"auth": lambda request: {"X-Api-Key": f"{TOKEN}\r\nX: y"}}),
        ({}, {"request_hooks": [lambda request: {"X-Api-Key": f"{TOKEN}\n"}]}),
    ],
    ids=["environment", "key", "given", "bearer", "function", "hook"],
)
def test_a_secret_that_cannot_be_sent_is_not_shown(
    variables: dict[str, str],
    options: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    log: pytest.LogCaptureFixture,
) -> None:
    """Corner 32: one clear error, before anything is sent, and nothing is repeated."""
    known = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "k", **variables}
    for name, value in known.items():
        monkeypatch.setenv(name, value)
    server = Server()
    with (
        server.client() as http_client,
        OrdersClient(
            base_url="https://orders.example",
            region="eu-west-1",
            http_client=http_client,
            **options,
        ) as client,
        pytest.raises(ConfigurationError) as caught,
    ):
        client._call(CREATE, arguments={}, body=ITEM)
    assert server.requests == []
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + log.text
    for secret in (TOKEN, SECRET):
        assert secret not in shown
