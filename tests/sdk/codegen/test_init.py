"""The start for one's own API: what names there are, and what the document of an entity is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_spec_validator import OpenAPIV30SpecValidator

from codegen import _init
from codegen.__main__ import main
from codegen._init import EntityNames, InitError, entity_names, render_document
from deploy import contract
from deploy.local.runtime import url_variable
from tests.sdk.codegen.documents import ROOT

Json = dict[str, Any]


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every command where nothing is."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("given", "singular", "plural"),
    [
        ("order", "order", "orders"),
        ("orders", "order", "orders"),
        ("purchase-order", "purchase-order", "purchase-orders"),
        ("purchase-orders", "purchase-order", "purchase-orders"),
        ("category", "category", "categories"),
        ("categories", "category", "categories"),
        ("delivery-days", "delivery-day", "delivery-days"),
        ("address", "address", "addresses"),
        ("addresses", "address", "addresses"),
        ("box", "box", "boxes"),
        ("batches", "batch", "batches"),
        ("bus", "bus", "buses"),
        ("viruses", "virus", "viruses"),
        ("warehouses", "warehouse", "warehouses"),
        ("invoices", "invoice", "invoices"),
        ("prizes", "prize", "prizes"),
        ("tie", "tie", "ties"),
        ("ties", "tie", "ties"),
    ],
)
def test_one_name_tells_the_other(given: str, singular: str, plural: str) -> None:
    """An entity may be named in the singular or in the plural."""
    assert entity_names(given) == EntityNames(singular, plural)


def test_a_plural_may_be_told() -> None:
    """Where English has no rule, both names are given, and taken as they are."""
    assert entity_names("person", "people") == EntityNames("person", "people")
    assert entity_names("series", "series") == EntityNames("series", "series")


def test_every_spelling_follows_from_the_name() -> None:
    """Classes, members, texts and packages are named alike."""
    names = entity_names("purchase-orders")
    assert (names.class_name, names.stem) == ("PurchaseOrder", "purchaseOrder")
    assert (names.words, names.with_article) == ("purchase order", "a purchase order")
    assert names.package == "purchase_orders_sdk"
    assert entity_names("orders").with_article == "an order"


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("", "cannot name an entity"),
        ("123", "cannot name an entity"),
        ("2-orders", "cannot name an entity"),
        ("Orders", "cannot name an entity"),
        ("purchase_orders", "cannot name an entity"),
        ("purchase orders", "cannot name an entity"),
        ("-orders", "cannot name an entity"),
        ("orders-", "cannot name an entity"),
        ("a/b", "cannot name an entity"),
        ("..", "cannot name an entity"),
        ("a\\b", "cannot name an entity"),
        ("bücher", "cannot name an entity"),
        ("orders\n", "cannot name an entity"),
        ("x" * 51, "at most 50 characters"),
        ("class", "keyword of Python"),
        ("classes", "keyword of Python"),
        ("imports", "keyword of Python"),
        ("none", "keyword of Python"),
        ("status", "calls something else"),
        ("messages", "calls something else"),
        ("problem", "calls something else"),
    ],
)
def test_a_bad_name_is_refused(
    name: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line says what is wrong with it and what to write; nothing is written."""
    assert main(["init", "--", name]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert complaint in line
    assert list(Path().iterdir()) == []


def test_a_bad_plural_is_refused() -> None:
    """What is given for the plural has to be a name, too."""
    for plural in ("a/b", ""):
        with pytest.raises(InitError, match=f"'{plural}' cannot name an entity"):
            entity_names("order", plural)


def test_the_document_is_written_where_its_name_says(capsys: pytest.CaptureFixture[str]) -> None:
    """The folder is the plural, and what can be done next is printed."""
    assert main(["init", "order"]) == 0
    assert [str(path) for path in Path().rglob("*") if path.is_file()] == ["orders/openapi.yaml"]
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("orders/openapi.yaml is written")
    assert lines[-2:] == [
        "python -m codegen orders/openapi.yaml --package orders_sdk --out orders",
        "python -m deploy.local --contract orders/openapi.yaml",
    ]


def test_another_folder_can_be_named() -> None:
    """Folders above it are made."""
    assert main(["init", "person", "--plural", "people", "--out", "apis/team"]) == 0
    assert yaml.safe_load(Path("apis/team/openapi.yaml").read_text())["paths"].keys() == {
        "/people",
        "/status/{messageId}",
        "/people/{personId}",
    }


def test_nothing_is_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that exists is left as it is, whatever is in it."""
    kept = Path("orders/openapi.yaml")
    kept.parent.mkdir()
    kept.write_text("mine")
    assert main(["init", "orders"]) == 2
    assert "orders exists, and nothing is overwritten" in capsys.readouterr().err
    assert kept.read_text() == "mine"


def test_a_folder_that_cannot_be_made_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """What the system refuses is one line, and no traceback."""
    Path("file").write_text("")
    assert main(["init", "orders", "--out", "file/orders"]) == 2
    assert "cannot be written: Not a directory" in capsys.readouterr().err


def test_the_same_name_gives_the_same_bytes() -> None:
    """Neither the process nor its hash seed shows."""
    for seed in ("1", "2"):
        command = [sys.executable, "-m", "codegen", "init", "orders", "--out", seed]
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT / "sdk")}
        subprocess.run(command, env=environment, check=True, capture_output=True)
    assert Path("1/openapi.yaml").read_bytes() == Path("2/openapi.yaml").read_bytes()


@pytest.mark.parametrize("name", ["orders", "purchase-orders", "addresses", "item", "x"])
def test_the_document_keeps_every_rule(name: str) -> None:
    """Valid OpenAPI, no finding of the linter, and an entity that the consumer can make."""
    assert main(["init", name, "--out", "api"]) == 0
    loaded = contract.load("api/openapi.yaml")
    OpenAPIV30SpecValidator(loaded.document).validate()
    assert contract.lint(loaded) == []
    names = entity_names(name)
    made = contract.entity(loaded)
    assert (made.name, made.id_name) == (names.words, f"{names.stem}Id")
    assert made.path == f"/{names.plural}"


def test_the_example_is_one() -> None:
    """What the document shows as a body is what its schema takes."""
    document = yaml.safe_load(render_document(entity_names("orders")))
    content = document["paths"]["/orders"]["post"]["requestBody"]["content"]["application/json"]
    schema = document["components"]["schemas"]["NewOrder"]
    assert set(schema["required"]) <= content["example"].keys() <= schema["properties"].keys()


@pytest.mark.timeout(240)  # on a machine whose mypy has no cache yet
def test_its_sdk_has_strict_types() -> None:
    """The package is generated at once, and a program that uses it passes the type checker."""
    assert main(["init", "purchase-orders", "--out", "api"]) == 0
    arguments = ["api/openapi.yaml", "--package", "purchase_orders_sdk", "--out", "api"]
    assert main(arguments) == 0
    Path("api/program.py").write_text(
        "from purchase_orders_sdk import (\n"
        "    AsyncPurchaseOrdersClient, NewPurchaseOrder, PurchaseOrder\n"
        ")\n"
        "async def main(client: AsyncPurchaseOrdersClient) -> PurchaseOrder:\n"
        "    body = NewPurchaseOrder(reference='A', quantity=1, labels=['x'])\n"
        "    return await client.create_purchase_order_and_wait(body, timeout=1.5)\n"
    )
    checked = str(Path("api").resolve())
    command = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", checked]
    environment = {**os.environ, "MYPYPATH": checked}
    result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


def test_the_runtime_sets_the_variable_that_the_sdk_reads() -> None:
    """Both name it after the document's title, each by itself: they do not know each other."""
    assert main(["init", "purchase-orders", "--out", "api"]) == 0
    assert main(["api/openapi.yaml", "--package", "purchase_orders_sdk", "--out", "api"]) == 0
    client = Path("api/purchase_orders_sdk/_generated/client.py").read_text("utf-8")
    variable = url_variable(contract.load("api/openapi.yaml").document)
    assert variable == "PURCHASE_ORDERS_API_URL"
    assert f'"{variable}"' in client


def test_renaming_the_entity_renames_the_document() -> None:
    """Nothing in the document depends on what the entity is called but its names."""
    orders, zebras = (render_document(entity_names(name)) for name in ("orders", "zebras"))
    renamed = orders.replace("an order", "a zebra").replace("An order", "A zebra")
    renamed = renamed.replace("order", "zebra").replace("Order", "Zebra")
    assert renamed.replace("in the zebra given", "in the order given") == zebras


def test_the_template_knows_no_entity() -> None:
    """Neither it nor the code that fills it names the entity of the project's own contract."""
    for path in (Path(_init.__file__), *Path(_init.__file__).parent.glob("templates/init/*")):
        assert re.search("user", path.read_text("utf-8"), re.IGNORECASE) is None, path


def without_members(document: Json, names: EntityNames) -> Json:
    """A document without what is the entity's own: its members, wherever they stand."""
    schemas = document["components"]["schemas"]
    for name in (f"New{names.class_name}", names.class_name):
        del schemas[name]["properties"], schemas[name]["required"]
    schemas.pop("Address", None)
    paths = document["paths"]
    create = paths[f"/{names.plural}"]["post"]["requestBody"]["content"]["application/json"]
    create.pop("example", None)
    read = paths[f"/{names.plural}/{{{names.stem}Id}}"]["get"]["x-amazon-apigateway-integration"]
    del read["responses"][r"2\d{2}"]["responseTemplates"]
    document["info"].pop("license", None)
    return document


def test_a_start_is_as_good_as_the_projects_own_contract() -> None:
    """Made for the same entity, it differs from openapi.yaml in the entity's members alone."""
    names = entity_names("users")
    ours = yaml.safe_load((ROOT / "openapi.yaml").read_text("utf-8"))
    start = yaml.safe_load(render_document(names))
    assert without_members(start, names) == without_members(ours, names)
