"""Header fields: names that differ in case only are one name."""

import re
from collections.abc import Mapping

# A text of the client's can end up in a header, and clients give up on long lines (Python's
# http.client at 64 KiB). What a backend sends is shorter: AWS's quota for the headers of a request,
# all together, is this as well.
MAX_FIELD_CHARACTERS = 10_240

_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def overlay(headers: Mapping[str, str], over: Mapping[str, str]) -> dict[str, str]:
    """Return `headers` with those of `over` added; one of the same name is replaced."""
    replaced = {name.lower() for name in over}
    return {name: value for name, value in headers.items() if name.lower() not in replaced} | {
        **over
    }


def is_name(name: str) -> bool:
    """Tell whether a text can be the name of a header (RFC 9110, token)."""
    return _TOKEN.fullmatch(name) is not None


def one_line(value: str) -> str:
    """Return a value without what would end a header; a space stands for it (RFC 9110, 5.5)."""
    return _CONTROL.sub(" ", value).strip()


def field_text(value: str) -> str:
    """Return a value that a header can carry: on one line, and not longer than clients read."""
    return one_line(value[:MAX_FIELD_CHARACTERS])
