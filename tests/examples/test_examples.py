"""The examples, the notebook and the README's code, executed against the local runtime."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from deploy.local.runtime import LocalRuntime

ROOT = Path(__file__).resolve().parents[2]


def run(runtime: LocalRuntime, *arguments: str) -> str:
    """Run Python with the variables that `make serve` prints; what it printed."""
    environment = {**os.environ, **runtime.environment()}
    result = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=50,
        env=environment,
        cwd=ROOT,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_create_user(runtime: LocalRuntime) -> None:
    """The first script creates a user."""
    assert re.search(r"created as user [0-9a-f-]{36} at ", run(runtime, "examples/create_user.py"))


def test_create_many_users(runtime: LocalRuntime) -> None:
    """The second script creates as many users as it is asked for."""
    output = run(runtime, "examples/create_many_users.py", "--count", "40")
    assert output.startswith("40 different users in ")


def read_notebook() -> Any:
    """The quickstart notebook."""
    path = ROOT / "examples" / "quickstart.ipynb"
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning")
def test_the_notebook(runtime: LocalRuntime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cell of the notebook runs in a real kernel, in order."""
    for name, value in runtime.environment().items():
        monkeypatch.setenv(name, value)
    notebook = read_notebook()
    NotebookClient(notebook, timeout=50, kernel_name="python3").execute()
    texts = [
        output.get("text") or output["data"]["text/plain"]
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]
    assert texts[2:6] == ["True", "True", "IDEMPOTENCY_KEY_REUSED\n", "20"]
    assert texts[-1] == "'Alan Turing'"


def test_the_notebook_is_committed_without_output() -> None:
    """Outputs belong to whoever runs it."""
    notebook = read_notebook()
    assert not [cell for cell in notebook.cells if cell.cell_type == "code" and cell.outputs]


def python_blocks(page: str) -> list[str]:
    """The Python blocks of a page that are whole programs."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / page).read_text("utf-8"), re.DOTALL)
    return [block for block in blocks if "import" in block]


@pytest.mark.parametrize("page", ["README.md", "docs/guides/sdk.md", "docs/guides/errors.md"])
def test_documented_programs_run(runtime: LocalRuntime, page: str) -> None:
    """Each program on the page runs as it stands there."""
    blocks = python_blocks(page)
    assert blocks
    for block in blocks:
        run(runtime, "-c", block)


def test_the_readme_one_liner(runtime: LocalRuntime, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one line that the README opens with does what it says."""
    for name, value in runtime.environment().items():
        monkeypatch.setenv(name, value)
    readme = (ROOT / "README.md").read_text("utf-8")
    block = re.search(r"```python\n(async with.*?)```", readme, re.DOTALL)
    assert block is not None
    body = "\n".join(f"    {line}" for line in block[1].splitlines())
    namespace: dict[str, Any] = {}
    source = f"from users_sdk import AsyncUsersClient\nasync def main():\n{body}\n    return user\n"
    exec(source, namespace)  # the README's own text
    assert asyncio.run(namespace["main"]()).name == "Ada"
