"""
Our engine against the real Apache Velocity 1.7, template by template.

Runs where a JDK and Debian's packages `velocity`, `libcommons-lang-java` and
`libcommons-collections3-java` are installed; skipped elsewhere.
"""

from __future__ import annotations

import base64
import copy
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deploy.local.vtl import Template, VtlError

Mode = Literal["apigateway", "velocity"]
Oracle = Callable[[str, Mode], str | None]

SOURCE = Path(__file__).with_name("AgainstVelocity.java")
JARS = [
    Path("/usr/share/java") / f"{name}.jar"
    for name in ("velocity", "commons-lang", "commons-collections3")
]
MODES: tuple[Mode, ...] = ("velocity", "apigateway")

# Must be the same as variables() in AgainstVelocity.java.
VARIABLES: dict[str, object] = {
    "s": "str",
    "e": "",
    "n": 7,
    "d": 1.5,
    "t": True,
    "f": False,
    "big": 12345678901,
    "huge": 123456789012345678901234567890,
    "l": [3, "x", None, True, 2.5],
    "m": {"a": 1, "b": {"c": "d"}},
    "nested": [[1, 2], [3]],
    "foo-bar": "FB",
}


def missing() -> str | None:
    """Say what the comparison lacks on this machine."""
    for tool in ("java", "javac"):
        if shutil.which(tool) is None:
            return f"no {tool} on this machine"
    absent = [str(jar) for jar in JARS if not jar.exists()]
    return f"no {', '.join(absent)}" if absent else None


