from __future__ import annotations

import dataclasses
import gc
import itertools
import pickle
from datetime import datetime
from email.utils import formatdate
from types import FunctionType, ModuleType
from typing import Any

import pytest

from tests.sdk.orders import (
    CHAIN,
    CREATE,
    GET,
    PRINT_CHAIN,
    STATUS,
    Clock,
    Keys,
    Label,
    Order,
    Server,
    endpoint,
    perform,
    reply,
)
from users_sdk._auth import SigV4, signer_for
from users_sdk._call import BUDGET_SPENT, call
from users_sdk._credentials import KeySource
from users_sdk._endpoint import Endpoint
from users_sdk._flows import (
    INCOMPLETE_SECONDS,
    LAG_SECONDS,
    check,
    resumed,
    submit,
    submit_and_wait,
    wait,
    wait_timeout,
)
from users_sdk._http import Headers, Request, Response
from users_sdk._operation import Parameter
from users_sdk._polling import Polling
from users_sdk._progress import Progress
from users_sdk._retry import BUDGET_TOKENS
from users_sdk._steps import Send, Sleep, Step
from users_sdk.errors import (
    ApiError,
    BadRequestError,
    ClientClosed,
    ConfigurationError,
    ForbiddenError,
    InvalidArgumentError,
    NotFoundError,
    OperationFailed,
    ProtocolError,
    RequestNotSent,
    SDKError,
    ServerError,
    TooManyRequestsError,
    UnknownOutcome,
    WaitTimeout,
)

ITEM = {"item": "x"}
LOST = UnknownOutcome("lost")
UNSENT = RequestNotSent("no route")
PENDING = reply(200, {"state": "PENDING"})


def submitted(server: Server, clock: Clock) -> Progress[Order]:
    return perform(submit(endpoint(clock), CHAIN, {}, ITEM), server, clock)[0]


def reached(*roots: object) -> int:
    """Return how many objects hang on some, code aside."""
    known: dict[int, object] = {}
    waiting = list(roots)
    while waiting:
        one = waiting.pop()
        if id(one) not in known and not isinstance(one, type | ModuleType | FunctionType):
            known[id(one)] = one
            waiting.extend(gc.get_referents(one))
    return len(known)


def sleeps(steps: list[Step]) -> list[float]:
    return [step.seconds for step in steps if isinstance(step, Sleep)]


def test_a_call_is_one_attempt_where_nothing_fails() -> None:
    """Built, sent, decoded."""
    server = Server(orders={"1": ITEM})
    order, steps = perform(call(endpoint(), GET, {"order_id": "1"}), server)
    assert order == Order(order_id="1", item="x")
    [step] = steps
    assert isinstance(step, Send)
    assert step.timeout == 10.0
    assert step.request.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("failure", [LOST, UNSENT, reply(503, {}), reply(429, {}), reply(500, {})])
def test_a_create_is_repeated_with_the_same_key(failure: Any) -> None:
    """Corner 1: whatever became of the first attempts, the server sees one request."""
    server = Server(script=[failure, failure, failure])
    clock = Clock()
    _, steps = perform(call(endpoint(clock), CREATE, {}, ITEM), server, clock)
    assert len(server.requests) == 4
    assert {request.headers["idempotency-key"] for request in server.requests} == {"key-1"}
    assert sleeps(steps) == pytest.approx([0.05, 0.1, 0.2])


def test_each_attempt_has_a_signature_of_its_own() -> None:
    """Corner 25: a signature that waited for a repetition could have expired."""
    count = itertools.count()
    signer = signer_for(lambda request: {"X-N": str(next(count))}, region=None, credentials=None)
    server = Server(script=[LOST])
    perform(call(endpoint(signer=signer), CREATE, {}, ITEM), server, Clock())
    assert [request.headers["x-n"] for request in server.requests] == ["0", "1"]


def test_an_operation_without_authentication_is_not_signed() -> None:
    """The document decides."""
    signer = signer_for(lambda request: {"X-Signed": "1"}, region=None, credentials=None)
    public = dataclasses.replace(GET, authenticated=False)
    server = Server(orders={"1": ITEM})
    perform(call(endpoint(signer=signer), public, {"order_id": "1"}), server)
    assert "x-signed" not in server.requests[0].headers


