"""Requests signed by botocore: by a signer that is not ours."""

from __future__ import annotations

from datetime import datetime
from unittest import mock

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from deploy.local.runtime import LocalRuntime


def send(
    runtime: LocalRuntime,
    method: str,
    path: str,
    *,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    secret: str | None = None,
    region: str | None = None,
    signed_at: datetime | None = None,
) -> httpx.Response:
    """Sign a request, right or wrong in one point, and send it."""
    given = {"Content-Type": "application/json", **(headers or {})}
    url = f"{runtime.url}{path}"
    request = AWSRequest(method=method, url=url, data=body, headers=given)
    credentials = Credentials(runtime.key.access_key_id, secret or runtime.key.secret_access_key)
    signer = SigV4Auth(credentials, "execute-api", region or runtime.region)
    if signed_at is None:
        signer.add_auth(request)
    else:
        with mock.patch("botocore.auth.get_current_datetime", return_value=signed_at):
            signer.add_auth(request)
    return httpx.request(method, url, content=body, headers=dict(request.headers.items()))
