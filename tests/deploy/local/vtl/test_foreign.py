"""Python's values that are none of Java's: what a template sees of them, and which are refused."""

from __future__ import annotations

import array
import datetime
import re
from collections import ChainMap, Counter, UserDict, UserList, UserString, deque, namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from fractions import Fraction
from types import MappingProxyType

import pytest

from deploy.local.vtl import Template, VtlObject, VtlRenderError, render

Point = namedtuple("Point", "x y")


@dataclass(frozen=True)
class Account:
    """A data class with a list."""

    name: str
    roles: tuple[str, ...]


class Role(StrEnum):
    """An enumeration of texts."""

    ADMIN = "admin"


class Level(IntEnum):
    """An enumeration of numbers."""

    LOW = 2


class Colour(Enum):
    """An enumeration of values that have no type in particular."""

    RED = "red"


class Word(str):
    """A text that prints otherwise in Python."""

    __slots__ = ()

    def __str__(self) -> str:
        return "another"


MAKERS = (lambda template: render(template, VALUES), lambda template: fused(template))
VALUES: dict[str, object] = {
    "tuple": (1, "a", None),
    "named": Point(1, 2),
    "range": range(3),
    "deque": deque([1, 2]),
    "user": UserList([1, 2]),
    "array": array.array("i", [1, 2]),
    "keys": {"b": 1, "a": 2}.keys(),
    "values": {"b": 1, "a": 2}.values(),
    "items": {"b": 1}.items(),
    "set": {"b", "a", "c"},
    "mixed": frozenset([(1, 2)]),
    "orderless": {"a", 1},
    "account": Account("Ada", ("reader", "admin")),
    "proxy": MappingProxyType({"k": 1}),
    "chain": ChainMap({"k": 1}),
    "mapping": UserDict(k=1),
    "counter": Counter("aa"),
    "role": Role.ADMIN,
    "level": Level.LOW,
    "word": Word("one"),
    "string": UserString("text"),
    "decimal": Decimal("1.10"),
    "nested": {"list": [(1, {2, 1})], "accounts": (Account("Bob", ()),)},
    "odd": {1: "a", (1,): "b", 1.5: "c", False: "d"},
    "same": [1, "a", None],
}


def fused(template: str) -> str:
    """Render by the function that a template becomes."""
    compiled = Template(template)
    compiled.fuse()
    return compiled.render(VALUES)


@pytest.mark.parametrize("printed", MAKERS, ids=["closures", "fused"])
@pytest.mark.parametrize(
    ("template", "output"),
    [
        ("$tuple|$tuple.size()|$tuple[1]|$tuple[-3]|$tuple.get(0)", "[1, a, null]|3|a|1|1"),
        ("#foreach($x in $tuple)[$!x]#end", "[1][a][]"),
        ("$tuple.contains('a') $tuple.isEmpty() $tuple.empty", "true false false"),
        (
            "#if($tuple == $same)same#end $same.equals($tuple) $tuple.equals($same)",
            "same true true",
        ),
        ("#set($l = ['z'])$l.addAll($tuple) $l", "true [z, 1, a, null]"),
        ("$named $named[1]", "[1, 2] 2"),
        ("$range #foreach($x in $range)$x#end $range.subList(1, 3)", "[0, 1, 2] 012 [1, 2]"),
        ("$deque $user $array", "[1, 2] [1, 2] [1, 2]"),
        ("$keys $values $items[0]", "[b, a] [1, 2] [b, 1]"),
        ("$set $set.contains('b') $mixed $orderless.size()", "[a, b, c] true [[1, 2]] 2"),
        ("$account.name $account.roles[1] $account", "Ada admin {name=Ada, roles=[reader, admin]}"),
        ("$account.keySet() $account.get('name')", "[name, roles] Ada"),
        ("$proxy $chain.k $mapping.keySet() $counter.a", "{k=1} 1 [k] 2"),
        ("$role $role.length() $level.intValue()", "admin 5 2"),
        ("$word $word.length() ${word}s", "one 3 ones"),
        ("$string $string.toUpperCase()", "text TEXT"),
        ("$decimal $decimal.class.name", "1.10 java.math.BigDecimal"),
        ("$nested.list[0][1][0] $nested.accounts[0].name $nested.list", "1 Bob [[1, [1, 2]]]"),
        ("#foreach($x in $odd)$x#end $odd.size()", "abcd 4"),
        ("$odd $odd.get(1.5) $odd.containsKey(1.5)", "{1=a, [1]=b, 1.5=c, false=d} c true"),
        ("#foreach($e in $odd.entrySet())$e.key:$e.value #end", "1:a [1]:b 1.5:c false:d "),
        ("#foreach($v in $odd.values())$v#end $odd.get([1])", "abcd b"),
        ("#set($m = {$tuple: 'x'})$m.get($same)", "x"),
    ],
)
def test_what_a_template_sees(printed: Callable[[str], str], template: str, output: str) -> None:
    """Collections are lists, data classes maps, subclasses the type itself; also within others."""
    assert printed(template) == output


@pytest.mark.parametrize(
    "template",
    [
        "$tuple.add(1)",
        "#set($tuple[0] = 1)",
        "$set.clear()",
        "#set($account.name = 'Bob')",
        "$account.put('name', 'Bob')",
        "#set($proxy.k = 2)",
    ],
)
def test_they_take_no_changes(template: str) -> None:
    """What would not reach the caller's own value fails, as in Java's unmodifiable collections."""
    with pytest.raises(VtlRenderError, match="UnsupportedOperationException"):
        render(template, VALUES)


@pytest.mark.parametrize(
    "value",
    [
        *(
            b"x",
            bytearray(b"x"),
            memoryview(b"x"),
            1j,
            Fraction(1, 3),
            Colour.RED,
            object(),
            object,
        ),
        *(datetime.date(2026, 11, 24), (one for one in "ab"), iter([1]), len, lambda: 1),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize(
    "template",
    [
        *("$a.list[1]", "$a.list[1].name", "$a.list[1].size()", "$a.list[1].get(0)", "$a"),
        *("#foreach($x in $a.list[1])$x#end", "#if($a.list[1] == 1)#end", "$a.list[1][0]"),
        *("#set($a.list[1].x = 1)", "$a.list.contains('x')", "#set($b = 'x' + $a.list[1])"),
        *("#set($l = [])$l.addAll($a.list[1])", "$a.list.hashCode()", '"$a.list[1]"'),
    ],
)
def test_others_are_refused_by_name(template: str, value: object) -> None:
    """A value without a counterpart is a TypeError that says where it is and what it is."""
    message = f"variables['a']['list'][1]: {type(value).__name__} is no type for a template"
    with pytest.raises(TypeError, match=re.escape(message)):
        render(template, {"a": {"list": [0, value]}})


def test_others_do_no_harm_unused() -> None:
    """Nothing is said of a value that the template does not come to."""
    assert render("$b", {"a": object(), "b": 1}) == "1"


def test_place_of_a_value_in_a_data_class() -> None:
    """The place leads through data classes and collections, and circles do not stop the search."""
    circle: dict[str, object] = {}
    circle["self"] = circle
    variables = {"c": circle, "a": Account("Ada", (b"x",))}  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=re.escape("variables['a'].roles[0]: bytes")):
        render("$a.roles", variables)


def test_value_that_is_not_among_the_variables() -> None:
    """What an object of the protocol returns is named by its type alone."""

    class Source(VtlObject):
        def vtl_get(self, name: str) -> object:
            return b"x"

    with pytest.raises(TypeError, match=r"\Abytes is no type"):
        render("$s.x", {"s": Source()})