pytestmark = pytest.mark.skipif(missing() is not None, reason=f"Apache Velocity: {missing()}")


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Oracle]:
    """Render with Apache Velocity in one JVM; None stands for an error."""
    folder = tmp_path_factory.mktemp("velocity")
    path = ":".join([str(folder), *map(str, JARS)])
    compile_command = ["javac", "-nowarn", "-cp", path, "-d", str(folder), str(SOURCE)]
    subprocess.run(compile_command, check=True, capture_output=True)
    with subprocess.Popen(
        ["java", "-cp", path, "AgainstVelocity"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as java:
        stdin, stdout = java.stdin, java.stdout
        assert stdin is not None
        assert stdout is not None

        def ask(template: str, mode: Mode) -> str | None:
            encoded = base64.b64encode(template.encode()).decode()
            stdin.write(f"{mode[0]}{encoded}\n")
            stdin.flush()
            answer = stdout.readline().strip()
            return base64.b64decode(answer[1:]).decode() if answer[0] == "+" else None

        yield ask
        stdin.close()


def ours(template: str, mode: Mode) -> str | None:
    """Render with our engine, by closures and fused to a function; None stands for an error."""
    try:
        compiled = Template(template, mode=mode)
    except VtlError:
        return None
    slow = rendered(compiled)
    compiled.fuse()
    fast = rendered(compiled)
    assert printable(fast) == printable(slow)
    return slow


def rendered(template: Template) -> str | None:
    """Render with fresh variables; None stands for an error."""
    try:
        return template.render(copy.deepcopy(VARIABLES))
    except VtlError:
        return None


def printable(text: str | None) -> str | None:
    """Take out the addresses, which differ from one render to the next."""
    return None if text is None else ADDRESS.sub("@", text)


REFERENCES = st.sampled_from(
    [
        *("$s", "${s}", "$!s", "$!{s}", "\\$s", "\\\\$s", "$$s", "$nope", "$!nope", "\\$nope"),
        *("${nope}", "$nope.x.y()", "$m.a", "$m.b.c", "${m.b.c}", "$m.x", "$l", "$m", "$n", "$d"),
        *("$l[0]", "$l[-1]", "$l.get(1)", "$m['a']", '$m["b"].c', "$l.size()", "$s.length()"),
        *("$s.substring(1)", "$s.substring(1, 2)", '$s.replace("s", "$n")', "$s.toUpperCase()"),
        *("$foo-bar", "$foo", "$big", "$huge", "$nested[0][1]", "$t", "$f", "$e", "$x", "$i"),
        *("$foreach.index", "$foreach.count", "$foreach.hasNext", "$velocityCount", "$d1"),
        *("$m.entrySet()", "$m.keySet()", "$m.values()", "$l.contains(3)", "$m.get('a')"),
        *("$5", "$", "$ ", "${", "$!", "$.", "$[", "$a{b}", "$m.put('k', $n)", "$l.add('y')"),
        *('$s.split("t")[0]', "$s.charAt(1)", "$n.toString().length()", "$s.foo()", "$l[9]"),
        *("$foreach.parent.count", "$foreach.first", "$foreach.last", "$velocityHasNext", "$j"),
        *("$l.subList(1, 3)", "$z", "$z.size()", "$z.clear()", "$z.remove(0)", "$it.next()"),
        *("$it.hasNext()", "$it.remove()", "$m.entrySet().iterator().next().value", "$z[0]"),
        *("$l.stream().count()", "$s.chars().sum()", "$s.lines().count()", "$n.byteValue()"),
        *("$l.class.name", "$s.split('t').class.simpleName", "$s.wait(1)"),
        *("$bodyContent", "$p", "$!p", "${p}", "$i.a", "$i[0]", "$d1.length()", "$m.b['c']"),
    ]
)
VALUES = st.sampled_from(
    [
        *("$s", "$n", "$d", "$l", "$m", "$nope", "$t", "$big", "$s.charAt(0)", "'s'", "'t'", "''"),
        *("0", "1", "-1", "2", "1.5", "true", "[]", "[1, 'x']", "{}", "'[a-s]'", "'$1'", '"$s"'),
    ]
)
METHODS = st.sampled_from(
    [
        *(
            "$s.indexOf",
            "$s.lastIndexOf",
            "$s.substring",
            "$s.replace",
            "$s.replaceAll",
            "$s.equals",
        ),
        *("$s.split", "$s.startsWith", "$s.contains", "$s.compareTo", "$s.concat", "$s.matches"),
        *("$l.get", "$l.remove", "$l.add", "$l.set", "$l.indexOf", "$l.subList", "$l.addAll"),
        *("$l.contains", "$l.containsAll", "$l.removeAll", "$l.isEmpty", "$nested.get"),
        *("$m.get", "$m.put", "$m.remove", "$m.containsKey", "$m.getOrDefault", "$m.putAll"),
        *("$m.keySet().contains", "$m.values().remove", "$m.b.get", "$m.entrySet().size"),
        *("$l.sort", "$l.listIterator", "$l.of", "$l.toArray", "$z.add", "$z.set", "$z.equals"),
        *("$m.merge", "$m.replace", "$m.keySet().removeAll", "$m.values().retainAll", "$m.entry"),
        *("$s.codePointCount", "$s.codePointBefore", "$s.indent", "$s.join", "$s.valueOf"),
        *("$s.format", "$s.charAt", "$n.decode", "$n.toUnsignedString", "$d.toHexString"),
        *(
            "$d.max",
            "$n.equals",
            "$n.compareTo",
            "$n.toString",
            "$n.parseInt",
            "$d.compareTo",
            "$t.equals",
        ),
    ]
)
CALLS = st.tuples(METHODS, st.lists(VALUES, max_size=3)).map(
    lambda pair: f"{pair[0]}({', '.join(pair[1])})"
)
OPERANDS = st.sampled_from(
    [
        *("$s", "$n", "$d", "$t", "$f", "$l", "$m", "$nope", "$big", "$huge", "$e", "$m.a", "$x"),
        *("1", "-2", "0", "2.5", "1e3", "2147483647", "9223372036854775807", "true", "false"),
        *("'a'", '"a"', '"$s-$nope"', '"q""q"', "''", '""', "[1, 2]", "{}", '{"k": $n}', "[1..3]"),
        *("$l.size()", "$s.length()", '"#if($t)y#end"', "'$s'", "(1 + 2)", "!$t", "[]"),
    ]
)
MAPS = st.lists(st.tuples(VALUES, VALUES), max_size=3).map(
    lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"
)
LISTS = st.lists(VALUES, max_size=3).map(lambda items: "[" + ", ".join(items) + "]")
OPERATORS = st.sampled_from(
    [
        *(" + ", " - ", " * ", " / ", " % ", " == ", " != ", " < ", " > ", " <= ", " >= "),
        *(" && ", " || ", " and ", " or ", " eq ", " ne ", " lt ", "+", "*", "-"),
    ]
)
EXPRESSIONS = st.recursive(
    OPERANDS | CALLS | MAPS | LISTS,
    lambda inner: st.one_of(
        st.tuples(inner, OPERATORS, inner).map("".join),
        inner.map(lambda one: f"({one})"),
        inner.map(lambda one: f"!{one}"),
    ),
    max_leaves=4,
)
TEXTS = st.sampled_from(
    [
        *("a", " ", "\n", "  ", "\t", "\r\n", "{", "}", '"', "(", ")", "[", "]", ",", "."),
        *("\\", "\\\\", "#", "##", "## c\n", "#* c *#", "#[[ $s ]]#", "x ", "\n  ", "-", "!"),
        *("#stop", "#break", "#nosuch", '#nosuch("$s")', "#end", "#else", "\\#if", "\\#end"),
        *("\\#nosuch", "#1", "#{set}", "#@b() z#end", "]]#", "*#", "é", "\\\\#if(true)z#end"),
    ]
)
SETS = st.one_of(
    st.tuples(st.sampled_from(["x", "y", "m.z", "l[0]", "m['q']", "{x}", "!x"]), EXPRESSIONS).map(
        lambda pair: f"#set(${pair[0]} = {pair[1]})"
    ),
    EXPRESSIONS.map(lambda one: f" #set( $x={one} ) "),
    st.sampled_from(
        [
            *("#set($z = $l.subList(1, 3))", "#set($it = $l.iterator())", "#set($z[0] = 'z')"),
            *("#set($it = $m.keySet().iterator())", "#set($it = $l.listIterator())"),
        ]
    ),
)
EVALUATED = st.sampled_from(["#evaluate('$s #set($x=1)')", '#evaluate("$s")', "#evaluate($nope)"])
ESCAPED = st.tuples(
    st.sampled_from(["\\", "\\\\", "\\\\\\", "$", "#", "$!", "\\$", "\\!"]), REFERENCES | TEXTS
).map("".join)
INTERPOLATED = st.lists(REFERENCES | CALLS | TEXTS, max_size=3).map(
    lambda parts: '#set($x = "' + "".join(parts).replace('"', '""') + '")[$x]'
)
SIMPLE = st.one_of(REFERENCES, CALLS, TEXTS, SETS, EVALUATED, ESCAPED, INTERPOLATED)


def blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Put templates into blocks and next to each other."""
    lists = st.sampled_from(["[1..3]", "$l", "$m", "$nope", "$s", "$m.keySet()", "$nested"])
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(EXPRESSIONS, inner, inner).map(lambda p: f"#if({p[0]}){p[1]}#else{p[2]}#end"),
        st.tuples(EXPRESSIONS, inner).map(lambda p: f"#if( {p[0]} )\n{p[1]}#{{else}}b#{{end}}\n"),
        st.tuples(lists, inner).map(lambda p: f"#foreach($i in {p[0]}){p[1]}$i#end"),
        st.tuples(lists, lists, inner).map(
            lambda p: f"#foreach($i in {p[0]})#foreach($j in {p[1]}){p[2]}$j#end$foreach.count#end"
        ),
        st.tuples(EXPRESSIONS, inner, inner).map(
            lambda p: f"#if($f)a#elseif({p[0]}){p[1]}#elseif($t) {p[2]}#end"
        ),
        st.tuples(inner, inner).map(lambda p: f"#define($d1){p[0]}#end$d1{p[1]}$d1"),
        st.tuples(inner, VALUES).map(
            lambda p: f"#macro(wrap $p)<$p$bodyContent>#end#@wrap({p[1]}){p[0]}#end"
        ),
        inner.map(lambda one: f"#define($d1){one}#end"),
        inner.map(lambda one: f"#foreach($foreach in $l){one}#end"),
        inner.map(lambda one: f"#set($z = $l.subList(1, 3)){one}$z$l"),
        inner.map(lambda one: f"#macro(mac $p){one}$p#end#mac($n)#mac($nope)"),
        inner.map(lambda one: f"#literal(){one}#end"),
    )


TEMPLATES = st.recursive(SIMPLE, blocks, max_leaves=8)
# Addresses differ from run to run.
ADDRESS = re.compile(r"@[0-9a-f]{5,}")


@settings(
    max_examples=500,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(template=TEMPLATES)
def test_same_answer_as_apache_velocity(oracle: Oracle, template: str) -> None:
    """Any template prints the same as with Apache Velocity, or fails with both."""
    for mode in MODES:
        assert printable(ours(template, mode)) == printable(oracle(template, mode))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "value",
    [1e-5, 0.001, 0.01, 123456.789, 9999999.0, 1e7, 1.1e10, 1e21, 5e-324, 1.7976931348623157e308],
)
def test_doubles_print_as_in_java(oracle: Oracle, value: float, mode: Mode) -> None:
    """A decimal literal prints as Double.toString prints it."""
    template = f"#set($v = {value:.17e})$v".replace("e", "E").replace("sEt", "set")
    if value != 5e-324:  # Java 17 prints 4.9E-324, one of the digits that Java 19 corrected
        assert ours(template, mode) == oracle(template, mode)
