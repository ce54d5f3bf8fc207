"""Values that fit a schema, and values put in their place."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import pytest
from pydantic import AwareDatetime, Base64Bytes, Field, TypeAdapter

from users_sdk import NewUser, User
from users_sdk._models import Model, OpenEnum
from users_sdk._sample import Schema, matching, put, sample, schema_of, tokens


class Colour(OpenEnum):
    """An enumeration."""

    RED = "red"


class Tree(Model):
    """What holds itself."""

    name: str
    child: Tree | None = None
    leaves: Annotated[list[Tree], Field(min_length=1)]


KINDS: list[Any] = [
    bool,
    Colour,
    NewUser,
    User,
    AwareDatetime,
    Base64Bytes,
    Literal["a", "b"],
    dict[str, int],
    int | None,
    Annotated[int, Field(gt=3, lt=5)],
    Annotated[int, Field(ge=7, multiple_of=5)],
    Annotated[int, Field(le=-3)],
    Annotated[float, Field(ge=0, lt=1)],
    Annotated[str, Field(min_length=9, max_length=9)],
    Annotated[str, Field(max_length=2)],
    Annotated[str, Field(pattern=r"^[A-Z]{2}-\d{3,}(x|y)[^a0]\S$")],
    Annotated[list[Annotated[str, Field(pattern="^k$")]], Field(min_length=2)],
]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_sample_fits(kind: Any) -> None:
    """And is the same each time."""
    value = sample(schema_of(kind))
    TypeAdapter(kind).validate_python(value)
    assert value == sample(schema_of(kind))


def test_what_is_not_required_is_left_out() -> None:
    """A sample is the least that fits."""
    assert sample(schema_of(NewUser)).keys() == {"name", "email"}


def test_an_example_is_preferred() -> None:
    """Of the document's own: listed values, examples, the default."""
    assert sample(Schema({"type": "string", "examples": ["x"]}, {})) == "x"
    assert sample(Schema({"type": "integer", "default": 9}, {})) == 9
    assert sample(Schema({"const": "only"}, {})) == "only"


def test_times_are_told_by_the_clock() -> None:
    """Where there is one; otherwise they are always the same."""
    now = datetime(2027, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert sample(schema_of(User), now)["createdAt"] == "2027-02-03T04:05:06Z"
    assert sample(schema_of(User))["createdAt"] == "2026-01-01T00:00:00Z"
    assert sample(Schema({"type": "string", "format": "date"}, {}), now) == "2027-02-03"


def test_a_schema_that_requires_itself_ends() -> None:
    """At some depth, with less than is required."""
    depth, node = 0, sample(schema_of(Tree))
    while node.get("leaves"):
        depth, node = depth + 1, node["leaves"][0]
    assert 1 < depth < 10


@pytest.mark.parametrize(
    "pattern", [r"^\S$", r"^(?P<a>x)\1$", r"^[^x]+@[0-9]$", r"^\W\D\d\w\s.$", "^[-a]?b*$", "ab|c"]
)
def test_a_text_matches_a_pattern(pattern: str) -> None:
    """As long as the pattern is simple."""
    assert matching(pattern) or pattern.startswith("^[-a]")


def test_a_pattern_that_is_too_hard_is_told() -> None:
    """Rather than answered with a text that does not match."""
    with pytest.raises(ValueError, match="no text is known"):
        matching(r"^(?=b)a$")


def test_a_value_is_put_in_its_place() -> None:
    """What must be around it is made; what is there stays."""
    listed = Schema(
        {
            "type": "object",
            "properties": {
                "jobs": {"type": "array", "items": {"type": "object", "required": ["n"]}},
            },
        },
        {},
    )
    document = put({"other": 1}, listed, "/jobs/1/id", 7)
    assert document["jobs"][1]["id"] == 7
    assert len(document["jobs"]) == 2
    assert document["other"] == 1
    assert put({"a": 1}, listed, "", 7) == 7
    assert put(None, Schema({}, {}), "/a~1b/c", 1) == {"a/b": {"c": 1}}


def test_pointers_are_read() -> None:
    """As RFC 6901 writes them."""
    assert tokens("/a~1b/~01/0") == ["a/b", "~1", "0"]
    assert tokens("") == []
