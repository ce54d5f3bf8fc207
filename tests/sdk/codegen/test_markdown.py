"""Texts of a document as parts of a page."""

from __future__ import annotations

import pytest

from codegen._markdown import block, cell, code, fence, inline, plain, tidy


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\n b", "a b"),
        ("one | two", "one &#124; two"),
        ("`a|b` | c", "<code>a&#124;b</code> &#124; c"),
        ("``a`|b``", "<code>a`&#124;b</code>"),
        ("`x` and ` alone", "`x` and &#96; alone"),
        ("</table> <br> <https://a.example/b>", "&lt;/table> <br> <https://a.example/b>"),
    ],
)
def test_a_cell_stays_one(text: str, expected: str) -> None:
    """Bars, single backticks and tags are shown; Markdown is kept."""
    assert cell(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", "`a`"),
        ("a`b", "``a`b``"),
        ("`", "`` ` ``"),
        ("a | <b>", "<code>a &#124; &lt;b&gt;</code>"),
    ],
)
def test_code_holds_anything(text: str, expected: str) -> None:
    """Backticks and bars do not end it."""
    assert code(text) == expected


def test_plain_text_is_no_markdown() -> None:
    """A title's characters mean nothing."""
    assert plain("# *a* [b]\n<c> `d`") == r"\# \*a\* \[b\] \<c\> \`d\`"


def test_descriptions_keep_their_code() -> None:
    """Outside of code a comment is shown; within, it is code's."""
    assert inline("<!-- `<!--`") == "&lt;!-- `<!--`"


def test_blocks_are_closed_and_their_headings_low() -> None:
    """A fence that is not closed is, and nothing in it is changed."""
    assert block("# A\n\n~~~ py\n# b <c>\n```") == "### A\n\n~~~ py\n# b <c>\n```\n~~~"


def test_fences_are_longer_than_what_they_hold() -> None:
    """A program may hold a fence itself."""
    assert fence('"""\n```\n"""\n', "python") == '````python\n"""\n```\n"""\n````'


def test_tidying_leaves_code_alone() -> None:
    """Several empty lines become one, besides those of code."""
    assert tidy("\n\na  \n\n\nb\n```\nc\n\n\nd\n```\n\n\n") == "a\n\nb\n```\nc\n\n\nd\n```\n"
