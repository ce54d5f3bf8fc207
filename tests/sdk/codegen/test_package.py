"""What generated packages are: their types, their models, and how their clients behave."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import httpx
import pytest
from pydantic import TypeAdapter, ValidationError

from tests.sdk.codegen.conftest import imported
from tests.sdk.codegen.documents import ROOT, SHIPMENTS, edited
from tests.sdk.codegen.pages import programs

ID = "6a1b1c1e-0000-4000-8000-000000000000"
PARTY = {"name": "A", "street": "S", "city": "C", "country": "DE"}
SHIPMENT = {
    "id": ID,
    "status": "created",
    "sender": PARTY,
    "recipient": PARTY,
    "parcels": [{"weightGrams": 1}],
    "createdAt": "2026-01-31T00:00:00Z",
}
NEW = {"sender": PARTY, "recipient": PARTY, "parcels": [{"weightGrams": 1}]}

Answer = Callable[[httpx.Request], httpx.Response]


def _client(package: ModuleType, answer: Answer) -> Any:
    return package.ShipmentsClient(
        base_url="http://service.test/v2",
        auth=package.BearerToken("t"),
        http_client=httpx.Client(transport=httpx.MockTransport(answer)),
        polling=package.Polling(interval=0.001),
    )


def _async_client(package: ModuleType, answer: Answer) -> Any:
    return package.AsyncShipmentsClient(
        base_url="http://service.test/v2",
        auth=package.BearerToken("t"),
        http_client=httpx.AsyncClient(transport=httpx.MockTransport(answer)),
        polling=package.Polling(interval=0.001),
    )


class _Service:
    """Answers like the service that shipments.yaml describes; keeps the requests."""

    def __init__(self, *states: str) -> None:
        self.requests: list[httpx.Request] = []
        self._states = list(states)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        path = request.url.path.removeprefix("/v2")
        if request.method == "POST" and path == "/shipments":
            return httpx.Response(202, json={"requestId": "r/1"})
        if path.startswith("/shipment-requests/"):
            state = self._states.pop(0)
            body = {"requestId": "r/1", "status": state}
            if state == "COMPLETED":
                body["shipmentId"] = ID
            if state == "FAILED":
                return httpx.Response(200, json={**body, "error": {"code": "E", "message": "no"}})
            return httpx.Response(200, json=body)
        if request.method == "POST":
            return httpx.Response(202, json={"id": 7, "phase": "spooled"})
        if path.endswith("/labels/7"):
            label = {"url": "http://x", "pages": 1}
            return httpx.Response(200, json={"id": 7, "phase": "printed", "label": label})
        if path == f"/shipments/{ID}":
            return httpx.Response(200, json=SHIPMENT)
        return httpx.Response(404, json={"code": "GONE", "message": "Not here."})


@pytest.fixture(scope="module")
def sources(
    shipments: ModuleType,
    awkward: ModuleType,
    corners: ModuleType,
    tmp_path_factory: pytest.TempPathFactory,
) -> list[Path]:
    """Folders of packages, and of the programs of their pages."""
    shown = tmp_path_factory.mktemp("programs")
    packages = [Path(str(package.__file__)).parent for package in (shipments, awkward, corners)]
    for package in packages:
        for page in (package / "README.md", *sorted((package / "reference").iterdir())):
            for number, program in enumerate(programs(page.read_text("utf-8"))):
                name = f"{package.name}_{page.stem}_{number}.py"
                (shown / name).write_text(program, "utf-8")
    return [*packages, shown]


@pytest.mark.timeout(240)  # on a machine whose mypy has no cache yet
def test_packages_and_their_programs_are_strictly_typed(sources: list[Path]) -> None:
    """Packages pass mypy's strict checks, with their runtime, tests, and programs of pages."""
    command = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml"]
    done = subprocess.run([*command, *map(str, sources)], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.timeout(240)
def test_what_is_generated_passes_another_checker(sources: list[Path], tmp_path: Path) -> None:
    """Pyright's strict checks find nothing in generated modules, tests, and programs of pages."""
    *packages, shown = sources
    settings = {
        "include": [
            str(shown),
            *(str(it / part) for it in packages for part in ("__init__.py", "_generated", "tests")),
        ],
        "extraPaths": [str(package.parent) for package in packages],
        "typeCheckingMode": "strict",
    }
    path = tmp_path / "pyrightconfig.json"
    path.write_text(json.dumps(settings), "utf-8")
    command = [sys.executable, "-m", "basedpyright", "--project", str(path)]
    command += ["--pythonpath", sys.executable]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_signatures_are_those_of_the_rules(shipments: ModuleType) -> None:
    """The body is positional, parameters are keyword-only, handles and results are typed."""

    def signature(owner: str, name: str) -> str:
        method = getattr(getattr(shipments, owner), name)
        return str(inspect.signature(method)).replace("'", "")

    body = "self, body: models.NewShipment | Mapping[str, object]"
    rest = "*, idempotency_key: str | None = None, timeout: float | None = None"
    create, result = f"({body}, {rest})", "models.Shipment"
    assert signature("ShipmentsClient", "create_shipment") == f"{create} -> Handle[{result}]"
    assert signature("AsyncShipmentsClient", "create_shipment") == (
        f"{create} -> AsyncHandle[{result}]"
    )
    assert signature("ShipmentsClient", "create_shipment_and_wait") == f"{create} -> {result}"
    assert signature("AsyncShipmentsClient", "resume_create_shipment") == (
        f"(self, token: str) -> AsyncHandle[{result}]"
    )
    item = "_CreateShipmentItem"
    assert signature("ShipmentsClient", "create_shipments") == (
        f"(self, items: Iterable[{item}], **options: Unpack[BatchOptions[{item}]])"
        f" -> Generator[Outcome[{item}, {result}], None, None]"
    )
    assert signature("AsyncShipmentsClient", "print_labels") == (
        "(self, items: AnyIterable[_PrintLabelItem], *, shipment_id: UUID,"
        " **options: Unpack[KeylessBatchOptions])"
        " -> AsyncGenerator[Outcome[_PrintLabelItem, models.Label], None]"
    )
    assert signature("ShipmentsClient", "get_print_job") == (
        "(self, *, shipment_id: UUID, job_id: int, timeout: float | None = None) -> models.PrintJob"
    )
    assert signature("ShipmentsClient", "list_shipments") == (
        "(self, *, status: models.ShipmentStatus | str | None = None,"
        " created_after: datetime | None = None, page_size: int | None = None,"
        " cursor: str | None = None, timeout: float | None = None) -> models.ShipmentPage"
    )


def test_what_is_deprecated_is_so_for_many_items_as_well(tmp_path: Path) -> None:
    """Each method of the operation warns, and is marked for type checkers."""
    document = tmp_path / "old.yaml"
    start = "      operationId: createShipment\n"
    text = edited(SHIPMENTS.read_text("utf-8"), (start, f"{start}      deprecated: true\n"))
    document.write_text(text, "utf-8")
    with imported(document, "old_shipments", tmp_path) as package:
        client = package.ShipmentsClient(base_url="http://127.0.0.1:9", region="eu-west-1")
        with client, pytest.warns(DeprecationWarning, match="createShipment"):
            assert list(client.create_shipments([])) == []


def test_docstrings_carry_the_document(shipments: ModuleType) -> None:
    """Summary, description, parameters with limits, errors by status and the source are told."""
    text = inspect.getdoc(shipments.ShipmentsClient.create_shipment) or ""
    assert text.startswith("Create a shipment.\n\nThe shipment exists once")
    assert "idempotency_key: Makes repeated calls safe. 1 to 64 characters." in text
    assert "BadRequestError: 400: The request is not valid." in text
    assert text.endswith("Source: shipments.yaml#/paths/~1shipments/post")
    text = inspect.getdoc(shipments.ShipmentsClient.list_shipments) or ""
    assert "page_size: 1 to 100. Default of the server: `20`." in text


def test_docstrings_say_nothing_twice(shipments: ModuleType) -> None:
    """What all methods raise is told by the class, and a twin names the method it is like."""
    text = inspect.getdoc(shipments.ShipmentsClient) or ""
    assert "ApiError: any other status: Any other error." in text
    for name in ("create_shipment", "create_shipment_and_wait", "list_shipments"):
        assert "any other status" not in (
            inspect.getdoc(getattr(shipments.ShipmentsClient, name)) or ""
        )
        twin = inspect.getdoc(getattr(shipments.AsyncShipmentsClient, name)) or ""
        assert twin.endswith(f"See `ShipmentsClient.{name}`.")


def test_generated_code_is_small() -> None:
    """At most 40 lines for an operation and client, models left out."""
    generated = ROOT / "sdk/users_sdk/_generated"
    text = "".join((generated / name).read_text("utf-8") for name in ("client.py", "operations.py"))
    operations = text.count("] = Operation(")
    assert len(text.splitlines()) / (2 * operations) <= 40


def test_limits_bind_requests(shipments: ModuleType) -> None:
    """What is made to be sent is checked, nested objects included."""
    models = shipments.models
    with pytest.raises(ValidationError, match="country"):
        models.Party(**{**PARTY, "country": "DEU"})
    with pytest.raises(ValidationError, match=r"parcels\.0\.weightGrams"):
        models.NewShipment.model_validate({**NEW, "parcels": [{"weightGrams": 0}]})


def test_limits_do_not_bind_answers(shipments: ModuleType) -> None:
    """A class with limits is read without them, and is the one public class all the same."""
    models = shipments.models
    sender = {**PARTY, "country": "", "planet": "Mars"}
    body = {**SHIPMENT, "sender": sender, "parcels": [{"weightGrams": 0}], "status": "lost"}
    shipment = TypeAdapter(models.Shipment).validate_json(json.dumps(body))
    assert type(shipment.sender) is models.Party
    assert (shipment.sender.country, shipment.sender.planet) == ("", "Mars")
    assert type(shipment.parcels[0]) is models.Parcel
    assert shipment.status == "lost"
    assert shipment.recipient == models.Party(**PARTY)
    assert shipment.model_dump(mode="json", by_alias=True, exclude_unset=True) == body
    assert models.Shipment.model_validate(shipment) == shipment
    with pytest.raises(ValidationError, match="country"):
        models.NewShipment(sender=shipment.sender, recipient=PARTY, parcels=[{"weightGrams": 1}])


def test_a_part_that_only_describes_makes_no_class(corners: ModuleType) -> None:
    """A reference with a description beside it, by `allOf`, is that reference."""
    fields = corners.models.Status.model_fields
    assert str(fields["wall"].annotation) == "corners_sdk._generated.models.Short | None"
    assert not hasattr(corners.models, "StatusState")


def test_a_member_of_another_type_is_no_parents(corners: ModuleType) -> None:
    """A class that narrows a member has all members itself."""
    models = corners.models
    assert not issubclass(models.Status, models.Base)
    assert type(models.Status(state="done").state) is models.State


def test_formats_are_python_types(shipments: ModuleType) -> None:
    """UUIDs, dates and decimals are Python's; absent, null and given are told apart."""
    models = shipments.models
    new = models.NewShipment.model_validate(
        {**NEW, "insuredValue": {"amount": "12.50", "currency": "EUR"}, "reference": None}
    )
    assert new.insured_value.amount == Decimal("12.50")
    sent = new.model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert sent == {
        **NEW,
        "insuredValue": {"amount": "12.50", "currency": "EUR"},
        "reference": None,
    }


def test_chain_runs_to_the_result(shipments: ModuleType) -> None:
    """Start, status, result: the value is what the linked operation answers."""
    service = _Service("PENDING", "QUANTUM", "COMPLETED")
    with _client(shipments, service) as client:
        shipment = client.create_shipment(NEW, idempotency_key="k").result(timeout=10)
    assert shipment.id == UUID(ID)
    assert [request.url.raw_path.decode() for request in service.requests] == [
        "/v2/shipments",
        *["/v2/shipment-requests/r%2F1"] * 3,
        f"/v2/shipments/{ID}",
    ]
    assert service.requests[0].headers["Idempotency-Key"] == "k"


async def test_async_chain_runs_to_the_result(shipments: ModuleType) -> None:
    """The asynchronous client has the same methods; awaiting the handle gives the value."""
    service = _Service("COMPLETED", "COMPLETED")
    async with _async_client(shipments, service) as client:
        handle = await client.create_shipment(shipments.NewShipment.model_validate(NEW))
        assert (await handle).id == UUID(ID)
        again = client.resume_create_shipment(handle.token())
        assert (await again.result(timeout=10)).id == UUID(ID)


def test_embedded_result_and_argument_from_the_request(shipments: ModuleType) -> None:
    """A status can hold the result itself; its path can need what the request had."""
    service = _Service()
    with _client(shipments, service) as client:
        label = client.print_label_and_wait({"copies": 2}, shipment_id=UUID(ID), timeout=10)
    assert type(label) is shipments.models.Label
    assert service.requests[-1].url.path == f"/v2/shipments/{ID}/labels/7"
    assert json.loads(service.requests[0].content) == {"copies": 2}


def test_a_failed_state_is_an_error_with_its_reason(shipments: ModuleType) -> None:
    """The status body's error says why there will be no result."""
    client = _client(shipments, _Service("FAILED"))
    with client, pytest.raises(shipments.OperationFailed) as caught:
        client.create_shipment_and_wait(NEW, timeout=10)
    assert caught.value.code == "E"


def test_errors_carry_the_declared_model(shipments: ModuleType) -> None:
    """An answer that is no result raises, with the body as the document declares it."""
    client = _client(shipments, _Service())
    with client, pytest.raises(shipments.NotFoundError) as caught:
        client.get_shipment(shipment_id=UUID(int=0))
    assert caught.value.problem == shipments.models.Error(code="GONE", message="Not here.")
