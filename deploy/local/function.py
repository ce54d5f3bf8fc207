"""
A Lambda function on this machine.

1. An execution environment is a process. It runs one invocation at a time; an invocation that finds
   none idle starts another, as Lambda does.
2. An environment whose invocation times out, or that dies, is never used again.
3. No environment outlives this process, however it ends: see `function_process.py`.
"""

import contextlib
import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from types import TracebackType

from deploy.local.engine import ROOT
from deploy.local.function_process import Context

INIT_SECONDS = 10.0
"""How long loading may take. Source: AWS Lambda Developer Guide, "Lambda runtime environment"."""

_KEPT_DURATIONS = 10_000


class InvocationError(RuntimeError):
    """An invocation gave no result."""


class FunctionError(InvocationError):
    """
    The handler raised, or could not be loaded.

    Args:
        error_type: Name of the exception's class.
        error_message: Its text.
        stack_trace: Its frames, as text.
    """

    def __init__(
        self, error_type: str, error_message: str, stack_trace: Sequence[str] = ()
    ) -> None:
        super().__init__(f"{error_type}: {error_message}")
        self.error_type = error_type
        self.error_message = error_message
        self.stack_trace = tuple(stack_trace)


class FunctionTimeout(InvocationError):  # noqa: N818 - it states an outcome
    """The handler did not return in time; its process was ended."""


class FunctionCrashed(InvocationError):  # noqa: N818 - it states an outcome
    """The process ended amid the invocation."""


@dataclass(frozen=True)
class Settings:
    """What a function is configured with, in Lambda's terms; `timeout` is in seconds."""

    handler: str
    name: str
    timeout: float
    memory_mb: int
    region: str
    account_id: str

    @property
    def arn(self) -> str:
        """The function's ARN."""
        return f"arn:aws:lambda:{self.region}:{self.account_id}:function:{self.name}"


class Function:
    """
    A Lambda function whose handler runs in processes of its own.

    Args:
        handler: Module and function, as `consumer.handler.handler`.
        environment: Variables for the handler, credentials among them; it inherits none of ours.
        timeout: Seconds until an invocation is ended.
        memory_mb: What the context says; not enforced.
        name: Name of the function; by default the handler's, with `-` for `.`.
        region: Region in its ARN.
        account_id: Account in its ARN.

    Use as a context manager, or call `close()`. Safe to use from many threads.
    """

    def __init__(
        self,
        handler: str,
        *,
        environment: Mapping[str, str],
        timeout: float = 30.0,
        memory_mb: int = 256,
        name: str = "",
        region: str = "us-east-1",
        account_id: str = "000000000000",
    ) -> None:
        self.settings = Settings(
            handler, name or handler.replace(".", "-"), timeout, memory_mb, region, account_id
        )
        self.durations: deque[float] = deque(maxlen=_KEPT_DURATIONS)
        """Seconds that each of the latest invocations took, failed ones included."""
        self._variables = dict(environment)
        self._lock = threading.Lock()
        self._idle: list[_Environment] = []
        self._all: set[_Environment] = set()
        self._closed = False

    def __enter__(self) -> "Function":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pids(self) -> list[int]:
        """Process IDs of the execution environments."""
        with self._lock:
            return [environment.pid for environment in self._all]

    def warm(self, count: int = 1) -> None:
        """
        Have `count` environments idle, so that the first invocations need not wait for them.

        Raises:
            InvocationError: The handler cannot be loaded.
        """
        environments = [self._start() for _ in range(count - len(self._idle))]
        for environment in environments:
            self._init(environment)
            self._put_back(environment)

    def invoke(self, event: object) -> object:
        """
        Run the handler once and return its result.

        Args:
            event: The event; anything that JSON can write.

        Raises:
            FunctionError: The handler raised, or could not be loaded.
            FunctionTimeout: It did not return within the function's timeout.
            FunctionCrashed: Its process ended.
        """
        environment = self._take()
        started = time.perf_counter()
        try:
            answer = environment.invoke(event)
        except BaseException:
            self._discard(environment)
            raise
        finally:
            self.durations.append(time.perf_counter() - started)
        self._put_back(environment)
        return _result(answer)

    def close(self) -> None:
        """End all environments, busy ones too; their invocations fail as crashed."""
        with self._lock:
            self._closed = True
            environments = list(self._all)
        for environment in environments:
            self._discard(environment)

    def _take(self) -> "_Environment":
        with self._lock:
            if self._idle:
                return self._idle.pop()
        environment = self._start()
        self._init(environment)
        return environment

    def _start(self) -> "_Environment":
        environment = _Environment(self.settings, self._variables)
        with self._lock:
            self._all.add(environment)
            closed = self._closed
        if closed:
            self._discard(environment)
            raise FunctionCrashed(f"{self.settings.name} is closed")
        return environment

    def _init(self, environment: "_Environment") -> None:
        try:
            _result(environment.read(INIT_SECONDS))
        except InvocationError:
            self._discard(environment)
            raise

    def _put_back(self, environment: "_Environment") -> None:
        with self._lock:
            if environment in self._all:
                self._idle.append(environment)

    def _discard(self, environment: "_Environment") -> None:
        with self._lock:
            self._all.discard(environment)
            if environment in self._idle:
                self._idle.remove(environment)
        environment.end()


