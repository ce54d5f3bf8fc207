"""Java's regular expressions: what String's methods do with them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploy.local.vtl import Template, VtlError, VtlRenderError, compile_regex
from deploy.local.vtl._regex import replace_all, split

CASES: list[tuple[str, str, list[Any], object]] = json.loads(
    Path(__file__).with_name("regex_cases.json").read_text("utf-8")
)["cases"]
METHODS: dict[str, Callable[..., object]] = {
    "matches": lambda text, pattern: compile_regex(pattern).fullmatch(text) is not None,
    "replaceAll": replace_all,
    "replaceFirst": lambda text, pattern, new: replace_all(text, pattern, new, 1),
    "split": split,
}


@pytest.mark.parametrize("method", METHODS)
def test_methods_do_what_javas_did(method: str) -> None:
    """Every recorded case has Java's answer, or is refused as Java refused it."""
    wrong = []
    for name, text, arguments, answer in CASES:
        if name != method:
            continue
        try:
            found = METHODS[name](text, *arguments)
        except VtlRenderError:
            found = None
        if found != answer:
            wrong.append((text, arguments, answer, found))
    assert wrong == []
    assert sum(name == method for name, *_ in CASES) > 50


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        (r"\p{L", "Unclosed character family near index 3"),
        (r"\p{}", "Empty character family"),
        (r"\p{Foo}", "Unknown character property name {Foo}"),
        (r"\x{", "Illegal hexadecimal escape sequence"),
        (r"\x{110000}", "Hexadecimal codepoint is too big"),
        (r"\u12", "Illegal Unicode escape sequence"),
        (r"\0", "Illegal octal escape sequence"),
        (r"\c", "Illegal control escape sequence"),
        (r"\y", "Illegal/unsupported escape sequence"),
        (r"\N{NOBODY}", "Unknown character name [NOBODY]"),
        (r"\N", "Illegal character name escape sequence"),
        ("a\\", "Unexpected internal error"),
        ("4{2", "Unclosed counted closure near index 3"),
        ("4{x}", "Illegal repetition"),
        ("4{2,1}", "Illegal repetition range"),
        ("4{9999999999}", "Illegal repetition range"),
        ("a**", "Dangling meta character '*' near index 2: there is nothing to repeat"),
        ("(a", "Unclosed group near index 2: a ) is missing"),
        ("a)", "Unmatched closing ')' near index 0"),
        ("(?z)", "Unknown inline modifier"),
        ("(?$a)", "Unknown group type"),
        ("(?<1>a)", "capturing group name does not start with a Latin letter"),
        ("(?<a", "named capturing group is missing trailing '>'"),
        ("(?<a>.)(?<a>.)", "Named capturing group <a> is already defined"),
        (r"\k<a>", "named capturing group <a> does not exist"),
        (r"\ka", r"\k is not followed by '<' for named capturing group"),
        ("[a", "Unclosed character class"),
        ("[a-", "Unclosed character class"),
        ("[b-a]", "Illegal character range"),
        ("[&&]", "Bad class syntax"),
        ("(?<=a*)", "Look-behind group does not have an obvious maximum length"),
        ("(?<=a{1,})", "Look-behind group does not have an obvious maximum length"),
        (r"(a)(?<=\1)", "Look-behind group does not have an obvious maximum length"),
        ("(?<=ab?)", "not supported here"),
        (r"\G", r"\G: not supported here"),
        (r"\b{g}", r"\b{g}: not supported here"),
        (r"\p{IsGreek}", "the script or block IsGreek: not supported here"),
        (r"\p{sc=Greek}", "the script or block sc=Greek: not supported here"),
        ("(?c)a", "the flag c: not supported here"),
        ("(" * 500 + ")" * 500, "such deep nesting: not supported here"),
    ],
)
def test_patterns_are_refused_with_the_reason(pattern: str, problem: str) -> None:
    """What Java does not compile, or Python cannot run, is an error that says where and why."""
    with pytest.raises(VtlRenderError) as raised:
        compile_regex(pattern)
    assert raised.value.message.startswith("PatternSyntaxException: ")
    assert problem in raised.value.message


