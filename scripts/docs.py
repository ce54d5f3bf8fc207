"""Build the documentation into build/docs; a warning is an error."""

from __future__ import annotations

import sys
from pathlib import Path

from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    """Build, and say where the pages are."""
    try:
        build(load_config(str(ROOT / "mkdocs.yml"), strict=True))
    except Abort as error:
        sys.exit(str(error))
    print("build/docs/index.html")


if __name__ == "__main__":
    main()
