"""
The generator over random documents: `python -m benchmarks.generator [--documents N] [--start S]`.

Each document is drawn within the rules, generated, imported, and used sync and async against a
service on loopback that answers with the document's own examples; then mypy checks all packages.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.sdk.codegen.random_packages import draw, make, shared_runtime, type_errors, use

ROOT = Path(__file__).parents[1]


def main() -> int:
    """Print what failed, and how many did not; exit with 1 if any failed."""
    parser = argparse.ArgumentParser(prog="benchmarks.generator", description=__doc__)
    parser.add_argument("--documents", type=int, default=500)
    parser.add_argument("--start", type=int, default=1, help="the same number, the same documents")
    options = parser.parse_args()
    failed = 0
    generating: list[float] = []
    with tempfile.TemporaryDirectory() as folder, shared_runtime(Path(folder)):
        out = Path(folder)
        for number, document in enumerate(draw(options.documents, options.start)):
            started = time.perf_counter()
            try:
                made = make(document, number, out)
                generating.append(time.perf_counter() - started)
                use(made)
            except Exception as error:
                failed += 1
                print(f"document {number}: {type(error).__name__}: {error}", file=sys.stderr)
        errors = type_errors(out)
    print(f"documents                    {options.documents}")
    print(f"generated, used, compared    {options.documents - failed}")
    print(f"mypy --strict                {errors or 'no error'}")
    generating.sort()
    if generating:
        print(f"time to generate one, p50    {generating[len(generating) // 2] * 1000:.0f} ms")
    return 1 if failed or errors else 0


if __name__ == "__main__":
    sys.exit(main())
