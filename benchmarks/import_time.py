"""
What importing costs, in fresh interpreters, against peers in the same run.

    python -m benchmarks.import_time [--runs 15]

Milliseconds until the statement is done, the interpreter's own start left out.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from pathlib import Path

CLIENT = """
from users_sdk import UsersClient
class Keys:
    access_key, secret_key, token = "AKIDEXAMPLE", "secret", None
UsersClient(base_url="https://api.example", region="eu-west-1", credentials=Keys())
"""
STATEMENTS = {
    "import users_sdk": "import users_sdk",
    "users_sdk, first client": CLIENT,
    "import pydantic.BaseModel": "from pydantic import BaseModel",
    "import httpx": "import httpx",
    "import boto3": "import boto3",
    "import azure-core poller": "from azure.core.polling import LROPoller",
}
PROGRAM = "import time\nbegan = time.perf_counter()\n{}\nprint(time.perf_counter() - began)"
OURS = "import users_sdk"


def measured(statement: str) -> float:
    """Return the milliseconds that a statement takes in a fresh interpreter."""
    paths = [str(Path(__file__).parents[1] / "sdk"), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(statement)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout) * 1000


def main() -> None:
    """Print best and median of each, and the ratio of the best to that of `import users_sdk`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=15)
    runs = parser.parse_args().runs
    # In turn, so that a busy moment of the machine is nobody's alone.
    rounds = [{name: measured(text) for name, text in STATEMENTS.items()} for _ in range(runs)]
    ours = min(times[OURS] for times in rounds)
    print(f"{'ms':28}{'best':>8}{'median':>8}{'ratio':>8}")
    for name in STATEMENTS:
        times = [each[name] for each in rounds]
        best = min(times)
        print(f"{name:28}{best:8.0f}{statistics.median(times):8.0f}{best / ours:8.2f}")


if __name__ == "__main__":
    main()
