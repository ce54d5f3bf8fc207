"""
Schemas: every class that the models need, under its name, with nothing inline.

A schema inside another one (an object, an enumeration, the limited items of a list) becomes a class
of its own, named after its parent and its property. What comes out refers to classes by
`#/components/schemas/<class>` only, so the models' names are ours and not the model generator's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from codegen import _names
from codegen._diagnostics import Problem
from codegen._document import Document, Json, Node, join, text_of, tokens

COMPONENTS: Final = "#/components/schemas"
_LIMITS: Final = (
    *("minLength", "maxLength", "pattern", "minimum", "maximum", "multipleOf"),
    *("exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems"),
    *("minProperties", "maxProperties"),
)
LIMITS: Final = frozenset(_LIMITS)
_KEPT: Final = (
    "type",
    "format",
    "nullable",
    "description",
    "deprecated",
    "readOnly",
    "writeOnly",
    *_LIMITS,
)
_REMARKS: Final = frozenset(
    ("default", "deprecated", "description", "example", "externalDocs", "nullable", "title", "xml")
)
# Our own members of a shape: the schema of members that are not listed, and how a union's parts are
# told apart.
EXTRAS: Final = "x-extras"
TAGS: Final = "x-tags"
_COMPOSED: Final = ("allOf", "oneOf", "anyOf")
_SCALARS: Final = {
    ("string", "uuid"): "UUID",
    ("string", "date"): "date",
    ("string", "date-time"): "datetime",
    ("string", "decimal"): "Decimal",
    ("integer", None): "int",
    ("number", None): "float",
    ("boolean", None): "bool",
    ("string", None): "str",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """
    A schema that becomes a class or an alias.

    Attributes:
        name: Its name in the models.
        pointer: Where the document has it.
        schema: The schema, with references to other shapes only.
    """

    name: str
    pointer: str
    schema: Node

    @property
    def references(self) -> tuple[str, ...]:
        """The names of the shapes it refers to, each once, in the document's order."""
        return tuple(dict.fromkeys(references(self.schema)))


def references(schema: Json) -> Iterator[str]:
    """The shapes that a normalised schema refers to."""
    if isinstance(schema, Mapping):
        if isinstance(schema.get("$ref"), str):
            yield schema["$ref"].rpartition("/")[2]
        for value in schema.values():
            yield from references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from references(value)


