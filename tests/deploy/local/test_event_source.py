"""The event source mapping: queue to function, as Lambda does it."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from deploy.local.engine import Engine
from deploy.local.event_source import EventSourceMapping, failed_ids
from deploy.local.function import Function, FunctionError
from deploy.local.resources import Access, Resources, provision
from tests.consumer.samples import CONTRACT


class Recorder:
    """A function in this process that keeps its events and answers by a given rule."""

    def __init__(self, answer: Callable[[Any], object] = lambda event: None) -> None:
        self.events: list[Any] = []
        self._answer = answer

    def invoke(self, event: object) -> object:
        """See `Function.invoke`."""
        self.events.append(event)
        return self._answer(event)

    @property
    def bodies(self) -> list[str]:
        """The bodies of all records, in the order of their arrival."""
        return [record["body"] for event in self.events for record in event["Records"]]


@pytest.fixture
def access(engine: Engine) -> Access:
    """Access to the engine."""
    return Access(engine.url, engine.url)


@pytest.fixture
def resources(access: Access) -> Resources:
    """Queues of the test's own; a message that failed comes back after a second."""
    name = f"mapping-{uuid.uuid4()}"
    return provision(access, CONTRACT, queue=name, table="mapping-tests", visibility_timeout=1)


@pytest.fixture
def start(access: Access, resources: Resources) -> Iterator[Callable[..., EventSourceMapping]]:
    """Start a mapping from the queue to a function; it is stopped at the end."""
    started = []

    def start(function: Any, **options: Any) -> EventSourceMapping:
        queue = options.pop("queue", resources.queue)
        started.append(EventSourceMapping(access.sqs, queue, function, **options))
        started[-1].start()
        return started[-1]

    yield start
    for mapping in started:
        mapping.request_stop()
    for mapping in started:
        mapping.stop()


def send(access: Access, resources: Resources, *bodies: str) -> None:
    """Put messages into the queue."""
    for body in bodies:
        access.sqs.send_message(QueueUrl=resources.queue.url, MessageBody=body)


def wait_for(condition: Callable[[], bool], within: float = 15.0) -> None:
    """Wait until a condition holds; it has to within so many seconds."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def left(access: Access, url: str) -> int:
    """Count what a queue holds, visible or not."""
    names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = access.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return sum(int(count) for count in answer["Attributes"].values())


Start = Callable[..., EventSourceMapping]


def test_an_event_has_lambdas_shape(access: Access, resources: Resources, start: Start) -> None:
    """Every member that the documentation names is there, with its type."""
    access.sqs.send_message(
        QueueUrl=resources.queue.url,
        MessageBody="é\n{}",
        MessageAttributes={
            "schemaVersion": {"DataType": "String", "StringValue": "1"},
            "blob": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
        },
        MessageSystemAttributes={
            "AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5f1b2c3d-0"}
        },
    )
    recorder = Recorder()
    start(recorder)
    wait_for(lambda: bool(recorder.events))
    (record,) = recorder.events[0]["Records"]
    attributes = record.pop("attributes")
    assert attributes.pop("AWSTraceHeader") == "Root=1-5f1b2c3d-0"
    assert attributes.pop("ApproximateReceiveCount") == "1"
    assert attributes.pop("SenderId")
    for name in ("SentTimestamp", "ApproximateFirstReceiveTimestamp"):
        assert abs(int(attributes.pop(name)) / 1000 - time.time()) < 60
    assert record.pop("receiptHandle")
    assert uuid.UUID(record.pop("messageId"))
    empty: dict[str, list[str]] = {"stringListValues": [], "binaryListValues": []}
    assert record == {
        "body": "é\n{}",
        "md5OfBody": hashlib.md5("é\n{}".encode()).hexdigest(),
        "messageAttributes": {
            "schemaVersion": {"stringValue": "1", "dataType": "String", **empty},
            "blob": {"binaryValue": "AP8=", "dataType": "Binary", **empty},
        },
        "eventSource": "aws:sqs",
        "eventSourceARN": resources.queue.arn,
        "awsRegion": "us-east-1",
    }


def test_messages_come_in_batches_and_are_deleted(
    access: Access, resources: Resources, start: Start
) -> None:
    """A batch has at most ten messages; what succeeded leaves the queue."""
    send(access, resources, *map(str, range(25)))
    recorder = Recorder()
    start(recorder)
    wait_for(lambda: left(access, resources.queue.url) == 0)
    assert sorted(recorder.bodies, key=int) == [str(number) for number in range(25)]
    assert max(len(event["Records"]) for event in recorder.events) == 10


def test_only_reported_messages_come_again(
    access: Access, resources: Resources, start: Start
) -> None:
    """Of a batch with failures, the others are deleted at once."""
    send(access, resources, "good", "bad", "good")
    with Function("tests.deploy.local.handlers.fail_marked", environment={}) as function:
        start(function, concurrency=1)
        wait_for(lambda: left(access, resources.queue.url) == 1)
        wait_for(lambda: len(function.durations) >= 3)
    assert left(access, resources.queue.url) == 1


def test_dead_letters_arrive_after_five_receives(
    access: Access, resources: Resources, start: Start
) -> None:
    """A message that fails five times goes to the dead letters, with its ID and where it was."""
    send(access, resources, "bad")
    recorder = Recorder(lambda event: {"batchItemFailures": [{"itemIdentifier": "unknown"}]})
    dead_letters = Recorder()
    start(recorder)
    start(dead_letters, queue=resources.dead_letters, concurrency=1)
    wait_for(lambda: bool(dead_letters.events))
    assert recorder.bodies == ["bad"] * 5
    counts = [
        record["attributes"]["ApproximateReceiveCount"]
        for event in recorder.events
        for record in event["Records"]
    ]
    assert counts == ["1", "2", "3", "4", "5"]
    (letter,) = dead_letters.events[0]["Records"]
    assert letter["messageId"] == recorder.events[0]["Records"][0]["messageId"]
    assert letter["attributes"]["DeadLetterQueueSourceArn"] == resources.queue.arn
    wait_for(lambda: left(access, resources.dead_letters.url) == 0)


def test_an_exception_fails_the_whole_batch(
    access: Access,
    resources: Resources,
    start: Start,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing is deleted when the function raises, and one line says so."""

    def fail(event: object) -> object:
        raise FunctionError("RuntimeError", "asked for")

    send(access, resources, "one")
    recorder = Recorder(fail)
    start(recorder, concurrency=1)
    wait_for(lambda: len(recorder.events) >= 2)
    assert left(access, resources.queue.url) == 1
    assert "1 messages failed: RuntimeError: asked for" in caplog.text


