"""
What is made of the messages: an entity, as the contract describes it.

The deployment reads it off the contract and passes it in the environment, so that this code serves
every contract of the same kind. Source: deploy/contract/entity.py, which writes what is read here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Schema: TypeAlias = Mapping[str, Any]
"""
A part of a contract's schema: `type`, `properties`, `required`, `items`, `additionalProperties`
and `maxItems`, with JSON Schema's meaning; `$ref` is the name of another schema.
"""


@dataclass(frozen=True)
class Entity:
    """
    What a message asks for.

    Attributes:
        name: What it is called in texts, as `user`.
        id_name: Name of its identifier, as `userId`: the key of the table.
        body: Schema of a message's body.
        schemas: The schemas that it refers to, by name.
    """

    name: str
    id_name: str
    body: Schema
    schemas: Mapping[str, Schema] = field(default_factory=dict)

    @property
    def result_name(self) -> str:
        """Name of the attribute by which a receipt points to an entity, as `resultUserId`."""
        return f"result{self.id_name[:1].upper()}{self.id_name[1:]}"


def read_entity(text: str) -> Entity:
    """
    Read an entity.

    Args:
        text: JSON with `name`, `id`, `body` and `schemas`.

    Raises:
        ValueError: It is not that.
    """
    try:
        members = json.loads(text)
        return Entity(members["name"], members["id"], members["body"], members["schemas"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"no description of an entity ({type(error).__name__})") from None