def test_a_signer_that_sends_elsewhere_is_stopped() -> None:
    """Corner 30: a signed request goes to the API and to nobody else."""

    def away(request: Request) -> Request:
        return dataclasses.replace(request, url="https://attacker.example/orders")

    signer = signer_for(away, region=None, credentials=None)
    server = Server()
    with pytest.raises(ConfigurationError, match=r"only https://orders\.example"):
        perform(call(endpoint(signer=signer), CREATE, {}, ITEM), server)
    assert server.requests == []


def test_a_bad_minute_multiplies_no_load() -> None:
    """Corner 34: 500 tokens pay for 100 repetitions; from then on a failing call is one attempt."""
    shared = endpoint(Clock())
    server = Server(script=[reply(503, {})] * 1000)
    for n in range(200):
        with pytest.raises(ServerError) as caught:
            perform(call(shared, CREATE, {}, ITEM), server, Clock())
        assert (BUDGET_SPENT in getattr(caught.value, "__notes__", ())) is (n >= 33)
    assert len(server.requests) == 200 + 100


def test_a_success_pays_for_the_repetition_that_made_it() -> None:
    """Corner 34: a client whose calls succeed in the end never runs out."""
    shared = endpoint(Clock())
    for _ in range(150):
        perform(call(shared, CREATE, {}, ITEM), Server(script=[reply(503, {})]), Clock())
    assert shared.budget.available == BUDGET_TOKENS


def test_questions_after_an_accepted_request_cost_nothing() -> None:
    """Corner 34: their pauses grow by themselves, and a bad minute fails no handle."""
    shared, clock = endpoint(Clock()), Clock()
    progress, _ = perform(submit(shared, CHAIN, {}, ITEM), Server(), clock)
    for _ in range(200):
        perform(check(shared, progress), Server(script=[reply(503, {})]), clock)
    assert shared.budget.available == BUDGET_TOKENS


class Watchful:
    """A server that accepts signatures of its own time only, as AWS does."""

    def __init__(self, *, drifts: float = 0.0) -> None:
        self.orders = Server()
        self.now = 1_700_000_000.0
        self.drifts = drifts
        self.signed: list[str] = []

    def __call__(self, request: Request) -> Response:
        """Answer a request, or refuse its signature."""
        moment = datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%S%z")
        self.signed.append(request.headers["authorization"])
        if abs(moment.timestamp() - self.now) <= 300:
            return self.orders(request)
        fields = {"Date": formatdate(self.now, usegmt=True)}
        self.now += self.drifts
        problem = {"title": "Forbidden", "code": "INVALID_SIGNATURE"}
        return reply(403, problem, {**fields, "x-amzn-ErrorType": "InvalidSignatureException"})


def wrong_by(server: Watchful, seconds: float) -> Endpoint:
    signer = SigV4(KeySource("eu-west-1", Keys()), wall_clock=lambda: server.now + seconds)
    return endpoint(Clock(), signer=signer)


@pytest.mark.parametrize("seconds", [-7200, 7200])
def test_a_wrong_clock_costs_one_request(seconds: float) -> None:
    """Corner 29: the first refusal teaches the offset; what comes later is signed rightly."""
    server = Watchful()
    shared = wrong_by(server, seconds)
    for _ in range(3):
        perform(call(shared, CREATE, {}, ITEM), server)
    assert len(server.signed) == 4
    assert len(server.orders.orders) == 1
    assert shared.budget.available == BUDGET_TOKENS


def test_a_question_is_signed_again_as_well() -> None:
    """Corner 29: a clock that goes wrong while an order is made fails no handle."""
    server = Watchful()
    shared = wrong_by(server, 0)
    progress, _ = perform(submit(shared, CHAIN, {}, ITEM), server)
    signer = SigV4(KeySource("eu-west-1", Keys()), wall_clock=lambda: server.now - 7200)
    settled, _ = perform(check(dataclasses.replace(shared, signer=signer), progress), server)
    assert settled is not None


