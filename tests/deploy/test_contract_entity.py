"""What a contract makes, read off its integrations."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from consumer.entity import read_entity
from deploy.contract import Contract, ContractError, Entity, deployable, entity, load

OURS = Path(__file__).parents[2] / "openapi.yaml"
TEXT = OURS.read_text("utf-8")


def contract_of(tmp_path: Path, *edits: tuple[str, str]) -> Contract:
    """Our contract with some text replaced."""
    text = TEXT
    for before, after in edits:
        assert before in text, before
        text = text.replace(before, after)
    file = tmp_path / "api.yaml"
    file.write_text(text, "utf-8")
    return load(file)


def refusal(tmp_path: Path, *edits: tuple[str, str]) -> str:
    """What is said of our contract with some text replaced."""
    with pytest.raises(ContractError) as refused:
        entity(contract_of(tmp_path, *edits))
    return str(refused.value).replace(f"{tmp_path}/", "")


def test_our_contract_makes_users() -> None:
    """Name, path and identifier are those of the operations at both ends of the chain."""
    made = entity(load(OURS))
    assert (made.name, made.path, made.collection) == ("user", "/users", "users")
    assert (made.id_name, made.result_name) == ("userId", "resultUserId")


@pytest.mark.parametrize(
    ("identifier", "name"),
    [("orderId", "order"), ("purchaseOrderId", "purchase order"), ("sku", "sku"), ("id", "id")],
)
def test_the_identifier_names_the_entity(tmp_path: Path, identifier: str, name: str) -> None:
    """What it is called in texts is the identifier's name without `Id`."""
    made = entity(contract_of(tmp_path, ("userId", identifier)))
    assert (made.id_name, made.name) == (identifier, name)


def test_the_consumer_gets_what_it_checks_and_no_more() -> None:
    """Types, members, `required` and `maxItems`; patterns and descriptions are the gateway's."""
    made = json.loads(entity(load(OURS)).text)
    assert made["body"]["properties"]["email"] == {"type": "string"}
    assert made["body"]["properties"]["tags"]["maxItems"] == 50
    assert made["schemas"].keys() == {"Address"}


def test_the_consumer_reads_what_is_written() -> None:
    """Both sides of the variable agree."""
    made = entity(load(OURS))
    read = read_entity(made.text)
    assert (read.name, read.id_name, read.result_name) == ("user", "userId", "resultUserId")
    assert (read.body, read.schemas) == (made.body, made.schemas)


def test_the_deployable_copy_makes_the_same(tmp_path: Path) -> None:
    """It has no links, shared responses or examples, and says what it makes all the same."""
    names = ("AccountId", "ApiRoleArn", "Partition", "QueueName", "Region", "TableName")
    copy = deployable(load(OURS), {name: f"${{{name}}}" for name in names})
    file = tmp_path / "copy.json"
    file.write_text(json.dumps(copy))
    assert entity(load(file)) == replace(entity(load(OURS)), example=None)


def body(tmp_path: Path, schema: str) -> Entity:
    """The entity of our contract with another schema in place of the telephone number."""
    phone = TEXT[TEXT.index("        phone:\n") : TEXT.index("        address: {$ref")]
    return entity(contract_of(tmp_path, (phone, f"        phone: {schema}\n")))


def test_a_schema_may_refer_to_itself(tmp_path: Path) -> None:
    """A tree is passed on by name, not written out for ever."""
    address = (
        "        city: {type: string",
        "        parent: {$ref: '#/components/schemas/Address'}",
    )
    city = TEXT[TEXT.index(address[0]) :].partition("\n")[0]
    made = entity(contract_of(tmp_path, (city, f"{city}\n{address[1]}")))
    assert made.schemas["Address"]["properties"]["parent"] == {"$ref": "Address"}


def test_the_parts_of_a_whole_are_put_together(tmp_path: Path) -> None:
    """`allOf` demands what all its parts do."""
    parts = (
        "{allOf: [{type: object, required: [a], properties: {a: {type: string}}},"
        " {required: [b], properties: {b: {type: integer}}}]}"
    )
    assert body(tmp_path, parts).body["properties"]["phone"] == {
        "type": "object",
        "required": ["a", "b"],
        "properties": {"a": {"type": "string"}, "b": {"type": "integer"}},
    }


@pytest.mark.parametrize(
    ("schema", "short"),
    [
        ("{type: object, additionalProperties: {type: number}}",) * 2,
        ("{type: object, additionalProperties: true}", "{type: object, additionalProperties: {}}"),
        ("{type: object, additionalProperties: false}", "{type: object}"),
        ("{oneOf: [{type: string}, {type: integer}]}", "{}"),
    ],
)
def test_what_may_be_anything_stays_so(tmp_path: Path, schema: str, short: str) -> None:
    """Maps keep the type of their values; of alternatives nothing is checked again."""
    made = body(tmp_path, schema)
    expected = load(_file(tmp_path, f"phone: {short}")).document
    assert made.body["properties"]["phone"] == expected["phone"]


def _file(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "expected.yaml"
    file.write_text(text)
    return file


def test_one_entity_is_made(tmp_path: Path) -> None:
    """An operation too many or too few is located, and all problems are told at once."""
    text = refusal(tmp_path, ("${QueueName}", "fixed"), ("action/GetItem", "action/Scan"))
    queue, table = text.splitlines()
    line = load(OURS).line("/paths")
    assert queue.startswith(
        f"api.yaml:{line}: entity: /paths: no operation sends to ${{QueueName}}"
    )
    assert "no operation gets an item of the table (`dynamodb:action/GetItem`)" in table
    assert "getUser gets an item of the table (`dynamodb:action/GetItem`), and so does" in refusal(
        tmp_path, ("action/Query", "action/GetItem")
    )


@pytest.mark.parametrize("name", ["messageId", "outcome", "expiresAt", "userId", "resultUserId"])
def test_a_member_of_the_items_own_is_refused(tmp_path: Path, name: str) -> None:
    """It would be taken for what the templates, the consumer or the table's expiry look at."""
    text = refusal(tmp_path, ("        phone:\n", f"        {name}:\n"))
    assert f"NewUser/properties/{name}: the item in the table has a `{name}` of its own" in text


def test_an_identifier_alone_is_the_key(tmp_path: Path) -> None:
    """The table has one key, so the path has one parameter."""
    text = refusal(tmp_path, ("/users/{userId}:", "/teams/{team}/users/{userId}:"))
    assert "the path of getUser must have one parameter, the identifier" in text


def test_a_body_without_members_is_refused(tmp_path: Path) -> None:
    """There would be nothing to store."""
    schema = "{$ref: '#/components/schemas/NewUser'}"
    text = refusal(
        tmp_path, (f"            schema: {schema}", "            schema: {type: object}")
    )
    assert "the body of createUser has no schema with `properties`" in text


def test_a_schema_too_large_for_a_variable_is_refused(tmp_path: Path) -> None:
    """Lambda would refuse it only when deploying."""
    members = "".join(f"        member{n}: {{type: string}}\n" for n in range(200))
    text = refusal(tmp_path, ("        phone:\n", f"{members}        phone:\n"))
    assert "the schema of the body is too large" in text
