"""
Python names for what the document names. Every name in generated code comes from here.

Rules: docs/reference/asynchronous-operations.md, "Names". A name that Python, pydantic or the
SDK needs itself gets a trailing underscore.
"""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Iterable
from typing import Final

from pydantic import BaseModel

# Inside a word: jobId -> job|Id, HTTPServer -> HTTP|Server. Digits stay with what they follow.
_BOUNDARY: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_SEPARATOR: Final = re.compile(r"[\W_]+")
_KEYWORDS: Final = frozenset(keyword.kwlist)

# Lower-case builtins that annotations of generated code are made of. In a class body a field or a
# method of such a name would hide the type from every annotation after it.
_ANNOTATION_NAMES: Final = frozenset(
    ("bool", "bytes", "dict", "float", "int", "list", "object", "str", "tuple")
)
_MODEL_NAMES: Final = frozenset(name for name in dir(BaseModel) if not name.startswith("__"))
_ARGUMENT_NAMES: Final = frozenset(("self", "cls", "body", "timeout"))
# What a method for many items takes besides, and what it calls.
_BATCH_NAMES: Final = frozenset(
    (
        *("idempotency_key", "in_order", "max_concurrency", "progress", "raise_errors"),
        *("items", "options", "many", "many_async"),
    )
)
# What the clients of the runtime offer besides operations, and what annotations in a client's class
# body refer to.
_CLIENT_NAMES: Final = frozenset(("close", "aclose", "with_options", "models", "date", "datetime"))
# Classes that a client is made of.
_BASE_NAMES: Final = frozenset(("BaseClient", "AsyncBaseClient"))
# What generated models import, and the names that Python gives a meaning.
_CLASS_NAMES: Final = frozenset(
    (
        *(name for name in dir(builtins) if name[0].isupper()),
        *("Annotated", "Any", "Literal", "TypeAlias", "TypeAliasType", "StrEnum", "IntEnum"),
        *("AwareDatetime", "BaseModel", "BeforeValidator", "ConfigDict", "Field", "RootModel"),
        *("Base64", "Base64Bytes", "Binary", "Decimal", "Dict", "UUID", "Enum"),
        *("ClassVar", "Model", "OpenEnum", "Received", "Tagged", "Union"),
    )
)


def words(name: str) -> list[str]:
    """Split a name of any convention into words: `jobId`, `job-id` and `job.id` are alike."""
    return [
        word for part in _SEPARATOR.split(name) if part for word in _BOUNDARY.split(part) if word
    ]


def _identifier(name: str, prefix: str, reserved: frozenset[str]) -> str:
    # Python compares identifiers in this form.
    name = unicodedata.normalize("NFKC", name)
    name = "".join(letter for letter in name if f"_{letter}".isidentifier())
    if name.startswith("_") or not name.isidentifier():
        name = prefix + name
    return f"{name}_" if name in _KEYWORDS or name in reserved else name


def _snake(name: str) -> str:
    return "_".join(word.lower() for word in words(name))


def method_name(operation_id: str | None, method: str, path: str) -> str:
    """
    Name of an operation's method: snake_case of its `operationId`, or of method and path.

    An `operationId` without a letter or a digit names nothing.
    """
    name = operation_id if operation_id and words(operation_id) else f"{method} {path}"
    return _identifier(_snake(name), "call_", _CLIENT_NAMES | _ANNOTATION_NAMES)


def many_name(name: str, taken: Iterable[str]) -> str:
    """
    Name of the method that starts an operation for many items.

    The last word's plural: `es` after x, z, ch and sh, `ies` for a y after a consonant, else `s`.
    Where that word ends in s (no rule tells `status` from `users`), or the name is taken: `_many`;
    where that is taken too, with a trailing `_`.
    """
    names = _KEYWORDS | _CLIENT_NAMES | _ANNOTATION_NAMES | set(taken)
    stem = name.rstrip("_")
    if re.search(r"[^aeiou_]y$", stem):
        plural = f"{stem[:-1]}ies"
    else:
        plural = stem + ("es" if re.search(r"(x|z|ch|sh)$", stem) else "s")
    if not stem.endswith("s") and plural not in names:
        return plural
    many = f"{stem}_many"
    while many in names:
        many += "_"
    return many


def shared_name(name: str) -> str:
    """Name of a parameter that all items of a batch share, beside the batch's own options."""
    return f"{name}_" if name in _BATCH_NAMES else name


def parameter_name(wire_name: str) -> str:
    """Name of a method's parameter: snake_case of the name on the wire."""
    return _identifier(_snake(wire_name), "field_", _ARGUMENT_NAMES)


def field_name(wire_name: str) -> str:
    """Name of a model's field: snake_case of the name on the wire."""
    return _identifier(_snake(wire_name), "field_", _MODEL_NAMES | _ANNOTATION_NAMES)


def class_name(*names: str) -> str:
    """Name of a class: PascalCase of the component's name, or of a parent's and a property's."""
    pascal = "".join(
        word[0].upper() + word[1:] for name in names for word in _SEPARATOR.split(name) if word
    )
    return _identifier(pascal, "Model", _CLASS_NAMES)


def constant_name(name: str) -> str:
    """Name of a module's constant, from a method's name."""
    return name.upper()


def member_names(values: Iterable[str]) -> list[str]:
    """Names of an enumeration's members: upper case, so that no method of `str` is hidden."""
    names: list[str] = []
    for value in values:
        name = _identifier("_".join(words(value)).upper(), "VALUE_", frozenset(("MRO",)))
        while name in names:
            name += "_"
        names.append(name)
    return names


def title_words(title: str) -> list[str]:
    """The words of a document's title that name its client: `Users API` -> `["Users"]`."""
    return [word for word in _SEPARATOR.split(title) if word and word.upper() != "API"]


def client_name(title: str) -> str:
    """Name of the synchronous client class: `Users API` -> `UsersClient`."""
    named = title_words(title)
    name = f"{class_name(*named).rstrip('_') if named else ''}Client"
    return f"{name}_" if name in _BASE_NAMES else name


def url_variable(title: str) -> str:
    """
    Environment variable that holds the API's address: `Users API` -> `USERS_API_URL`.

    Letters are without their marks, and others than A to Z left out; no digit comes first: shells
    know no other names (POSIX.1-2017, 3.235).
    """
    plain = unicodedata.normalize("NFKD", f"{title} URL").encode("ascii", "ignore").decode("ascii")
    name = "_".join(word.upper() for word in _SEPARATOR.split(plain) if word)
    return f"_{name}" if name[0].isdigit() else name
