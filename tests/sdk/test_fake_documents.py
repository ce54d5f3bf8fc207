"""What a fake service says."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Any

import pytest

from users_sdk._fake_documents import numbered, with_state
from users_sdk._models import Model
from users_sdk._operation import AsyncOperation, Embedded, Operation, States


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


class _State(StrEnum):
    WAITS = "waits"
    DONE = "done"


class _Meta(Model):
    state: _State | None = None


class _Status(Model):
    meta: _Meta | None = None
    part: str = "p"


@pytest.mark.parametrize(
    ("pointer", "result", "expected"),
    [
        ("", {"part": "q"}, {"part": "q", "meta": {"state": "done"}}),
        ("/meta", {"state": "waits"}, {"state": "done"}),
        ("/meta/state", "waits", "done"),
        ("/part", "q", "q"),
        ("/met", {}, {}),
    ],
)
def test_a_result_that_holds_the_state_tells_the_last(
    pointer: str, result: Any, expected: Any
) -> None:
    """What is read as the result is what the status says once it is over."""
    start = Operation[Any]("start", "start", "POST", "/a")
    status = Operation[Any]("status", "status", "GET", "/b", results={"200": _Status})
    states = States("/meta/state", frozenset(("waits",)), frozenset(("done",)), frozenset())
    chain = AsyncOperation[Any](start, status, (), states, Embedded(pointer, object))
    assert with_state(chain, result, "done") == expected
