"""The guide to testing is true: its code runs, as its reader would run it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import users_sdk
from users_sdk.testing import Fault, Script

ROOT = Path(users_sdk.__file__).parents[2]
GUIDE = (ROOT / "docs/guides/testing.md").read_text("utf-8")


def _files() -> dict[str, str]:
    """The code blocks by the file that they name, or by one that is a test of its own."""
    files = {}
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)):
        named = re.match(r"# (\w+\.py)\n", block)
        lines = "".join(f"    {line}\n" if line else "\n" for line in block.splitlines())
        name = named[1] if named else f"test_block_{number}.py"
        files[name] = block if named else f"def test_block() -> None:\n{lines}"
    return files


def test_the_code_of_the_guide_runs(tmp_path: Path) -> None:
    """Each block by itself, those that name a file as that file, with warnings as errors."""
    files = _files()
    assert {"conftest.py", "signup.py", "test_signup.py", "test_respx.py"} <= files.keys()
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    settings = ["-q", "-W", "error", "-p", "no:cacheprovider", "-o", "asyncio_mode=auto"]
    settings += ["-o", "asyncio_default_fixture_loop_scope=function"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *settings, "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "sdk")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    tests = sum(text.count("def test_") for text in files.values())
    assert f"{tests} passed" in done.stdout


def test_the_guide_names_every_part() -> None:
    """Each fault, each method of a script, and each argument of a fake."""
    methods = [name for name in vars(Script) if not name.startswith(("_", "next_", "reused"))]
    wanted = [f"Fault.{fault.name}" for fault in Fault] + [*methods, 'clock="real"', "unknown="]
    assert [name for name in wanted if name not in GUIDE] == []
