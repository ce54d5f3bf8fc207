"""The documents of the generator's tests."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).parents[3]
GOLDEN = Path(__file__).parent / "golden"
AWKWARD = GOLDEN / "awkward.yaml"
CORNERS = GOLDEN / "corners.yaml"
PRINTING = GOLDEN / "printing.yaml"
DATA = ROOT / "tests/data"
BILLING = DATA / "billing.yaml"
CATALOGUE = DATA / "catalogue.yaml"
MEDIA = DATA / "media.yaml"
SHIPMENTS = DATA / "shipments.yaml"

Edit: TypeAlias = tuple[str, str]


def edited(text: str, *edits: Edit) -> str:
    """Replace texts; each must be there, so that a changed document cannot make a test idle."""
    for before, after in edits:
        assert before in text, before
        text = text.replace(before, after, 1)
    return text
