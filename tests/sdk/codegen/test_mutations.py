"""It never guesses: documents with one rule broken are refused, each at its place."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from codegen.__main__ import main
from codegen._document import join
from tests.sdk.codegen.documents import BILLING, CATALOGUE, MEDIA, PRINTING, ROOT, SHIPMENTS
from tests.sdk.codegen.service import METHODS, read_yaml

DOCUMENTS = (SHIPMENTS, BILLING, CATALOGUE, MEDIA, PRINTING, ROOT / "openapi.yaml")
_LINE = re.compile(r"(?P<file>[^:]+):(?P<line>\d+): (?P<pointer>#\S*.*?): .+; .+; .+")

_WRONG_EXPRESSIONS = (
    *("$response.body#/go/ne", "$response.header.X-Gone", "$request.path.gone"),
    *("$request.query.gone", "$request.header.gone", "$request.body#/gone"),
    *("$response.path.id", "$method", "$response.body#gone", "$request.cookie.a"),
)

Mutation = tuple[str, Any, str]


def _nodes(node: Any, pointer: str = "#") -> Iterator[tuple[Any, str]]:
    yield node, pointer
    items = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    )
    for key, value in items:
        yield from _nodes(value, join(pointer, key))


def _links(root: Any) -> list[tuple[Any, str]]:
    return [
        (link, join(pointer, name))
        for node, pointer in _nodes(root)
        if isinstance(node, dict) and pointer.endswith("/links")
        for name, link in node.items()
        if "$ref" not in link
    ]


def _at(root: Any, pointer: str) -> Any:
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        root = root[int(name)] if isinstance(root, list) else root[name]
    return root


def _changed(root: Any, pointer: str, **members: Any) -> Any:
    """A copy with members of the object at the pointer replaced; `None` removes one."""
    changed = copy.deepcopy(root)
    node = _at(changed, pointer)
    for key, value in members.items():
        node.pop(key, None)
        if value is not None:
            node[key] = value
    return changed


def _target_mutations(root: Any) -> Iterator[Mutation]:
    """Rule 2: the target of every link must exist."""
    for _, pointer in _links(root):
        gone = {"operationId": None, "operationRef": None}
        yield "no such id", _changed(root, pointer, **{**gone, "operationId": "go.ne"}), pointer
        for reference in ("#/paths/~1go%20ne/get", "other.yaml#/paths/~1a/get", "#/components"):
            mutated = _changed(root, pointer, **{**gone, "operationRef": reference})
            yield reference, mutated, pointer
        yield "no target", _changed(root, pointer, **gone), pointer


def _argument_mutations(root: Any) -> Iterator[Mutation]:
    """Rule 3: arguments are the target's, all that it requires, and come from what is there."""
    for link, pointer in _links(root):
        given = link.get("parameters", {})
        place = join(pointer, "parameters")
        for name, value in given.items():
            rest = {key: item for key, item in given.items() if key != name}
            yield f"without {name}", _changed(root, pointer, parameters=rest), pointer
            for wrong in (f"{name}-x", f"cookie.{name}"):
                renamed = _changed(root, pointer, parameters={**rest, wrong: value})
                yield wrong, renamed, join(place, wrong)
        for wrong in _WRONG_EXPRESSIONS if given else ():
            name = next(iter(given))
            broken = _changed(root, pointer, parameters={**given, name: wrong})
            yield wrong, broken, join(place, name)


def _state_mutations(root: Any) -> Iterator[Mutation]:
    """Rules 5 and 6: every value is of one class, and one means success."""
    for link, pointer in _links(root):
        extension = link.get("x-async")
        if extension is None:
            continue
        place = join(pointer, "x-async")
        for key in ("state", "result", "error"):
            for wrong in ("$response.body#/go/ne", "$request.body#/a", "phase", 7):
                yield f"{key}: {wrong}", _changed(root, place, **{key: wrong}), join(place, key)
        for key in ("pending", "succeeded", "failed"):
            yield f"{key} no list", _changed(root, place, **{key: "done"}), join(place, key)
        yield "unknown key", _changed(root, place, sucess=["x"]), join(place, "sucess")
        if "succeeded" in extension:
            twice = _changed(root, place, failed=[*extension["failed"], *extension["succeeded"]])
            yield "two classes", twice, join(place, "failed")
    for chain_state in _state_enums(root):
        values = _at(root, chain_state)["enum"]
        for index, value in enumerate(values):
            odd = [*values[:index], "perhaps", *values[index + 1 :]]
            yield f"{value} -> perhaps", _changed(root, chain_state, enum=odd), chain_state
        yield (
            "nothing succeeds",
            _changed(root, chain_state, enum=["pending", "failed"]),
            chain_state,
        )
        yield "no enum", _changed(root, chain_state, enum=None), "#"


def _state_enums(root: Any) -> Iterator[str]:
    words = {"pending", "running", "processing", "inprogress", "queued", "waiting"}
    for node, pointer in _nodes(root):
        if isinstance(node, dict) and isinstance(node.get("enum"), list):
            folded = {re.sub("[-_ ]", "", str(value)).lower() for value in node["enum"]}
            if folded & words:
                yield pointer


