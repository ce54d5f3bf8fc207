"""What the generated models and enumerations derive from."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict


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
