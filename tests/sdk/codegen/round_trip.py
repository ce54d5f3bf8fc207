"""Every operation of a package against the service of its document, by the examples."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from codegen import _names
from tests.sdk.codegen.service import Example, Service, number, written


class Made(NamedTuple):
    """
    A document and the package made of it.

    Attributes:
        document: The file.
        runtime: Import name of the package with the hand-written modules.
        generated: Import name of the package with the client, the models and the operations.
        client: Name of the synchronous client.
        chains: The asynchronous operations as the generator has read them, by `operationId`.
    """

    document: Path
    runtime: str
    generated: str
    client: str
    chains: dict[str, Any]

    def new_client(self, url: str, *, is_async: bool = False) -> Any:
        """A client of the service at a URL."""
        prefix = "Async" if is_async else ""
        client_class = getattr(self._module("client"), f"{prefix}{self.client}")
        auth = importlib.import_module(f"{self.runtime}._auth").BearerToken("t")
        polling = importlib.import_module(f"{self.runtime}._polling").Polling(interval=0.001)
        return client_class(base_url=url, auth=auth, max_retries=0, polling=polling)

    @property
    def api_error(self) -> type[Exception]:
        """What an answer without success is raised as."""
        error: type[Exception] = importlib.import_module(f"{self.runtime}.errors").ApiError
        return error

    def body_type(self, example: Example) -> Any:
        """The type of an operation's body."""
        return getattr(self._module("operations"), method_of(example).upper()).body.type

    def _module(self, name: str) -> Any:
        return importlib.import_module(f"{self.generated}.{name}")


def run_every_operation(made: Made, service: Service) -> None:
    """Call each operation, with the body as a mapping and as the model, and resolve handles."""
    with made.new_client(service.url) as client:
        for example in service.examples:
            for body in bodies_of(made, example):
                service.counts.clear()
                name, arguments = method_of(example), arguments_of(example)
                value = getattr(client, name)(*body, **arguments)
                if example.identity in made.chains:
                    value = value.result(timeout=20)
                    service.counts.clear()
                    waited = getattr(client, f"{name}_and_wait")
                    assert waited(*body, **arguments, timeout=20) == value
                assert plain(value) == _expected(made, service, example), name


async def run_every_operation_async(made: Made, service: Service) -> None:
    """Call each operation with the asynchronous client; await handles."""
    async with made.new_client(service.url, is_async=True) as client:
        for example in service.examples:
            service.counts.clear()
            name, arguments = method_of(example), arguments_of(example)
            body = bodies_of(made, example)[-1]
            value = await getattr(client, name)(*body, **arguments)
            if example.identity in made.chains:
                value = await value
                service.counts.clear()
                waited = getattr(client, f"{name}_and_wait")
                assert await waited(*body, **arguments, timeout=20) == value
            assert plain(value) == _expected(made, service, example), name


def raise_every_error(made: Made, service: Service) -> None:
    """Let each operation be answered with each error that it declares."""
    for example in service.examples:
        for status in (it for it in example.responses if not it.startswith("2")):
            with made.new_client(f"{service.url}/={status}") as client:
                body = bodies_of(made, example)[0]
                try:
                    getattr(client, method_of(example))(*body, **arguments_of(example))
                except made.api_error as error:
                    raised: Any = error
                else:
                    raise AssertionError(f"{example.identity} has not raised {status}")
            assert raised.status == number(status)
            _, _, value = example.answer(status, 0)
            assert plain(raised.problem) == value


def arguments_of(example: Example) -> dict[str, Any]:
    """The examples of the parameters, by Python name."""
    return {_names.parameter_name(name): value for name, value in example.arguments().items()}


def bodies_of(made: Made, example: Example) -> list[list[Any]]:
    """The example of the body as a mapping, and as the model: what a method takes first."""
    if not example.has_body:
        return [[]]
    kind, (value, *_) = example.body
    if kind == "application/octet-stream" or kind.startswith("image/"):
        return [[written(kind, value)]]
    if kind.startswith("multipart/"):
        value = {name: _content(part) for name, part in value.items()}
    adapter: TypeAdapter[Any] = TypeAdapter(made.body_type(example))
    return [[value], [adapter.validate_python(value)]]


def _content(part: Any) -> Any:
    """A part of an example: a text that starts with a control character is a file."""
    return part.encode("latin-1") if isinstance(part, str) and part[:1] < " " else part


def method_of(example: Example) -> str:
    """The name of an operation's method."""
    operation_id = None if " " in example.identity else example.identity
    return _names.method_name(operation_id, example.method.lower(), example.path)


def plain(value: Any) -> Any:
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
