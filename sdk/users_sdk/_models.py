"""What the generated models and enumerations derive from."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from io import IOBase
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    PlainSerializer,
)
from pydantic_core import CoreSchema, core_schema

from ._json import is_array, is_object


class Model(BaseModel):
    """
    A JSON object of the API, with snake_case attributes for the names on the wire.

    Members that the API's description does not list are kept, so that a newer server breaks
    nothing, and are sent back as they came. An attribute that was never set is not sent; one that
    was set to `None` is sent as `null`, and refused if the description gives it no `null`.
    """

    _never_null: ClassVar[frozenset[str]] = frozenset()

    model_config = ConfigDict(
        extra="allow",
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        # A changed instance is checked again when it is sent, not only when it is made.
        revalidate_instances="always",
        # Validators are built when first used: building all of them is most of an import's time.
        defer_build=True,
        # The document decides on names, `model_number` included.
        protected_namespaces=(),
    )


def nulls(value: object) -> Iterator[tuple[str, ...]]:
    """Yield the place, by names on the wire, of each `None` that must not be sent as `null`."""
    if isinstance(value, Model):
        given = value.model_fields_set
        for name, member in vars(value).items():
            if name not in given:
                continue
            if member is None and _is_never_null(type(value), name):
                yield (type(value).model_fields[name].alias or name,)
            elif _is_container(member):
                wire_name = type(value).model_fields[name].alias or name
                yield from ((wire_name, *place) for place in nulls(member))
    elif is_object(value) or is_array(value):
        members: Iterable[tuple[object, object]] = (
            value.items() if is_object(value) else enumerate(value)
        )
        for key, member in members:
            if _is_container(member):
                yield from ((str(key), *place) for place in nulls(member))


def _is_never_null(model: type[Model], name: str) -> bool:
    return any(name in vars(kind).get("_never_null", ()) for kind in model.__mro__)


def _is_container(value: object) -> bool:
    # Most members are texts: asking whether something is a model costs a call of its metaclass.
    return type(value) is not str and isinstance(value, _CONTAINERS)


_CONTAINERS = (dict, list, Model)


def _decoded(value: object) -> object:
    """Base64 as bytes; anything else as it is."""
    if not isinstance(value, str):
        return value
    try:
        return b64decode(value, validate=True)
    except ValueError as error:
        raise ValueError(f"it is no Base64: {error}; give the bytes themselves") from error


def _encoded(value: bytes) -> str:
    return b64encode(value).decode("ascii")


Base64 = Annotated[
    bytes, BeforeValidator(_decoded), PlainSerializer(_encoded, return_type=str, when_used="json")
]
"""Bytes that are Base64 on the wire (`format: byte`; RFC 4648, section 4)."""


def _read(value: object) -> object:
    """The bytes of a binary file; anything else as it is."""
    return value.read() if isinstance(value, IOBase) else value


class File(bytes):
    """The content of a file, which is sent as a part of its own."""


Binary = Annotated[bytes, BeforeValidator(_read), AfterValidator(File)]
"""The content of a file (`format: binary`): bytes, or a file that is open for reading bytes."""


def files_of(model: BaseModel) -> dict[str, tuple[str, Any]]:
    """Return wire name and content of the members that are files, or lists of files, by name."""
    files: dict[str, tuple[str, Any]] = {}
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, File) or (is_array(value) and value and isinstance(value[0], File)):
            files[name] = (field.alias or name, value)
    return files


class OpenEnum(StrEnum):
    """
    An enumeration of strings that is not closed: a value it does not list is kept as it is.

    A value that is not listed equals its text, has it as `name` and `value`, and is no member when
    the class is iterated.
    """

    @classmethod
    def _missing_(cls, value: object) -> Self | None:
        if not isinstance(value, str):
            return None
        member = str.__new__(cls, value)
        member._name_ = value
        member._value_ = value
        return member


@dataclass(frozen=True, slots=True)
class Tagged:
    """
    Marks a union whose members are told apart by one property's value.

    An object with a value that is not listed is kept as a plain `Model`, which is the last member
    of the union: the server is newer than this package.

    Attributes:
        property: The property's name on the wire.
        members: Which member of the union a value stands for, counted from 0.
    """

    property: str
    members: Mapping[str, int]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        union = handler(source)
        if union["type"] != "union":
            raise TypeError(f"{source} is no union")
        members: list[Any] = list(union["choices"])
        choices = {str(index): members[index] for index in self.members.values()}
        choices |= {"unknown": members[-1], "instance": union}

        def choice(value: object) -> str:
            if not is_object(value):
                return "instance"
            index = self.members.get(str(value.get(self.property)))
            return "unknown" if index is None else str(index)

        return core_schema.tagged_union_schema(choices, choice)