def test_a_refusal_is_signed_again_once() -> None:
    """Corner 29: a server whose own time makes no sense is not asked for ever."""
    server = Watchful(drifts=99999)
    signer = SigV4(KeySource("eu-west-1", Keys()), wall_clock=lambda: 0.0)
    with pytest.raises(ForbiddenError):
        perform(call(endpoint(Clock(), signer=signer), CREATE, {}, ITEM), server)
    assert len(server.signed) == 2


def test_no_time_is_left_to_sign_again() -> None:
    """Corner 5: the refusal stands, if it took all the time there was."""
    server = Watchful()
    clock = Clock()

    def late(request: Request) -> Response:
        clock.now += 30
        return server(request)

    signer = SigV4(KeySource("eu-west-1", Keys()), wall_clock=lambda: server.now - 7200)
    with pytest.raises(ForbiddenError):
        perform(call(endpoint(clock, signer=signer), CREATE, {}, ITEM), late)
    assert len(server.signed) == 1


def test_signing_that_takes_all_the_time_sends_nothing() -> None:
    """Corner 5: the deadline covers the search for credentials."""
    clock = Clock()

    def slow(request: Request) -> dict[str, str]:
        clock.now += 31
        return {}

    server = Server()
    signer = signer_for(slow, region=None, credentials=None)
    with pytest.raises(RequestNotSent, match="signing it took all the time"):
        perform(call(endpoint(clock, signer=signer), CREATE, {}, ITEM), server)
    assert server.requests == []


KEYLESS = dataclasses.replace(CREATE, idempotency_header=None, parameters=())


@pytest.mark.parametrize(
    ("failure", "attempts"),
    [(LOST, 1), (reply(503, {}), 1), (reply(500, {}), 1), (UNSENT, 2), (reply(429, {}), 2)],
)
def test_without_a_key_only_what_was_not_carried_out_is_repeated(
    failure: Any, attempts: int
) -> None:
    """Corner 1: never two orders for one call."""
    server = Server(script=[failure])
    flow = call(endpoint(), KEYLESS, {}, ITEM)
    if attempts == 1:
        with pytest.raises(SDKError):
            perform(flow, server, Clock())
    else:
        perform(flow, server, Clock())
    assert len(server.requests) == attempts


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 415, 301])
def test_a_refusal_is_final(status: int) -> None:
    """What the server refuses once it refuses again."""
    server = Server(script=[reply(status, {"title": "No"})])
    with pytest.raises(ApiError) as caught:
        perform(call(endpoint(), CREATE, {}, ITEM), server)
    assert caught.value.status == status
    assert len(server.requests) == 1


def test_repetitions_are_counted() -> None:
    """The last failure is raised, with the key that lets the caller go on."""
    server = Server(script=[reply(503, {"code": "BUSY"})] * 9)
    with pytest.raises(ServerError) as caught:
        perform(call(endpoint(max_retries=2), CREATE, {}, ITEM), server, Clock())
    assert len(server.requests) == 3
    assert caught.value.idempotency_key == "key-1"


def test_repetitions_end_with_the_deadline() -> None:
    """Corner 5: a pause that would end later is not begun; what is left bounds an attempt."""
    clock = Clock()
    server = Server(script=[reply(429, {}, {"Retry-After": "4"})] * 9)
    flow = call(endpoint(clock, timeout=7.0), CREATE, {}, ITEM)
    with pytest.raises(TooManyRequestsError):
        perform(flow, server, clock)
    assert len(server.requests) == 2
    flow = call(endpoint(clock, timeout=7.0), CREATE, {}, ITEM, 2.5)
    step = next(flow)
    assert isinstance(step, Send)
    assert step.timeout == 2.5


