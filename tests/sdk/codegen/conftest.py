"""What the generator's tests share: changed documents, and a package made of one."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

from codegen.__main__ import main
from codegen._diagnostics import DocumentError, Problem
from codegen._generator import read_file
from codegen._ir import Api
from tests.sdk.codegen.documents import AWKWARD, CORNERS, PRINTING, SHIPMENTS, Edit, edited


@pytest.fixture
def read_edited(tmp_path: Path) -> Callable[..., Api]:
    """Read a document, `printing.yaml` by default, after edits."""

    def read_it(*edits: Edit, source: Path = PRINTING) -> Api:
        path = tmp_path / "edited.yaml"
        path.write_text(edited(source.read_text("utf-8"), *edits), "utf-8")
        return read_file(path)[1]

    return read_it


@pytest.fixture
def problems_of(read_edited: Callable[..., Api]) -> Callable[..., list[Problem]]:
    """The problems of a document after edits; none is a failure."""

    def read_it(*edits: Edit, source: Path = PRINTING) -> list[Problem]:
        with pytest.raises(DocumentError) as caught:
            read_edited(*edits, source=source)
        return list(caught.value.problems)

    return read_it


@contextmanager
def imported(document: Path, package: str, out: Path) -> Iterator[ModuleType]:
    """Generate a package and import it, until it is left."""
    assert main([str(document), "--package", package, "--out", str(out)]) == 0
    sys.path.insert(0, str(out))
    try:
        yield importlib.import_module(package)
    finally:
        sys.path.remove(str(out))
        for name in [name for name in sys.modules if name.partition(".")[0] == package]:
            del sys.modules[name]


@pytest.fixture(scope="module")
def shipments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The package made of shipments.yaml, imported."""
    with imported(SHIPMENTS, "shipments_sdk", tmp_path_factory.mktemp("out")) as package:
        yield package


@pytest.fixture(scope="module")
def awkward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The package made of awkward.yaml, imported."""
    with imported(AWKWARD, "awkward_sdk", tmp_path_factory.mktemp("out")) as package:
        yield package


@pytest.fixture(scope="module")
def corners(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The package made of corners.yaml, imported."""
    with imported(CORNERS, "corners_sdk", tmp_path_factory.mktemp("out")) as package:
        yield package
