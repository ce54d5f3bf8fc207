"""Handlers for the tests of functions; each runs in a process of its own."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from typing import Any

from deploy.local.function_process import Context


def echo(event: object, context: object) -> object:
    """Return the event."""
    return event


def describe(event: object, context: Context) -> dict[str, object]:
    """Return what the handler is told of its surroundings."""
    return {
        "context": {
            "aws_request_id": context.aws_request_id,
            "function_name": context.function_name,
            "function_version": context.function_version,
            "invoked_function_arn": context.invoked_function_arn,
            "memory_limit_in_mb": context.memory_limit_in_mb,
            "log_group_name": context.log_group_name,
            "log_stream_name": context.log_stream_name,
            "remaining": context.get_remaining_time_in_millis(),
        },
        "environment": dict(os.environ),
        "pid": os.getpid(),
    }


def pid(event: float, context: object) -> int:
    """Return the process ID after so many seconds."""
    time.sleep(event)
    return os.getpid()


def chatter(event: object, context: object) -> str:
    """Print to both streams, as a careless handler does."""
    print("printed")
    print("complained", file=sys.stderr)
    return "done"


def fail(event: str, context: object) -> None:
    """Raise."""
    raise LookupError(event)


def unwritable(event: object, context: object) -> object:
    """Return what JSON cannot write."""
    return {1, 2}


def crash(event: int, context: object) -> None:
    """End the process."""
    os._exit(event)


def fail_marked(event: Mapping[str, Any], context: object) -> object:
    """Report the records whose body is `bad`; raise, or answer nonsense, where one asks for it."""
    bodies = {record["messageId"]: record["body"] for record in event["Records"]}
    if "raise" in bodies.values():
        raise RuntimeError("asked for")
    if "nonsense" in bodies.values():
        return {"batchItemFailures": [{"itemIdentifier": "unknown"}]}
    failed = [message_id for message_id, body in bodies.items() if body == "bad"]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}
