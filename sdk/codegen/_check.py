"""Compares generated files with those that are there."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path


def drift(expected: Mapping[Path, bytes], owned: Mapping[Path, bytes]) -> Iterator[str]:
    """
    How the tree differs from what would be generated.

    Args:
        expected: What would be written.
        owned: What is there where the generator alone writes.

    Yields:
        The lines of a unified diff; a missing or an extra file is compared with nothing.
    """
    for path in sorted({*expected, *owned}):
        before, after = owned.get(path), expected.get(path)
        if before != after:
            yield from difflib.unified_diff(
                _lines(before),
                _lines(after),
                fromfile=str(path) if before is not None else "/dev/null",
                tofile=f"{path} (generated)" if after is not None else "/dev/null",
            )
            if not _lines(before) and not _lines(after):
                yield f"{path}: {'extra' if after is None else 'missing'}, and empty\n"


def _lines(content: bytes | None) -> list[str]:
    lines = (content or b"").decode("utf-8", "replace").splitlines(keepends=True)
    return [
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    ]
