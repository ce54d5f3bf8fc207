"""Selection patterns: what `java.util.regex` compiles, observed on OpenJDK 17."""

from __future__ import annotations

import pytest

from deploy.contract.selection_pattern import SelectionPatternError, compile_selection_pattern


@pytest.mark.parametrize(
    ("pattern", "status", "selected"),
    [
        (r"4\d{2}", "404", True),
        (r"4\d{2}", "4040", False),
        (r"4\d{2,}", "4040", True),
        (r"5..|4\d\d", "500", True),
        (r"[45]\p{Digit}{2}", "404", True),
        (r"\Q404\E", "404", True),
        (r"\Q4{\E.*", "4{2", True),
        (r"4[{]", "4{", True),
        (r"4\{", "4{", True),
        (r"4}", "4}", True),
        (r"(?i)OK", "ok", True),
        (r"(?:4)(?=0)0(?<!4)4", "404", True),
    ],
)
def test_a_pattern_matches_the_whole_status(pattern: str, status: str, selected: bool) -> None:
    """As `Matcher.matches` does."""
    assert (compile_selection_pattern(pattern).fullmatch(status) is not None) is selected


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (r"4\d{2", r"unclosed counted closure '{2' at character 4"),
        (r"4{2,", r"unclosed counted closure '{2,' at character 2"),
        (r"(4{2)", r"unclosed counted closure"),
        (r"\Qa{\E{2", r"unclosed counted closure"),
        (r"4{", r"illegal repetition at character 2"),
        (r"{", r"illegal repetition at character 1"),
        (r"4{}", r"illegal repetition"),
        (r"4{,2}", r"illegal repetition"),
        (r"4{ 2}", r"illegal repetition"),
        (r"${foo}", r"illegal repetition"),
        (r"(?P<a>4)", r"unknown inline modifier at character 3"),
        (r"(?#4)", r"unknown inline modifier"),
        (r"(?z)4", r"unknown inline modifier"),
        (r"4(", r"missing"),
        (r"[4", r"unclosed character class"),
        (r"*4", r"nothing to repeat"),
        (r"\p{L", r"illegal repetition at character 3"),
    ],
)
def test_what_java_does_not_compile_is_refused(pattern: str, reason: str) -> None:
    """Python would take some of it for literal text, and never match."""
    with pytest.raises(SelectionPatternError, match=reason.replace("{", r"\{")):
        compile_selection_pattern(pattern)
