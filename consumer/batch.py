"""
A batch of queue messages, as Lambda hands it over and wants it answered.

1. Each record is processed by itself: whatever happens to one, the others are not touched.
2. Whatever goes wrong in processing is transient: the record is reported, and so delivered again,
   and after the last attempt moved to the dead letters. Permanent failures are results, not errors.
3. One line of JSON is logged per record, without personal data: neither bodies nor the texts of
   errors, which may quote them.

Source: AWS Lambda Developer Guide, "Handling errors for an SQS event source in Lambda".
"""

import json
import logging
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypedDict

from botocore.exceptions import ClientError

from consumer.work import Message, Receipt, read_message

logger = logging.getLogger(__name__)


class BatchItemFailure(TypedDict):
    """A record to be delivered again."""

    itemIdentifier: str


class BatchResponse(TypedDict):
    """What Lambda expects under `ReportBatchItemFailures`; it deletes all records not in it."""

    batchItemFailures: list[BatchItemFailure]


def records_of(event: Mapping[str, object]) -> list[object]:
    """
    Return the records of an SQS event.

    Raises:
        ValueError: It is no SQS event. Raised rather than answered: an empty answer would say that
            everything went well.
    """
    records = event.get("Records")
    if not isinstance(records, list):
        raise ValueError("not an SQS event: it has no list of Records")
    return records


def run(records: Iterable[object], work: Callable[[Message], Receipt | None]) -> BatchResponse:
    """
    Process every record.

    Args:
        records: `Records` of an SQS event.
        work: Does what a message asks for and returns the receipt it wrote, if any.

    Returns:
        The records to be delivered again.
    """
    failed = [_identifier(record) for record in records if not _processed(record, work)]
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}


def _identifier(record: object) -> str:
    """
    Return the record's message ID, or the empty text if it has none.

    Lambda takes an empty identifier for the failure of the whole batch: the only way to keep a
    record that cannot be named. Its neighbours are delivered again, which does no harm.
    """
    identifier = record.get("messageId") if isinstance(record, Mapping) else None
    return identifier if isinstance(identifier, str) else ""


def _processed(record: object, work: Callable[[Message], Receipt | None]) -> bool:
    started = time.perf_counter()
    line: dict[str, object] = {"messageId": _identifier(record)}
    try:
        if not isinstance(record, Mapping) or not _identifier(record):
            raise TypeError("a record without messageId")
        message = read_message(record)
        line["messageId"] = message.id
        receipt = work(message)
    except Exception as error:
        logger.error(_line(line, started, outcome="RETRIED", **_cause(error)))
        return False
    if receipt is None or receipt.failure is None:
        logger.info(_line(line, started, outcome="SUCCEEDED"))
    else:
        logger.warning(_line(line, started, outcome="FAILED", code=receipt.failure.code))
    return True


def _line(line: dict[str, object], started: float, **more: object) -> str:
    milliseconds = round((time.perf_counter() - started) * 1000, 1)
    return json.dumps({**line, **more, "durationMs": milliseconds})


def _cause(error: Exception) -> dict[str, object]:
    """Name an error by its type, its AWS code and the line of ours that met it."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).parent == Path(__file__).parent][-1]
    cause: dict[str, object] = {
        "error": type(error).__name__,
        "at": f"{Path(ours.filename).name}:{ours.lineno}",
    }
    if isinstance(error, ClientError):
        cause["awsCode"] = error.response.get("Error", {}).get("Code", "")
    return cause