class Schemas:
    """
    Collects the shapes of a document, and which of them are sent and which received.

    Attributes:
        shapes: By name, in the document's order; inline ones follow where they were found.
        sent: Names that stand in request bodies and parameters.
        received: Names that stand in answers.
        problems: What is wrong with the names.
    """

    def __init__(self, document: Document) -> None:
        self.shapes: dict[str, Shape] = {}
        self.sent: set[str] = set()
        self.received: set[str] = set()
        self.problems: list[Problem] = []
        self._document = document
        self._names: dict[str, str] = {}
        self._owners: dict[str, str] = {}
        components = document.root.get("components", {}).get("schemas", {})
        for component in components:
            pointer = join(COMPONENTS, component)
            self._names[pointer] = self._claim(_names.class_name(component), pointer)
        self._bases = {
            pointer: self._coined(f"Any{self._names[pointer]}", f"{pointer}/discriminator")
            for pointer in self._told_apart(components)
        }
        for component, schema in components.items():
            pointer = join(COMPONENTS, component)
            self._define(self._names[pointer], schema, pointer)
        for pointer, name in self._bases.items():
            self.shapes[name] = Shape(name, pointer, self._base_union(components, pointer))

    def _told_apart(self, components: Node) -> Iterator[str]:
        """The components with a `discriminator` that others take up by `allOf`."""
        for component, schema in components.items():
            pointer = join(COMPONENTS, component)
            alone = isinstance(schema, dict) and not schema.keys() & {"oneOf", "anyOf"}
            if alone and "discriminator" in schema and self._kinds_of(components, pointer):
                yield pointer

    def _kinds_of(self, components: Node, base: str) -> list[str]:
        """The components that take up another one by `allOf`, themselves or by a third."""
        above = {
            component: {
                self._document.follow(part, "")[1]
                for part in (schema.get("allOf", ()) if isinstance(schema, dict) else ())
                if "$ref" in part
            }
            for component, schema in components.items()
        }
        kinds: list[str] = []
        bases = [base]
        while bases:
            wanted = bases.pop()
            found = [it for it in above if wanted in above[it] and it not in kinds]
            kinds += found
            bases += [join(COMPONENTS, component) for component in found]
        return kinds

    def _base_union(self, components: Node, base: str) -> Node:
        """What a reference to such a component stands for: any of its kinds, or itself."""
        said = components[tokens(base)[-1]]["discriminator"]
        kinds = [*self._kinds_of(components, base), tokens(base)[-1]]
        tags = {name: index for index, name in enumerate(kinds)}
        for tag, target in said.get("mapping", {}).items():
            name = tokens(target)[-1] if "/" in target else target
            if name in kinds:
                tags[tag] = kinds.index(name)
            else:
                self._report_tag(join(base, "discriminator", "mapping", tag), target)
        names = [self._names[join(COMPONENTS, kind)] for kind in kinds]
        return {
            "oneOf": [{"$ref": f"{COMPONENTS}/{name}"} for name in names],
            TAGS: {"property": said["propertyName"], "tags": tags, "closed": True},
        }

    def sent_type(self, schema: Json, pointer: str, name: str) -> str:
        """The type of a schema in a request; an inline one gets the name."""
        placed = self._place(schema, pointer, name)
        self.sent.update(references(placed))
        return annotation(placed)

    def received_type(self, schema: Json, pointer: str, name: str) -> str:
        """The type of a schema in an answer; an inline one gets the name."""
        placed = self._place(schema, pointer, name)
        self.received.update(references(placed))
        return annotation(placed)

    def _claim(self, name: str, pointer: str) -> str:
        owner = self._owners.setdefault(name, pointer)
        if owner != pointer:
            self.problems.append(
                self._document.problem(
                    pointer,
                    f"this schema and {owner} are both called `{name}` in Python",
                    "two classes cannot have one name",
                    "rename one of them",
                )
            )
        return name

    def _coined(self, name: str, pointer: str) -> str:
        """A name that no rule gives: one that is taken is not the document's fault."""
        while self._owners.setdefault(name, pointer) != pointer:
            name += "_"
        return name

    def _define(self, name: str, schema: Json, pointer: str) -> None:
        self.shapes[name] = Shape(name, pointer, {})  # keeps the place: inline shapes come after
        self.shapes[name] = Shape(name, pointer, self._normalise(schema, pointer, name))

    def _place(self, schema: Json, pointer: str, name: str, *, ruled: bool = False) -> Node:
        """
        A schema as it stands where it is used: a reference, or something small.

        Args:
            schema: The schema.
            pointer: Where it stands.
            name: The words of its class's name, if it needs one.
            ruled: Whether the rules give that name, so that another class of it is a problem.
        """
        target, place = self._document.follow(schema, pointer)
        if place in self._names:
            class_name = self._bases.get(place, self._names[place])
            return _nullable_if(target, {"$ref": f"{COMPONENTS}/{class_name}"})
        target = _without_remarks(target)
        if _is_reference(target):
            return self._reference(target, place, name, ruled=ruled)
        if not _has_own_class(target):
            return self._normalise(target, place, name)
        class_name = _names.class_name(name)
        class_name = (self._claim if ruled else self._coined)(class_name, place)
        self._names[place] = class_name
        self._define(class_name, target, place)
        return _nullable_if(target, {"$ref": f"{COMPONENTS}/{class_name}"})

    def _reference(self, schema: Node, pointer: str, name: str, *, ruled: bool) -> Node:
        """OpenAPI 3.0 ignores what is beside `$ref`: a nullable one is an `allOf` of one."""
        inner = self._place(schema["allOf"][0], join(pointer, "allOf", 0), name, ruled=ruled)
        beside: Node = {key: schema[key] for key in ("nullable", "description") if key in schema}
        return {**beside, "allOf": [inner]} if beside else inner

    def _normalise(self, schema: Json, pointer: str, name: str) -> Node:
        if not isinstance(schema, dict):
            return {}
        node: Node = {key: schema[key] for key in _KEPT if key in schema}
        if _is_enumeration(schema):
            node["enum"] = [value for value in schema["enum"] if value is not None]
            node["x-enum-varnames"] = _names.member_names(node["enum"])
        if schema.get("format") == "decimal":
            # A text becomes a number of its own type, which has no pattern; a number stays JSON's.
            node.pop("pattern" if schema.get("type") == "string" else "format", None)
        if "default" in schema:
            node["description"] = _with_default(schema)
        for keyword in _COMPOSED:
            if keyword in schema:
                node[keyword] = [
                    self._part(
                        part,
                        join(pointer, keyword, index),
                        f"{name} {keyword} {index + 1}",
                        keyword,
                    )
                    for index, part in enumerate(schema[keyword])
                ]
        if isinstance(schema.get("discriminator"), dict) and {"oneOf", "anyOf"} & schema.keys():
            node[TAGS] = self._tags(schema, pointer)
        if "items" in schema:
            node["items"] = self._item(schema["items"], join(pointer, "items"), f"{name} item")
        self._normalise_object(schema, node, pointer, name)
        return node

    def _report_tag(self, pointer: str, target: str) -> None:
        self.problems.append(
            self._document.problem(
                pointer,
                f"`{target}` is none of the schemas that are told apart here",
                "what has this value would not be read as anything",
                "name one of them: `#/components/schemas/…`",
            )
        )

    def _tags(self, schema: Node, pointer: str) -> Node:
        """By which value of which member the parts of a `oneOf` are told apart: tag to index."""
        said = schema["discriminator"]
        parts = schema.get("oneOf") or schema.get("anyOf") or []
        named = [part["$ref"].rpartition("/")[2] for part in parts if "$ref" in part]
        tags = {name: index for index, name in enumerate(named)} if len(named) == len(parts) else {}
        for tag, target in said.get("mapping", {}).items():
            name = target.rpartition("/")[2]
            if name in named:
                tags[tag] = named.index(name)
            else:
                self._report_tag(join(pointer, "discriminator", "mapping", tag), target)
        return {"property": said["propertyName"], "tags": tags}

    def _part(self, schema: Json, pointer: str, name: str, keyword: str) -> Node:
        """A part of an `allOf` stays where it is: its members are its owner's."""
        if keyword == "allOf" and "$ref" not in schema:
            return self._normalise(schema, pointer, name.rpartition(" allOf")[0])
        place = self._document.follow(schema, pointer)[1]
        if keyword == "allOf" and place in self._bases:
            return {"$ref": f"{COMPONENTS}/{self._names[place]}"}
        return self._item(schema, pointer, name)

    def _item(self, schema: Json, pointer: str, name: str) -> Node:
        placed = self._place(schema, pointer, name)
        return placed if LIMITS.isdisjoint(placed) else self._alias(placed, pointer, name)

    def _named(self, schema: Json, pointer: str, name: str) -> Node:
        """A schema that is referred to by a name, whatever it is."""
        placed = self._place(schema, pointer, name)
        return placed if "$ref" in placed else self._alias(placed, pointer, name)

    def _alias(self, placed: Node, pointer: str, name: str) -> Node:
        class_name = self._coined(_names.class_name(name), pointer)
        self.shapes[class_name] = Shape(class_name, pointer, placed)
        return {"$ref": f"{COMPONENTS}/{class_name}"}

    def _normalise_object(self, schema: Node, node: Node, pointer: str, name: str) -> None:
        if "properties" in schema:
            self._check_fields(schema["properties"], pointer)
            node["properties"] = {
                member: self._place(
                    value, join(pointer, "properties", member), f"{name} {member}", ruled=True
                )
                for member, value in schema["properties"].items()
            }
            node["required"] = [
                member for member in schema.get("required", ()) if member in node["properties"]
            ]
        others = schema.get("additionalProperties")
        if others is False:
            node["additionalProperties"] = False
        elif isinstance(others, dict) and others:
            place = join(pointer, "additionalProperties")
            if "properties" in schema:
                node[EXTRAS] = self._named(others, place, f"{name} value")
            else:
                node["additionalProperties"] = self._item(others, place, f"{name} value")

    def _check_fields(self, properties: Node, pointer: str) -> None:
        owners: dict[str, str] = {}
        for member in properties:
            name = _names.field_name(member)
            if name in owners:
                self.problems.append(
                    self._document.problem(
                        join(pointer, "properties", member),
                        f"`{member}` and `{owners[name]}` are both called `{name}` in Python",
                        "a class cannot have two fields of one name",
                        "rename one of them",
                    )
                )
            owners.setdefault(name, member)