def test_refusal_has_the_place_in_the_template() -> None:
    """A template that meets such a pattern fails with line and column."""
    with pytest.raises(VtlError) as raised:
        Template("#set($s = 'x')\n  $s.matches('\\p{L')").render({})
    assert (raised.value.line, raised.value.column) == (2, 3)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"(?U)\w\d\s\p{Alpha}\p{Punct}", "é٣\u2003ж»"),
        (r"(?iu)ÉSK", "éſ\u212a"),
        (r"(?iu)[à-é]", "É"),
        (r"(?i)[a-c]\p{Lower}\p{Lu}\p{IsUppercase}", "BXxx"),
        (r"(?x) a [ b ] # c", "ab"),
        ("(?d)a.$\n", "a\r\n"),
        (r"(?dm)^a$\n^b$", "a\nb"),
        (r"\p{L1}\p{LC}\p{LD}\p{all}\p{gc=Lu}\p{javaMirrored}", "éa1-A("),
        (r"\p{javaTitleCase}\p{javaDigit}\p{javaISOControl}", "ǅ1\x00"),
        (r"\p{javaWhitespace}\p{javaSpaceChar}\p{javaDefined}", "\t\xa0a"),
        (r"\p{javaAlphabetic}\p{javaLetter}\p{javaLowerCase}\p{javaUpperCase}", "éaaA"),
        (r"\p{IsLetter}\p{IsControl}\p{IsPunctuation}\p{IsHex_Digit}", "é\x00!f"),
        (r"\p{IsAssigned}\p{IsAlnum}\p{IsBlank}\p{IsGraph}\p{IsPrint}", "aé\t!a"),
        (r"\p{IsWord}\p{IsJoin_Control}\p{IsTitlecase}\p{IsLu}", "_\u200dǅA"),
        (r"\N{DIGIT ONE}\ud83d\ude00", "1😀"),
        (r"\Q1+\E\cA", "1+\x01"),
        (r"(a)\Q1\E", "a1"),
        (r"[\v-\x0d]", "\x0c"),
        (r"(?m)^a$\n^b$", "a\nb"),
        (r"(?<x>a)\k<x>(?i)\1(?u)\1", "aaAA"),
        (r"(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)\11\10\1", "abcdefghijkkja"),
    ],
)
def test_flags_and_names(pattern: str, text: str) -> None:
    """Flags and the names of properties have Java's meaning."""
    assert compile_regex(pattern).fullmatch(text)


@pytest.mark.parametrize(
    ("replacement", "result"),
    [
        ("$11$1", "ka."),
        ("$12", "a2."),
        ("${x}-$0", "k-abcdefghijk."),
        (r"\$\\", "$\\."),
        ("$", "IllegalArgumentException: Illegal group reference"),
        ("$x", "IllegalArgumentException: Illegal group reference"),
        ("\\", "IllegalArgumentException: character to be escaped is missing"),
        ("${}", "IllegalArgumentException: named capturing group has 0 length name"),
        ("${x", "IllegalArgumentException: named capturing group is missing trailing '}'"),
        ("${1}", "capturing group name {1} starts with digit character"),
        ("${y}", "IllegalArgumentException: No group with name {y}"),
    ],
)
def test_replacements(replacement: str, result: str) -> None:
    """References to groups, escapes, and what Java throws for those that are wrong."""
    pattern = "(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(?<x>k)"
    if result.endswith("."):
        assert replace_all("abcdefghijk.", pattern, replacement) == result
    else:
        with pytest.raises(VtlRenderError, match=re.escape(result)):
            replace_all("abcdefghijk.", pattern, replacement)


def test_a_replacement_that_is_null_fails_where_there_is_a_match() -> None:
    """Java looks at it only then."""
    assert replace_all("a", "b", None) == "a"
    with pytest.raises(VtlRenderError, match="NullPointerException"):
        replace_all("a", "a", None)


def test_what_is_replaced_has_a_limit() -> None:
    """A short text cannot be made to fill the memory."""
    with pytest.raises(VtlRenderError, match="a text of more than"):
        replace_all("a" * 4_000, "a", "b" * 10_000)


def test_references_forward_match_nowhere() -> None:
    """So do those to a group that is still open."""
    assert compile_regex(r"\2(a)(b)").search("ab") is None
    assert compile_regex(r"(a\1)").search("aa") is None


def test_longer_patterns_work_without_being_kept() -> None:
    """What may come from a request and is long is compiled each time."""
    pattern = "a" * 2_000
    assert compile_regex(pattern).fullmatch(pattern)
