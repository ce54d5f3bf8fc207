"""
The process of a Lambda function: `python -m deploy.local.function_process FD`.

`function.py` starts it with a socket (`FD`) over which it sends one JSON line per invocation and
gets one back; first of all comes a line that says whether the handler could be loaded. Standard
output is the handler's own. When the socket closes, the parent is gone or has no more use for the
process: it ends at once, even amid an invocation.
"""

import importlib
import json
import logging
import os
import queue
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias

Handler: TypeAlias = Callable[[object, "Context"], object]


@dataclass(frozen=True)
class Context:
    """
    What Lambda tells a Python function of the invocation.

    Source: AWS Lambda Developer Guide, "Using the Lambda context object to retrieve Python function
    information".
    """

    aws_request_id: str
    function_name: str
    function_version: str
    invoked_function_arn: str
    memory_limit_in_mb: str
    log_group_name: str
    log_stream_name: str
    deadline_ms: int
    """When the function times out, in epoch milliseconds."""
    identity: None = None
    client_context: None = None

    def get_remaining_time_in_millis(self) -> int:
        """Return how long the function may still run."""
        return max(0, self.deadline_ms - time.time_ns() // 1_000_000)


def main() -> None:
    """Load the handler that `_HANDLER` names and answer invocations until the parent is gone."""
    connection = socket.socket(fileno=int(sys.argv[1]))
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(connection.makefile("rb"), requests), daemon=True).start()
    logging.basicConfig(
        level=os.environ.get("AWS_LAMBDA_LOG_LEVEL", "WARNING"), format="%(message)s"
    )
    try:
        handler = load(os.environ["_HANDLER"])
    except Exception as error:
        connection.sendall(_payload(error))
        return
    connection.sendall(b"{}\n")
    while True:
        connection.sendall(_answer(handler, json.loads(requests.get())))


def load(name: str) -> Handler:
    """
    Import a handler.

    Args:
        name: Module and function, as `consumer.handler.handler`.

    Raises:
        ImportError: There is no such module, or no such function in it.
    """
    module_name, _, function_name = name.rpartition(".")
    if not module_name:
        raise ImportError(f"bad handler {name!r}: it must be MODULE.FUNCTION")
    handler = getattr(importlib.import_module(module_name), function_name, None)
    if not callable(handler):
        raise ImportError(f"handler {function_name!r} is missing in module {module_name!r}")
    return handler  # type: ignore[no-any-return]


def _read(stream: BinaryIO, requests: "queue.SimpleQueue[bytes]") -> None:
    for line in stream:
        requests.put(line)
    os._exit(0)


def _answer(handler: Handler, request: dict[str, object]) -> bytes:
    os.environ["_X_AMZN_TRACE_ID"] = str(request["traceId"])
    try:
        result = handler(request["event"], Context(**request["context"]))  # type: ignore[arg-type]
        return json.dumps({"result": result}).encode() + b"\n"
    except Exception as error:
        return _payload(error)


def _payload(error: Exception) -> bytes:
    """Write an error as Lambda does."""
    payload = {
        "errorType": type(error).__name__,
        "errorMessage": str(error),
        "stackTrace": traceback.format_tb(error.__traceback__),
    }
    return json.dumps({"error": payload}).encode() + b"\n"


if __name__ == "__main__":
    main()
