from __future__ import annotations

import asyncio
import warnings
from typing import Any

import pytest

from users_sdk._fields import checked, checked_text, flaw
from users_sdk.errors import ConfigurationError

SECRET = "hush-hush"
UNSENDABLE = [
    f"{SECRET}\n",
    f"{SECRET}\r\nX-Other: 1",
    f" {SECRET}",
    f"{SECRET}\t",
    f"{SECRET}\0",
    f"{SECRET}\x7f{SECRET}",
    f"{SECRET}ü",
    SECRET.encode(),
    5,
    None,
]


@pytest.mark.parametrize("value", ["", "x", "a b", 'W/"1"', "!~"])
def test_printable_ascii_without_spaces_around_it_can_be_sent(value: str) -> None:
    """RFC 9110, 5.5: that is what every server reads alike."""
    assert flaw(value) is None
    assert checked({"X-A": value}, "The hook") == {"X-A": value}


@pytest.mark.parametrize("value", UNSENDABLE, ids=repr)
def test_what_cannot_be_sent_is_named_and_not_shown(value: Any) -> None:
    """The message says where it comes from and which field it is; the value may be a secret."""
    with pytest.raises(
        ConfigurationError, match=r"^The hook .*'X-A'.* its value (is|begins|has) "
    ) as e:
        checked({"X-A": value}, "The hook")
    assert SECRET not in str(e.value)
    with pytest.raises(ConfigurationError, match=r"^The function .* sent as X-A: it ") as e:
        checked_text(value, "The function", "X-A")
    assert SECRET not in str(e.value)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "''"),
        ("X Y", "'X'"),
        ("X:", "'X'"),
        ("X\n", "'X'"),
        ("ü", "''"),
        (f"Authorization: {SECRET}", "'Authorization'"),
        (5, "type int"),
    ],
)
def test_what_is_no_name_is_refused(name: Any, said: str) -> None:
    """RFC 9110, 5.6.2: a token. A secret that was put into the name is not shown."""
    with pytest.raises(ConfigurationError, match=r"^The hook .* name ") as caught:
        checked({name: "1"}, "The hook")
    assert said in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("fields", [[("X-A", SECRET)], SECRET, 5])
def test_what_is_no_mapping_is_refused(fields: object) -> None:
    """The message says what was given."""
    with pytest.raises(ConfigurationError, match=r"must return a mapping .* not a ") as caught:
        checked(fields, "The hook")
    assert SECRET not in str(caught.value)


def test_an_empty_text_is_no_token() -> None:
    """A field may be empty; what a function was asked for may not."""
    with pytest.raises(ConfigurationError, match="it is empty"):
        checked_text("", "The function", "X-A")


def test_what_is_to_be_awaited_is_refused() -> None:
    """And does not leave a warning behind that it never was."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for check in (
            lambda: checked(asyncio.sleep(0), "f"),
            lambda: checked_text(asyncio.sleep(0), "f", "X"),
        ):
            with pytest.raises(ConfigurationError, match="to be awaited"):
                check()
