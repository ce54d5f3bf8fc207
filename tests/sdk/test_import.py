from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

import users_sdk

PROGRAM = """
import sys
class Watched(dict):
    def __getitem__(self, name): read.append(name); return dict.__getitem__(self, name)
    def get(self, name, default=None): read.append(name); return dict.get(self, name, default)
import json, logging, os, asyncio, uuid
read = []
real, os.environ = os.environ, Watched(os.environ)
handlers = list(logging.getLogger().handlers)
import users_sdk
heavy = ["pydantic", "httpx", "httpx2", "botocore", "boto3", "requests"]
print(json.dumps({
    "imported": [name for name in heavy if name in sys.modules],
    "environment": read,
    "handlers": logging.getLogger().handlers != handlers,
}))
"""


def test_importing_the_package_imports_nothing_heavy_and_changes_nothing() -> None:
    """Corners 36 and 37: no pydantic, HTTP client or AWS; no warning, handler or environment."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == {"imported": [], "environment": [], "handlers": False}
    assert done.stderr == ""


def test_every_public_name_is_there() -> None:
    """Imported when it is first asked for, and listed before that."""
    for name in users_sdk.__all__:
        assert getattr(users_sdk, name) is getattr(users_sdk, name)
        assert name in dir(users_sdk)
    assert users_sdk.models.User is users_sdk.User


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    """As of any other module."""
    with pytest.raises(AttributeError, match="no attribute 'Usr'"):
        _ = users_sdk.Usr  # type: ignore[attr-defined]
