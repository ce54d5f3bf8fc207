"""
The event source mapping: polls a queue and invokes a function, as Lambda does.

1. A message is deleted only after an invocation that did not report it as failed.
2. A message that failed is left alone: it comes back when its visibility timeout ends, and goes to
   the dead letters after the queue's `maxReceiveCount`.
3. Whatever happens to the engine or the function, the pollers go on, with one line of log.

Source: AWS Lambda Developer Guide, "Using Lambda with Amazon SQS" and "Handling errors for an SQS
event source in Lambda".
"""

import base64
import logging
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from deploy.local.function import InvocationError
from deploy.local.resources import Queue

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueOutputTypeDef, MessageTypeDef

logger = logging.getLogger(__name__)

LONG_POLL_SECONDS = 1
"""Short, because a poller ends with its poll; each poller costs a request a second when idle."""

STOP_SECONDS = 1.0
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 5.0


class Invocable(Protocol):
    """What a mapping needs of a function."""

    def invoke(self, event: object) -> object:
        """Run the handler; see `Function.invoke`."""


class EventSourceMapping:
    """
    Connects a queue to a function, with `ReportBatchItemFailures` and no batching window.

    Args:
        sqs: Client of the queue; used by all pollers.
        queue: The queue.
        function: The function.
        region: What the records give as `awsRegion`.
        batch_size: Messages per invocation, at most; 1 to 10.
        concurrency: Pollers, and so concurrent invocations.

    Use as a context manager, or call `start()` and `stop()`.
    """

    def __init__(
        self,
        sqs: "SQSClient",
        queue: Queue,
        function: Invocable,
        *,
        region: str = "us-east-1",
        batch_size: int = 10,
        concurrency: int = 2,
    ) -> None:
        self._sqs = sqs
        self._queue = queue
        self._function = function
        self._region = region
        self._batch_size = batch_size
        self._stopping = threading.Event()
        self._pollers = [
            threading.Thread(target=self._poll, name=f"poller-{index}", daemon=True)
            for index in range(concurrency)
        ]

    def __enter__(self) -> "EventSourceMapping":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the pollers."""
        for poller in self._pollers:
            poller.start()

    def request_stop(self) -> None:
        """Tell the pollers to stop, without waiting for them."""
        self._stopping.set()

    def stop(self) -> None:
        """
        Stop polling; takes a second at most.

        An invocation that takes longer goes on. A batch that arrives meanwhile is given back.
        """
        self.request_stop()
        deadline = time.monotonic() + STOP_SECONDS
        for poller in self._pollers:
            poller.join(max(0.0, deadline - time.monotonic()))

    def _poll(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                messages = self._receive()
                if messages:
                    self._process(messages)
                failures = 0
            except Exception as error:
                failures += 1
                # A single failure is not worth a line; of a row of them only one is.
                if failures == 2:
                    logger.warning("%s: polling fails, trying on: %s", self._queue.arn, error)
                self._stopping.wait(_pause(failures))

    def _receive(self) -> "list[MessageTypeDef]":
        answer = self._sqs.receive_message(
            QueueUrl=self._queue.url,
            MaxNumberOfMessages=self._batch_size,
            WaitTimeSeconds=LONG_POLL_SECONDS,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        )
        return answer.get("Messages", [])

    def _process(self, messages: "list[MessageTypeDef]") -> None:
        if self._stopping.is_set():
            self._give_back(messages)
            return
        failed = self._invoke(messages)
        done = [message for message in messages if message["MessageId"] not in failed]
        if done:
            self._delete(done)

    def _invoke(self, messages: "list[MessageTypeDef]") -> frozenset[str]:
        ids = [message["MessageId"] for message in messages]
        try:
            return failed_ids(self._function.invoke(self.event(messages)), ids)
        except InvocationError as error:
            if not self._stopping.is_set():
                logger.warning("%s: %d messages failed: %s", self._queue.arn, len(ids), error)
            return frozenset(ids)

    def _delete(self, messages: "list[MessageTypeDef]") -> None:
        answer = self._sqs.delete_message_batch(
            QueueUrl=self._queue.url,
            Entries=[
                {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
                for index, message in enumerate(messages)
            ],
        )
        for failure in answer.get("Failed", []):
            message = messages[int(failure["Id"])]
            logger.warning("%s: not deleted: %s", message["MessageId"], failure["Code"])

    def _give_back(self, messages: "list[MessageTypeDef]") -> None:
        self._sqs.change_message_visibility_batch(
            QueueUrl=self._queue.url,
            Entries=[
                {
                    "Id": str(index),
                    "ReceiptHandle": message["ReceiptHandle"],
                    "VisibilityTimeout": 0,
                }
                for index, message in enumerate(messages)
            ],
        )

    def event(self, messages: "Sequence[MessageTypeDef]") -> dict[str, object]:
        """Write received messages as the event that Lambda passes on."""
        return {"Records": [self._record(message) for message in messages]}

    def _record(self, message: "MessageTypeDef") -> dict[str, object]:
        attributes = message.get("MessageAttributes", {})
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": dict(message.get("Attributes", {})),
            "messageAttributes": {
                name: _attribute(attribute) for name, attribute in attributes.items()
            },
            "md5OfBody": message["MD5OfBody"],
            "eventSource": "aws:sqs",
            "eventSourceARN": self._queue.arn,
            "awsRegion": self._region,
        }


def failed_ids(response: object, ids: Sequence[str]) -> frozenset[str]:
    """
    Read a function's answer under `ReportBatchItemFailures`.

    Nothing, or no list of failures or an empty one, is a complete success. Anything that is not of
    the documented shape, and an ID that the batch does not have, is a complete failure.

    Args:
        response: What the handler returned.
        ids: Message IDs of the batch.

    Returns:
        The messages to be left in the queue.
    """
    if response is None or response == "":
        return frozenset()
    if not isinstance(response, dict):
        return frozenset(ids)
    failures = response.get("batchItemFailures")
    if failures is None:
        return frozenset()
    named = [_named(failure) for failure in failures] if isinstance(failures, list) else [""]
    return frozenset(named) if set(named) <= set(ids) else frozenset(ids)


def _named(failure: object) -> str:
    """Return the ID in a failure; the empty text, which no message has, if there is none."""
    identifier = failure.get("itemIdentifier") if isinstance(failure, dict) else None
    return identifier if isinstance(identifier, str) else ""


def _attribute(attribute: "MessageAttributeValueOutputTypeDef") -> dict[str, object]:
    value: dict[str, object] = {}
    if "StringValue" in attribute:
        value["stringValue"] = attribute["StringValue"]
    if "BinaryValue" in attribute:
        value["binaryValue"] = base64.b64encode(attribute["BinaryValue"]).decode()
    return {
        **value,
        "stringListValues": [],
        "binaryListValues": [],
        "dataType": attribute["DataType"],
    }


def _pause(failures: int) -> float:
    """Return the seconds to wait after so many failures in a row."""
    return min(_FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, 10), _LONGEST_PAUSE_SECONDS)
