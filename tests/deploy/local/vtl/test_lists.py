"""Lists, their live parts, their iterators, lists that take no changes, and arrays."""

from __future__ import annotations

import pytest

from deploy.local.vtl import VtlRenderError, render

LIST = "#set($l = [3, 1, 2])#set($z = $l.subList(1, 3))"


@pytest.mark.parametrize(
    ("template", "output"),
    [
        ("$z.clear()$l $z", "[3] []"),
        ("$!z.add(9)$l $z.size()", "true[3, 1, 2, 9] 3"),
        ("#set($z[0] = 'q')$l", "[3, q, 2]"),
        ("#set($l[1] = 'q')$z", "[q, 2]"),
        ("$z.remove(0)$l $z.subList(0, 1)", "1[3, 2] [2]"),
        ("$z.class.name", "java.util.ArrayList$SubList"),
        ("$z.equals([1, 2]) $z.hashCode() $z.indexOf(2)", "true 994 1"),
        ("#foreach($i in $z)$i;#end", "1;2;"),
    ],
)
def test_a_part_of_a_list_is_the_list(template: str, output: str) -> None:
    """What is done to a sub-list is done to the list, and the other way round."""
    assert render(LIST + template, {}) == output


def test_a_part_fails_when_its_list_has_changed_size() -> None:
    """A sub-list notices that its list has grown."""
    with pytest.raises(VtlRenderError, match="ConcurrentModification"):
        render(f"{LIST}$l.add(1)$z", {})


@pytest.mark.parametrize(
    ("template", "output"),
    [
        ("$l.sort($no)$l", "[1, 2, 3]"),
        ("#set($i = $l.listIterator())$i.nextIndex() $i.next() $i.previous()", "0 3 3"),
        ("#set($i = $l.listIterator(1))$i.add('n')$i.next() $l", "1 [3, n, 1, 2]"),
        ("#set($i = $l.listIterator())$i.next()$i.set(0)$l", "3[0, 1, 2]"),
        ("#set($i = $l.iterator())$i.next()$i.remove()$l", "3[1, 2]"),
        ("$l.stream().count() $l.stream().limit(2).toArray().size()", "3 2"),
        ("$l.of(1, 'a') $l.copyOf($l).class.simpleName", "[1, a] ListN"),
        ("$l.toArray().set(0, 'x') $l.toArray($l.toArray()).size()", "3 3"),
    ],
)
def test_methods_of_lists(template: str, output: str) -> None:
    """Lists sort, iterate both ways, stream and copy as in Java."""
    assert render(LIST + template, {}, mode="velocity") == output


@pytest.mark.parametrize(
    "template",
    [
        *("#set($m = [1, 'a'])$m.sort($no)", "#set($m = [1, $no])$m.sort($no)", "$l.of($no)"),
        *("$l.of(1).add(2)", "$l.iterator().remove()", "$l.listIterator(9)", "$l.removeIf($no)"),
        *("#set($i = $l.iterator())$l.clear()$i.next()", "$l.toArray().clear()", "$l[-9]"),
        *(
            "$l.stream().skip(-1)",
            "#foreach($foreach in $l)x#end",
            "#foreach($i in $l.stream())#end",
        ),
    ],
)
def test_what_java_refuses(template: str) -> None:
    """Elements without an order, changes of what is fixed and stale iterators are errors."""
    with pytest.raises(VtlRenderError):
        render(LIST + template, {}, mode="velocity")


def test_an_array_takes_its_own_elements_only() -> None:
    """A char[] takes no text."""
    with pytest.raises(VtlRenderError, match="array element type mismatch"):
        render("#set($a = $s.toCharArray())#set($a[0] = 'q')", {"s": "str"})