def field_names(shapes: Mapping[str, Shape]) -> dict[str, str]:
    """The Python name of every field that has another one on the wire, by `Class.wireName`."""
    return {
        f"{shape.name}.{member}": name
        for shape in shapes.values()
        for member in _members(shape.schema)
        if (name := _names.field_name(member)) != member
    }


def _members(schema: Node) -> Iterator[str]:
    yield from schema.get("properties", ())
    for part in schema.get("allOf", ()):
        yield from _members(part)


def _is_enumeration(schema: Node) -> bool:
    """Enumerations of strings are classes; one of other values is its plain type."""
    values = [value for value in schema.get("enum", ()) if value is not None]
    return bool(values) and all(isinstance(value, str) for value in values)


def _without_remarks(schema: Json) -> Json:
    """A schema without the parts of its `allOf` that only describe: it says what they say."""
    if not isinstance(schema, dict) or len(schema.get("allOf", ())) < 2:
        return schema
    said = [part for part in schema["allOf"] if part.keys() <= _REMARKS]
    rest = [part for part in schema["allOf"] if part not in said]
    if len(rest) != 1 or "$ref" not in rest[0]:
        return schema
    own: Node = {}
    for part in said:
        own |= part
    return {**own, **schema, "allOf": rest}


def _is_reference(schema: Json) -> bool:
    if not isinstance(schema, dict) or len(schema.get("allOf", ())) != 1:
        return False
    return "$ref" in schema["allOf"][0] and not ({"properties", "items", "enum"} & schema.keys())