class _Environment:
    """A process and the socket to it."""

    def __init__(self, settings: Settings, variables: Mapping[str, str]) -> None:
        self._settings = settings
        self._log_stream = f"{time.strftime('%Y/%m/%d')}/[$LATEST]{secrets.token_hex(16)}"
        self._socket, theirs = socket.socketpair()
        self._answers = self._socket.makefile("rb")
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "deploy.local.function_process", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=2,  # What a handler prints is log, and goes where the log goes.
                env=_process_environment(settings, self._log_stream, variables),
                pass_fds=[theirs.fileno()],
                process_group=0,  # Ctrl-C is for the parent, which stops its children in order.
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    def invoke(self, event: object) -> dict[str, object]:
        request = json.dumps(
            {"event": event, "context": self._context(), "traceId": _trace_id()}
        ).encode()
        self._socket.settimeout(self._settings.timeout)
        try:
            self._socket.sendall(request + b"\n")
        except OSError:
            raise self._crashed() from None
        return self.read(self._settings.timeout)

    def read(self, seconds: float) -> dict[str, object]:
        """Read the next line from the process, which has `seconds` for it."""
        self._socket.settimeout(seconds)
        try:
            line = self._answers.readline()
        except TimeoutError:
            raise FunctionTimeout(
                f"{self._settings.name} timed out after {seconds:g} seconds"
            ) from None
        except (OSError, ValueError):
            line = b""
        if not line.endswith(b"\n"):
            raise self._crashed()
        answer: dict[str, object] = json.loads(line)
        return answer

    def end(self) -> None:
        # Shut down first: a thread that waits for an answer gets the end of the stream.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._process.kill()
        self._process.wait()
        self._answers.close()
        self._socket.close()

    def _context(self) -> dict[str, object]:
        settings = self._settings
        return asdict(
            Context(
                aws_request_id=str(uuid.uuid4()),
                function_name=settings.name,
                function_version="$LATEST",
                invoked_function_arn=settings.arn,
                memory_limit_in_mb=str(settings.memory_mb),
                log_group_name=f"/aws/lambda/{settings.name}",
                log_stream_name=self._log_stream,
                deadline_ms=int((time.time() + settings.timeout) * 1000),
            )
        )

    def _crashed(self) -> FunctionCrashed:
        try:
            code = self._process.wait(1)
        except subprocess.TimeoutExpired:
            return FunctionCrashed(f"{self._settings.name} closed its connection")
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return FunctionCrashed(f"{self._settings.name} crashed: {how}")


def _result(answer: dict[str, object]) -> object:
    error = answer.get("error")
    if isinstance(error, dict):
        raise FunctionError(error["errorType"], error["errorMessage"], error["stackTrace"])
    return answer.get("result")


def _trace_id() -> str:
    """Make an X-Ray trace header: a mapping's invocation is linked to its messages' traces only."""
    root = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    return f"Root={root};Parent={secrets.token_hex(8)};Sampled=0"


def _process_environment(
    settings: Settings, log_stream: str, variables: Mapping[str, str]
) -> dict[str, str]:
    """
    Return a function's variables: the system's few, Lambda's, and the configured ones.

    Source: AWS Lambda Developer Guide, "Defined runtime environment variables".
    """
    kept = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "SYSTEMROOT", "TMPDIR")
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(settings.memory_mb),
        "AWS_LAMBDA_FUNCTION_NAME": settings.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{settings.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_REGION": settings.region,
        "LAMBDA_TASK_ROOT": str(ROOT),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
        "TZ": ":UTC",
        "_HANDLER": settings.handler,
        **variables,
    }
