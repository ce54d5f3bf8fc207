"""Maps, their views, iterators and entries."""

from __future__ import annotations

import pytest

from deploy.local.vtl import HashMap, VtlRenderError, render

MAP = "#set($m = {'a': 1, 'b': [2]})#set($e = $m.entrySet().iterator().next())"


@pytest.mark.parametrize(
    ("template", "output"),
    [
        ("$e.setValue(5) $m $e.value", "1 {a=5, b=[2]} 5"),
        ("#set($e.value = 'v')$m", "{a=v, b=[2]}"),
        ("$m.remove('a')$e $e.key", "1a=1 a"),
        ("$m.keySet().removeAll(['a'])$m", "true{b=[2]}"),
        ("$m.values().retainAll([1])$m", "true{a=1}"),
        ("$m.keySet().hashCode() $m.entrySet().hashCode() $m.hashCode()", "195 163 163"),
        ("$m.keySet().equals($m.keySet()) $m.entrySet().contains($e)", "true true"),
        ("#set($k = {$m.keySet(): 7})$k.get($m.keySet())", "7"),
        ("#set($i = $m.keySet().iterator())$i.next()$i.remove()$m", "a{b=[2]}"),
        ("$m.entry('k', 1) $m.entrySet().class.simpleName", "k=1 LinkedEntrySet"),
        ("$m.values().stream().count() $m.keySet().addAll([])", "2 false"),
    ],
)
def test_views_and_entries_are_live(template: str, output: str) -> None:
    """What is done to an entry or a view is done to the map."""
    assert render(MAP + template, {}) == output


@pytest.mark.parametrize(
    "template",
    [
        *("$m.merge('a', 3, $no)", "$m.computeIfAbsent('x', $no)", "$m.entry('k', $no)"),
        *("$m.keySet().add('x')", "$m.entry('k', 1).setValue(2)", "$e[-1]", "$m.forEach($no)"),
        "#set($i = $m.keySet().iterator())$m.clear()$i.next()",
    ],
)
def test_what_java_refuses(template: str) -> None:
    """A null for a function, a change of what is fixed and a stale iterator are errors."""
    with pytest.raises(VtlRenderError):
        render(MAP + template, {}, mode="velocity")


def test_views_of_a_hash_map_have_its_classes() -> None:
    """The views of a HashMap are classes of its own."""
    template = "$m.keySet().class.name $m.entrySet().iterator().class.simpleName"
    variables = {"m": HashMap({"a": 1})}
    assert render(template, variables) == "java.util.HashMap$KeySet EntryIterator"


def test_a_hash_map_grows_with_its_entries() -> None:
    """Entries given at once lie in the buckets in which they would lie one after the other."""
    entries = {f"key{number}": number for number in range(40)}
    single = HashMap()
    for key, value in entries.items():
        single[key] = value
    assert list(HashMap(entries)) == list(single)
