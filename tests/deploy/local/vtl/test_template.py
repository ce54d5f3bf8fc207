"""The public surface: modes, limits, errors, and what a template must never do."""

from __future__ import annotations

import contextlib
import pickle
import time
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deploy.local.vtl as vtl
from deploy.local.vtl import Template, VtlError, VtlParseError, VtlRenderError, render

FRAGMENTS = st.sampled_from(
    [
        *("$", "#", "{", "}", "(", ")", "[", "]", "!", "\\", '"', "'", ".", "..", ",", ":", "\n"),
        *("a", "$a", "${a}", "$!a", "#if", "#else", "#elseif", "#end", "#set", "#foreach", " in "),
        *("#define", "#macro", "#stop", "#break", "##", "#*", "*#", "#[[", "]]#", "=", "==", "1"),
        *("-1", "2.5", "true", "and", "$a.b", ".c()", "[0]", "#literal()", "#evaluate", "@x"),
    ]
)
MODES: tuple[Literal["velocity", "apigateway"], ...] = ("velocity", "apigateway")
TEXTS = st.one_of(st.lists(FRAGMENTS, max_size=25).map("".join), st.text(max_size=40))


def test_exports() -> None:
    """Every exported name exists."""
    assert all(hasattr(vtl, name) for name in vtl.__all__)


@settings(max_examples=300, deadline=None)
@given(text=TEXTS)
def test_any_text_renders_or_raises_our_error(text: str) -> None:
    """No text makes the engine raise anything but VtlError, in either mode."""
    for mode in MODES:
        with contextlib.suppress(VtlError):
            render(text, {"a": {"b": [1, "x"]}}, mode=mode)


@settings(max_examples=100, deadline=None)
@given(text=st.text(st.characters(exclude_characters="$#\\", exclude_categories=["Cs"])))
def test_plain_text_prints_as_it_is(text: str) -> None:
    """A text without $, # and backslash is not changed."""
    assert render(text, {}) == text


def test_parse_error_says_where_and_what() -> None:
    """A parse error names line, column, the offending text and what would have fitted."""
    with pytest.raises(VtlParseError) as caught:
        Template("one\n#if($a x)b#end")
    error = caught.value
    assert (error.line, error.column, error.text) == (2, 8, "x")
    assert "')'" in error.expected
    assert "line 2, column 8" in str(error)


@pytest.mark.parametrize(
    ("template", "hint"),
    [
        (
            "#forech($a in $b)x#end",
            "#forech at line 1, column 1 is no directive: did you mean #foreach",
        ),
        ("\n #iff($a)x#end", "#iff at line 2, column 2 is no directive: did you mean #if?"),
        ("#sett($a = 1)", "#sett at line 1, column 1 is no directive: did you mean #set?"),
        ("#if($a)x#{ned}", "#ned at line 1, column 9 is no directive: did you mean #end?"),
        ("#if($a)x#colour", ""),
        ("#foreach($a xn $b)", ""),
    ],
)
def test_parse_error_names_a_misspelt_directive(template: str, hint: str) -> None:
    """A word close to a directive is text for Velocity, and named where the text then fails."""
    with pytest.raises(VtlParseError) as caught:
        Template(template)
    assert caught.value.hint.startswith(hint)
    assert str(caught.value).endswith(caught.value.hint)
    assert bool(hint) is bool(caught.value.hint)


def test_render_error_says_where_and_what() -> None:
    """A render error points at the reference that failed."""
    with pytest.raises(VtlRenderError) as caught:
        render("a\n $l[9]", {"l": [1]})
    error = caught.value
    assert (error.line, error.column, error.text) == (2, 2, "$l[9]")


WITHIN_ITSELF: list[object] = [[]]
WITHIN_ITSELF[0] = [WITHIN_ITSELF]


@pytest.mark.parametrize("second_gear", [False, True])
@pytest.mark.parametrize(
    ("template", "line", "column", "text"),
    [
        ("\n #foreach($a in [1..3000])#foreach($a in [1..3000])#end#end", 2, 27, "#foreach"),
        ("\n#set($s = 'x')#foreach($i in [1..40])\n #set($s = \"$s$s\")#end", 3, 2, "#set"),
        ("\n#if($a > 0) #set($b = $long + $long) #end", 2, 13, "#set"),
        ("\n #set($a = " + "$a + " * 5_000 + "1)", 2, 2, "#set"),
        ("\n #if($a == " + "1 + " * 5_000 + "1)#end", 2, 2, "#if"),
        ("\n## tree\n#[[x]]# #set($a = " + "1 + " * 5_000 + "1)", 3, 9, "#set"),
        ("\n #if($a == 2)#elseif($a == " + "1 + " * 5_000 + "1)#end", 2, 2, "#if"),
        ("#set($m = {})\n #set($m.x = $long + $long)", 2, 2, "#set"),
        ("\n a$!circle", 2, 3, "$!circle"),
        ("\n$$circle", 2, 1, "$circle"),
        ("\n ${circle.hashCode()}", 2, 2, "${circle.hashCode()}"),
        ("#set($l = [1, 2])\n#foreach($i in $l)$l.add(1)#end", 2, 1, "#foreach"),
    ],
    ids=range(12),
)
def test_limits_say_where(
    template: str, line: int, column: int, text: str, second_gear: bool
) -> None:
    """What exhausts its budget, the stack or the length of a text is located at its directive."""
    values: dict[str, object] = {"a": 1, "long": "x" * 9_000_000, "circle": WITHIN_ITSELF}
    with pytest.raises(VtlError) as caught:
        (fused if second_gear else render)(template, values)
    error = caught.value
    assert (error.line, error.column) == (line, column)
    assert error.text.startswith(text)


