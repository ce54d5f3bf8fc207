from __future__ import annotations

import dataclasses
import gc
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from tests.sdk.orders import (
    CHAIN,
    CREATE,
    GET,
    AsyncOrdersClient,
    Clock,
    Keys,
    OrdersClient,
    Server,
    endpoint,
    perform,
    reply,
)
from users_sdk._call import call
from users_sdk._endpoint import Endpoint
from users_sdk._flows import check, resumed, submit, submit_and_wait
from users_sdk._handle import Handle
from users_sdk._tracing import Tracing
from users_sdk.errors import (
    ClientClosed,
    ConfigurationError,
    NotFoundError,
    OperationFailed,
    UnknownOutcome,
    WaitTimeout,
)

ITEM = {"item": "secret-body"}
LAMBDA_TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    """Return what keeps the spans that ended."""
    return InMemorySpanExporter()


@pytest.fixture
def provider(exporter: InMemorySpanExporter) -> TracerProvider:
    """Return a tracer provider of this test alone."""
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider


def traced(provider: TracerProvider, clock: Clock | None = None) -> Endpoint:
    """Return an endpoint whose calls are spans."""
    tracing = Tracing(provider, "https://orders.example:8443/v1")
    return dataclasses.replace(endpoint(clock), tracing=tracing)


def events(span: ReadableSpan) -> list[tuple[str, dict[str, Any]]]:
    """Return the names and attributes of a span's events."""
    return [(event.name, dict(event.attributes or {})) for event in span.events]


