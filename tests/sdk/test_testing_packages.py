"""Every operation of generated packages against the fakes that they bring along."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, get_type_hints

import pytest

from tests.sdk.codegen.conftest import imported
from tests.sdk.codegen.documents import BILLING, CATALOGUE, MEDIA, ROOT, SHIPMENTS

pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated by the API:DeprecationWarning")

GIVEN: dict[str, dict[str, Any]] = {
    "export_invoices": {"body": {"options": {"form": "csv"}}},
    "search": {"path_style": ["a/b"], "matrix": [1], "label": {"x": "y"}, "list": {"a": 1}},
}
"""What the least that fits a type is too little for: a link needs it, or a path."""


class Package:
    """A generated package, and what a test asks of its modules."""

    def __init__(self, name: str) -> None:
        self.errors = self._module(name, "errors")
        self.testing = self._module(name, "testing")
        self.operations = self._module(name, "_generated.operations")
        self.client: Any = self._module(name, "_generated.testing").Client
        self._sample = self._module(name, "_sample")
        self._codec = self._module(name, "_codec")

    def _module(self, name: str, module: str) -> ModuleType:
        return import_module(f"{name}.{module}")

    def of_kind(self, kind: str) -> list[Any]:
        """The operations, or the asynchronous ones."""
        found = vars(self.operations).values()
        return [it for it in found if type(it).__name__ == kind]

    def started(self) -> set[str]:
        """The names of the operations that start something, or tell what became of it."""
        chains = self.of_kind("AsyncOperation")
        told = {it.status.name for it in chains}
        fetched = {it.result.operation.name for it in chains if hasattr(it.result, "operation")}
        return {it.start.name for it in chains} | told | fetched

    def arguments(self, operation: Any) -> dict[str, Any]:
        """Values of the least that an operation takes, made from the types of its method."""
        method = getattr(self.client, operation.name)
        types = get_type_hints(method)
        required = (it for it in operation.parameters if it.required)
        given = {it.name: self.value(it.type or types[it.name]) for it in required}
        if operation.body is not None and "body" in inspect.signature(method).parameters:
            given["body"] = self.value(operation.body.type)
        return given | GIVEN.get(operation.name, {})

    def value(self, kind: Any) -> Any:
        """A value of a type."""
        if kind is bytes:
            return b"\x00sample"
        made = self._sample.sample(self._sample.schema_of(kind))
        return made if isinstance(made, dict) else self._codec.adapter(kind).validate_python(made)


@pytest.fixture(
    scope="module",
    params=[SHIPMENTS, BILLING, CATALOGUE, MEDIA, ROOT / "openapi.yaml"],
    ids=lambda path: path.stem,
)
def package(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Package]:
    """The package of each document, generated once."""
    document: Path = request.param
    name = f"{document.stem}_faked_sdk"
    with imported(document, name, tmp_path_factory.mktemp("out")):
        yield Package(name)


def test_what_answers_at_once_answers(package: Package) -> None:
    """Each such operation, sync and async, by the types of its method."""
    fake = package.testing.FakeServer()
    plain = [it for it in package.of_kind("Operation") if it.name not in package.started()]
    for operation in plain:
        arguments = package.arguments(operation)
        with fake.client() as client:
            blocking = getattr(client, operation.name)(**arguments)
        assert blocking == asyncio.run(_called(fake, operation.name, arguments))
    assert [it.operation for it in fake.requests] == [it.name for it in plain for _ in range(2)]


def test_what_is_accepted_comes_to_its_result(package: Package) -> None:
    """Each such operation, sync and async; the fake kept what the client got."""
    for chain in package.of_kind("AsyncOperation"):
        method, arguments = f"{chain.start.name}_and_wait", package.arguments(chain.start)
        for asynchronous in (False, True):
            fake = package.testing.FakeServer()
            fake.on(chain.start.name).settles(after=30, retry_after=2)
            if asynchronous:
                result = asyncio.run(_called(fake, method, arguments))
            else:
                with fake.client() as client:
                    result = getattr(client, method)(**arguments)
            assert [result] == fake.results(chain.start.name)
            assert 30 <= fake.clock.now < 35


def test_what_is_accepted_fails(package: Package) -> None:
    """Where the document has a state for it, in each of those states, with the reason."""
    for chain in package.of_kind("AsyncOperation"):
        arguments = package.arguments(chain.start)
        for state in sorted(chain.states.failed):
            fake = package.testing.FakeServer()
            fake.on(chain.start.name).fails(code="NO", state=state)
            with fake.client() as client, pytest.raises(package.errors.OperationFailed) as caught:
                getattr(client, f"{chain.start.name}_and_wait")(**arguments)
            assert caught.value.status == state
            assert chain.states.error is None or "NO" in str(caught.value)


def test_each_final_state_can_be_chosen(package: Package) -> None:
    """Of several that mean success, too."""
    for chain in package.of_kind("AsyncOperation"):
        arguments = package.arguments(chain.start)
        for state in sorted(chain.states.succeeded):
            fake = package.testing.FakeServer()
            fake.on(chain.start.name).settles(state=state)
            with fake.client() as client:
                handle = getattr(client, chain.start.name)(**arguments)
                handle.result()
                assert handle.status == state


def test_each_declared_error_is_read(package: Package) -> None:
    """By its status, with the body as the declared type."""
    for operation in package.of_kind("Operation"):
        arguments = package.arguments(operation)
        for status in (it for it in operation.errors if it.isdecimal()):
            fake = package.testing.FakeServer()
            fake.on(operation.name).rejects(int(status))
            with (
                fake.client(max_retries=0) as client,
                pytest.raises(package.errors.ApiError) as caught,
            ):
                getattr(client, operation.name)(**arguments)
            assert caught.value.status == int(status)
            assert caught.value.problem


async def _called(fake: Any, method: str, arguments: dict[str, Any]) -> Any:
    async with fake.async_client() as client:
        return await getattr(client, method)(**arguments)
