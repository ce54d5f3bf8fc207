"""Scoring Apache's regression templates."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.apache_templates import difference


@pytest.mark.parametrize(
    ("template", "expected", "found"),
    [
        ("#foreach($x in $list)$x\r\n#end\n", "ArrayList element", "line 1"),
        ("Hello $name!\n\n", "Hello jason!\n", None),
        ("$name\n$name\n", "jason\n", "2 lines for 1"),
        ("#if(", "", "line 1, column"),
    ],
)
def test_difference(tmp_path: Path, template: str, expected: str, found: str | None) -> None:
    """The first difference is told; line breaks at the end do not count."""
    (tmp_path / "compare").mkdir()
    (tmp_path / "one.vm").write_bytes(template.encode())
    (tmp_path / "compare" / "one.cmp").write_bytes(expected.encode())
    problem = difference(tmp_path, "one")
    assert problem is found if found is None else found in str(problem)