def test_a_creation_is_one_span_until_it_is_settled(
    provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    """Corner 39: with an event for each attempt and each poll."""
    clock = Clock()
    server = Server(polls=1, script=[reply(503, {})])
    perform(submit_and_wait(traced(provider, clock), CHAIN, {}, ITEM), server, clock)
    [span] = exporter.get_finished_spans()
    assert (span.name, span.kind) == ("create_order", SpanKind.CLIENT)
    assert dict(span.attributes or {}) == {
        "server.address": "orders.example",
        "server.port": 8443,
        "http.request.method": "POST",
        "url.template": "/orders",
    }
    names = [name for name, _ in events(span)]
    assert names == ["attempt", "attempt", "attempt", "poll", "attempt", "poll", "attempt"]
    first, second, *_ = [attributes for _, attributes in events(span)]
    assert (first["http.response.status_code"], first["http.request.resend_count"]) == (503, 0)
    assert (second["http.response.status_code"], second["http.request.resend_count"]) == (202, 1)
    assert second["request_id"] == "http-r0"
    polls = [attributes for name, attributes in events(span) if name == "poll"]
    assert polls == [{"state": "PENDING"}, {"state": "COMPLETED"}]
    assert span.status.status_code is StatusCode.UNSET
    assert "secret-body" not in span.to_json()


def test_the_span_of_a_handle_ends_when_it_is_settled(
    provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    """Not when the request is accepted."""
    server = Server()
    with (
        server.client() as http_client,
        OrdersClient(
            base_url="https://orders.example",
            region="r",
            credentials=Keys(),
            http_client=http_client,
            tracer_provider=provider,
        ) as client,
    ):
        handle = client._start(CHAIN, arguments={}, body=ITEM)
        assert exporter.get_finished_spans() == ()
        handle.result(5)
    assert len(exporter.get_finished_spans()) == 1


def test_a_span_says_why_a_creation_failed(
    provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    """Status, type and message of the error that the caller sees."""
    server = Server(final={"state": "FAILED", "error": {"code": "BAD"}})
    with pytest.raises(OperationFailed):
        perform(submit_and_wait(traced(provider), CHAIN, {}, ITEM), server)
    [span] = exporter.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert "BAD" in (span.status.description or "")
    assert dict(span.attributes or {})["error.type"] == "OperationFailed"
    assert events(span)[-1][0] == "exception"


def test_a_call_is_one_span(provider: TracerProvider, exporter: InMemorySpanExporter) -> None:
    """One that succeeds, one that is refused, one without an answer."""
    server = Server(script=[None, None, UnknownOutcome("lost")])
    api = traced(provider)
    api = dataclasses.replace(api, settings=dataclasses.replace(api.settings, max_retries=0))
    perform(call(api, CREATE, {}, ITEM), server)
    with pytest.raises(NotFoundError):
        perform(call(api, GET, {"order_id": "o"}), server)
    with pytest.raises(UnknownOutcome):
        perform(call(api, GET, {"order_id": "o"}), server)
    good, refused, lost = exporter.get_finished_spans()
    assert good.status.status_code is StatusCode.UNSET
    assert dict(refused.attributes or {})["error.type"] == "NotFoundError"
    assert events(lost)[0][1]["error.type"] == "UnknownOutcome"


def test_waiting_that_ends_ends_the_span(
    provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    """Nobody can ask any more, other than by the token, which is a span of its own."""
    clock = Clock()
    server = Server(polls=10**6)
    api = traced(provider, clock)
    with pytest.raises(WaitTimeout) as caught:
        perform(submit_and_wait(api, CHAIN, {}, ITEM, timeout=5.0), server, clock)
    [span] = exporter.get_finished_spans()
    assert dict(span.attributes or {})["error.type"] == "WaitTimeout"
    server.polls = 0
    perform(check(api, resumed(api, CHAIN, caught.value.token)), server, clock)
    assert len(exporter.get_finished_spans()) == 2


def test_a_handle_that_is_dropped_ends_its_span(
    provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    """Without an outcome: a span that never ends is never seen."""
    progress, _ = perform(submit(traced(provider), CHAIN, {}, ITEM), Server())
    assert exporter.get_finished_spans() == ()
    del progress
    gc.collect()
    [span] = exporter.get_finished_spans()
    assert dict(span.attributes or {})["abandoned"] is True


@contextmanager
def waiting(
    provider: TracerProvider, exporter: InMemorySpanExporter
) -> Iterator[tuple[OrdersClient, Handle[Any]]]:
    """Give a client and a handle of its that stays unsettled, and whose span has not ended."""
    server = Server(polls=10**6)
    with (
        server.client() as http_client,
        OrdersClient(
            base_url="https://orders.example",
            region="r",
            credentials=Keys(),
            http_client=http_client,
            tracer_provider=provider,
        ) as client,
    ):
        handle = client._start(CHAIN, arguments={}, body=ITEM)
        assert not handle.done()
        assert exporter.get_finished_spans() == ()
        yield client, handle


def outcome(exporter: InMemorySpanExporter) -> tuple[StatusCode, Any, list[str]]:
    """Return status, error and the last events of the one span that has ended."""
    [span] = exporter.get_finished_spans()
    names = [name for name, _ in events(span)]
    return span.status.status_code, dict(span.attributes or {})["error.type"], names[-2:]


def test_cancel_ends_the_span(provider: TracerProvider, exporter: InMemorySpanExporter) -> None:
    """At once, though the handle is kept; the request itself goes on."""
    with waiting(provider, exporter) as (_, handle):
        handle.cancel()
        ended = outcome(exporter)
        assert handle.cancelled()
    assert ended == (StatusCode.ERROR, "CancelledError", ["cancelled", "exception"])


def test_closing_the_client_ends_the_span(
    provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    """At once, with the error that the handle has from then on."""
    with waiting(provider, exporter) as (client, handle):
        client.close()
        ended = outcome(exporter)
        assert isinstance(handle.exception(), ClientClosed)
    assert ended == (StatusCode.ERROR, "ClientClosed", ["client_closed", "exception"])


async def test_an_async_handle_ends_its_span_as_well(
    provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    """By `cancel()`, as the blocking one does, and once only."""
    server = Server(polls=10**6)
    async with (
        server.async_client() as http_client,
        AsyncOrdersClient(
            base_url="https://orders.example",
            region="r",
            credentials=Keys(),
            http_client=http_client,
            tracer_provider=provider,
        ) as client,
    ):
        handle = await client._start(CHAIN, arguments={}, body=ITEM)
        assert not handle.done()
        handle.cancel()
        ended = outcome(exporter)
    assert ended == (StatusCode.ERROR, "CancelledError", ["cancelled", "exception"])
    assert len(exporter.get_finished_spans()) == 1


async def test_the_trace_goes_on_at_the_server(
    provider: TracerProvider, exporter: InMemorySpanExporter
) -> None:
    """Corner 39: `traceparent` is on every attempt, polls included, and names the one span."""
    server = Server(polls=1, script=[reply(503, {})])
    async with (
        server.async_client() as http_client,
        AsyncOrdersClient(
            base_url="https://orders.example",
            region="r",
            credentials=Keys(),
            http_client=http_client,
            tracer_provider=provider,
        ) as client,
    ):
        with provider.get_tracer("test").start_as_current_span("caller") as caller:
            await client._start_and_wait(CHAIN, arguments={}, body=ITEM)
    span = next(s for s in exporter.get_finished_spans() if s.name == "create_order")
    assert span.parent is not None
    assert span.parent.span_id == caller.get_span_context().span_id
    parents = {r.headers["traceparent"].rpartition("-")[0] for r in server.requests}
    assert parents == {f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}"}
    assert all("traceparent" not in r.headers["authorization"] for r in server.requests)


def test_what_is_no_provider_is_refused() -> None:
    """When the client is made."""
    with pytest.raises(ConfigurationError, match="tracer_provider must be an OpenTelemetry"):
        OrdersClient(base_url="https://orders.example", tracer_provider=5)  # type: ignore[arg-type]


def test_without_a_provider_nothing_is_imported() -> None:
    """A client that does not trace pays nothing for it."""
    program = (
        "import sys, users_sdk, json\n"
        "users_sdk.UsersClient(base_url='https://a.example', region='r')\n"
        "print(json.dumps([name for name in sys.modules if name.startswith('opentelemetry')]))"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == []


def test_lambda_s_trace_is_sent_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Corner 39: read with each attempt, as invocations differ; not signed: proxies rewrite it."""
    server = Server(polls=2)
    clock = Clock()
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "f")
    monkeypatch.setenv("_X_AMZN_TRACE_ID", LAMBDA_TRACE)
    api = endpoint(clock)
    progress, _ = perform(submit(api, CHAIN, {}, ITEM), server, clock)
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=é")
    perform(check(api, progress), server, clock)
    sent = [request.headers["x-amzn-trace-id"] for request in server.requests]
    assert sent == [LAMBDA_TRACE, "Root=%C3%A9"]


def test_outside_of_lambda_no_trace_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """As botocore does: the variable alone may be left from something else."""
    monkeypatch.delenv("AWS_LAMBDA_FUNCTION_NAME", raising=False)
    monkeypatch.setenv("_X_AMZN_TRACE_ID", LAMBDA_TRACE)
    server = Server()
    perform(call(endpoint(), CREATE, {}, ITEM), server)
    assert "x-amzn-trace-id" not in server.requests[0].headers


def test_each_attempt_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Method, path, status, attempt, time and request ID; no query and no body."""
    caplog.set_level(logging.DEBUG, logger="users_sdk")
    server = Server(script=[UnknownOutcome("lost"), reply(503, {})])
    perform(call(endpoint(), CREATE, {}, ITEM), server)
    assert [record.getMessage() for record in caplog.records] == [
        "POST /orders: UnknownOutcome (attempt 1, 0.000 s)",
        "POST /orders: 503, request ID None (attempt 2, 0.000 s)",
        "POST /orders: 202, request ID http-r0 (attempt 3, 0.000 s)",
    ]
    assert "secret-body" not in caplog.text


def test_the_log_is_silent_until_it_is_set_up() -> None:
    """Corner 37: no handler but the one that does nothing, and no level."""
    logger = logging.getLogger("users_sdk")
    assert [type(handler) for handler in logger.handlers] == [logging.NullHandler]
    assert logger.level == logging.NOTSET
