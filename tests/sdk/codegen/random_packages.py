"""
Packages of many random documents: generated, used against their services, and type-checked.

They share one copy of the hand-written modules, as parts of one package, so that hundreds can be
type-checked in one run.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from codegen._generator import Places, generate, read_file
from tests.sdk.codegen.documents import ROOT
from tests.sdk.codegen.random_documents import documents
from tests.sdk.codegen.round_trip import (
    Made,
    raise_every_error,
    run_every_operation,
    run_every_operation_async,
)
from tests.sdk.codegen.service import serve

SHARED = "random_sdk"
_OF_ONE_DOCUMENT = (
    *("README.md", "__init__.py", "pyproject.toml", "reference", "tests"),
    *("testing.py", "testing_pytest.py"),
)


def draw(count: int, start: int) -> list[dict[str, Any]]:
    """Documents at random: the same ones for the same `start`."""
    drawn: list[dict[str, Any]] = []

    @seed(start)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(documents())
    def collect(document: dict[str, Any]) -> None:
        drawn.append(document)

    collect()
    return drawn[:count]


@contextmanager
def shared_runtime(out: Path) -> Iterator[None]:
    """Make the package importable until it is left."""
    sys.path.insert(0, str(out))
    try:
        yield
    finally:
        sys.path.remove(str(out))
        for name in [name for name in sys.modules if name.partition(".")[0] == SHARED]:
            del sys.modules[name]


def make(document: dict[str, Any], number: int, out: Path) -> Made:
    """Generate one document's part of the package."""
    path = out / f"document{number}.json"
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False), "utf-8")
    part = out / SHARED / f"part{number}"
    for place, content in generate(path, Places(out / SHARED)).items():
        inner = place.relative_to(out / SHARED)
        if inner.parts[0] == "_generated":
            place = part.joinpath(*inner.parts[1:])
        elif inner.parts[0] in _OF_ONE_DOCUMENT:
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    (out / SHARED / "__init__.py").touch()
    api = read_file(path)[1]
    chains = {chain.start.operation_id: chain for chain in api.chains}
    return Made(path, SHARED, f"{SHARED}.{part.name}", api.client, chains)


def use(made: Made) -> None:
    """Run every operation, sync and async, and every error, by the document's examples."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*is deprecated by the API", DeprecationWarning)
        with serve(made.document) as service:
            run_every_operation(made, service)
            asyncio.run(run_every_operation_async(made, service))
            raise_every_error(made, service)
            assert service.faults == []


def type_errors(out: Path) -> str:
    """What mypy's strict checks say of all parts; empty if nothing."""
    command = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", str(out / SHARED)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    return "" if done.returncode == 0 else done.stdout