@pytest.mark.parametrize(
    ("first", "then", "expected"),
    [
        (LOST, RequestNotSent("down"), UnknownOutcome),
        (LOST, ConfigurationError("the key is gone"), UnknownOutcome),
        (LOST, ClientClosed("closed"), UnknownOutcome),
        (reply(500, {}), RequestNotSent("down"), ServerError),
        (reply(503, {}), ClientClosed("closed"), ServerError),
        (reply(500, {}), LOST, UnknownOutcome),
        (LOST, reply(400, {}), BadRequestError),
        (RequestNotSent("down"), ClientClosed("closed"), ClientClosed),
        (reply(429, {}), ConfigurationError("the key is gone"), ConfigurationError),
    ],
)
def test_what_leaves_the_outcome_open_is_the_error(
    first: Any, then: Any, expected: type[SDKError]
) -> None:
    """Unless a later attempt was answered: that it was not sent says nothing of the earlier one."""
    server = Server(script=[first, then])
    with pytest.raises(SDKError) as caught:
        perform(call(endpoint(max_retries=1), CREATE, {}, {"item": "x"}), server)
    assert type(caught.value) is expected
    certain = expected in (ClientClosed, ConfigurationError)
    assert caught.value.idempotency_key == (None if certain else "key-1")


def test_a_lost_answer_is_not_forgotten() -> None:
    """Corner 2: if a later attempt could not even be sent, the outcome is unknown all the same."""
    server = Server(script=[LOST, UNSENT, UNSENT, UNSENT])
    with pytest.raises(UnknownOutcome) as caught:
        perform(call(endpoint(), CREATE, {}, ITEM), server, Clock())
    assert caught.value.idempotency_key == "key-1"
    assert "key-1" in str(caught.value)


def test_a_timeout_that_is_none_is_refused() -> None:
    """Nothing could be sent in no time."""
    with pytest.raises(InvalidArgumentError, match="timeout"):
        perform(call(endpoint(), GET, {"order_id": "1"}, None, 0), Server())


def test_an_accepted_request_is_known_by_what_the_server_gave() -> None:
    """IDs, key, and the first due time, counted from the answer."""
    clock = Clock()
    progress = submitted(Server(), clock)
    assert progress.message_id == "r0"
    assert progress.request_id == "http-r0"
    assert progress.idempotency_key == "key-1"
    assert progress.arguments == {"request_id": "r0"}
    assert clock.now + 0.01 <= progress.schedule.due < clock.now + 0.05


def test_an_acceptance_without_its_id_is_a_protocol_error() -> None:
    """It carries the key: the request may well be under way."""
    server = Server(script=[reply(202, {"request": "r0"}, {"x-request-id": "h"})])
    with pytest.raises(ProtocolError, match="/requestId") as caught:
        perform(submit(endpoint(), CHAIN, {}, ITEM), server)
    assert (caught.value.idempotency_key, caught.value.request_id) == ("key-1", "h")


@pytest.mark.parametrize(
    "given", ["NaN", "Infinity", '""', '"."', '".."', "{}", "[]", '["r0"]', "true", "null"]
)
def test_an_acceptance_with_an_id_that_is_none_is_a_protocol_error(given: str) -> None:
    """Told at once, where the key and the request ID are known, and not with the first question."""
    body = f'{{"requestId": {given}}}'.encode()
    fields = Headers({"Content-Type": "application/json", "x-request-id": "h"})
    server = Server(script=[Response(202, fields, body)])
    with pytest.raises(
        ProtocolError, match=r"/requestId.*was accepted .*may have been carried out"
    ) as caught:
        perform(submit(endpoint(), CHAIN, {}, ITEM), server)
    assert (caught.value.idempotency_key, caught.value.request_id) == ("key-1", "h")


@pytest.mark.parametrize(
    ("given", "segment"), [(5, "5"), ("a/../b", "a%2F..%2Fb"), ("...", "..."), ("é ", "%C3%A9%20")]
)
def test_an_id_is_one_part_of_the_path_whatever_it_is(given: object, segment: str) -> None:
    """Corner 3: of whatever characters, and a number is written as the text that it should be."""
    server = Server(script=[reply(202, {"requestId": given})])
    progress = perform(submit(endpoint(), CHAIN, {}, ITEM), server)[0]
    assert progress.message_id == str(given)
    perform(check(endpoint(), progress), lambda request: server(request) and PENDING)
    assert server.requests[-1].url.endswith(f"/requests/{segment}")


