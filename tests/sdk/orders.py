"""
An API that exists only here: orders, as a generated package would describe them, and their server.

`POST /orders` is asked after at `/requests/{requestId}`, `POST /orders/{orderId}/labels` at
`/orders/{orderId}/labels/{jobId}`, which holds the label itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, TypeVar
from urllib.parse import unquote, urlsplit

import httpx
from pydantic import Field

from users_sdk._auth import Signer, Unsigned
from users_sdk._client import AsyncBaseClient, BaseClient
from users_sdk._config import Settings
from users_sdk._endpoint import Endpoint
from users_sdk._http import Headers, Request, Response
from users_sdk._models import Model, OpenEnum
from users_sdk._operation import (
    AsyncOperation,
    Binding,
    Body,
    Embedded,
    Fetched,
    Operation,
    Parameter,
    States,
)
from users_sdk._polling import Polling
from users_sdk._steps import Call, Flow, Invoke, Send, Sleep, Step

T = TypeVar("T")


class Colour(OpenEnum):
    """A colour of wrapping paper."""

    RED = "red"
    BLUE = "blue"


class NewOrder(Model):
    """What is needed to create an order."""

    item: Annotated[str, Field(min_length=1)]
    gift_note: Annotated[str | None, Field(alias="giftNote")] = None
    colour: Colour = Colour.RED


class Order(Model):
    """An order."""

    order_id: Annotated[str, Field(alias="orderId")]
    item: str


class Label(Model):
    """A label."""

    pages: int


class Problem(Model):
    """What is wrong."""

    title: str
    code: str | None = None
    detail: str | None = None


ERRORS: Mapping[str, Any] = {"404": Problem, "4XX": Problem, "default": Problem}

CREATE: Operation[dict[str, Any]] = Operation(
    name="create_order",
    operation_id="createOrder",
    method="POST",
    path="/orders",
    parameters=(Parameter("idempotency_key", "Idempotency-Key", "header"),),
    body=Body(NewOrder),
    results={"202": dict[str, Any]},
    errors=ERRORS,
    idempotency_header="Idempotency-Key",
)
STATUS: Operation[dict[str, Any]] = Operation(
    name="get_request",
    operation_id="getRequest",
    method="GET",
    path="/requests/{requestId}",
    parameters=(Parameter("request_id", "requestId", "path", required=True),),
    results={"200": dict[str, Any]},
    errors=ERRORS,
)
GET: Operation[Order] = Operation(
    name="get_order",
    operation_id="getOrder",
    method="GET",
    path="/orders/{orderId}",
    parameters=(Parameter("order_id", "orderId", "path", required=True),),
    results={"200": Order},
    errors=ERRORS,
)
STATES = States(
    pointer="/state",
    pending=frozenset({"PENDING"}),
    succeeded=frozenset({"COMPLETED"}),
    failed=frozenset({"FAILED"}),
    error="/error",
)
CHAIN: AsyncOperation[Order] = AsyncOperation(
    start=CREATE,
    status=STATUS,
    status_arguments=(Binding("request_id", "response.body", "/requestId"),),
    states=STATES,
    result=Fetched(GET, (Binding("order_id", "response.body", "/orderId"),)),
)

PRINT: Operation[dict[str, Any]] = Operation(
    name="print_label",
    operation_id="printLabel",
    method="POST",
    path="/orders/{orderId}/labels",
    parameters=(Parameter("order_id", "orderId", "path", required=True),),
    results={"202": dict[str, Any]},
)
JOB: Operation[dict[str, Any]] = Operation(
    name="get_job",
    operation_id="getJob",
    method="GET",
    path="/orders/{orderId}/labels/{jobId}",
    parameters=(
        Parameter("order_id", "orderId", "path", required=True),
        Parameter("job_id", "jobId", "path", required=True),
    ),
    results={"200": dict[str, Any]},
)
PRINT_CHAIN: AsyncOperation[Label] = AsyncOperation(
    start=PRINT,
    status=JOB,
    status_arguments=(
        Binding("order_id", "request.path", "orderId"),
        Binding("job_id", "response.body", "/id"),
    ),
    states=STATES,
    result=Embedded("/label", Label),
)


class OrdersClient(BaseClient):
    """The blocking client."""

    _url_variable: ClassVar[str] = "ORDERS_API_URL"


class AsyncOrdersClient(AsyncBaseClient):
    """The asynchronous client."""

    _url_variable: ClassVar[str] = "ORDERS_API_URL"


@dataclass
class Keys:
    """Credentials that belong to nobody."""

    access_key: str = "AKIDEXAMPLE"
    secret_key: str = "not-a-secret"
    token: str | None = None


Answer = Response | Exception


@dataclass
class Server:
    """
    A server of orders, without a network: a function from request to answer.

    Attributes:
        polls: After how many questions an order is there.
        script: What is answered first, whatever is asked; `None` is the usual answer.
        requests: What was asked.
        hint: The headers that say when to ask again.
        final: The status once an order is there, if not the usual one.
        orders: The orders that were made, by ID.
    """

    polls: int = 0
    script: list[Answer | None] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    hint: Mapping[str, str] = field(default_factory=lambda: {"Retry-After-Ms": "10"})
    final: Mapping[str, Any] | None = None
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)

    def __call__(self, request: Request) -> Response:
        """Answer a request, or raise what the script says."""
        self.requests.append(request)
        answer = self.script.pop(0) if self.script else None
        if isinstance(answer, Exception):
            raise answer
        return answer or self._answer(request)

    def paths(self) -> list[str]:
        """Return what was asked, in short."""
        return [f"{request.method} {urlsplit(request.url).path}" for request in self.requests]

    def _answer(self, request: Request) -> Response:
        kind, *rest = [unquote(part) for part in urlsplit(request.url).path.split("/")[1:]]
        if request.method == "POST":
            key = request.headers.get("idempotency-key", str(len(self.orders)))
            name = self.keys.setdefault(key, f"r{len(self.keys)}")
            self.orders.setdefault(name, json.loads(request.body))
            fields = {**self.hint, "x-amzn-RequestId": f"http-{name}"}
            return reply(202, {"requestId": name}, fields)
        name = rest[0]
        if name not in self.orders:
            return reply(404, {"title": "Not Found", "code": "NOT_FOUND"})
        if kind == "orders":
            return reply(200, {"orderId": name, "item": self.orders[name]["item"]})
        self.asked[name] = self.asked.get(name, 0) + 1
        if self.asked[name] <= self.polls:
            return reply(200, {"state": "PENDING"}, self.hint)
        return reply(200, self.final or {"state": "COMPLETED", "orderId": name})

    def client(self) -> httpx.Client:
        """Return an HTTP client that asks this server."""
        return httpx.Client(transport=httpx.MockTransport(self.handle))

    def async_client(self) -> httpx.AsyncClient:
        """Return an asynchronous HTTP client that asks this server."""
        return httpx.AsyncClient(transport=httpx.MockTransport(self.handle))

    def handle(self, wire: httpx.Request) -> httpx.Response:
        """Answer an HTTP client."""
        request = Request(wire.method, str(wire.url), Headers(dict(wire.headers)), wire.content)
        response = self(request)
        return httpx.Response(
            response.status, headers=dict(response.headers), content=response.body
        )


def reply(status: int, document: object, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer in JSON."""
    kind = "application/json" if status < 400 else "application/problem+json"
    fields = Headers({"Content-Type": kind}).merged(headers or {})
    return Response(status, fields, json.dumps(document).encode())


