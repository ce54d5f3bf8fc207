"""Rules that hold for all hand-written modules of the package."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import users_sdk

PACKAGE = Path(users_sdk.__file__).parent
MODULES = sorted(path for path in PACKAGE.glob("*.py") if path.name != "__init__.py")

modules = pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)


@modules
def test_the_runtime_knows_no_entity(path: Path) -> None:
    """The generator copies it into packages of other APIs as it is."""
    text = path.read_text(encoding="utf-8").lower()
    assert "users" not in text
    assert "create_user" not in text


@modules
def test_imports_within_the_package_are_relative(path: Path) -> None:
    """In another package they mean that package."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            assert (node.module or "").partition(".")[0] != PACKAGE.name
        if isinstance(node, ast.Import):
            assert PACKAGE.name not in {name.name.partition(".")[0] for name in node.names}


@modules
def test_only_the_clock_sleeps(path: Path) -> None:
    """Everything else says what to do, and when."""
    calls = {
        ast.unparse(node.func)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    }
    if path.stem != "_clock":
        assert calls.isdisjoint({"time.sleep", "asyncio.sleep"})
