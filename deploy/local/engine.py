"""
The embedded engine: ministack, which answers for SQS and DynamoDB on this machine.

It runs as a child process that ends with this one, however this one ends, listens on the loopback
interface only, and keeps its state in a temporary directory.
"""

import contextlib
import http.client
import importlib.metadata
import importlib.util
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).parents[2]
"""Where child processes find `deploy` and `consumer`."""

MINISTACK_VERSION = "1.5.33"
"""The release whose behaviour is known here; the same as pyproject.toml pins."""

START_SECONDS = 10.0
STOP_SECONDS = 0.2

_COMMAND = (sys.executable, "-m", "deploy.local.engine_process")

# One call to each service that is needed; ministack loads a service at its first call.
_FIRST_CALLS = ("AmazonSQS.ListQueues", "DynamoDB_20120810.ListTables")


class EngineError(RuntimeError):
    """The engine does not run, or refuses what is asked; one line says why."""


class Engine:
    """
    ministack as a child process.

    Args:
        on_crash: Called once, in a thread of its own, if the process ends without being stopped.

    Use as a context manager, or call `start()` and `stop()`.
    """

    def __init__(self, on_crash: Callable[[EngineError], None] | None = None) -> None:
        self._on_crash = on_crash
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._directory: tempfile.TemporaryDirectory[str] | None = None
        self._port = 0

    def __enter__(self) -> "Engine":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Endpoint of all services; known once the process is launched."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int | None:
        """Process ID, while it runs."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Launch the process and wait until it is ready; see there for the errors."""
        self.launch()
        try:
            self.wait_ready()
        except BaseException:
            self.stop()
            raise

    def launch(self) -> None:
        """
        Launch the process; whoever calls it now waits until it answers.

        Raises:
            EngineError: ministack is missing or of another version.
        """
        check_version()
        self._stopping.clear()
        self._directory = tempfile.TemporaryDirectory(
            prefix="users-engine-", ignore_cleanup_errors=True
        )
        with socket.create_server(("127.0.0.1", 0)) as listener, self._log.open("wb") as log:
            # Accepted connections inherit it. asyncio sets it only where the protocol is named, and
            # without it an answer in two parts waits 40 ms for an acknowledgement.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._port = listener.getsockname()[1]
            self._process = subprocess.Popen(
                [*_COMMAND, str(listener.fileno()), str(self._log)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=_environment(self._port, self._directory.name),
                pass_fds=[listener.fileno()],
                process_group=0,  # Ctrl-C is for the parent, which stops its children in order.
            )

    def wait_ready(self) -> None:
        """
        Wait for the first good answers, at most `START_SECONDS` each.

        Raises:
            EngineError: The process ended, does not answer, or answers with an error.
        """
        process = self._running()
        for action in _FIRST_CALLS:
            try:
                status = _call(self._port, action)
            except TimeoutError:
                raise EngineError(
                    f"the engine (ministack) gave no answer within {START_SECONDS:g} seconds"
                ) from None
            except (OSError, http.client.HTTPException):
                raise self._ended(process, "ended at its start") from None
            if status != HTTPStatus.OK:
                raise EngineError(f"the engine (ministack) answered {status} to {action}")
        threading.Thread(
            target=self._watch, args=(process,), name="engine-watch", daemon=True
        ).start()

    def stop(self) -> None:
        """Stop the process within a second and remove its state; harmless if it does not run."""
        self._stopping.set()
        process, self._process = self._process, None
        if process is not None:
            _end(process)
        if self._directory is not None:
            self._directory.cleanup()
            self._directory = None

    @property
    def _log(self) -> Path:
        directory = self._directory
        return Path(directory.name if directory else os.devnull, "engine.log")

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is None:
            raise EngineError("the engine is not launched")
        return self._process

    def _watch(self, process: "subprocess.Popen[bytes]") -> None:
        process.wait()
        if not self._stopping.is_set() and self._on_crash is not None:
            self._on_crash(self._ended(process, "crashed"))

    def _ended(self, process: "subprocess.Popen[bytes]", how: str) -> EngineError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(1)
        code = process.returncode
        cause = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        return EngineError(f"the engine (ministack) {how}: {cause}{_last_line(self._log)}")


def check_version() -> None:
    """Raise `EngineError` unless the pinned ministack is installed."""
    mend = "install the local runtime's dependencies: pip install '.[local]'"
    try:
        version = importlib.metadata.version("ministack")
    except importlib.metadata.PackageNotFoundError:
        version = ""
    # What pip knows and what is there can differ, so both are asked; hypercorn comes with it.
    for module in ("ministack", "hypercorn"):
        if not version or importlib.util.find_spec(module) is None:
            raise EngineError(f"{module} is not installed; {mend}")
    if version != MINISTACK_VERSION:
        raise EngineError(f"ministack is {version} and must be {MINISTACK_VERSION}; {mend}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin is not None:
        process.stdin.close()


def _call(port: int, action: str) -> int:
    """Call an action without parameters; return the HTTP status."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
    headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": action}
    try:
        connection.request("POST", "/", b"{}", headers)
        return connection.getresponse().status
    finally:
        connection.close()


def _environment(port: int, directory: str) -> dict[str, str]:
    kept = ("LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "SYSTEMROOT")
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "DOCKER_HOST": f"unix://{directory}/none",  # Or it removes containers of other engines.
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",  # Or it listens on port 8883 of all interfaces, too.
        "LOG_LEVEL": "WARNING",
        "PYTHONPATH": str(ROOT),
        "SFTP_ENABLED": "0",
        "STATE_DIR": directory,
        "TMPDIR": directory,
    }


def _last_line(log: Path) -> str:
    text = log.read_text(errors="replace") if log.is_file() else ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return f": {lines[-1]}" if lines else ""
