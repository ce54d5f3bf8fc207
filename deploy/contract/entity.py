"""
What a contract makes: the entity behind its queue and its table, as the consumer needs to know it.

Read off the integrations, so that the deployable copy says it as well as the document: the one
operation that sends to `${QueueName}` takes the entity, the one that gets an item returns it.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from deploy.contract.document import Contract, ContractError, Operation, join
from deploy.contract.finding import Problem, located
from deploy.contract.operations import INTEGRATION

MAX_TEXT_BYTES: Final = 3_500
"""What an entity's text may have: a function's variables hold 4 KB, of which some are taken.

Source: AWS Lambda Developer Guide, "Working with Lambda environment variables".
"""

# What items and receipts have beside the entity's own members; consumer/store.py writes it.
_RESERVED: Final = frozenset(
    {
        "callerAccount",
        "createdAt",
        "expiresAt",
        "failure",
        "messageId",
        "outcome",
        "recordedAt",
        "requestHash",
        "schemaVersion",
    }
)
_REFERENCE: Final = "#/components/schemas/"
# What is the consumer's to check: the shape, and the limits that API Gateway's validation leaves
# out (Developer Guide, "Amazon API Gateway important notes").
_SCALARS: Final = ("required", "maxItems")
_TYPES: Final = ("array", "boolean", "integer", "number", "object", "string")
_PARAMETER: Final = re.compile(r"\{([^}+]+)\+?\}")
_WORD: Final = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")


@dataclass(frozen=True, slots=True)
class Entity:
    """
    What the accepted requests of a contract make.

    Attributes:
        name: What it is called in texts, as `purchase order`.
        path: The path that takes it, as `/purchase-orders`.
        id_name: Name of its identifier, as `purchaseOrderId`: path parameter and table key.
        body: Schema of the accepted body: JSON Schema's `type`, `properties`, `required`, `items`,
            `additionalProperties` and `maxItems`; `$ref` is a key of `schemas`.
        schemas: The schemas that it refers to.
        example: The contract's `example` of a body, if it has one.
    """

    name: str
    path: str
    id_name: str
    body: Mapping[str, Any]
    schemas: Mapping[str, Mapping[str, Any]]
    example: object = None

    @property
    def collection(self) -> str:
        """Last segment of its path that is no parameter, as `purchase-orders`."""
        return _PARAMETER.sub("", self.path).strip("/").rpartition("/")[2]

    @property
    def result_name(self) -> str:
        """Name of the attribute by which a receipt points to the entity, as `resultUserId`."""
        return f"result{self.id_name[:1].upper()}{self.id_name[1:]}"

    @property
    def text(self) -> str:
        """The entity as `consumer.entity.read_entity` takes it: JSON, the same on every run."""
        members = {
            "name": self.name,
            "id": self.id_name,
            "body": self.body,
            "schemas": self.schemas,
        }
        return json.dumps(members, sort_keys=True, separators=(",", ":"))


def entity(contract: Contract) -> Entity:
    """
    Return what a contract makes.

    Args:
        contract: A document without structural faults.

    Raises:
        ContractError: It does not say what it makes, or something that the consumer cannot make.
            Each line of the text has the file, the line and the reason.
    """
    found, problems = _examined(contract)
    if found is None or problems:
        raise ContractError("\n".join(str(located(contract, "entity", each)) for each in problems))
    return found


def can_be_made(contract: Contract) -> Iterator[Problem]:
    """What the queue takes and the table returns is one entity, which the consumer can make."""
    if makes_entity(contract):
        yield from _examined(contract)[1]


def makes_entity(contract: Contract) -> bool:
    """Return whether a contract sends to the queue and gets items, so that it makes an entity."""
    return bool(_creates(contract) and _reads(contract))


def _examined(contract: Contract) -> tuple[Entity | None, list[Problem]]:
    creates, reads = _creates(contract), _reads(contract)
    problems = [
        *_unless_one(creates, "sends to ${QueueName}"),
        *_unless_one(reads, "gets an item of the table (`dynamodb:action/GetItem`)"),
    ]
    if problems:
        return None, problems
    found = _entity(contract, creates[0], reads[0])
    return found, list(_problems(contract, creates[0], reads[0], found))


def _creates(contract: Contract) -> list[Operation]:
    return [each for each in contract.operations() if "/${QueueName}" in _uri(each, ":sqs:path/")]


def _reads(contract: Contract) -> list[Operation]:
    return [each for each in contract.operations() if _uri(each, ":dynamodb:action/GetItem")]


def _uri(operation: Operation, service: str) -> str:
    """Return where an operation is integrated, or nothing if that is another service."""
    uri = str(operation.node.get(INTEGRATION, {}).get("uri", ""))
    return uri if service in uri else ""


def _unless_one(found: list[Operation], what: str) -> Iterator[Problem]:
    remedy = "The consumer makes one entity: one operation takes it, and one returns it"
    if not found:
        yield Problem("/paths", f"no operation {what}", remedy)
    for operation in found[1:]:
        message = f"{operation.name} {what}, and so does {found[0].name}"
        yield Problem(operation.pointer, message, remedy)


def _entity(contract: Contract, create: Operation, read: Operation) -> Entity:
    id_name = (_PARAMETER.findall(read.path) or [""])[-1]
    words = [word.lower() for word in _WORD.findall(id_name)]
    body = _body(contract, create)
    schemas = _Schemas(contract)
    return Entity(
        name=" ".join(words[:-1] if words[-1:] == ["id"] and words[1:] else words),
        path=create.path,
        id_name=id_name,
        body=schemas.inline(body.get("schema", {})),
        schemas=schemas.named,
        example=body.get("example"),
    )


def _body(contract: Contract, create: Operation) -> Mapping[str, Any]:
    content = contract.resolve(create.node.get("requestBody", {})).get("content", {})
    media_type: Mapping[str, Any] = content.get("application/json", {})
    return media_type


def _problems(
    contract: Contract, create: Operation, read: Operation, found: Entity
) -> Iterator[Problem]:
    if len(_PARAMETER.findall(read.path)) != 1:
        message = f"the path of {read.name} must have one parameter, the identifier"
        yield Problem(read.pointer, message, "Write it like /orders/{orderId}")
    reference = _body(contract, create).get("schema", {}).get("$ref", "")
    at = reference.removeprefix("#") or join(create.pointer, "requestBody")
    if not found.body.get("properties"):
        message = f"the body of {create.name} has no schema with `properties`"
        yield Problem(at, message, "Name the members of application/json there")
    reserved = _RESERVED | {found.id_name, found.result_name}
    for name in sorted(reserved.intersection(found.body.get("properties", {}))):
        message = f"the item in the table has a `{name}` of its own"
        yield Problem(join(at, "properties", name), message, "Give the member another name")
    if len(found.text) > MAX_TEXT_BYTES:
        message = f"the schema of the body is too large: {len(found.text)} bytes in short form"
        remedy = f"Have at most {MAX_TEXT_BYTES}: it is a variable of the function"
        yield Problem(at, message, remedy)


class _Schemas:
    """
    Copies what the consumer needs of schemas.

    Attributes:
        named: The schemas of `components` that were met, by name: one may refer to itself.
    """

    def __init__(self, contract: Contract) -> None:
        self.named: dict[str, Mapping[str, Any]] = {}
        self._contract = contract

    def inline(self, node: Mapping[str, Any]) -> dict[str, Any]:
        """Return the short form of a schema, or of what it refers to."""
        parts = [self.inline(part) for part in self._contract.resolve(node).get("allOf", [])]
        whole: dict[str, Any] = {}
        for part in (*parts, self._own(self._contract.resolve(node))):
            whole = _merged(whole, part)
        return whole

    def _own(self, node: Mapping[str, Any]) -> dict[str, Any]:
        kept = {key: node[key] for key in _SCALARS if key in node}
        if node.get("type") in _TYPES:
            kept["type"] = node["type"]
        if isinstance(node.get("properties"), Mapping):
            properties = node["properties"].items()
            kept["properties"] = {name: self._member(member) for name, member in properties}
        for key in ("items", "additionalProperties"):
            if isinstance(node.get(key), Mapping):
                kept[key] = self._member(node[key])
        if node.get("additionalProperties") is True:
            kept["additionalProperties"] = {}
        return kept

    def _member(self, node: Mapping[str, Any]) -> dict[str, Any]:
        reference = str(node.get("$ref", ""))
        name = reference.removeprefix(_REFERENCE)
        if not reference.startswith(_REFERENCE):
            return self.inline(node)
        if name not in self.named:
            self.named[name] = {}  # before its members: they may refer to it
            self.named[name] = self.inline(node)
        return {"$ref": name}


def _merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema that demands what both do, as `allOf` says."""
    whole = {**first, **second}
    if properties := {**first.get("properties", {}), **second.get("properties", {})}:
        whole["properties"] = properties
    if required := sorted({*first.get("required", ()), *second.get("required", ())}):
        whole["required"] = required
    return whole