def test_the_whole_chain_is_asked_in_order() -> None:
    """Start, status until it is final, result; nothing twice."""
    clock = Clock()
    server = Server(polls=2)
    order, steps = perform(submit_and_wait(endpoint(clock), CHAIN, {}, ITEM), server, clock)
    assert order == Order(order_id="r0", item="x")
    assert server.paths() == [
        "POST /orders",
        "GET /requests/r0",
        "GET /requests/r0",
        "GET /requests/r0",
        "GET /orders/r0",
    ]
    assert len(sleeps(steps)) == 3
    assert all(0.01 <= seconds < 0.05 for seconds in sleeps(steps))


def test_requests_of_one_operation_learn_from_each_other() -> None:
    """Each final answer tells when to ask after the next request."""
    clock = Clock()
    shared = endpoint(clock)
    for _ in range(3):
        perform(submit_and_wait(shared, CHAIN, {}, ITEM), Server(polls=1), clock)
    (completions,) = shared.completions.values()
    assert len(completions.seen()) == 3


def test_a_result_that_the_status_holds_is_not_fetched() -> None:
    """And an argument of the status may come from the request."""
    script = [
        reply(202, {"id": 7, "state": "PENDING"}),
        reply(200, {"id": 7, "state": "COMPLETED", "label": {"pages": 2}}),
    ]
    server = Server(script=list(script))
    flow = submit_and_wait(endpoint(), PRINT_CHAIN, {"order_id": "o/1"})
    assert perform(flow, server, Clock())[0] == Label(pages=2)
    assert server.paths() == ["POST /orders/o%2F1/labels", "GET /orders/o%2F1/labels/7"]


@pytest.mark.parametrize(
    ("label", "said"),
    [
        (None, "print_label ended with COMPLETED, but the answer to get_job has no result at"),
        ({"pages": "many"}, "label|pages"),
    ],
)
def test_a_good_state_without_its_result_is_a_protocol_error(label: object, said: str) -> None:
    """Never None in place of a label."""
    status = reply(200, {"state": "COMPLETED", "label": label})
    server, clock = Server(script=[reply(202, {"id": 7}), *[status] * 100]), Clock()
    flow = submit_and_wait(endpoint(clock), PRINT_CHAIN, {"order_id": "1"})
    with pytest.raises(ProtocolError, match=said):
        perform(flow, server, clock)


@pytest.mark.parametrize("final", [{"state": "COMPLETED"}, {"state": "COMPLETED", "orderId": None}])
def test_a_good_state_without_the_id_of_the_result_is_asked_again(final: object) -> None:
    """Corner 10: for a while, and then explained; never a request with None in its path."""
    clock = Clock()
    server = Server()
    progress = submitted(server, clock)
    lacking = reply(200, final, {"x-request-id": "h"})
    server.script = [lacking] * 3
    assert perform(wait(endpoint(clock), progress, None), server, clock)[0].item == "x"
    assert server.paths().count("GET /requests/r0") == 4

    progress, before = submitted(server, clock), clock.now
    server.script = [lacking] * 1000
    said = "ended with COMPLETED, but the answer to get_request has no /orderId, which get_order"
    with pytest.raises(ProtocolError, match=said) as caught:
        perform(wait(endpoint(clock), progress, None), server, clock)
    assert (caught.value.message_id, caught.value.request_id) == ("r0", "h")
    assert INCOMPLETE_SECONDS <= clock.now - before <= INCOMPLETE_SECONDS + 3
    assert server.paths()[-1] == "GET /requests/r0"


def test_a_timeout_while_the_id_of_the_result_is_missing_says_so() -> None:
    """Corner 10: the good state alone would not explain why there is no result."""
    clock = Clock()
    flow = submit_and_wait(endpoint(clock), CHAIN, {}, ITEM, 1.0)
    with pytest.raises(WaitTimeout, match=r"is COMPLETED; .* has no /orderId"):
        perform(flow, Server(final={"state": "COMPLETED"}), clock)


@pytest.mark.parametrize("given", ["", "..", ["r0"], {"id": "r0"}, True])
def test_an_unusable_id_of_the_result_is_the_server_s_fault(given: object) -> None:
    """The caller has given no argument that could be wrong."""
    server, clock = Server(), Clock()
    progress = submitted(server, clock)
    server.script = [reply(200, {"state": "COMPLETED", "orderId": given}, {"x-request-id": "h"})]
    with pytest.raises(ProtocolError, match="/orderId, which get_order cannot") as caught:
        perform(check(endpoint(clock), progress), server, clock)
    assert (caught.value.message_id, caught.value.request_id) == ("r0", "h")


