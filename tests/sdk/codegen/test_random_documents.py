"""Random documents within the rules; `python -m benchmarks.generator` takes hundreds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sdk.codegen.random_packages import draw, make, shared_runtime, type_errors, use

COUNT = 8
# Not the start that the benchmark takes by default: two draws see more than one.
START = 20261124


@pytest.mark.timeout(240)  # on a machine whose mypy has no cache yet
def test_random_documents_make_working_packages(tmp_path: Path) -> None:
    """Each is generated, imports, type-checks, and round-trips its own examples, sync and async."""
    with shared_runtime(tmp_path):
        for number, document in enumerate(draw(COUNT, START)):
            use(make(document, number, tmp_path))
    assert type_errors(tmp_path) == ""
