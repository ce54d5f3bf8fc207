"""Whole documents: every operation of each, sync and async, against a service on loopback."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from pydantic import TypeAdapter

from codegen import _names
from codegen._generator import read_file
from tests.sdk.codegen.conftest import imported
from tests.sdk.codegen.documents import BILLING, CATALOGUE, MEDIA, ROOT, SHIPMENTS
from tests.sdk.codegen.service import Example, Service, number, serve, written

DOCUMENTS = (BILLING, CATALOGUE, MEDIA)


class Made(NamedTuple):
    """A document and the package made of it."""

    document: Path
    package: ModuleType
    client: str
    chains: dict[str, Any]


@pytest.fixture(scope="module", params=DOCUMENTS, ids=lambda path: path.stem)
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Made]:
    """Each document with its package."""
    document: Path = request.param
    _, api, _ = read_file(document)
    with imported(document, f"{document.stem}_sdk", tmp_path_factory.mktemp("out")) as package:
        yield Made(document, package, api.client, {c.start.operation_id: c for c in api.chains})


@pytest.fixture
def service(made: Made) -> Iterator[Service]:
    """The document's service; its requests must have been without fault."""
    with serve(made.document) as running:
        yield running
    assert running.faults == []


def _settings(package: ModuleType, url: str) -> dict[str, Any]:
    return {
        "base_url": url,
        "auth": package.BearerToken("t"),
        "max_retries": 0,
        "polling": package.Polling(interval=0.001),
    }


def _arguments(example: Example) -> dict[str, Any]:
    return {_names.parameter_name(name): value for name, value in example.arguments().items()}


def _bodies(made: Made, example: Example) -> list[list[Any]]:
    """The example of the body as a mapping, and as the model: what a method takes first."""
    if not example.has_body:
        return [[]]
    kind, (value, *_) = example.body
    if kind == "application/octet-stream" or kind.startswith("image/"):
        return [[written(kind, value)]]
    operations = importlib.import_module(f"{made.package.__name__}._generated.operations")
    constant = _names.method_name(_operation_id(example), example.method, example.path).upper()
    adapter: TypeAdapter[Any] = TypeAdapter(getattr(operations, constant).body.type)
    return [[value], [adapter.validate_python(value)]]


def _operation_id(example: Example) -> str | None:
    return None if " " in example.identity else example.identity


def _method(example: Example) -> str:
    return _names.method_name(_operation_id(example), example.method.lower(), example.path)


def _plain(value: Any) -> Any:
    """A result as JSON values, with what was set only."""
    if isinstance(value, bytes):
        return value
    kind: TypeAdapter[Any] = TypeAdapter(object)
    return kind.dump_python(value, mode="json", by_alias=True, exclude_unset=True)


def _expected(made: Made, service: Service, example: Example) -> Any:
    """What the last answer of an operation, or of its chain, holds."""
    chain = made.chains.get(example.identity)
    if chain is None:
        _, kind, value = example.answer(next(iter(example.responses)), 0)
        return (value if kind.startswith("text/") else written(kind, value)) if kind else None
    answering = getattr(chain.result, "operation", chain.status).operation_id
    source = next(it for it in service.examples if it.identity == answering)
    _, kind, value = source.answer(next(iter(source.responses)), 99)
    if hasattr(chain.result, "value_pointer"):
        for name in chain.result.value_pointer.split("/")[1:]:
            value = value[name]
    return written(kind, value)


@pytest.mark.filterwarnings("ignore:.*is deprecated by the API:DeprecationWarning")
def test_every_operation_runs(made: Made, service: Service) -> None:
    """What is sent and received is what the document's examples say; handles resolve."""
    client_class = getattr(made.package, made.client)
    with client_class(**_settings(made.package, service.url)) as client:
        for example in service.examples:
            for body in _bodies(made, example):
                service.counts.clear()
                name, arguments = _method(example), _arguments(example)
                value = getattr(client, name)(*body, **arguments)
                if example.identity in made.chains:
                    value = value.result(timeout=20)
                    service.counts.clear()
                    waited = getattr(client, f"{name}_and_wait")
                    assert waited(*body, **arguments, timeout=20) == value
                assert _plain(value) == _expected(made, service, example), name


