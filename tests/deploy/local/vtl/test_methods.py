"""Methods of strings, lists, maps and numbers; formats and regular expressions."""

from __future__ import annotations

import copy

import pytest

from deploy.local.vtl import ABSENT, VtlObject, VtlRenderError, render

BYTES = "java.lang.Byte java.lang.Short"
FORMATTED = "00042|ab  |1.01|ff|1,234,567"
VARIABLES: dict[str, object] = {
    "s": "hello",
    "u": "é\U0001f600z",
    "l": [1, "b", 2.5],
    "m": {"a": 1, "b": "x"},
    "n": 7,
    "d": 1.5,
    "S": "",
}


@pytest.mark.parametrize(
    ("template", "output"),
    [
        ("$u.length() $u.substring(3) $u.indexOf('z')", "4 z 3"),
        ("$s.charAt(0).equals('h') #if($s.charAt(0) == 'h')y#end", "false y"),
        ("$s.split('l').size() $s.split('').size() $s.split('z')[0]", "3 5 hello"),
        ("$s.replaceAll('(l+)', '<$1>') $s.replaceAll('(?<x>e)', '\\$x')", "he<ll>o h$xllo"),
        ("$s.matches('[a-z&&[^z]]+') $s.matches('\\p{Lower}+')", "true true"),
        ("$s.matches('\\Qhello\\E') $s.replaceAll('[[a-h]o]', '_')", "true __ll_"),
        ("$S.format('%05d|%-4s|%.2f|%x|%,d', 42, 'ab', 1.005, 255, 1234567)", FORMATTED),
        ("$S.join('-', ['a', 'b']) $S.valueOf(5) $s.compareTo('help')", "a-b 5 -4"),
        ("$l.remove(0) $l $l.remove('b') $l", "1 [b, 2.5] true [2.5]"),
        ("$l.subList(1, 2) $l.indexOf(2.5) $l.contains('b') $l[-1]", "[b] 2 true 2.5"),
        ("$m.keySet().contains('a') $m.entrySet() $m.getOrDefault('z', 0)", "true [a=1, b=x] 0"),
        ("#set($k = $m.keySet())$k.remove('a') $m $k.size()", "true {b=x} 1"),
        ("$n.parseInt('12') $n.toHexString(255) $n.equals(7) $n.doubleValue()", "12 ff true 7.0"),
        ("$d.intValue() $d.compareTo(2.0) $d.isNaN()", "1 -1 false"),
        ("$s.class.name $l.class.simpleName", "java.lang.String ArrayList"),
        ("$l.size $l.empty $m.empty $s.empty", " false  false"),
    ],
)
def test_methods(template: str, output: str) -> None:
    """A method gives what Java's gives."""
    assert render(template, copy.deepcopy(VARIABLES)) == output


@pytest.mark.parametrize(
    "template",
    [
        *("$s.substring(9)", "$s.charAt(-1)", "$l[3]", "$l.get(-1)", "$n.parseInt('x')"),
        *("$s.replaceAll('(', '')", "$s.replaceAll('l', '$9')", "$S.format('%d', 'x')"),
        *("$S.format('%s')", "$s.length(1)", "$s.compareTo(1)", "$s.concat($null)"),
        *("$m.keySet().add(1)", "#foreach($x in $l)$l.add(1)#end", "$s[-1]"),
    ],
)
def test_java_exceptions_are_render_errors(template: str) -> None:
    """Where Java throws, rendering fails."""
    with pytest.raises(VtlRenderError):
        render(template, copy.deepcopy(VARIABLES), mode="velocity")


@pytest.mark.parametrize("template", ["$s.nope()", "$s.substring('1')", "$l.get('0')", "$n.x"])
def test_what_does_not_apply_is_an_invalid_reference(template: str) -> None:
    """A method that is unknown or does not take the arguments is no error."""
    assert render(template, VARIABLES) == ""
    assert render(template, VARIABLES, mode="velocity") == template


class Point(VtlObject):
    """An object that opts in."""

    def vtl_get(self, name: str) -> object:
        """Offer `x`."""
        return 1 if name == "x" else ABSENT

    def vtl_call(self, name: str, arguments: list[object]) -> object:
        """Offer `add`."""
        return (
            sum(value for value in arguments if isinstance(value, int)) if name == "add" else ABSENT
        )


def test_objects_opt_in() -> None:
    """An object of the protocol has the members that it offers and no others."""
    assert render("$p.x $p.add(1, 2) $p.y $p.vtl_get('x')", {"p": Point()}) == "1 3  "


@pytest.mark.parametrize(
    ("template", "output"),
    [
        ("$u.codePointCount(0, 4) $u.codePointBefore(3) $u.offsetByCodePoints(0, 2)", "3 128512 3"),
        ("$u.charAt(1)$u.charAt(2) $u.charAt(1)", "\U0001f600 ?"),
        ("$s.lines().count() $s.chars().sum() $s.chars().max()", "1 532 OptionalInt[111]"),
        ("[$s.indent(2)] $s.compare('a', 'c') $s.join('-', $m.keySet())", "[  hello\n] -2 a-b"),
        ("$s.valueOf($s.toCharArray()) $s.copyValueOf($s.toCharArray(), 1, 2)", "hello el"),
        ("$s.split('', -1).size() $s.replaceAll('z', $no) $s.matches('\\2')", "6 hello false"),
        ("$n.decode('0x1F') $n.toUnsignedString(-1, 16) $n.bitCount(7)", "31 ffffffff 3"),
        ("#set($b = $n.byteValue())#set($c = $b * $b * $b)$b.class.name $c.class.name", BYTES),
        ("$S.format('%-5s|%#x|%(d|%e', 'a', 255, -5, 1.5)", "a    |0xff|(5)|1.500000e+00"),
        ("#set($c = $s.charAt(0))$c.isLetter($c) $c.isDigit(48) $c.getType($c)", "true true 2"),
    ],
)
def test_less_usual_methods(template: str, output: str) -> None:
    """Code points, streams, unsigned numbers and small integers are those of Java 17."""
    assert render(template, copy.deepcopy(VARIABLES), mode="velocity") == output


@pytest.mark.parametrize(
    "template",
    [
        *("$s.wait(1)", "$s.notify()", "$S.format('%#d', 1)", "$S.format('%-05d', 1)"),
        *("$S.format('%.2d', 1)", "$s.matches('{')", "$s.matches('a{,2}')", "$n.decode('x')"),
        *("$n.divideUnsigned(1, 0)", "$s.codePointCount(2, 1)", "$s.compareToIgnoreCase($no)"),
    ],
)
def test_less_usual_refusals(template: str) -> None:
    """Formats and patterns that Java refuses are errors."""
    with pytest.raises(VtlRenderError):
        render(template, copy.deepcopy(VARIABLES), mode="velocity")
