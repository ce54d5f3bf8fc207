"""Signers that are not ours, against the local gateway."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
import uuid

import httpx
import pytest
import requests
from aws_requests_auth.boto_utils import BotoAWSRequestsAuth
from botocore.credentials import Credentials

from deploy.local.runtime import LocalRuntime
from users_sdk import AsyncUsersClient, ForbiddenError, UsersClient

SMALL = {"name": "Ada & Co = 50 %", "email": "ada@example.com"}


def botocore_auth(runtime: LocalRuntime) -> BotoAWSRequestsAuth:
    """The signer of aws_requests_auth for the local gateway."""
    host = runtime.url.removeprefix("http://").partition("/")[0]
    return BotoAWSRequestsAuth(aws_host=host, aws_region=runtime.region, aws_service="execute-api")


def test_requests_with_aws_requests_auth(
    runtime: LocalRuntime, environment: dict[str, str]
) -> None:
    """The gateway accepts what aws_requests_auth signs for requests."""
    response = requests.post(f"{runtime.url}/users", json=SMALL, auth=botocore_auth(runtime))
    assert response.status_code == 202, response.text
    assert re.fullmatch(r"[0-9a-f-]{36}", response.json()["messageId"])
    assert response.headers["Location"] == f"/local/status/{response.json()['messageId']}"
    assert response.headers["Retry-After"] == "1"
    assert int(response.headers["Retry-After-Ms"]) > 0


def test_the_sync_client_takes_a_requests_signer(
    runtime: LocalRuntime, environment: dict[str, str]
) -> None:
    """A signer made for requests can be passed as it is."""
    with UsersClient(auth=botocore_auth(runtime)) as client:
        assert client.create_user_and_wait(SMALL, timeout=30).name == SMALL["name"]


async def test_the_async_client_takes_a_requests_signer(
    runtime: LocalRuntime, environment: dict[str, str]
) -> None:
    """The same for the async client."""
    async with AsyncUsersClient(auth=botocore_auth(runtime)) as client:
        user = await client.create_user_and_wait(SMALL, timeout=30)
        assert user.name == SMALL["name"]


def counting(statuses: list[int]) -> httpx.Client:
    """An HTTP client that notes how each request was answered."""
    return httpx.Client(event_hooks={"response": [lambda r: statuses.append(r.status_code)]})


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_wrong_clock_is_found_out_and_made_up_for(
    runtime: LocalRuntime, environment: dict[str, str], hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Corner 29: the gateway's refusal teaches its time; later requests are signed rightly."""
    sent: list[int] = []
    with (
        httpx.Client(
            event_hooks={"response": [lambda r: sent.append(r.status_code)]}
        ) as http_client,
        UsersClient(http_client=http_client) as client,
    ):
        # Only the client's clock is wrong: the gateway runs in this process too.
        signer = client._endpoint.signer
        monkeypatch.setattr(signer, "_wall_clock", lambda: time.time() + hours * 3600)
        user = client.create_user_and_wait(SMALL, timeout=30)
        assert client.get_user(user_id=user.user_id) == user
    assert sent.count(403) == 1
    assert sent[0] == 403


def test_a_refusal_for_another_reason_is_not_repeated(
    runtime: LocalRuntime, environment: dict[str, str]
) -> None:
    """Corner 29: a wrong secret key is one request and a clear error."""
    sent: list[int] = []
    keys = Credentials(runtime.key.access_key_id, "wrong")
    with (
        httpx.Client(
            event_hooks={"response": [lambda r: sent.append(r.status_code)]}
        ) as http_client,
        UsersClient(http_client=http_client, credentials=keys) as client,
        pytest.raises(ForbiddenError, match="INVALID_SIGNATURE"),
    ):
        client.create_user(SMALL)
    assert sent == [403]


def curl_signs() -> bool:
    """Whether this machine's curl can sign."""
    curl = shutil.which("curl")
    if curl is None:
        return False
    options = subprocess.run([curl, "--help", "all"], capture_output=True, text=True, check=True)
    return "--aws-sigv4" in options.stdout


@pytest.mark.skipif(not curl_signs(), reason="curl with --aws-sigv4 is not installed")
def test_curl_signs_and_is_understood(runtime: LocalRuntime) -> None:
    """The gateway accepts what curl signs."""
    command = [
        "curl",
        "--silent",
        "--show-error",
        "--max-time",
        "20",
        "--aws-sigv4",
        f"aws:amz:{runtime.region}:execute-api",
        "--user",
        f"{runtime.key.access_key_id}:{runtime.key.secret_access_key}",
    ]
    create = [
        *command,
        "--header",
        "Content-Type: application/json",
        "--header",
        f"Idempotency-Key: {uuid.uuid4()}",
        "--data",
        json.dumps(SMALL),
        f"{runtime.url}/users",
    ]
    answer = subprocess.run(create, capture_output=True, text=True, check=True)
    message_id = json.loads(answer.stdout)["messageId"]
    status = [*command, f"{runtime.url}/status/{message_id}"]
    answer = subprocess.run(status, capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout)["messageId"] == message_id
