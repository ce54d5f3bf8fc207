"""JSONPath as Jayway evaluates it, and JSON text."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.local.jsonpath import MISSING, JsonArray, JsonPathError, dump, find, parse

STORE: dict[str, Any] = {
    "store": {
        "book": [
            {"category": "reference", "author": "Rees", "price": 8.95},
            {"category": "fiction", "author": "Waugh", "price": 12.99},
            {"category": "fiction", "author": "Melville", "isbn": "0-553", "price": 8.99},
        ],
        "bicycle": {"color": "red", "price": 19.95},
    },
    "a-b": 1,
    "n": None,
    "list": [1, 2, 3, 4],
    "expensive": 10,
}
AUTHORS = ["Rees", "Waugh", "Melville"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", STORE),
        ("$.a-b", 1),
        ("a-b", 1),
        ("$['a-b']", 1),
        ("$.store.book[0].author", "Rees"),
        ("$.store.book[-1].author", "Melville"),
        ("$.store.book[*].author", AUTHORS),
        ("$..author", AUTHORS),
        ("$.store.book[0,2].author", ["Rees", "Melville"]),
        ("$.list[1:3]", [2, 3]),
        ("$.list[:2]", [1, 2]),
        ("$.list[-2:]", [3, 4]),
        ("$.store.bicycle['color','price']", {"color": "red", "price": 19.95}),
        ("$.store.*.color", ["red"]),
        ("$.store.book[?(@.isbn)].author", ["Melville"]),
        ("$.store.book[?(!@.isbn)].author", ["Rees", "Waugh"]),
        ("$.store.book[?(@.price < 10 && @.category == 'fiction')].author", ["Melville"]),
        ("$.store.book[?(@.price > $.expensive || @.author == 'Rees')].author", ["Rees", "Waugh"]),
        ("$..book[?(@.author =~ /.*ELV.*/i)].author", ["Melville"]),
        ("$.store.book[?(@.category in ['reference'])].author", ["Rees"]),
        ("$.store.book[?(@.category nin ['reference'])].author", ["Waugh", "Melville"]),
        ("$.store.book[?(@.author contains 'au')].author", ["Waugh"]),
        ("$.list[?(@ >= 3)]", [3, 4]),
        ("$.list[0:4:2]", [1, 2, 3, 4]),
        ("$.list[?(@ == '2')]", [2]),
        ("$.store.book[?(@.price == '8.990')].author", ["Melville"]),
        ("$.store.book[?(@.nope subsetof ['a'])]", []),
        ("$..[?(@.color)].price", [19.95]),
        ("$..['color','price']", [{"color": "red", "price": 19.95}]),
        ("$..price.max()", 19.95),
        ("$..book.length()", 3),
        ("$.list.concat('x')", "x"),
        ("$.concat($.list, 'x')", "1234x"),
        ("$.sum($..price)", 8.95 + 12.99 + 8.99 + 19.95),
        ("$.a-b.length()", None),
        ("$.list.length()", 4),
        ("$.list.size()", 4),
        ("$.list.min()", 1.0),
        ("$.list.max()", 4.0),
        ("$.list.sum()", 10.0),
        ("$.list.avg()", 2.5),
        ("$.list.first()", 1),
        ("$.list.last()", 4),
        ("$.store.bicycle.keys()", ["color", "price"]),
        ("$.n", None),
        ("$.absent", MISSING),
        ("$.list[9]", MISSING),
        ("$.absent[*].x", MISSING),
        ("$.list.name", MISSING),
        ("$..nothing", []),
        ("$.store.book[?(@.price > 99)]", []),
    ],
)
def test_find(path: str, expected: object) -> None:
    """A definite path finds one value or nothing, any other a list."""
    assert find(parse(json.dumps(STORE)), path) == expected


@pytest.mark.parametrize(
    "path", ["", "$.", "$[", "$['a", "$[?(@.a ==)]", "$.a b", "$[?(1)]", "$..", "$x", "$.list[:]"]
)
def test_broken_paths_are_refused(path: str) -> None:
    """A path that cannot be parsed raises."""
    with pytest.raises(JsonPathError):
        find({}, path)


@settings(max_examples=200, deadline=None)
@given(path=st.text(alphabet="$@.[]()*?:,'\"ab01-!=<>&| /", max_size=25))
def test_any_path_finds_or_raises_our_error(path: str) -> None:
    """No path makes the evaluation raise anything but JsonPathError."""
    with contextlib.suppress(JsonPathError):
        find(parse('{"a": [{"b": 1}, 0], "b": "x"}'), path)


@pytest.mark.parametrize(
    "text",
    ['{"a":1.1,"b":[12345678901234567890123,-0.0],"c":"é/\\"\\n"}', "[]", "{}", "null", '"x"'],
)
def test_json_text_survives(text: str) -> None:
    """Compact JSON comes back as it was written."""
    assert dump(parse(text)) == text


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("1.50", "1.5"),
        ("1e5", "100000.0"),
        ("12345678.9", "1.23456789E7"),
        ("1e400", "null"),
        ("3.141592653589793238", "3.141592653589793238"),
        ('"\\u2019€\\u007f"', '"\\u2019\\u20AC\\u007F"'),
    ],
)
def test_json_is_printed_as_json_smart_does(written: str, printed: str) -> None:
    """Decimal numbers print as Java's, long ones exactly; some signs are escaped."""
    assert dump(parse(written)) == printed


def test_an_array_escapes_the_slash_when_it_prints_itself() -> None:
    """What `$input.path` prints of an array is for the web, what `$input.json` prints is not."""
    found = parse('["a/b",{"c/d":1}]')
    assert isinstance(found, JsonArray)
    assert found.vtl_text() == '["a\\/b",{"c\\/d":1}]'
    assert dump(found) == '["a/b",{"c/d":1}]'


@pytest.mark.parametrize("text", ["", "words", "{'a':1}", "[1,]", "NaN", "[" * 100_000])
def test_what_is_not_json_is_refused(text: str) -> None:
    """Anything but JSON raises ValueError."""
    with pytest.raises(ValueError, match=r".+"):
        parse(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@settings(max_examples=100, deadline=None)
@given(value=JSON)
def test_dump_is_json(value: object) -> None:
    """What is printed reads back as the same value."""
    assert json.loads(dump(parse(json.dumps(value)))) == value
