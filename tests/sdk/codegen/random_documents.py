"""
Documents at random, within the rules, each with an example of everything that it describes.

Every parameter, body and answer carries an example, so that `service.Service` can play the service,
and what comes back can be compared.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import quote

from hypothesis import strategies as st

from codegen import _names
from codegen._document import join

Node = dict[str, Any]

_NAMES = (
    *("id", "name", "class", "self", "timeout", "client", "schema", "json", "copy", "body", "2fa"),
    *("model_config", "_hidden", "created-at", "größe", "None", "list", "x-kind", "URL", "fooBar"),
    *("type", "value", "from", "a.b", "dict", "validate", "ключ", "construct", "mapping", "Field"),
)
_TEXTS = ("a", "Ada Lovelace", "ä € 🙂", 'quo"te', "a/b?c#d", "100 %", "x&y=z", "\\n", "true", "1")
_HEADER_IDS = ("7", "t/1 ?", "a-b")
_IDS = ("7", "j/1 ä", "a b", "..x", "%41", "x+y", "a;b,c")
_WORDS = ("Crate", "invoice-line", "zebra", "Order", "print job", "Widget2", "user", "Message")
_PENDING = ("pending", "QUEUED", "In-Progress", "in progress", "Created", "working", "new")
_SUCCEEDED = ("SUCCEEDED", "done", "Ready", "complete")
_FAILED = ("failed", "TimedOut", "timed-out", "cancelled", "Errored")
_ODD_STATES = ("spooled", "hatched", "odd one", "0", "on")
_REASONS = ("error", "reason", "problem", "fault", "failure", "message")


class Described(NamedTuple):
    """A schema and a value that it describes."""

    schema: Node
    example: Any


def _text(draw: st.DrawFn) -> Described:
    example = draw(st.sampled_from(_TEXTS))
    limits = draw(st.sampled_from(({}, {"minLength": 1}, {"maxLength": 40, "minLength": 0})))
    return Described({"type": "string", **limits}, example)


def _enumeration(draw: st.DrawFn) -> Described:
    values = draw(st.lists(st.sampled_from((*_NAMES, *_TEXTS)), min_size=1, unique=True))
    example = draw(st.sampled_from((*values, "not listed")))
    # A value that is not listed may come from a newer server, and be sent back.
    return Described({"type": "string", "enum": values}, example)


_FORMATTED: tuple[Described, ...] = (
    Described({"type": "string", "format": "uuid"}, "6a1b1c1e-0000-4000-8000-000000000000"),
    Described({"type": "string", "format": "date"}, "2026-02-28"),
    Described({"type": "string", "format": "date-time"}, "2026-02-28T23:59:59Z"),
    Described({"type": "string", "format": "decimal"}, "12.50"),
    Described({"type": "string", "format": "uri"}, "http://a/b?c"),
    Described({"type": "string", "format": "email"}, "ada@example.com"),
    Described({"type": "integer", "format": "int64", "minimum": -5}, 9007199254740993),
    Described({"type": "integer", "enum": [1, 2, 3]}, 3),
    Described({"type": "number", "maximum": 7}, 1.5),
    Described({"type": "boolean", "default": False}, True),
)


def _scalar(draw: st.DrawFn) -> Described:
    kind: Callable[[st.DrawFn], Described] = draw(st.sampled_from((_text, _enumeration)))
    return draw(st.sampled_from((None, *_FORMATTED))) or kind(draw)


def _names_of(draw: st.DrawFn, most: int) -> list[str]:
    unique_by = _names.field_name
    return draw(st.lists(st.sampled_from(_NAMES), max_size=most, unique_by=unique_by))


def _object(draw: st.DrawFn, components: dict[str, Described], depth: int) -> Described:
    properties: Node = {}
    example: Node = {}
    names = _names_of(draw, 4)
    required = [name for name in names if draw(st.booleans())]
    for name in names:
        member = _any(draw, components, depth - 1)
        nullable = "$ref" not in member.schema and draw(st.booleans())
        properties[name] = {**member.schema, **({"nullable": True} if nullable else {})}
        if nullable and draw(st.booleans()):
            example[name] = None
        elif name in required or draw(st.booleans()):
            example[name] = member.example
    schema: Node = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    if draw(st.booleans()):
        schema["description"] = draw(st.sampled_from(_TEXTS))
    return Described(schema, example)


def _map(draw: st.DrawFn, components: dict[str, Described], depth: int) -> Described:
    value = _any(draw, components, depth - 1)
    return Described(
        {"type": "object", "additionalProperties": value.schema},
        {"a": value.example, "B c": value.example},
    )


def _array(draw: st.DrawFn, components: dict[str, Described], depth: int) -> Described:
    item = _any(draw, components, depth - 1)
    limits = draw(st.sampled_from(({}, {"maxItems": 5})))
    return Described({"type": "array", "items": item.schema, **limits}, [item.example] * 2)


def _whole(draw: st.DrawFn, components: dict[str, Described], depth: int) -> Described:
    """An `allOf` of a component, if there is one that is an object, and members of its own."""
    bases = [
        name
        for name, it in components.items()
        if "properties" in it.schema and "additionalProperties" not in it.schema
    ]
    own = _object(draw, components, depth)
    if not bases:
        return own
    base = components[draw(st.sampled_from(bases))]
    inherited = {_names.field_name(name) for name in base.schema["properties"]}
    kept = {
        n: s for n, s in own.schema["properties"].items() if _names.field_name(n) not in inherited
    }
    part: Node = {"type": "object", "properties": kept}
    reference = {"$ref": f"#/components/schemas/{_key_of(components, base)}"}
    example = {**base.example, **{n: v for n, v in own.example.items() if n in kept}}
    return Described({"allOf": [reference, part]}, example)


def _extended(draw: st.DrawFn, components: dict[str, Described], depth: int) -> Described:
    """An object with members that are not listed, of one type."""
    own, extra = _object(draw, components, depth), _any(draw, components, 0)
    schema = {**own.schema, "additionalProperties": extra.schema}
    return Described(schema, {**own.example, "not listed": extra.example})


def _union(draw: st.DrawFn, name: str, components: dict[str, Described]) -> Described:
    """A `oneOf` of two new components that a member tells apart; an answer may have a third."""
    mapping = {}
    examples: list[Any] = [{"kind": "newer", "anything": [1]}]
    for tag in ("first-kind", "second"):
        part = _object(draw, {}, 1)
        properties = {**part.schema["properties"], "kind": {"type": "string"}}
        key = f"{name}_{tag}"
        schema = {"type": "object", "required": ["kind"], "properties": properties}
        components[key] = Described(schema, {**part.example, "kind": tag})
        mapping[tag] = f"#/components/schemas/{key}"
        examples.append(components[key].example)
    parts = [{"$ref": reference} for reference in mapping.values()]
    discriminator = {"propertyName": "kind", "mapping": mapping}
    union = {"oneOf": parts, "discriminator": discriminator}
    return Described(union, draw(st.sampled_from(examples)))


def _key_of(components: dict[str, Described], wanted: Described) -> str:
    return next(name for name, it in components.items() if it is wanted)


def _any(draw: st.DrawFn, components: dict[str, Described], depth: int) -> Described:
    if depth <= 0:
        return _scalar(draw)
    if bool(components) and draw(st.booleans()):
        name = draw(st.sampled_from(sorted(components)))
        return Described({"$ref": f"#/components/schemas/{name}"}, components[name].example)
    kind = draw(st.sampled_from((_object, _array, _map, None)))
    return _scalar(draw) if kind is None else kind(draw, components, depth)


def _components(draw: st.DrawFn) -> dict[str, Described]:
    """Components that refer to those before them, and to themselves."""
    components: dict[str, Described] = {}
    for word in draw(st.lists(st.sampled_from(_WORDS), max_size=4, unique=True)):
        name = word.replace(" ", "_")
        if draw(st.integers(0, 4)) == 0:
            components[name] = _union(draw, name, components)
            continue
        made = draw(st.sampled_from((_object, _whole, _map, _extended)))(draw, components, 2)
        if "properties" in made.schema and draw(st.booleans()):
            itself = {"nullable": True, "allOf": [{"$ref": f"#/components/schemas/{name}"}]}
            made.schema["properties"]["next one"] = itself
            made.example["next one"] = None
        components[name] = made
    return components


class _Home(NamedTuple):
    """The path of a resource, its parameters, and what links give them."""

    path: str
    parameters: list[Node]
    arguments: dict[str, str]


def _path_parameter(name: str, example: str) -> Node:
    schema = {"type": "string"}
    return {"name": name, "in": "path", "required": True, "schema": schema, "example": example}


def _reference_to(path: str) -> str:
    """An `operationRef`: a JSON pointer, percent-encoded."""
    return "#" + quote(join("/paths", path, "get"), safe="/~")


def _job(key: str) -> Described:
    inner = {"type": "object", "properties": {"id": {"type": "string"}}}
    return Described({"type": "object", "properties": {"job": inner}}, {"job": {"id": key}})


class _Api:
    """A document while it is made."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.components = _components(draw)
        self.paths: dict[str, Node] = {}

    def chance(self) -> bool:
        """Draw a yes or no."""
        return self.draw(st.booleans())

    def content(self, described: Described) -> Node:
        """A JSON body with its example."""
        kind = self.draw(st.sampled_from(("application/json", "application/vnd.a+json")))
        return {kind: {"schema": described.schema, "example": described.example}}

    def body(self) -> Node:
        """A request body; its root is what a method takes first."""
        described = _whole(self.draw, self.components, 2)
        return {"required": self.chance(), "content": self.content(described)}

    def errors(self) -> Node:
        """The answers that are errors."""
        statuses = self.draw(
            st.lists(st.sampled_from(("404", "409", "4XX", "default")), unique=True)
        )
        return {
            status: {
                "description": "No.",
                "content": self.content(_object(self.draw, self.components, 1)),
            }
            for status in statuses
        }

    def parameters(self) -> list[Node]:
        """Query and header parameters, each with its example."""
        found: list[Node] = []
        for name in _names_of(self.draw, 3):
            place = self.draw(st.sampled_from(("query", "header")))
            described = _scalar(self.draw)
            if place == "header" or described.example == "":
                name = f"X-{_names.field_name(name).strip('_')}".encode("ascii", "ignore").decode()
                described = Described({"type": "string"}, "plain")
            elif self.chance():
                described = Described(
                    {"type": "array", "items": described.schema}, [described.example] * 2
                )
            if any(
                _names.parameter_name(it["name"]) == _names.parameter_name(name) for it in found
            ):
                continue
            found.append(
                {
                    "name": name,
                    "in": place,
                    "required": self.chance(),
                    "schema": described.schema,
                    "example": described.example,
                }
            )
        return found

    def identified(self, number: int, verb: str) -> Node:
        """An `operationId`, or none."""
        style = self.draw(st.sampled_from(("{}Thing{}", "{}-thing-{}", "{}.thing.{}", "")))
        return {"operationId": style.format(verb, number)} if style else {}

    def add_plain(self, number: int) -> None:
        """An operation that answers at once."""
        method = self.draw(st.sampled_from(("get", "put", "delete", "post")))
        operation: Node = {**self.identified(number, method), "parameters": self.parameters()}
        if method in ("put", "post"):
            operation["requestBody"] = self.body()
        if self.chance():
            success: Node = {"200": self._answer(_whole(self.draw, self.components, 2))}
        else:
            success = {"204": {"description": "Done."}}
        operation["responses"] = {**success, **self.errors()}
        if self.chance():
            operation["deprecated"] = True
        if self.chance():
            operation["security"] = []
        self.paths[f"/plain{number}"] = {method: operation}

    def _answer(self, described: Described) -> Node:
        return {"description": "Yes.", "content": self.content(described)}

    def add_asynchronous(self, number: int) -> None:
        """A start, its status operation, and its result: fetched or embedded."""
        home = self._home(number)
        key = self.draw(st.sampled_from(_IDS))
        job_path = f"{home.path}/jobs/{{job-id}}"
        identity = self.identified(number, "track")
        link: Node = {"parameters": {"job-id": "$response.body#/job/id", **home.arguments}}
        if identity and self.chance():
            link |= {"operationId": identity["operationId"]}
        else:
            link |= {"operationRef": _reference_to(job_path)}
        accepted: Node = {"description": "Accepted.", "links": {"anything": link}}
        if self.chance():
            key = self.draw(st.sampled_from(_HEADER_IDS))
            link["parameters"] = {"path.job-id": "$response.header.X-Job", **home.arguments}
            accepted["headers"] = {"X-Job": {"schema": {"type": "string"}, "example": key}}
        accepted["content"] = self.content(_job(key))
        start: Node = {**self.identified(number, "start"), "parameters": self.parameters()}
        start["parameters"] += home.parameters
        if self.chance():
            start["requestBody"] = self.body()
        start["responses"] = {"202": accepted, **self.errors()}
        self.paths[f"{home.path}/things"] = {"post": start}
        status, extension = self._status(number, home)
        parameters = [_path_parameter("job-id", key), *home.parameters]
        tracked = {**identity, "parameters": parameters, "responses": {"200": status}}
        self.paths[job_path] = {"get": tracked}
        if extension:
            link["x-async"] = extension

    def _home(self, number: int) -> _Home:
        """Where a resource is: at the root, or below an owner whom the request names."""
        if self.chance():
            return _Home(f"/r{number}", [], {})
        owner = _path_parameter("owner.id", self.draw(st.sampled_from(_IDS)))
        arguments = {"owner.id": "$request.path.owner.id"}
        return _Home(f"/r{number}/{{owner.id}}", [owner], arguments)

    def _status(self, number: int, home: _Home) -> tuple[Node, Node]:
        """The status answer, and what `x-async` must say."""
        properties, values, extension = self._states()
        name = next(iter(properties))
        pending, succeeded = values
        result = _whole(self.draw, self.components, 2)
        answer: Node = {"description": "The state.", "links": {}}
        if self.chance():
            properties["made"] = {"type": "string", "nullable": True}
            key = self.draw(st.sampled_from(_IDS))
            last = {name: succeeded, "made": key}
            path = f"{home.path}/things/{{thing}}"
            parameters = {"thing": "$response.body#/made", **home.arguments}
            answer["links"]["result"] = {
                "operationRef": _reference_to(path),
                "parameters": parameters,
            }
            parameter = _path_parameter("thing", key)
            self.paths[path] = {
                "get": {
                    **self.identified(number, "get"),
                    "parameters": [parameter, *home.parameters],
                    "responses": {"200": self._answer(result), **self.errors()},
                }
            }
        else:
            properties["outcome"] = result.schema
            last = {name: succeeded, "outcome": result.example}
            extension["result"] = "$response.body#/outcome"
        states = [{name: state} for state in pending] + [last]
        examples = {f"poll {index}": {"value": value} for index, value in enumerate(states)}
        schema = {"type": "object", "required": [name], "properties": properties}
        answer["content"] = {"application/json": {"schema": schema, "examples": examples}}
        return answer, extension

    def _states(self) -> tuple[Node, tuple[list[str], str], Node]:
        """The state's property (and a reason's), the states of a run, and the extension."""
        name = self.draw(st.sampled_from(("state", "status", "phase", "class")))
        properties: Node = {}
        extension: Node = {}
        pending = self.draw(st.lists(st.sampled_from(_PENDING), min_size=1, unique=True))
        succeeded = self.draw(st.sampled_from(_SUCCEEDED))
        failed = self.draw(st.lists(st.sampled_from(_FAILED), unique=True))
        if self.chance():
            odd = self.draw(st.lists(st.sampled_from(_ODD_STATES), min_size=2, unique=True))
            extension = {"pending": odd[1:], "succeeded": odd[:1]}
            pending, succeeded = [*pending, *odd[1:]], odd[0]
        properties[name] = {"type": "string", "enum": [*pending, *failed, succeeded]}
        if self.chance():
            properties["kind"] = {"type": "string", "enum": ["job"]}
            extension["state"] = f"$response.body#/{name}"
        reason = self.draw(st.sampled_from(_REASONS))
        properties[reason] = {"type": "object", "properties": {"code": {"type": "string"}}}
        unknown = self.draw(st.sampled_from(([], ["newer than the document"])))
        return properties, ([*pending, *unknown], succeeded), extension

    def document(self) -> Node:
        """The whole."""
        for number in range(self.draw(st.integers(1, 3))):
            self.draw(st.sampled_from((self.add_plain, self.add_asynchronous)))(number)
        title = self.draw(st.sampled_from(("Zebra API", "the print-shop", "2nd Try", "API of Ä")))
        schemas = {name: it.schema for name, it in self.components.items()}
        return {
            "openapi": self.draw(st.sampled_from(("3.0.0", "3.0.1", "3.0.3"))),
            "info": {"title": title, "version": "1"},
            "servers": [{"url": "/"}],
            "security": [{"bearer": []}],
            "paths": self.paths,
            "components": {
                "schemas": schemas,
                "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            },
        }


@st.composite
def documents(draw: st.DrawFn) -> Node:
    """OpenAPI documents within the rules of docs/reference/asynchronous-operations.md."""
    return _Api(draw).document()