@dataclass
class Clock:
    """A clock that goes on when a flow sleeps."""

    now: float = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def endpoint(
    clock: Callable[[], float] | None = None,
    *,
    signer: Signer | None = None,
    polling: Polling | None = None,
    max_retries: int = 3,
    timeout: float = 30.0,
) -> Endpoint:
    """Return an endpoint without chance and, by default, without time."""
    settings = Settings(
        base_url="https://orders.example",
        region="eu-west-1",
        timeout=timeout,
        attempt_timeout=10.0,
        max_retries=max_retries,
        polling=polling or Polling(),
        user_agent="orders",
    )
    now = clock or Clock()
    return Endpoint(
        settings,
        signer or Unsigned(),
        clock=now,
        wall_clock=lambda: now() + 1e9,
        random=lambda: 0.5,
        new_key=lambda: "key-1",
    )


def perform(
    flow: Flow[T], server: Callable[[Request], Response], clock: Clock | None = None
) -> tuple[T, list[Step]]:
    """Step a flow by hand, and return its result and what it asked for."""
    steps: list[Step] = []
    try:
        step = next(flow)
        while True:
            steps.append(step)
            try:
                answer = _perform(step, server, clock)
            except Exception as error:
                step = flow.throw(error)
            else:
                step = flow.send(answer)
    except StopIteration as stop:
        return stop.value, steps


def _perform(step: Step, server: Callable[[Request], Response], clock: Clock | None) -> object:
    if isinstance(step, Send):
        return server(step.request)
    if isinstance(step, Sleep):
        if clock is not None:
            clock.now += step.seconds
        return None
    assert isinstance(step, Call | Invoke)
    return step.function()
