"""What every test gets: a clean environment, no network; and, where asked for, the real service."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from deploy.local.engine import Engine
    from deploy.local.runtime import LocalRuntime

_CLEARED_PREFIXES = ("AWS_", "USERS_")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
_LOOPBACK = ("127.", "::1", "localhost")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the machine's AWS settings, credentials and proxies from the test."""
    for name in list(os.environ):
        if name.startswith(_CLEARED_PREFIXES) or name.upper() in _PROXIES:
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="session", autouse=True)
def loopback_only() -> Iterator[None]:
    """Refuse every connection that would leave this machine."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def checked_connect(self: socket.socket, address: Any) -> None:
        _check_address(self, address)
        connect(self, address)

    def checked_connect_ex(self: socket.socket, address: Any) -> int:
        _check_address(self, address)
        return connect_ex(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", checked_connect)
        patch.setattr(socket.socket, "connect_ex", checked_connect_ex)
        yield


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """A running engine, without queues and tables; one for all tests, so name what you make."""
    from deploy.local.engine import Engine

    with Engine() as running:
        yield running


@pytest.fixture(scope="session")
def runtime() -> Iterator[LocalRuntime]:
    """The whole service, running; failed messages come back after two seconds."""
    from deploy.local.runtime import LocalRuntime

    with LocalRuntime(visibility_timeout=2) as running:
        yield running


def _check_address(sender: socket.socket, address: Any) -> None:
    if sender.family not in (socket.AF_INET, socket.AF_INET6):
        return
    if not str(address[0]).startswith(_LOOPBACK):
        raise RuntimeError(f"a test tries to leave this machine: {address}")
