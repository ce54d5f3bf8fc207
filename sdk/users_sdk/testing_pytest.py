"""
The fake server as pytest fixtures.

Name this module in `pytest_plugins` of the outermost `conftest.py`, or import its fixtures there.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest

from .testing import FakeServer

__all__ = ["fake_server", "patched_fake_server"]


@pytest.fixture
def fake_server() -> FakeServer:
    """A fake of the API for one test."""
    return FakeServer()


@pytest.fixture
def patched_fake_server(fake_server: FakeServer) -> Generator[FakeServer]:
    """The same, which every client talks to that is made in the test."""
    with fake_server.patched():
        yield fake_server