def test_two_batches_run_at_a_time(access: Access, resources: Resources, start: Start) -> None:
    """A batch under way does not hold up the next one: here each waits for the other."""
    barrier = threading.Barrier(2, timeout=5)
    met: list[int] = []
    start(Recorder(lambda event: met.append(barrier.wait())), batch_size=1, concurrency=2)
    send(access, resources, "one", "two")
    wait_for(lambda: len(met) == 2)


@pytest.mark.parametrize("idle", [True, False])
def test_a_stop_takes_a_second_at_most(
    access: Access, resources: Resources, start: Start, idle: bool
) -> None:
    """Neither a long poll nor an invocation under way holds it up."""
    release = threading.Event()
    recorder = Recorder(lambda event: release.wait(5))
    mapping = start(recorder)
    if not idle:
        send(access, resources, "slow")
        wait_for(lambda: bool(recorder.events))
    time.sleep(0.05)
    started = time.monotonic()
    mapping.stop()
    assert time.monotonic() - started < 1.2
    release.set()


def test_a_batch_that_comes_too_late_is_given_back(access: Access, resources: Resources) -> None:
    """What arrives while the mapping stops is visible again at once, and not invoked."""
    send(access, resources, "late")
    recorder = Recorder()
    mapping = EventSourceMapping(access.sqs, resources.queue, recorder)
    messages = mapping._receive()
    mapping.request_stop()
    mapping._process(messages)
    assert recorder.events == []
    again = access.sqs.receive_message(QueueUrl=resources.queue.url)["Messages"]
    assert [message["Body"] for message in again] == ["late"]


def test_an_engine_that_fails_is_polled_on(
    access: Access, resources: Resources, start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    """While the queue is out of reach there is one line of log, and polling goes on."""
    url = resources.queue.url
    access.sqs.delete_queue(QueueUrl=url)
    recorder = Recorder()
    with caplog.at_level(logging.WARNING):
        start(recorder, concurrency=1)
        wait_for(lambda: "polling fails" in caplog.text)
        time.sleep(0.5)
    assert caplog.text.count("polling fails") == 1
    access.sqs.create_queue(QueueName=url.rpartition("/")[2])
    send(access, resources, "back again")
    wait_for(lambda: recorder.bodies == ["back again"])


@pytest.mark.parametrize(
    "response",
    [None, "", {}, {"batchItemFailures": None}, {"batchItemFailures": []}, {"statusCode": 200}],
)
def test_no_failures_is_a_complete_success(response: object) -> None:
    """Nothing, an empty answer, and a list that is null or empty."""
    assert failed_ids(response, ["a", "b"]) == frozenset()


@pytest.mark.parametrize(
    "response",
    [
        "done",
        7,
        True,
        [],
        {"batchItemFailures": {}},
        {"batchItemFailures": ""},
        {"batchItemFailures": ["a"]},
        {"batchItemFailures": [None]},
        {"batchItemFailures": [{}]},
        {"batchItemFailures": [{"itemId": "a"}]},
        {"batchItemFailures": [{"itemIdentifier": None}]},
        {"batchItemFailures": [{"itemIdentifier": ""}]},
        {"batchItemFailures": [{"itemIdentifier": 7}]},
        {"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "c"}]},
    ],
)
def test_another_shape_is_a_complete_failure(response: object) -> None:
    """An answer that is not understood, and an ID that the batch does not have."""
    assert failed_ids(response, ["a", "b"]) == {"a", "b"}


def test_named_failures_are_those() -> None:
    """Otherwise exactly the named messages stay, once each."""
    response = {"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "a"}]}
    assert failed_ids(response, ["a", "b"]) == {"a"}
