"""What a fake service says."""

from __future__ import annotations

import re

import pytest

from users_sdk._fake_documents import numbered


@pytest.mark.parametrize("pattern", ["^[0-9]+$", "^c-[0-9]{8}$", "^[a-f0-9-]{36}$", "^job_"])
def test_ids_are_as_the_document_describes_them(pattern: str) -> None:
    """Each another one, and always the same."""
    ids = [numbered(number, {"type": "string", "pattern": pattern}) for number in range(1, 50)]
    assert len(set(ids)) == len(ids)
    assert all(re.search(pattern, it) for it in ids)
    assert ids[0] == numbered(1, {"type": "string", "pattern": pattern})


def test_an_id_may_be_a_number() -> None:
    """Then it is that number."""
    assert numbered(7, {"type": "integer"}) == 7