def test_what_a_server_gave_and_no_request_can_carry_is_the_server_s_fault() -> None:
    """As an ID that would break a header in two."""
    status = dataclasses.replace(
        STATUS, path="/requests", parameters=(Parameter("request_id", "X-Id", "header"),)
    )
    chain = dataclasses.replace(CHAIN, status=status)
    server = Server(script=[reply(202, {"requestId": "a\nb"})])
    progress = perform(submit(endpoint(), chain, {}, ITEM), server)[0]
    with pytest.raises(ProtocolError, match="get_request cannot be called with: request_id"):
        perform(check(endpoint(), progress), server)


@pytest.mark.parametrize("status", [{}, {"state": [1]}, []])
def test_a_status_without_a_state_is_a_protocol_error(status: object) -> None:
    """The message says where it should be."""
    clock = Clock()
    server = Server()
    progress = submitted(server, clock)
    server.script = [reply(200, status)]
    with pytest.raises(ProtocolError, match="no state at /state"):
        perform(check(endpoint(clock), progress), server)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ({}, None),
        ({"job": None}, None),
        ({"job": {"state": None}}, None),
        ({"job": {"state": "COMPLETED"}}, "COMPLETED"),
    ],
)
def test_a_state_may_come_later_than_the_status(status: object, state: str | None) -> None:
    """A status that has not got that far is pending."""
    states = dataclasses.replace(CHAIN.states, pointer="/job/state")
    chain = dataclasses.replace(CHAIN, states=states)
    server = Server()
    progress = perform(submit(endpoint(), chain, {}, ITEM), server)[0]
    server.script = [reply(200, status)]
    assert perform(check(endpoint(), progress), server)[0] is None
    assert progress.status == state


@pytest.mark.parametrize("status", [{"job": {}}, {"job": 5}, {"job": {"state": [1]}}])
def test_what_holds_the_state_must_hold_one(status: object) -> None:
    """Else the wait would go on for ever."""
    states = dataclasses.replace(CHAIN.states, pointer="/job/state")
    chain = dataclasses.replace(CHAIN, states=states)
    server = Server()
    progress = perform(submit(endpoint(), chain, {}, ITEM), server)[0]
    server.script = [reply(200, status)]
    with pytest.raises(ProtocolError, match="no state at /job/state"):
        perform(check(endpoint(), progress), server)


def test_a_state_that_is_a_number_is_read_as_json_writes_it() -> None:
    """`0` and `true` are states like words: here one that the document does not list."""
    clock = Clock()
    server = Server()
    progress = submitted(server, clock)
    server.script = [reply(200, {"state": it}) for it in (0, 1.0, True)]
    perform(check(endpoint(clock), progress), server)
    assert progress.status == "0"
    perform(check(endpoint(clock), progress), server)
    assert progress.status == "1"
    perform(check(endpoint(clock), progress), server)
    assert progress.status == "true"


def test_a_failure_says_why() -> None:
    """Corner 9: code, message, state, message ID and the whole status."""
    clock = Clock()
    final = {"state": "FAILED", "error": {"code": "NO_STOCK", "message": "Sold out."}}
    server = Server(final=final)
    progress = submitted(server, clock)
    with pytest.raises(OperationFailed) as caught:
        perform(check(endpoint(clock), progress), server)
    error = caught.value
    assert (error.code, error.message, error.status) == ("NO_STOCK", "Sold out.", "FAILED")
    assert (error.message_id, error.idempotency_key) == ("r0", "key-1")
    assert error.status_body == final
    assert str(error).startswith("create_order ended with FAILED: NO_STOCK: Sold out (")


def test_a_state_that_the_document_does_not_list_is_pending() -> None:
    """Corner 9: the server is newer than the package; the timeout names what was seen."""
    clock = Clock()
    server = Server(final={"state": "WRAPPING"})
    flow = submit_and_wait(endpoint(clock), CHAIN, {}, ITEM, 5.0)
    with pytest.raises(WaitTimeout, match="WRAPPING") as caught:
        perform(flow, server, clock)
    assert caught.value.status == "WRAPPING"


