"""
A start for one's own API: a complete document for an entity, by the conventions of this project.

The document is one template, filled with the entity's names; nothing else depends on them.
"""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

FILE_NAME: Final = "openapi.yaml"

_TEMPLATES: Final = Path(__file__).parent / "templates" / "init"
_NAME: Final = re.compile(r"[a-z]+(-[a-z]+)*")
# The document has schemas, operations, parameters and paths of these names itself.
_TAKEN: Final = frozenset(
    {"accepted-message", "creation-error", "message", "message-status", "problem", "status"}
)
# Of names made of it, that of the dead letters' queue is the longest; SQS takes 80 characters.
_MAX_LENGTH: Final = 50
# batches, boxes, statuses, but not warehouses.
_ES: Final = re.compile(r"(ss|x|ch|sh|[^aeiou]us)es$")
_SIBILANTS: Final = ("s", "x", "z", "ch", "sh")
_SINGULAR_ENDINGS: Final = ("ss", "us", "is")


class InitError(ValueError):
    """There can be no such start; the text says why and what to do instead."""


@dataclass(frozen=True, slots=True)
class EntityNames:
    """
    The names of an entity, in every spelling that the document has.

    Attributes:
        singular: Its name, lower-case words joined by hyphens: `purchase-order`.
        plural: The name of many: `purchase-orders`; segment of the path, and tag.
    """

    singular: str
    plural: str

    @property
    def words(self) -> str:
        """In a text: `purchase order`."""
        return self.singular.replace("-", " ")

    @property
    def with_article(self) -> str:
        """In a text, one of many: `a purchase order`."""
        return f"{'an' if self.singular[0] in 'aeio' else 'a'} {self.words}"

    @property
    def class_name(self) -> str:
        """Of the schema: `PurchaseOrder`."""
        return "".join(word.capitalize() for word in self.singular.split("-"))

    @property
    def stem(self) -> str:
        """As a member: `purchaseOrder`."""
        return self.class_name[0].lower() + self.class_name[1:]

    @property
    def package(self) -> str:
        """Of an SDK: `purchase_orders_sdk`."""
        return f"{self.plural.replace('-', '_')}_sdk"


def entity_names(name: str, plural: str | None = None) -> EntityNames:
    """
    Tell the names of an entity from one of them.

    Args:
        name: Lower-case words joined by hyphens, one or many: `order`, `purchase-orders`.
        plural: The name of many, where English has no rule for it; `name` is then that of one.

    Raises:
        InitError: It cannot be called so; the text says why and what to write instead.
    """
    for given in (name, name if plural is None else plural):
        if not _NAME.fullmatch(given) or len(given) > _MAX_LENGTH:
            raise InitError(
                f"{given!r} cannot name an entity: write one or more words of the letters a to z, "
                f"joined by hyphens, at most {_MAX_LENGTH} characters, such as purchase-orders"
            )
    singular = _singular(name) if plural is None else name
    names = EntityNames(singular, _plural(singular) if plural is None else plural)
    for each in (names.singular, names.plural):
        if keyword.iskeyword(each) or keyword.iskeyword(each.capitalize()):
            raise InitError(f"{each!r} is a keyword of Python: choose another name, or add a word")
        if each in _TAKEN:
            raise InitError(
                f"{each!r} is what the document calls something else: choose another name, "
                f"or add a word, such as order-{each}"
            )
    return names


def render_document(names: EntityNames) -> str:
    """Return the document of an entity; the same text for the same names."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,
        keep_trailing_newline=True,
        # Braces and `#` are the mapping templates' own.
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
    )
    plural = names.plural.replace("-", " ")
    return environment.get_template(f"{FILE_NAME}.jinja2").render(
        a=names.with_article,
        cls=names.class_name,
        id=f"{names.stem}Id",
        name=names.words,
        path=names.plural,
        plural=plural,
        result=f"result{names.class_name}Id",
        stem=names.stem,
        title=f"{plural.title()} API",
    )


def write_document(names: EntityNames, folder: Path) -> Path:
    """
    Write the document of an entity into a new folder.

    Returns:
        The file.

    Raises:
        InitError: There is such a folder or file already, or it cannot be made.
    """
    text = render_document(names)
    try:
        folder.mkdir(parents=True)
        file = folder / FILE_NAME
        file.write_bytes(text.encode())
    except FileExistsError:
        raise InitError(
            f"{folder} exists, and nothing is overwritten: name another folder with --out"
        ) from None
    except OSError as error:
        raise InitError(f"{error.filename} cannot be written: {error.strerror}") from None
    return file


def _singular(name: str) -> str:
    if not name.endswith("s") or name.endswith(_SINGULAR_ENDINGS):
        return name
    if name.endswith("ies") and len(name) > 4:
        return f"{name[:-3]}y"
    return name[:-2] if _ES.search(name) else name[:-1]


def _plural(singular: str) -> str:
    if singular.endswith("y") and singular[-2:-1] not in tuple("aeiou"):
        return f"{singular[:-1]}ies"
    return f"{singular}es" if singular.endswith(_SIBILANTS) else f"{singular}s"
