"""Whole documents: every operation of each, sync and async, against a service on loopback."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from codegen._generator import read_file
from tests.sdk.codegen.conftest import imported
from tests.sdk.codegen.documents import BILLING, CATALOGUE, MEDIA, ROOT, SHIPMENTS
from tests.sdk.codegen.round_trip import (
    Made,
    raise_every_error,
    run_every_operation,
    run_every_operation_async,
)
from tests.sdk.codegen.service import Service, serve

DOCUMENTS = (BILLING, CATALOGUE, MEDIA)


@pytest.fixture(scope="module", params=DOCUMENTS, ids=lambda path: path.stem)
def made(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Made]:
    """Each document with its package."""
    document: Path = request.param
    _, api, _ = read_file(document)
    name = f"{document.stem}_sdk"
    with imported(document, name, tmp_path_factory.mktemp("out")):
        chains = {chain.start.operation_id: chain for chain in api.chains}
        yield Made(document, name, f"{name}._generated", api.client, chains)


@pytest.fixture
def service(made: Made) -> Iterator[Service]:
    """The document's service; its requests must have been without fault."""
    with serve(made.document) as running:
        yield running
    assert running.faults == []


@pytest.mark.filterwarnings("ignore:.*is deprecated by the API:DeprecationWarning")
def test_every_operation_runs(made: Made, service: Service) -> None:
    """What is sent and received is what the document's examples say; handles resolve."""
    run_every_operation(made, service)


@pytest.mark.filterwarnings("ignore:.*is deprecated by the API:DeprecationWarning")
async def test_every_operation_runs_async(made: Made, service: Service) -> None:
    """The asynchronous client does the same; awaiting a handle gives the value."""
    await run_every_operation_async(made, service)


@pytest.mark.filterwarnings("ignore:.*is deprecated by the API:DeprecationWarning")
def test_every_declared_error_is_raised(made: Made, service: Service) -> None:
    """An answer that is no result raises with its status and the body that is declared for it."""
    raise_every_error(made, service)


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
