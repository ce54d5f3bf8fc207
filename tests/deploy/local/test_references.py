"""What each reference of a template became."""

from __future__ import annotations

import pytest

from deploy.local.references import values
from deploy.local.vtl import render


def became(template: str, **variables: object) -> list[tuple[int, str, str]]:
    """Return line, source and text of what shows."""
    found = values(template, lambda text: render(text, variables))
    return [(value.line, value.source, value.text) for value in found]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("a\n$x", [(2, "$x", "1")]),
        ("#set($y = 2)\n$!{y}", [(1, "$y =", "2"), (2, "$!{y}", "2")]),
        ("#if($x)yes#end", [(1, "$x", "1")]),
        ("#if($none)\n#elseif(!$x)\n#end", [(1, "$none", ""), (2, "$x", "1")]),
        ("#set($y = $x + $z)", [(1, "$x", "1"), (1, "$z", "3"), (1, "$y =", "4")]),
        ('#set($y = "a\n$x")', [(2, "$x", "1"), (1, "$y =", "a\n1")]),
        ("#set($y = [$x])", [(1, "$x", "1"), (1, "$y =", "[1]")]),
        ("$s.concat($t)", [(1, "$t", "t"), (1, "$s.concat($t)", "st")]),
        ('$s.concat("<$s>")', [(1, "$s", "s"), (1, '$s.concat("<$s>")', "s<s>")]),
        ("#if($x && $x > 0)#end", [(1, "$x", "1")]),
        ("\\$x #if(\"$x\" == '$x')#end", [(1, "$x", "1")]),
        ("#define($d)$x#end", []),
    ],
)
def test_each_reference_shows(template: str, expected: list[tuple[int, str, str]]) -> None:
    """Printed ones, and those in conditions, assignments, arguments and quoted strings."""
    assert became(template, x=1, z=3, s="s", t="t") == expected


def test_a_loop_shows_its_list_once_and_its_prints_each_round() -> None:
    """What does not print shows its first value."""
    shown = became("#foreach($e in $list)#if($e > 1)$e#end#end", list=[1, 2, 3])
    assert shown == [
        (1, "$list", "[1, 2, 3]"),
        (1, "$e", "1"),
        (1, "$e", "2"),
        (1, "$e", "3"),
    ]


def test_nothing_is_changed_by_being_shown() -> None:
    """References that add or remove are evaluated as often as in the template."""
    shown = became("#set($r = $list.add(2))#if($list.remove(0))#end$list", list=[1])
    assert shown == [(1, "$r =", "true"), (1, "$list", "[2]")]


def test_what_the_template_would_not_come_to_does_no_harm() -> None:
    """A condition behind a taken branch may fail; then what does not print is left out."""
    template = "#if($x)$x#elseif($s.substring(9))#end"
    assert became(template, x=1, s="s") == [(1, "$x", "1")]
