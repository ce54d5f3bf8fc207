"""What type checkers say of the package, and of users' programs: a right one, and wrong calls."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import users_sdk

ROOT = Path(__file__).parents[2]
GUIDES = ROOT / "docs/guides"
PACKAGE = Path(users_sdk.__file__).parent
PROGRAMS = Path(__file__).parent / "typing"
RIGHT, WRONG = "right_calls.py", "wrong_calls.py"

Complaints = dict[tuple[str, int], str]


def guides(folder: Path) -> list[str]:
    """Write what the guides and the README show of this package as files; returns them."""
    for page in (*GUIDES.glob("*.md"), ROOT / "README.md"):
        blocks = re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)
        for number, block in enumerate(blocks):
            if "users_sdk" in block:
                named = re.match(r"# (\w+\.py)\n", block)
                name = named[1] if named else f"{page.stem}_{number}.py"
                (folder / name).write_text(block, encoding="utf-8")
    return [str(path) for path in folder.glob("*.py")]


def mypy(folder: Path) -> Complaints:
    """Return what mypy complains of, under `--strict`, by file and line."""
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary"]
    shown = guides(folder)
    assert len(shown) > 15
    checked = [str(PROGRAMS / RIGHT), str(PROGRAMS / WRONG), str(PACKAGE), *shown]
    done = subprocess.run(
        [*command, "--cache-dir", str(folder / "cache"), *checked],
        cwd=ROOT,
        env={**os.environ, "MYPYPATH": str(folder)},
        capture_output=True,
        text=True,
    )
    assert done.returncode in (0, 1), done.stderr
    found = re.finditer(r"(\w+\.py):(\d+): error: (.*)", done.stdout)
    return {(match[1], int(match[2])): match[3] for match in found}


def pyright(_: Path) -> Complaints:
    """Return what pyright complains of, in its strict mode, by file and line."""
    command = [str(Path(sys.executable).with_name("basedpyright")), "--outputjson"]
    options = ["-p", str(PROGRAMS / "pyrightconfig.json"), "--pythonpath", sys.executable]
    done = subprocess.run([*command, *options], capture_output=True, text=True)
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] == 2 + len([*PACKAGE.rglob("*.py")])
    return {
        (Path(found["file"]).name, found["range"]["start"]["line"] + 1): found["message"]
        for found in report["generalDiagnostics"]
    }


@pytest.mark.parametrize("check", [mypy, pyright])
def test_only_wrong_calls_are_refused(check: Callable[[Path], Complaints], tmp_path: Path) -> None:
    """
    Each marked line, and nothing else, in no guide either.

    In no mode is a value of the package of unknown type.
    """
    lines = (PROGRAMS / WRONG).read_text(encoding="utf-8").splitlines()
    marked = {(WRONG, number) for number, line in enumerate(lines, 1) if line.endswith("# error")}
    assert len(marked) > 30
    complaints = check(tmp_path)
    assert {place: said for place, said in complaints.items() if place not in marked} == {}
    assert marked <= complaints.keys()
