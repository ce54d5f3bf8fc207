"""Functions in processes of their own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from deploy.local.engine import ROOT
from deploy.local.function import Function, FunctionCrashed, FunctionError, FunctionTimeout
from tests.deploy.local.processes import ends, runs

MakeFunction = Callable[..., Function]

PARENT = """
import os, signal, sys, threading
from deploy.local.function import Function
function = Function("tests.deploy.local.handlers.pid", environment={})
function.warm(2)
threading.Thread(target=function.invoke, args=(60,), daemon=True).start()
print(*function.pids, flush=True)
sys.stdin.read(1)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def make() -> Iterator[MakeFunction]:
    """Make a function of one of the handlers; it is closed at the end."""
    made = []

    def make(handler: str, **options: Any) -> Function:
        options = {"environment": {}, **options}
        made.append(Function(f"tests.deploy.local.handlers.{handler}", **options))
        return made[-1]

    yield make
    for function in made:
        function.close()


def test_events_and_results_are_json(make: MakeFunction) -> None:
    """What JSON can write goes in and comes out unchanged, however long."""
    echo = make("echo")
    event = {"text": "é\U0001f600\n\u2028", "list": [1, None, True], "long": "x" * 1_000_000}
    assert echo.invoke(event) == event


def test_the_handler_sees_lambdas_context(make: MakeFunction) -> None:
    """The context object and the variables have the names and forms of the documentation."""
    described: Any = make("describe", name="users", memory_mb=512, timeout=9.0).invoke({})
    context = described["context"]
    assert re.fullmatch(r"[0-9a-f-]{36}", context["aws_request_id"])
    assert context["function_name"] == "users"
    assert context["function_version"] == "$LATEST"
    arn = "arn:aws:lambda:us-east-1:000000000000:function:users"
    assert context["invoked_function_arn"] == arn
    assert context["memory_limit_in_mb"] == "512"
    assert context["log_group_name"] == "/aws/lambda/users"
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", context["log_stream_name"])
    assert 8_000 < context["remaining"] <= 9_000


def test_the_handler_has_its_own_environment(
    make: MakeFunction, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has Lambda's variables and the configured ones, and inherits none of this process's."""
    monkeypatch.setenv("AWS_PROFILE", "mine")
    function = make("describe", name="users", environment={"TABLE_NAME": "users"})
    first: Any = function.invoke({})
    second: Any = function.invoke({})
    environment = first["environment"]
    assert environment["TABLE_NAME"] == "users"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "users"
    assert environment["AWS_REGION"] == "us-east-1"
    assert environment["_HANDLER"] == "tests.deploy.local.handlers.describe"
    assert "AWS_PROFILE" not in environment
    traces = [each["environment"]["_X_AMZN_TRACE_ID"] for each in (first, second)]
    assert all(re.match(r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};", trace) for trace in traces)
    assert traces[0] != traces[1]


def test_what_a_handler_prints_is_log(
    make: MakeFunction, capfd: pytest.CaptureFixture[str]
) -> None:
    """Prints do not disturb the answer; they go where the log goes."""
    assert make("chatter").invoke({}) == "done"
    out, log = capfd.readouterr()
    assert out == ""
    assert {"printed", "complained"} <= set(log.splitlines())


def test_an_exception_is_the_functions_error(make: MakeFunction) -> None:
    """It has the type, the text and the frames; the process goes on."""
    function = make("fail")
    function.warm()
    before = function.pids
    with pytest.raises(FunctionError, match="LookupError: missing") as caught:
        function.invoke("missing")
    assert caught.value.error_type == "LookupError"
    assert caught.value.error_message == "missing"
    assert any("in fail" in frame for frame in caught.value.stack_trace)
    assert function.pids == before


def test_a_result_that_json_cannot_write_is_an_error(make: MakeFunction) -> None:
    """It is the function's error, and not the caller's."""
    with pytest.raises(FunctionError, match="not JSON serializable"):
        make("unwritable").invoke({})


@pytest.mark.parametrize(
    ("handler", "complaint"),
    [
        ("nowhere.handler", "No module named 'nowhere'"),
        ("tests.deploy.local.handlers.nothing", "handler 'nothing' is missing in module"),
        ("handler", "it must be MODULE.FUNCTION"),
    ],
)
def test_a_handler_that_cannot_be_loaded_is_named(handler: str, complaint: str) -> None:
    """The error says what is missing, and no process is left."""
    with Function(handler, environment={}) as function:
        with pytest.raises(FunctionError, match=re.escape(complaint)):
            function.invoke({})
        assert function.pids == []


def test_a_timeout_ends_the_process(make: MakeFunction) -> None:
    """The invocation fails in time, its process is gone, and the next one gets a new process."""
    function = make("pid", timeout=0.3)
    function.warm()
    (before,) = function.pids
    with pytest.raises(FunctionTimeout, match=r"timed out after 0\.3 seconds"):
        function.invoke(60)
    assert not runs(before)
    assert function.invoke(0) != before


@pytest.mark.parametrize(("code", "cause"), [(0, "exit code 0"), (3, "exit code 3")])
def test_a_crash_is_told(make: MakeFunction, code: int, cause: str) -> None:
    """A process that ends amid an invocation fails that invocation only."""
    function = make("crash")
    with pytest.raises(FunctionCrashed, match=f"crashed: {cause}"):
        function.invoke(code)
    assert function.pids == []


def test_an_idle_process_that_dies_is_replaced(make: MakeFunction) -> None:
    """The invocation that finds it dead fails; the next one gets a new process."""
    function = make("pid")
    function.warm()
    (before,) = function.pids
    os.kill(before, signal.SIGKILL)
    assert ends(before, within=2)
    with pytest.raises(FunctionCrashed, match="signal 9"):
        function.invoke(0)
    assert function.invoke(0) != before


def test_concurrent_invocations_have_a_process_each(make: MakeFunction) -> None:
    """An invocation takes an idle process, or a new one; never one that is busy."""
    function = make("pid")
    with ThreadPoolExecutor(3) as pool:
        pids = set(pool.map(function.invoke, [0.5] * 3))
    assert pids == set(function.pids)
    assert len(pids) == 3
    assert function.invoke(0) in pids


def test_durations_are_kept(make: MakeFunction) -> None:
    """Each invocation leaves the seconds it took."""
    function = make("pid")
    function.invoke(0.1)
    (seconds,) = function.durations
    assert 0.1 <= seconds < 5


def test_closing_ends_busy_processes(make: MakeFunction) -> None:
    """A close does not wait for a handler; its invocation fails, and later ones are refused."""
    function = make("pid")
    function.warm()
    (process,) = function.pids
    with ThreadPoolExecutor(1) as pool:
        invocation = pool.submit(function.invoke, 60)
        time.sleep(0.1)
        started = time.monotonic()
        function.close()
        with pytest.raises(FunctionCrashed):
            invocation.result(timeout=5)
    assert time.monotonic() - started < 1.5
    assert not runs(process)
    with pytest.raises(FunctionCrashed, match="closed"):
        function.invoke(0)


def test_processes_end_with_their_parent() -> None:
    """If the parent is killed, idle and busy processes are gone soon."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        process_group=0,
    )
    with parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        parent.communicate("x", timeout=10)
    assert all(ends(pid, within=2) for pid in pids)
