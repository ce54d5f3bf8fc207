"""Texts that match regular expressions."""

from __future__ import annotations

import pytest

from codegen._patterns import PatternError, fits_pattern, is_pattern, matching


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("^[A-Z]{2}$", "AA"),
        (r"\S", "a"),
        (r"^[^@\s]+@[^@\s]+$", "a@a"),
        (r"^\+[1-9]\d{1,14}$", "+10"),
        (r"^(a|b)\1[^a]?$", "aa"),
        (r"[\W]", "-"),
        ("a.[^a-z]", "aa0"),
    ],
)
def test_the_plainest_text_is_found(pattern: str, expected: str) -> None:
    """Repeated parts are there as seldom as may be, of characters the first that fits."""
    assert matching(pattern) == expected


def test_repeated_parts_can_be_more() -> None:
    """What has to be longer is made longer, as far as the pattern lets it be."""
    assert [matching("^a{1,3}$", longer) for longer in range(4)] == ["a", "aa", "aaa", "aaa"]


@pytest.mark.parametrize("pattern", ["(", "(?=a)b(?<=c)", "^a$b"])
def test_what_is_not_simple_is_refused(pattern: str) -> None:
    """No text is guessed: what was made is tried."""
    with pytest.raises(PatternError, match="no text is known"):
        matching(pattern)


@pytest.mark.parametrize(
    ("pattern", "fitting", "other"),
    [("^a(?=b)", "ab", "ac"), (r"^\p{Lu}$", "Ä", "ä"), ("^(?<n>a)$", "a", "b")],
)
def test_a_pattern_is_one_of_python_or_of_pydantic(pattern: str, fitting: str, other: str) -> None:
    """Each knows some that the other does not."""
    assert is_pattern(pattern)
    assert (fits_pattern(pattern, fitting), fits_pattern(pattern, other)) == (True, False)


def test_nothing_fits_what_is_no_pattern() -> None:
    """It is none of either."""
    assert not is_pattern("[")
    assert not fits_pattern("[", "[")