def _name_mutations(root: Any) -> Iterator[Mutation]:
    """Names: two operations, parameters, fields or classes must not share one."""
    operations = [
        join("#/paths", path, method)
        for path, item in root["paths"].items()
        for method in METHODS
        if method in item
    ]
    first, second = operations[0], operations[-1]
    yield (
        "one id",
        _changed(_changed(root, first, operationId="same-name"), second, operationId="sameName"),
        "#/paths",
    )
    for operation in operations:
        parameters: list[Any] = [
            {"name": name, "in": "query", "schema": {}} for name in ("zz-a", "zzA")
        ]
        own = _at(root, operation).get("parameters", [])
        mutated = _changed(root, operation, parameters=[*own, *parameters])
        yield "one parameter", mutated, join(operation, "parameters", len(own) + 1)
    for node, pointer in _nodes(root):
        if isinstance(node, dict) and "type" in node and node.get("properties"):
            twins = {**node["properties"], "zz_a": {}, "zz-a": {}}
            yield (
                "one field",
                _changed(root, pointer, properties=twins),
                join(pointer, "properties", "zz-a"),
            )
    schemas = {**root["components"].get("schemas", {}), "zz-a": {"type": "object"}, "ZzA": {}}
    yield "one class", _changed(root, "#/components", schemas=schemas), "#/components/schemas/ZzA"


def _result_mutations(root: Any) -> Iterator[Mutation]:
    """Rule 4: a result must be told, and by one link only."""
    for node, pointer in _nodes(root):
        answers = isinstance(node, dict) and pointer.endswith("/responses")
        if answers and "links" in node.get("200", {}):
            yield "no result", _changed(root, join(pointer, "200"), links=None), "#"
    for link, pointer in _links(root):
        if "result" in link.get("x-async", {}):
            yield "no result", _changed(root, join(pointer, "x-async"), result=None), pointer


MUTATIONS = (
    *(_target_mutations, _argument_mutations, _state_mutations),
    *(_name_mutations, _result_mutations),
)


def _refused(path: Path, capsys: pytest.CaptureFixture[str]) -> list[tuple[str, int]]:
    """Pointer and line of every problem; the form of the output and of the refusal are checked."""
    out = path.parent / "out"
    assert main([str(path), "--package", "p", "--out", str(out)]) == 2
    assert not out.exists()
    lines = capsys.readouterr().err.splitlines()
    matches = [_LINE.fullmatch(line) for line in lines]
    assert matches
    assert all(matches), lines
    return [(match["pointer"], int(match["line"])) for match in matches if match]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.stem)
@pytest.mark.parametrize("mutations", MUTATIONS, ids=lambda function: function.__name__[1:])
def test_a_broken_rule_is_refused_at_its_place(
    document: Path, mutations: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every mutation ends with 2, writes nothing, and names the place that was changed."""
    path = tmp_path / "mutated.json"
    for what, root, place in mutations(read_yaml(document)):
        path.write_text(json.dumps(root, indent=1), "utf-8")
        pointers = [pointer for pointer, _ in _refused(path, capsys)]
        assert any(pointer.startswith(place) for pointer in pointers), (what, place, pointers)


def test_all_rules_broken_are_told_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Faults of the form, of references, of links and of names come in one list, with lines."""
    root = read_yaml(BILLING)
    root["paths"]["/reminders"]["post"]["summary"] = ["no text"]
    root["paths"]["/reminders"]["post"]["responses"]["400"] = {"$ref": "#/components/responses/No"}
    root["paths"]["/accounts/{account-id}/invoices"]["get"]["operationId"] = "get-export"
    root["components"]["links"]["credit-note"]["parameters"].pop("number")
    root["components"]["links"]["task"]["operationRef"] = "#/paths/~1gone/get"
    root["components"]["schemas"]["line"]["properties"]["Text"] = {}
    path = tmp_path / "mutated.json"
    path.write_text(json.dumps(root, indent=1), "utf-8")
    lines = path.read_text("utf-8").splitlines()
    found = {pointer: lines[line - 1].strip() for pointer, line in _refused(path, capsys)}
    assert found == {
        "#/paths/~1reminders/post/summary": '"summary": [',
        "#/paths/~1reminders/post/responses/400/$ref": '"$ref": "#/components/responses/No"',
        "#/paths/~1exports/get": '"get": {',
        "#/components/links/credit-note": '"credit-note": {',
        "#/components/links/task/operationRef": '"operationRef": "#/paths/~1gone/get",',
        "#/components/schemas/line/properties/Text": '"Text": {}',
    }


def test_a_missing_reference_brings_no_further_problems(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What only follows from a reference that leads nowhere is not told beside it."""
    root = read_yaml(BILLING)
    root["components"]["schemas"]["renamed"] = root["components"]["schemas"].pop("task")
    path = tmp_path / "mutated.json"
    path.write_text(json.dumps(root), "utf-8")
    pointers = {pointer.rpartition("/")[2] for pointer, _ in _refused(path, capsys)}
    assert pointers == {"$ref"}