@pytest.mark.parametrize("failure", [LOST, UNSENT, reply(500, {}), reply(429, {}), reply(503, {})])
def test_a_disturbance_does_not_end_the_wait(failure: Any) -> None:
    """Corner 8: many in a row neither; each is followed by a pause."""
    clock = Clock()
    server = Server()
    progress = submitted(server, clock)
    server.script = [failure] * 20
    order, steps = perform(wait(endpoint(clock), progress, None), server, clock)
    assert order.order_id == "r0"
    assert min(sleeps(steps)[1:]) >= 0.1
    assert progress.trouble is None


@pytest.mark.parametrize("status", [400, 401, 403, 410])
def test_a_refusal_ends_the_wait(status: int) -> None:
    """Corner 8: asking again would not help, so it is at once; the error names the request."""
    clock = Clock()
    server = Server()
    progress = submitted(server, clock)
    server.script = [reply(status, {})]
    due = progress.schedule.due
    with pytest.raises(ApiError) as caught:
        perform(wait(endpoint(clock), progress, None), server, clock)
    assert (caught.value.status, caught.value.message_id) == (status, "r0")
    assert server.paths() == ["POST /orders", "GET /requests/r0"]
    assert clock.now == pytest.approx(due)


def test_not_found_is_lag_for_a_while_and_then_an_error() -> None:
    """Corner 7: shortly after acceptance, and after the good state, copies of the data may lag."""
    clock = Clock()
    missing = reply(404, {"title": "Not Found"})
    server = Server()
    progress = submitted(server, clock)
    server.script = [missing, missing, None, missing, missing]
    assert perform(wait(endpoint(clock), progress, None), server, clock)[0].item == "x"
    assert server.paths().count("GET /requests/r0") == 3

    progress = submitted(server, clock)
    before = clock.now
    server.script = [missing] * 1000
    with pytest.raises(NotFoundError):
        perform(wait(endpoint(clock), progress, None), server, clock)
    assert LAG_SECONDS <= clock.now - before <= LAG_SECONDS + 3


def test_not_found_after_a_state_is_an_error_at_once() -> None:
    """Corner 7: what was there and is gone does not lag."""
    clock = Clock()
    server = Server(polls=1)
    progress = submitted(server, clock)
    server.script = [None, reply(404, {})]
    with pytest.raises(NotFoundError):
        perform(wait(endpoint(clock), progress, None), server, clock)


def test_waiting_ends_no_earlier_than_asked_and_after_a_last_question() -> None:
    """Corner 4: the request goes on; the error says how to go on with it."""
    clock = Clock()
    server = Server(polls=1000)
    progress = submitted(server, clock)
    start = clock.now
    with pytest.raises(WaitTimeout) as caught:
        perform(wait(endpoint(clock), progress, start + 3.0), server, clock)
    assert clock.now == start + 3.0
    error = caught.value
    assert (error.status, error.message_id) == ("PENDING", "r0")
    again = resumed(endpoint(clock), CHAIN, error.token)
    server.polls = 0
    assert perform(wait(endpoint(clock), again, None), server, clock)[0].order_id == "r0"


def test_the_last_question_is_not_asked_before_the_server_allows_it() -> None:
    """A timeout of ours is no reason to hurry a server."""
    clock = Clock()
    server = Server(hint={"Retry-After": "60"})
    progress = submitted(server, clock)
    with pytest.raises(WaitTimeout, match="not known yet"):
        perform(wait(endpoint(clock), progress, clock.now + 1), server, clock)
    assert server.paths() == ["POST /orders"]


def test_a_timeout_names_what_disturbed() -> None:
    """In its text as well, which is all that a pickle keeps of a cause; and it is the cause."""
    clock = Clock()
    server = Server()
    progress = submitted(server, clock)
    server.script = [reply(503, {"code": "BUSY"}, {"x-request-id": "h"})] * 100
    with pytest.raises(WaitTimeout) as caught:
        perform(wait(endpoint(clock), progress, clock.now + 2), server, clock)
    assert isinstance(caught.value.__cause__, ServerError)
    said = str(pickle.loads(pickle.dumps(caught.value)))
    assert "its state is not known yet; the last question failed: GET /requests/" in said
    assert "503 Service Unavailable: BUSY (request ID h)" in said


