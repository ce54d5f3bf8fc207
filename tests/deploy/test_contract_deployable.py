"""The deployable copy: what API Gateway's import knows, filled in, and nothing else."""

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate

from deploy.contract import PLACEHOLDERS, Contract, ContractError, deployable, load

ROOT = Path(__file__).parents[2]
VALUES = {name: f"<{name}>" for name in PLACEHOLDERS}


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load(ROOT / "openapi.yaml")


def nodes(node: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    yield pointer, node
    if isinstance(node, dict | list):
        members = node.items() if isinstance(node, dict) else enumerate(node)
        for key, value in members:
            yield from nodes(value, f"{pointer}/{key}")


def test_only_known_extensions_are_left(contract: Contract) -> None:
    """Neither our own extensions nor links, servers or tags are deployed."""
    pointers = [pointer for pointer, _ in nodes(deployable(contract, VALUES))]
    keys = {pointer.rpartition("/")[2] for pointer in pointers}
    assert not {key for key in keys if re.match(r"x-(?!amazon-apigateway-)", key)}
    assert not keys & {"links", "servers", "callbacks", "externalDocs", "example", "examples"}
    assert set(deployable(contract, VALUES)) >= {"openapi", "info", "paths", "components"}
    assert "tags" not in deployable(contract, VALUES)


def test_a_property_may_have_the_name_of_a_keyword(contract: Contract) -> None:
    """What is dropped is told by its place: a property `tags` or `example` stays."""
    changed = with_document(contract)
    properties = changed.document["components"]["schemas"]["User"]["properties"]
    properties["example"] = {"type": "string", "example": "x", "x-own": 1, "format": "int64"}
    schemas = deployable(changed, VALUES)["components"]["schemas"]
    assert schemas["User"]["properties"]["example"] == {"type": "string"}
    assert "tags" in schemas["User"]["properties"]


def test_the_copy_is_still_openapi(contract: Contract) -> None:
    """What is left is a valid document of its own."""
    validate(deployable(contract, VALUES))


def test_extensions_among_paths_and_statuses_go(contract: Contract) -> None:
    """Where paths and statuses stand, nothing else does."""
    changed = with_document(contract)
    changed.document["paths"]["x-note"] = 1
    changed.document["paths"]["/users"]["post"]["responses"]["x-note"] = 1
    assert deployable(changed, VALUES) == deployable(contract, VALUES)


def test_references_lead_to_schemas_only(contract: Contract) -> None:
    """Shared responses, headers and parameters are written out; schemas become models."""
    references = {
        node for pointer, node in nodes(deployable(contract, VALUES)) if pointer.endswith("/$ref")
    }
    assert references
    assert all(reference.startswith("#/components/schemas/") for reference in references)
    assert set(deployable(contract, VALUES)["components"]) == {"schemas", "securitySchemes"}


def test_a_written_out_response_keeps_its_headers_and_model(contract: Contract) -> None:
    """The response to a throttled request declares what a mapping sets."""
    responses = deployable(contract, VALUES)["paths"]["/users"]["post"]["responses"]
    assert responses["503"]["headers"].keys() == {"Content-Type", "Retry-After"}
    assert responses["503"]["headers"]["Retry-After"]["schema"] == {"type": "integer"}
    schema = responses["503"]["content"]["application/problem+json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/Problem"}


def test_a_parameter_keeps_what_the_import_keeps(contract: Contract) -> None:
    """The pattern of a path parameter would be dropped, so it is not promised."""
    (parameter,) = deployable(contract, VALUES)["paths"]["/users/{userId}"]["get"]["parameters"]
    assert parameter["schema"] == {"type": "string"}
    assert parameter["required"] is True


def test_body_schemas_keep_their_limits(contract: Contract) -> None:
    """What API Gateway validates is what the contract says."""
    source = contract.document["components"]["schemas"]["NewUser"]
    assert deployable(contract, VALUES)["components"]["schemas"]["NewUser"] == source


def test_every_placeholder_is_filled(contract: Contract) -> None:
    """VTL's own references and stage variables stay; placeholders are gone."""
    text = json.dumps(deployable(contract, VALUES))
    assert not re.search(r"\$\{[A-Z]", text)
    assert "<TableName>" in text
    assert "${field}" in text


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=40))
def test_a_value_is_put_in_as_it_is(value: str) -> None:
    """Values may hold anything, placeholders and backslashes too; they are not read again."""
    contract = load(ROOT / "openapi.yaml")
    text = value + r"${Region}\1"
    operation = deployable(contract, VALUES | {"ApiRoleArn": text})["paths"]["/users"]["post"]
    assert operation["x-amazon-apigateway-integration"]["credentials"] == text


def test_the_contract_is_left_as_it_is(contract: Contract) -> None:
    """The copy shares nothing with the contract."""
    before = copy.deepcopy(contract.document)
    result = deployable(contract, VALUES)
    for _, node in nodes(result):
        if isinstance(node, dict | list):
            node.clear()
    assert contract.document == before


def test_missing_and_unknown_placeholders_are_all_named(contract: Contract) -> None:
    """One error says every value that is missing and every one that nothing takes."""
    with pytest.raises(ContractError) as caught:
        deployable(contract, {"Region": "r", "Regoin": "r", "Partition": "aws", "Zone": "z"})
    text = str(caught.value)
    assert "no value for ${AccountId}, ${ApiRoleArn}, ${QueueName}, ${TableName}" in text
    assert "unknown placeholders ${Regoin}, ${Zone}" in text


def test_a_contract_with_findings_is_not_deployable(contract: Contract) -> None:
    """The error has every finding, one a line."""
    changed = with_document(contract)
    del changed.document["paths"]["/users"]["post"]["security"]
    changed.document["openapi"] = "3.1.0"
    with pytest.raises(ContractError) as caught:
        deployable(changed, VALUES)
    assert len(str(caught.value).splitlines()) == 2
    assert "anybody may call createUser" in str(caught.value)


def with_document(contract: Contract) -> Contract:
    document = copy.deepcopy(contract.document)
    return Contract(contract.file, document, contract.lines, contract.blocks)