def _has_own_class(schema: Json) -> bool:
    if not isinstance(schema, dict):
        return False
    composed = any(keyword in schema for keyword in _COMPOSED)
    return composed or "properties" in schema or _is_enumeration(schema)


def _nullable_if(target: Json, reference: Node) -> Node:
    """A reference to something nullable says so itself."""
    return {"nullable": True, "allOf": [reference]} if target.get("nullable") else reference


def _with_default(schema: Node) -> str:
    text = str(schema.get("description", "")).strip()
    said = f"Default of the server: `{text_of(schema['default'])}`."
    return f"{text}\n\n{said}" if text else said


def annotation(schema: Node) -> str:
    """The type of a normalised schema, as Python source."""
    text = _plain_annotation(schema)
    return f"{text} | None" if schema.get("nullable") and text != "object" else text


def _plain_annotation(schema: Node) -> str:
    if "$ref" in schema:
        return f"models.{schema['$ref'].rpartition('/')[2]}"
    if len(schema.get("allOf", ())) == 1:
        return _plain_annotation(schema["allOf"][0])
    kind, form = schema.get("type"), schema.get("format")
    if kind == "array":
        return f"list[{annotation(schema.get('items', {}))}]"
    if kind == "object":
        others = schema.get("additionalProperties")
        return f"dict[str, {annotation(others) if isinstance(others, dict) else 'object'}]"
    return _SCALARS.get((str(kind), form)) or _SCALARS.get((str(kind), None)) or "object"


def is_object(schema: Node) -> bool:
    """Whether a shape is an object with members of its own."""
    return "properties" in schema or "allOf" in schema


def is_enumeration(schema: Node) -> bool:
    """Whether a shape is an enumeration of texts."""
    return _is_enumeration(schema)


def is_class(schema: Node) -> bool:
    """Whether a shape is more than another name for a plain type."""
    return _has_own_class(schema)


def limits_of(schema: Node) -> Node:
    """The limits of a value, by their keywords."""
    return {key: value for key, value in schema.items() if key in LIMITS}


def limits_text(schema: Node) -> str:
    """The limits of a value for people: `1 to 255 characters`."""
    said = []
    for lower, upper, unit in _RANGES:
        least, most = schema.get(lower), schema.get(upper)
        if least is not None and most is not None:
            said.append(f"{least} to {most}{unit}")
        elif least is not None:
            said.append(f"at least {least}{unit}")
        elif most is not None:
            said.append(f"at most {most}{unit}")
    if "multipleOf" in schema:
        said.append(f"a multiple of {schema['multipleOf']}")
    if "pattern" in schema:
        said.append(f"matching `{schema['pattern']}`")
    return "; ".join(said)


_RANGES: Final = (
    ("minLength", "maxLength", " characters"),
    ("minimum", "maximum", ""),
    ("minItems", "maxItems", " items"),
)