@pytest.mark.filterwarnings("ignore:.*is deprecated by the API:DeprecationWarning")
async def test_every_operation_runs_async(made: Made, service: Service) -> None:
    """The asynchronous client does the same; awaiting a handle gives the value."""
    client_class = getattr(made.package, f"Async{made.client}")
    async with client_class(**_settings(made.package, service.url)) as client:
        for example in service.examples:
            service.counts.clear()
            name, arguments = _method(example), _arguments(example)
            body = _bodies(made, example)[-1]
            value = await getattr(client, name)(*body, **arguments)
            if example.identity in made.chains:
                value = await value
                service.counts.clear()
                waited = getattr(client, f"{name}_and_wait")
                assert await waited(*body, **arguments, timeout=20) == value
            assert _plain(value) == _expected(made, service, example), name


@pytest.mark.filterwarnings("ignore:.*is deprecated by the API:DeprecationWarning")
def test_every_declared_error_is_raised(made: Made, service: Service) -> None:
    """An answer that is no result raises with its status and the body that is declared for it."""
    client_class = getattr(made.package, made.client)
    for example in service.examples:
        for status in (it for it in example.responses if not it.startswith("2")):
            url = f"{service.url}/={status}"
            with client_class(**_settings(made.package, url)) as client:
                body = _bodies(made, example)[0]
                with pytest.raises(made.package.ApiError) as caught:
                    getattr(client, _method(example))(*body, **_arguments(example))
            assert caught.value.status == number(status)
            _, _, value = example.answer(status, 0)
            assert _plain(caught.value.problem) == value


@pytest.mark.timeout(240)  # on a machine whose mypy has no cache yet
def test_packages_are_strictly_typed(tmp_path: Path) -> None:
    """Every package passes mypy's strict checks, and so does a caller of it."""
    for document in (*DOCUMENTS, SHIPMENTS):
        with imported(document, f"{document.stem}_sdk", tmp_path):
            pass
    (tmp_path / "caller.py").write_text(CALLER, "utf-8")
    command = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout


CALLER = '''\
"""Uses generated packages as a program would."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from billing_sdk import BillingClient, Handle, Invoice, NewInvoice
from billing_sdk import Line
from catalogue_sdk import AsyncTheCatalogueClient, Prices, Square, TheCatalogueClient, Tree
from catalogue_sdk import models
from media_sdk import Handle as FileHandle
from media_sdk import MediaLibraryClient


def bill(client: BillingClient) -> Handle[Invoice]:
    body = NewInvoice(lines=[Line(text="a", amount=Decimal(1))], due=date(2026, 1, 31))
    return client.post_accounts_account_id_invoices(body, account_id=UUID(int=0), dry_run=False)


def draw(client: TheCatalogueClient) -> list[models.Shape]:
    square: models.Shape = Square(kind="square", size=1)
    return client.draw_shapes([square, {"kind": "circle", "size": 1}])


async def plant(client: AsyncTheCatalogueClient) -> Tree | None:
    return await client.plant_tree(Tree(name="a", children=[]), tree=1)


def price(prices: Prices) -> Decimal:
    extra = prices.model_extra or {}
    return Decimal(extra["a"])


def load(client: MediaLibraryClient) -> tuple[bytes, str, FileHandle[bytes]]:
    client.write_note("text")
    found = client.search(
        path_style=["a"], matrix=[1], label={"a": "b"}, list={"a": 1}, self_="s", timeout_=3
    )
    job = client.convert_file(b"x", file_id=UUID(int=0))
    return client.download_file(file_id=UUID(int=0)), (found or ["x"])[0], job
'''
