"""What the generated models and enumerations derive from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


class Model(BaseModel):
    """
    A JSON object of the API, with snake_case attributes for the names on the wire.

    Members that the API's description does not list are kept, so that a newer server breaks
    nothing, and are sent back as they came. An attribute that was never set is not sent; one that
    is `None` is sent as `null`.
    """

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
            if not isinstance(value, Mapping):
                return "instance"
            index = self.members.get(str(value.get(self.property)))
            return "unknown" if index is None else str(index)

        return core_schema.tagged_union_schema(choices, choice)