def test_a_timeout_names_no_trouble_that_is_over() -> None:
    """Once a state is told, what was before does not explain anything."""
    clock = Clock()
    server = Server(polls=1000)
    progress = submitted(server, clock)
    server.script = [reply(503, {})] * 3
    with pytest.raises(WaitTimeout, match="its state is PENDING ") as caught:
        perform(wait(endpoint(clock), progress, clock.now + 5), server, clock)
    assert caught.value.__cause__ is None


def test_a_timeout_after_the_good_state_says_what_could_not_be_read() -> None:
    """Corner 10: it did not end before the request did."""
    clock = Clock()
    server = Server()
    progress = submitted(server, clock)
    server.script = [None, *[reply(404, {"title": "Not Found"})] * 100]
    said = "create_order ended with COMPLETED, but its result could not be read in time; .* 404 Not"
    with pytest.raises(WaitTimeout, match=said):
        perform(wait(endpoint(clock), progress, clock.now + 2), server, clock)


def test_one_timeout_covers_the_start_and_the_wait() -> None:
    """Corner 5: what the start took is not there any more for the wait."""
    clock = Clock()
    server = Server(polls=1000, script=[reply(503, {}, {"Retry-After": "2"})])
    start = clock.now
    with pytest.raises(WaitTimeout):
        perform(submit_and_wait(endpoint(clock), CHAIN, {}, ITEM, 5.0), server, clock)
    assert clock.now == pytest.approx(start + 5.0)


def test_the_timeout_bounds_the_last_answers_as_well() -> None:
    """Corner 5: neither a status nor the result is waited for long after it is over."""
    clock = Clock()
    progress = submitted(Server(polls=1000), clock)
    flow = wait(endpoint(clock), progress, clock.now + 3.0)
    step = next(flow)
    while not isinstance(step, Send):
        clock.now += step.seconds if isinstance(step, Sleep) else 0.0
        step = flow.send(None)
    assert 1.0 <= step.timeout <= 3.0


def test_without_a_timeout_the_deadline_of_polling_holds() -> None:
    """Nothing waits for ever unless asked to."""
    clock = Clock()
    start = clock.now
    polling = Polling(deadline=60.0)
    server = Server(polls=10_000)
    with pytest.raises(WaitTimeout):
        perform(submit_and_wait(endpoint(clock, polling=polling), CHAIN, {}, ITEM), server, clock)
    assert clock.now == pytest.approx(start + 60.0)


def test_a_start_that_is_refused_is_the_error_of_the_whole() -> None:
    """Nothing is asked after."""
    server = Server(script=[reply(400, {"code": "INVALID_BODY"})])
    with pytest.raises(BadRequestError):
        perform(submit_and_wait(endpoint(), CHAIN, {}, ITEM), server)
    assert server.paths() == ["POST /orders"]


def test_what_is_resumed_is_asked_after_at_once() -> None:
    """It has waited long enough; what was accepted long ago does not lag any more."""
    clock = Clock()
    server = Server()
    token = submitted(server, clock).token()
    clock.now += 3600
    progress = resumed(endpoint(clock), CHAIN, token)
    assert progress.schedule.due == clock.now
    server.script = [reply(404, {})]
    with pytest.raises(NotFoundError):
        perform(check(endpoint(clock), progress), server)


def test_nothing_is_kept_for_each_question() -> None:
    """Corner 14: what a wait leads to does not grow, whether it is pending or disturbed."""
    clock = Clock()
    server = Server(polls=10_000)
    api = endpoint(clock)
    progress, _ = perform(submit(api, CHAIN, {}, ITEM), server, clock)

    def size_after(questions: int) -> int:
        for number in range(questions):
            server.script = [reply(503, {})] if number % 2 else []
            clock.now = progress.schedule.due
            perform(check(api, progress), server, clock)
        return reached(progress, api.completions)

    before = size_after(200)
    assert size_after(200) - before < 20
    assert wait_timeout(progress).status == "PENDING"