def fused(template: str, variables: dict[str, object]) -> str:
    """Render by the function that a template becomes."""
    compiled = Template(template)
    compiled.fuse()
    return compiled.render(variables)


def test_macros_are_located() -> None:
    """In the stock language the call is named that nests too deeply."""
    with pytest.raises(VtlRenderError) as caught:
        render("#macro(m)\n #m()#end#m()", {}, mode="velocity")
    assert (caught.value.line, caught.value.column, caught.value.text) == (2, 2, "#m")


def test_evaluate_within_itself_is_located() -> None:
    """In the stock language the innermost `#evaluate` is named, in the text that it is in."""
    with pytest.raises(VtlRenderError) as caught:
        render("#set($t = '#evaluate($t)')\n #evaluate($t)", {}, mode="velocity")
    assert (caught.value.line, caught.value.column, caught.value.text) == (1, 1, "#evaluate")


def test_what_nests_too_deeply_for_one_function_stays_closures() -> None:
    """A sum that renders goes on to render when the template is used often."""
    template = Template("#set($a = " + "1 + " * 400 + "1)$a")
    assert {template.render({}) for _ in range(20)} == {"401"}


def test_template_pickles() -> None:
    """A template is its text and its mode where it is loaded."""
    copy = pickle.loads(pickle.dumps(Template("$a$b", mode="velocity")))
    assert copy.render({"a": 1}) == "1$b"


def test_wrong_arguments() -> None:
    """Arguments of another type, and modes that do not exist, are named."""
    with pytest.raises(TypeError, match="a template is a str, not bytes"):
        render(b"$a", {})  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="variables are a mapping of names, not list"):
        render("$a", [("a", 1)])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="mode is 'stock'; it must be 'apigateway' or 'velocity'"):
        render("$a", {}, mode="stock")  # type: ignore[arg-type]


def test_errors_pickle() -> None:
    """An error survives pickling with its attributes."""
    error = VtlParseError("m", line=1, column=2, text="t", expected=("e",))
    copy = pickle.loads(pickle.dumps(error))
    assert str(copy) == str(error)
    assert copy.expected == ("e",)


def test_foreach_limit_ends_a_loop_silently() -> None:
    """A loop ends after max_foreach rounds, each nested loop by itself."""
    template = Template("#foreach($i in [1..9])$i#foreach($j in [1..9]).#end#end|")
    assert template.render({}, max_foreach=2) == "1..2..|"


def test_rendering_does_not_change_the_mapping() -> None:
    """What a template sets is not written into the caller's mapping."""
    variables: dict[str, object] = {"a": 1}
    assert render("#set($a = 2)#set($b = 3)$a$b", variables) == "23"
    assert variables == {"a": 1}


class Secret:
    """An ordinary object, with which a template can do nothing."""

    value = "secret"

    def method(self) -> str:
        """Return what must not be printed."""
        return "secret"


@pytest.mark.parametrize(
    "template",
    [
        *("$s.__class__", "$s.format", "$l.__len__()", "$d.__class__", "$s.encode()"),
        *("$d.items()", "$l.append(1)", "$d.pop('k')", "$s.join", "$n.real"),
    ],
)
def test_python_attributes_are_out_of_reach(template: str) -> None:
    """Nothing but Java's members is reachable, whatever Python's objects have."""
    variables = {"s": "x", "l": [1], "d": {"k": 1}, "n": 1}
    printed = render(template, variables)
    # `._` is no member for Velocity: it prints as text behind the value.
    assert printed in ("", *(f"{one}{template[2:]}" for one in ("x", "[1]", "{k=1}")))


@pytest.mark.parametrize(
    "template",
    ["$o.value", "$o.method()", "$o.__class__", "$o.__dict__", '$o["value"]', "$o.vtl_get"],
)
def test_objects_are_out_of_reach(template: str) -> None:
    """An object that is not made for templates is refused, whatever is asked of it."""
    with pytest.raises(TypeError, match=r"\Avariables\['o'\]: Secret is no type"):
        render(template, {"o": Secret()})


@pytest.mark.parametrize(
    "template",
    [
        "#if(" + "(" * 5000 + "1",
        "#set($x=" + "[" * 5000,
        "$a" + ".b(" * 3000,
        "#if(true)" * 3000,
        "\\" * 50_001 + "#1",
        "#" * 50_000,
        "$" * 50_000,
        '#set($x="' + '""' * 50_000,
        "#set($a='xxxxxxxx')" + '#set($a="$a$a")' * 60,
        "#set($a=[1])" + "#set($a=[$a,$a])" * 60 + "$a",
        "#set($a=[1])#set($b=[1])" + "#set($a=[$a,$a])#set($b=[$b,$b])" * 40 + "#if($a==$b)#end",
        "#foreach($a in [1..1000])#foreach($b in [1..1000])#foreach($c in [1..1000])x#end#end#end",
        "#macro(a)#a()#a()#end#a()",
        "#set($t='#evaluate($t)')#evaluate($t)",
        "#set($a=99999999999999999999)" + "#set($a=$a*$a)" * 40 + "$a",
        "#set($a=[1..2000000000])",
        "#set($a=[])$a.add([$a])$a",
        '#set($s="")$s.format("%999999999d", 1)',
    ],
    ids=range(18),
)
def test_hostile_templates_end(template: str) -> None:
    """A template that would exhaust time, memory or the stack ends soon, mostly with an error."""
    started = time.monotonic()
    with contextlib.suppress(VtlError):
        render(template, {}, mode="velocity")
    assert time.monotonic() - started < 20
