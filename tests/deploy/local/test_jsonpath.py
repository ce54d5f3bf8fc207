"""JSONPath as Jayway evaluates it, and JSON text."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.local.jsonpath import (
    MISSING,
    BrokenJsonError,
    JsonArray,
    JsonPathError,
    dump,
    find,
    parse,
)

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
        ('$.list.concat("x")', "x"),
        ('$.concat($.list, "x")', "1234x"),
        ("$.concat($.list, 'x', true)", "1234"),
        ("$.concat($.store.bicycle.color, $.list[0:1])", "red1"),
        ('$.list.append("q", 5, {"a": 1})', [1, 2, 3, 4, "q", 5, {"a": 1}]),
        ("$.list.index(1.9)", 2),
        ("$.list.index(-1)", 4),
        ("$.list.max(7)", 7.0),
        ("$.list.max($.absent)", MISSING),
        ("$.store.length($.bicycle)", 2),
        ("$.store.length($.absent)", MISSING),
        ("$..bicycle.keys()", list(STORE)),
        ("$.list[9].length()", MISSING),
        ("$.list[9]..x", []),
        ("$.list[?(@ =~ /[12]/)]", [1, 2]),
        ("$.store.book[?(/r.*/i =~ @.author)].author", ["Rees"]),
        ("$.store.book[?(@.author =~ 'Rees')]", []),
        ("$.store[?($.list =~ /3/)].bicycle.color", ["red"]),
        ("$.store.book[?(@.isbn != @.nope)].author", AUTHORS),
        ("$.store.book[?(@.nope == @.nope)]", []),
        ("$.store.book[?(@.nope nin 'a' || @.price)]", []),
        ("$.store.book[?(@.author nin $.store)].author", AUTHORS),
        ("$.list[?(@..a)]", [1, 2, 3, 4]),
        ("$[?(@.list subsetof [1, 2, 3, 4, 5])].expensive", [10]),
        ("$[?(@.list anyof [4])].expensive", [10]),
        ("$[?(@.list noneof [4, 5])].expensive", []),
        ("$[?(@.list noneof $.store || @.a-b == 1)].expensive", [10]),
        ("$.store[?(@.book[*].isbn)]", []),
        ("$.store.book[?(@['isbn','author'])].author", ["Melville"]),
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
    "path",
    [
        *("", "$.", "$[", "$['a", "$[?(@.a ==)]", "$.a b", "$[?(1)]", "$..", "$x", "$.list[:]"),
        *("$['a',\"b\"]", "$..length()", "$.append({)", "$[?(@ =~ /[/)]"),
    ],
)
def test_broken_paths_are_refused(path: str) -> None:
    """A path that cannot be parsed raises."""
    with pytest.raises(JsonPathError):
        find({}, path)


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("$.expensive.max()", "using empty array"),
        ("$.list[*].max()", "using empty array"),
        ("$..author.sum(1)", "using empty array"),
        ("$..author.first()", "using empty array"),
        ("$.store.first()", "using empty array"),
        ("$.list.index(4)", "Target index:4 larger than object count:4"),
        ("$.list.index(-4)", "Target index:-4 larger than object count:4"),
        ("$.list.index('1')", "index() needs a number"),
        ("$.list.length(1)", "length() takes a path only"),
        ("$.expensive[?(@ > 1)]", "can not be applied to primitives"),
        ("$.list[?($.store.book anyof [1])]", "Could not determine value type"),
    ],
)
def test_what_cannot_be_computed_is_refused(path: str, problem: str) -> None:
    """Functions and filters raise where Jayway's throw, in its words where it has some."""
    with pytest.raises(JsonPathError, match=re.escape(problem)):
        find(parse(json.dumps(STORE)), path)


def test_paths_find_what_jayway_found() -> None:
    """Every recorded case finds what json-path found, finds nothing, or is refused as there."""
    recorded = json.loads(Path(__file__).with_name("jsonpath_cases.json").read_text("utf-8"))
    documents = [parse(json.dumps(document)) for document in recorded["documents"]]
    wrong = [
        (path, outcome, found)
        for document, path, outcome in recorded["cases"]
        if (found := outcome_of(documents[document], path)) != outcome
    ]
    assert wrong == []
    assert len(recorded["cases"]) > 300


def outcome_of(document: object, path: str) -> str:
    """Return what a path finds as JSON, or what else comes of it."""
    try:
        found = find(document, path)
    except JsonPathError:
        return "refused"
    return "missing" if found is MISSING else dump(found)


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


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # Observed of json-smart 2.6.0 on 2026-11-24.
        ("", ""),
        ("a=1&b=[2]", "a=1&b=[2]"),
        ("  two words\u2003", "two words"),
        ("null x", "null x"),
        ("1 2", "1 2"),
        ('{"a":1} and more', {"a": 1}),
        ('"a" and more', "a"),
        ("{a: 'b', \"c\" : d e ,}", {"a": "b", "c": "d e"}),
        ("{,,a:,b:1}", {"a": "", "b": 1}),
        ("[1,,'x'\"y\" true, tru,]", [1, "x", "y", True, "tru"]),
        ("[007,-,1.,-.5,1e3,1e,.5,1-2]", [7, 0, 1.0, -0.5, 1000.0, "1e", ".5", "1-2"]),
        ("[1é]", [1, "é"]),
        ('["a\tb","a\tb\\n\\x41\\q"]', ["a\tb", "ab\nA"]),
        ("'\\ud83d\\ude00\x7f'", "😀"),
        ("{a\x1a", None),
        ("{", None),
        ("\n{wrong", None),
        ("[1", None),
        ("'open", None),
        ('"a\\', None),
        ('{"a"}', None),
        ('{"a":}', None),
        ('{"a":1 "b":2}', {"a": '1 "b":2'}),
        ('{"a":"b" c}', None),
        ("[:]", None),
        ("[}", None),
        ("]", None),
        ("'\\u12'", None),
        ("-.", None),
        ("1e99999999999999999999", None),
        ("1e9999999999999999999999999999", None),
        ("0.0000000000000000000e9999999999", None),
        ('{"a":1,[2]}', None),
        ('"a\\"', None),
        ("[" * 401 + "]" * 401, None),
        ('{"a":' * 401 + "{}" + "}" * 401, None),
        ("[" * 401 + "a" + "]" * 401, None),
        ("[" * 100_000, None),
        ("0" * 5_000, None),
    ],
)
def test_text_that_is_not_quite_json_is_read_as_json_smart_does(text: str, value: object) -> None:
    """What begins without a bracket or quote is text; within them much is forgiven, not all."""
    if value is None:
        with pytest.raises(BrokenJsonError):
            parse(text)
    else:
        assert parse(text) == value


def test_nesting_is_read_to_400_levels() -> None:
    """Whether it is strict JSON or not."""
    assert str(parse("[" * 400 + "]" * 400)).count("[") == 400
    assert str(parse("[" * 400 + "a" + "]" * 400)).count("[") == 400
    nan = parse("NaN")
    assert isinstance(nan, float)
    assert nan != nan


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
