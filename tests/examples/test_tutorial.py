"""The tutorial, followed to the letter: its commands and programs, as they stand on the page."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "guides" / "tutorial.md"

# A fence's language, its title if it has one, and its text.
FENCE = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.DOTALL | re.MULTILINE)
# Steps of the reader's own: the environment of the tests is there, and is active.
SKIPPED = ("make ", ". ")
SERVE = "python -m deploy.local "

pytestmark = pytest.mark.timeout(300)


@dataclass
class Reader:
    """Somebody who follows the page in a folder, with two terminals."""

    folder: Path
    environment: dict[str, str]
    output: dict[str, str] = field(default_factory=dict)
    service: subprocess.Popen[str] | None = None

    def follow(self, language: str, title: str, text: str) -> None:
        """Do what a block says."""
        if title:
            (self.folder / title).write_text(text, "utf-8")
        elif language == "diff":
            self.edit(text)
        elif language == "sh":
            for command in text.splitlines():
                if not command.startswith(SKIPPED):
                    self.run(command)

    def edit(self, diff: str) -> None:
        """Add the lines of a diff below its first line, which the document has once."""
        place, *added = diff.splitlines(keepends=True)
        file = self.folder / "orders" / "openapi.yaml"
        text = file.read_text("utf-8")
        assert text.count(f"\n{place[1:]}") == 1, place
        new = "".join(line.removeprefix("+") for line in added)
        file.write_text(text.replace(place[1:], place[1:] + new), "utf-8")

    def run(self, command: str) -> None:
        """Run a command to its end, or start the service and take over the lines it prints."""
        if command.startswith(SERVE):
            self.stop()
            self.serve(command)
            return
        result = subprocess.run(
            ["sh", "-c", command],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert result.returncode == 0, f"{command}\n{result.stdout}{result.stderr}"
        self.output[command] = result.stdout

    def serve(self, command: str) -> None:
        """Start the service in the first terminal; paste what it prints into the second."""
        self.service = subprocess.Popen(
            ["sh", "-c", f"exec {command}"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.service.stdout is not None
        for line in self.service.stdout:
            if exported := re.fullmatch(r"export (\w+)=(\S+)\n", line):
                self.environment[exported[1]] = exported[2]
            if line.startswith("With curl"):
                return
        pytest.fail("the service did not start")

    def stop(self) -> None:
        """Press Ctrl-C in the first terminal."""
        if self.service is not None:
            self.service.send_signal(signal.SIGINT)
            self.service.communicate(timeout=20)
            assert self.service.returncode == 0
            self.service = None


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """A reader in an empty folder, the environment active; what runs ends with the test."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {
        **os.environ,
        "CDK_OUTDIR": str(tmp_path / "cdk.out"),
        "PATH": path,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'sdk'}",
    }
    found = Reader(tmp_path, environment)
    try:
        yield found
    finally:
        if found.service is not None:
            found.service.kill()
            found.service.communicate()


def test_the_tutorial(reader: Reader) -> None:
    """Every command and program of the page works, and prints what the page says it prints."""
    blocks = FENCE.findall(PAGE.read_text("utf-8"))
    assert {language for language, _, _ in blocks} == {"diff", "python", "sh", "text"}
    printed = ""
    for language, title, text in blocks:
        if language == "text":
            assert printed == text
        reader.follow(language, title, text)
        printed = list(reader.output.values())[-1] if reader.output else ""
    reader.stop()
    created = reader.output["python orders/create_order.py"]
    assert re.match(r"order [0-9a-f]{8}-[0-9a-f-]{27} was created at 20", created)
    assert reader.output["python orders/create_express.py"] == "express: True\n"
    stacks = {path.name for path in (reader.folder / "cdk.out").glob("*.template.json")}
    assert stacks == {"orders-dev.template.json", "orders-prod.template.json"}
