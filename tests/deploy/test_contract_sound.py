"""What is left of a document that is broken somewhere."""

from __future__ import annotations

from typing import Any

import pytest

from deploy.contract import Contract
from deploy.contract.sound import sound

DOCUMENT: dict[str, Any] = {"a/b": {"c": 1, "d": 2}, "e": [{"f": 3}, 4], "required": [5, "g"]}


@pytest.mark.parametrize(
    ("pointers", "left"),
    [
        ([], DOCUMENT),
        (["/a~1b/c"], {**DOCUMENT, "a/b": {"d": 2}}),
        (["/e/0"], {**DOCUMENT, "e": [{}, 4]}),
        (["/e/0/f", "/e/1"], {**DOCUMENT, "e": [{}, {}]}),
        (["/required/0"], {**DOCUMENT, "required": ["", "g"]}),
        (["/nowhere/at/all", "/e/7/x", "/a~1b/c/x"], DOCUMENT),
    ],
)
def test_what_is_broken_is_left_out(pointers: list[str], left: dict[str, Any]) -> None:
    """Elements of lists are emptied, so that those after them keep their pointers."""
    contract = Contract("f", DOCUMENT, {})
    assert sound(contract, pointers).document == left
    assert contract.document["e"] == [{"f": 3}, 4]
