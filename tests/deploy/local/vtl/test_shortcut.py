"""The shortcut: what it takes prints and fails as by way of the tree."""

from __future__ import annotations

import copy
import re
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.local.vtl import VtlError, VtlParseError
from deploy.local.vtl._compiler import Compiler
from deploy.local.vtl._scope import Bottom, Render, Run, Stop
from deploy.local.vtl._shortcut import shortcut

Mode = Literal["apigateway", "velocity"]
MODES: tuple[Mode, ...] = ("velocity", "apigateway")
VARIABLES: dict[str, object] = {
    "a": {"b": [1, "x", None], "c": {"d": "deep"}, "class": "c"},
    "l": [3, 1, 2],
    "s": "text",
    "n": 7,
    "t": True,
}
# Each part of the grammar that the shortcut knows, and what stands at its borders.
FRAGMENTS = st.sampled_from(
    [
        *("$s", "$!s", "${s}", "$!{s}", "$a.c.d", "${a.c.d}", "$nope", "$!nope.x", "$a.true"),
        *("$s.length()", "$a.b.get(1)", "$a.b[0]", "$a.b.get(9)", "$a.get('c').d", "${s.length()}"),
        *('$s.replace("t", "$n")', "$s.concat($s.concat('x')).length()", "$l[$l[1]]", "$l[-1]"),
        *("$s.substring( 1 , 2 )", "$s.nope()", "$s.length( )", "$a.b.get(", "$s(", "$s["),
        *("#set($x = $s)", "  #set( $x=$n + 1 )\n", "#set($a.c.d = 'q')", "#set($s.x = 1)", "$x"),
        *("#set($x = [1, $s, 'z'])", "#set($x = {'k': $s, \"l\": [1..3]})", "#set($x = [$n..1])"),
        *("#set($x = ($n + 1) * 2 - 3)", '#set($x = "$s-$nope #if($t)y#end")', "#set($x = 2.5)"),
        *(
            "#set($x = $nope + 'y')",
            '#set($x = ($n + 1) + "y")',
            "#set($x = $n / 0)",
            "#set($x=-1)",
        ),
        *("#set($x = 'a' + (1 / 0))", "#set($x = 7 -3)", "#set($x = [])", "#set($x = {})"),
        *("#if($s == 'text')", "#if(!$t || $n >= 7 and $nope)", "#if ( 'x' )", "#elseif($n < 3)"),
        *(
            "#else",
            "#{else}",
            "#end",
            "#{end}",
            "#end\n",
            "#end##\n",
            "#foreach($i in $l)",
            "$i",
            "#if(true)",
        ),
        *("#foreach( $i in [1..3] )\n", "$foreach.count", "$foreach.hasNext", "#foreach($i in $a)"),
        *("## note $5 #if\n", "##", "#* block *#", "#**#", "#[[ $s ]]#", "#stop", "#nosuch"),
        *(
            "\\",
            "\\\\",
            "\\$s",
            '\\"',
            "\\#if",
            "$",
            "#",
            "$5",
            "$$s",
            "{",
            "}",
            "(",
            ")",
            "[",
            "]",
        ),
        *(".", ".x", "-", "!", " ", "  ", "\t", "\n", "\r\n", "\n  ", '"', "'", "é", "text", ","),
    ]
)
TEXTS = st.lists(FRAGMENTS, max_size=12).map("".join)


def outcome(render: Render, mode: Mode) -> object:
    """Render with fresh variables; return the text, or what the error says."""
    parts: list[str] = []
    scope = Bottom(copy.deepcopy(VARIABLES))
    scope.run = Run(Compiler(mode), {}, None)
    try:
        render(scope, parts.append)
    except Stop:
        pass
    except VtlError as error:
        return (error.message, error.line, error.column, error.text)
    return re.sub("@[0-9a-f]+", "@", "".join(parts))


def same(text: str, mode: Mode) -> bool:
    """Check a text that the shortcut takes; say whether it does."""
    compiler = Compiler(mode)
    short = shortcut(text, compiler.missing)
    if short is None:
        return False
    long = compiler.compile(text, {})
    assert outcome(short, mode) == outcome(long, mode)
    return True


@settings(max_examples=600, deadline=None)
@given(text=TEXTS, opened=st.sampled_from(["", "#if($t)", "#foreach($i in $l)"]))
def test_as_by_way_of_the_tree(text: str, opened: str) -> None:
    """What the shortcut takes is right by the grammar, and comes to the same in both modes."""
    for mode in MODES:
        same(text, mode)
        if opened:
            same(f"{opened}{text}#end", mode)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "text",
    [
        '{"a": "$s", "b": $n, "c": "$a.c.d", "d": "${s}s"}',
        "#set($x = $a.b.get(1))\n#if($x == 'x' && $n > 2)##\nyes#elseif(!$t)no#{else}?#end\n",
        "#foreach($i in $l)$i#if($foreach.hasNext), #end#end",
        "#set($m = {'k': [1..3], 'l': {}})$m.k[0] $m.get('l').size() $l[$l[1]]",
        '#set($x = "$s-$a.c.d")$x.replace("-", "$n").length() costs \\"much\\"',
        "#set($a.c.e = 1.5)$a.c.e #* block *# ## line",
        "$l.get(9)",
        "one\n#set($x = 5 * [1..9000000].size())",
        "a\n b #foreach($i in [1..9000000])$i#end",
    ],
)
def test_usual_templates_are_taken(text: str, mode: Mode) -> None:
    """The forms that the shortcut is there for go its way."""
    assert same(text, mode) or "* [" in text


@pytest.mark.parametrize(
    "text",
    [
        *("$a.b$s", "$a.b##", "$s  #set($x = 1)", "$s}  #set($x = 1)", "$s{", "$s#*c*#", "$s.x(["),
        *("#if($s", "#if($s)", "#end", "#set($x = 7 -3)", "#set($x = [ ])", "$s.length( )"),
        *("\\$s", "\\\\", "$5", "#stop", "#macro(m)x#end", '#set($x = "\\u0041")', "'\"$\"'$"),
        *("#if(" + "(" * 40 + "1" + ")" * 40 + ")#end", "#if($t)" * 40 + "#end" * 40),
    ],
)
def test_the_rest_goes_the_long_way(text: str) -> None:
    """What would need the scanner's states, or is wrong, is left alone."""
    assert shortcut(text, None) is None


def test_what_does_not_parse_is_never_taken() -> None:
    """No prefix of a template that the grammar refuses is taken for a template."""
    text = "#if($a.b[0] == 'x' || !($n + 1 > 2.5))${s}#foreach($i in [1..$n])$i.x('y')#end#end"
    for end in range(len(text)):
        try:
            Compiler("velocity").compile(text[:end], {})
        except VtlParseError:
            assert shortcut(text[:end], None) is None
