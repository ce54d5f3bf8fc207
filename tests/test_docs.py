"""The documentation is whole and true."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HTTP_PAGE = (ROOT / "docs" / "reference" / "http.md").read_text("utf-8")


def test_the_documentation_builds_without_a_warning(tmp_path: Path) -> None:
    """A dead link or a page outside the navigation is an error."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_links_of_the_front_pages_lead_somewhere(page: str) -> None:
    """Every relative link names a file of the repository."""
    targets = re.findall(r"\]\(([^)#:]+)\)", (ROOT / page).read_text("utf-8"))
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


@pytest.mark.parametrize(
    "source",
    [
        "openapi.yaml",
        *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "consumer").glob("*.py")),
    ],
)
def test_every_code_is_documented(source: str) -> None:
    """Each error code that a client can meet stands in the HTTP reference."""
    text = (ROOT / source).read_text("utf-8")
    codes = set(re.findall(r'"code":"([A-Z][A-Z_]+)"', text))
    codes |= set(re.findall(r"#set\(\$code = '([A-Z_]+)'\)", text))
    codes |= set(re.findall(r'"((?:INVALID|UNSUPPORTED|IDEMPOTENCY|PROCESSING)_[A-Z_]+)"', text))
    assert {code for code in codes if f"`{code}`" not in HTTP_PAGE} == set()


def test_every_command_is_documented() -> None:
    """Each target of the Makefile stands in CONTRIBUTING.md."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None
    documented = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    undocumented = {name for name in phony[1].split() if f"`make {name}" not in documented}
    assert undocumented == set()
