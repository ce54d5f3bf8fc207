"""The local runtime in a process of its own, so that it shares no interpreter with the client."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def served() -> Iterator[dict[str, str]]:
    """Run `python -m deploy.local`; gives the variables that it prints."""
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.local"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        environment: dict[str, str] = {}
        for line in process.stdout:
            found = re.match(r"export (\w+)=(.*)", line)
            if found:
                environment[found[1]] = found[2]
            elif environment:
                break
        if not environment:
            raise RuntimeError("the local runtime did not start: run `make serve` to see why")
        yield environment
    finally:
        process.terminate()
        process.wait()
