"""Templates written out as one function: they print what their closures print."""

from __future__ import annotations

import copy
import sys
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.local.vtl import Template, VtlError, VtlObject, VtlRenderError

VARIABLES: dict[str, object] = {
    "a": {"b": [1, "x", None], "class": "c", "n": {"s": "deep"}},
    "l": [1, 2, 3],
    "nulls": [1, None, 2],
    "s": "text",
    "big": 2**40,
    "long": "x" * 5000,
    "t": True,
}
MODES: tuple[Literal["velocity", "apigateway"], ...] = ("velocity", "apigateway")
TEMPLATES = [
    "$a.n.s $a.n.nope $a.nope.x $a.class.name $s.class.name $a.b[1] $a.b.get(1) $long $big",
    "#foreach($x in $l)$x$foreach.hasNext$foreach.index$foreach.count#if($x == 2)#break#end#end",
    "#foreach($x in $nulls)[$x$!x#foreach($y in $l)$y$foreach.parent.index#end]#end$x",
    "#set($x = 0)#foreach($x in $l)$x#end$x#foreach($foreach in $l)$foreach#end",
    "#foreach($x in $l)$velocityCount$velocityHasNext#end$velocityCount",
    "#foreach($x in $l)#set($foreach = $x)$foreach.hasNext#end",
    "#foreach($x in $s)n#end#foreach($x in [])$x#end#foreach($x in $nope)#end",
    "#foreach($x in $l)$x#stop#end after",
    "#if($s == 'text' && $big > 3)y#{else}n#end#if($nope || !$t)y#elseif(1 < 2)z#end",
    "#if('a' == 'a')y#end#if($a == '')n#end#if(1 == $l[0])y#end#if($s > 1)n#end",
    "#if(2 >= 2)y#end#if($l == $l)y#end#if($big != 2)y#end#if($s != $s)n#end",
    "#if($nope)y#end#if($nope == '')y#end#if($t)y#end#if(!$nope)y#end#if($s.isEmpty())y#end",
    "$s.length() $s.substring(1) $s.substring(1, 2) $s.indexOf($s) $l.get($l[0])",
    "$l.contains(2) $s.concat($nope) $s.nope($s) $s.replace('t', $s) $s.split('e')[1]",
    "#set($i = 1)$s.substring($i)#set($d = 5.5)$d.intValue()$d.compareTo(1.5)",
    "$s.compareTo($s, 1)",
    "$s.substring($big)",
    "#define($b)<$s#set($s = 'y')>#end$b$b#if($b)y#end#set($c = \"$b!\")$c $s",
    "#macro(m $p)[$p]#set($s = 'q')#end#m($s)#m($nope)$s#evaluate('$s#set($s = 1)')$s",
    "#set($a.n.s = 'set')$a.n.s#set($nope.x = 1)#set($l[0] = 9)$l#set($z = $nope)$z",
    "\\$s \\\\$s $$s $!nope $!{a.n.s} ${s} $5 ## c\n#* b *##[[ $s ]]#",
    "".join(f"#foreach($v{depth} in $l)" for depth in range(6)) + "$v5" + "#end" * 6,
    "\\#later #later() #macro(later)$s#end \\#later",
    "#if($t)" * 30 + "$s" + "#end" * 30,
    "#if($nope == 1)" + "".join(f"#elseif($l[0] == {n})" for n in range(20, 0, -1)) + "y#end",
]


def rendered(template: Template) -> str | None:
    """Render with fresh variables; None stands for an error."""
    try:
        return template.render(copy.deepcopy(VARIABLES), max_foreach=4)
    except VtlError:
        return None


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("text", TEMPLATES, ids=range(len(TEMPLATES)))
def test_fused_as_closures(text: str, mode: Literal["velocity", "apigateway"]) -> None:
    """The function prints what the closures print, and fails where they fail."""
    template = Template(text, mode=mode)
    slow = rendered(template)
    template.fuse()
    assert [rendered(template), rendered(template)] == [slow, slow]


FRAGMENTS = st.sampled_from(
    [
        *(
            "$a.n.s",
            "$l",
            "$nope",
            "$!nope.x",
            "$s.length()",
            "$l.get($i)",
            "$foreach.hasNext",
            " ",
        ),
        *(
            "#set($i = 1)",
            "#set($i = $l)",
            "#set($s = $i)",
            "#set($a.n = $s)",
            "#if($i == 1)",
            "#end",
        ),
        *(
            "#if($s && $nope)",
            "#elseif($i > 0)",
            "#else",
            "#foreach($i in $l)",
            "#foreach($i in $a)",
        ),
        *(
            "#foreach($s in $i)",
            "#break",
            "#define($d)",
            "$d",
            "$i",
            "text",
            "\n",
            '"',
            "\\",
            "'''",
        ),
    ]
)


@settings(max_examples=300, deadline=None)
@given(text=st.lists(FRAGMENTS, max_size=20).map("".join), end=st.integers(0, 4))
def test_any_template_fuses(text: str, end: int) -> None:
    """Whatever parses prints the same by both."""
    for mode in MODES:
        try:
            template = Template(text + "#end" * end, mode=mode)
        except VtlError:
            continue
        slow = rendered(template)
        template.fuse()
        assert rendered(template) == slow


def test_text_of_a_template_is_no_python() -> None:
    """Quotes, braces and line breaks of a template stay what they are."""
    text = '\'"""\\{0}\nimport os\r\n' + "é\u2028\x00"
    template = Template(text + "$s")
    template.fuse()
    assert template.render({"s": "'"}) == text + "'"


def test_errors_are_located_in_the_template() -> None:
    """An error of a written-out call points at its reference."""
    template = Template("one\n#if($s)\n #foreach($x in $l)$l.get($big)#end#end")
    template.fuse()
    with pytest.raises(VtlRenderError) as caught:
        template.render({"s": "text", "l": [1], "big": 7})
    error = caught.value
    assert (error.line, error.column, error.text) == (3, 20, "$l.get($big)")


def test_a_list_that_changes_in_its_loop_fails() -> None:
    """Growing and shrinking a list in its own loop is an error, as in Java."""
    for change in ("add(9)", "remove(0)"):
        template = Template(f"#foreach($x in $l)#set($r = $l.{change})#end")
        template.fuse()
        with pytest.raises(VtlRenderError, match="ConcurrentModification"):
            template.render({"l": [1, 2, 3]})


class Greeter(VtlObject):
    """An object whose method is in a table."""

    vtl_methods = {"greet": (("S", lambda greeter, name: f"Hello {name}"),)}  # noqa: RUF012


def test_methods_of_a_table() -> None:
    """A method of a table is chosen by the classes of its arguments."""
    template = Template("$g.greet($s)|$g.greet($n)|$g.greet()|$g.nope($s)")
    before = template.render({"g": Greeter(), "s": "Ada", "n": 1})
    template.fuse()
    assert template.render({"g": Greeter(), "s": "Ada", "n": 1}) == before == "Hello Ada|||"


def test_a_template_fuses_by_itself() -> None:
    """A template that is rendered often runs as one function."""
    template = Template("$s #foreach($x in [1..2])$x#end by itself")
    frames: list[str] = []

    class Spy(VtlObject):
        def vtl_string(self) -> str:
            frames.extend(_callers())
            return "spy"

    for _ in range(20):
        assert template.render({"s": Spy()}) == "spy 12 by itself"
    assert "<template>" in frames


def _callers() -> list[str]:
    frame = sys._getframe(1)
    names = []
    while frame.f_back is not None:
        frame = frame.f_back
        names.append(frame.f_code.co_filename)
    return names
