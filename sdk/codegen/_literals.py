"""Values of JSON as Python source, by the types that generated code gives them."""

from __future__ import annotations

import ast
import base64
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from codegen import _names
from codegen._directions import flattened
from codegen._document import Json, Node
from codegen._schemas import EXTRAS, Shape, annotation, is_enumeration, is_object

# What is made of a text, by the type's name.
_MADE: Final = {
    "UUID": "UUID({!r})",
    "date": "date.fromisoformat({!r})",
    "datetime": "datetime.fromisoformat({!r})",
    "Decimal": "Decimal({!r})",
}


@dataclass(frozen=True, slots=True)
class Literals:
    """
    Writes values as source.

    Attributes:
        shapes: The document's shapes, as requests have them.
        exported: The names of the classes that the package has at its top; others are in `models`.
    """

    shapes: Mapping[str, Shape]
    exported: Collection[str]

    def argument(self, kind: str, value: Json) -> str:
        """
        A value that a method is called with.

        Args:
            kind: The parameter's type, as an annotation.
            value: The value; for a parameter, a text stands for a member of an enumeration.
        """
        return self._of(ast.parse(kind, mode="eval").body, value, enumeration="{!r}")

    def body(self, kind: str, value: Json) -> str:
        """A body: an object as a mapping by the names on the wire."""
        if kind == "bytes":
            return repr(_as_bytes(value))
        return self._of(ast.parse(kind, mode="eval").body, value, enumeration="{name}({!r})")

    def model(self, kind: str, value: Json) -> str | None:
        """A body as an instance of its class; `None` where it has none, or the value is more."""
        name = kind.removeprefix("models.")
        if kind == name or name not in self.shapes:
            return None
        return self._instance(name, value)

    def class_name(self, name: str) -> str:
        """How a class is called outside of the package's own code."""
        return name if name in self.exported else f"models.{name}"

    def _of(self, kind: ast.expr, value: Json, enumeration: str) -> str:
        match kind:
            case _ if value is None:
                return "None"
            case ast.BinOp(left=left, op=ast.BitOr()):
                return self._of(left, value, enumeration)
            case ast.Subscript(value=ast.Name(id="list"), slice=item) if isinstance(value, list):
                return f"[{', '.join(self._of(item, one, enumeration) for one in value)}]"
            case ast.Subscript(value=ast.Name(id="dict"), slice=ast.Tuple(elts=[_, item])):
                members = value.items() if isinstance(value, dict) else ()
                pairs = (f"{key!r}: {self._of(item, it, enumeration)}" for key, it in members)
                return f"{{{', '.join(pairs)}}}"
            case ast.Attribute(attr=name):
                return self._of_shape(name, value, enumeration)
            case ast.Name(id=name) if name in _MADE:
                return _MADE[name].format(str(value))
            case ast.Name(id="int") if isinstance(value, float):
                return repr(int(value))
        return repr(value)

    def _of_shape(self, name: str, value: Json, enumeration: str) -> str:
        schema = self.shapes[name].schema
        if is_enumeration(schema):
            return enumeration.format(value, name=self.class_name(name))
        if is_object(schema) or {"oneOf", "anyOf"} & schema.keys():
            return repr(value)
        return self._of(ast.parse(annotation(schema), mode="eval").body, value, enumeration)

    def _instance(self, name: str, value: Json) -> str | None:
        schema = flattened(self.shapes[name].schema, self.shapes)
        members = schema.get("properties", {})
        if not (isinstance(value, dict) and members and value.keys() <= members.keys()):
            return None
        if EXTRAS in schema:
            return None
        parts = []
        for wire_name, member in value.items():
            source = self._member(members[wire_name], member)
            if source is None:
                return None
            parts.append(f"{_names.field_name(wire_name)}={source}")
        return f"{self.class_name(name)}({', '.join(parts)})"

    def _member(self, schema: Node, value: Json) -> str | None:
        """A member's value, with instances for objects; `None` if it cannot be written so."""
        if value is None:
            return "None"
        if len(schema.get("allOf", ())) == 1:
            return self._member(schema["allOf"][0], value)
        if "$ref" in schema:
            return self._referred(str(schema["$ref"].rpartition("/")[2]), value)
        if schema.get("type") == "array":
            items = [self._member(schema.get("items", {}), item) for item in value]
            return f"[{', '.join(map(str, items))}]" if None not in items else None
        others = schema.get("additionalProperties")
        if isinstance(others, dict) and isinstance(value, dict):
            values = {key: self._member(others, item) for key, item in value.items()}
            pairs = (f"{key!r}: {source}" for key, source in values.items())
            return f"{{{', '.join(pairs)}}}" if None not in values.values() else None
        if schema.get("format") in ("byte", "binary"):
            return repr(_as_bytes(value, encoded=schema["format"] == "byte"))
        return self.argument(annotation(schema), value)

    def _referred(self, name: str, value: Json) -> str | None:
        schema = self.shapes[name].schema
        if is_enumeration(schema):
            return f"{self.class_name(name)}({value!r})"
        if is_object(schema):
            return self._instance(name, value)
        return None if {"oneOf", "anyOf"} & schema.keys() else self._member(schema, value)


def _as_bytes(value: Json, *, encoded: bool = False) -> bytes:
    """The bytes that an example stands for: each character is one, where that can be."""
    text = str(value)
    if encoded:
        return base64.b64decode(text)
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8")
