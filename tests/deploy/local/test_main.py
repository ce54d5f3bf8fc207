"""`python -m deploy.local` as its users run it."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.__main__ import main
from deploy.local.engine import ROOT
from tests.deploy.local.processes import children, ends, runs

Process = subprocess.Popen[str]

PATIENCE = 60.0
"""Seconds for what takes one at most on an idle machine; it ends a test that hangs, no more."""

MOCK = """\
openapi: 3.0.1
info: {title: Mock}
servers: [{url: 'http://api.example.test/v1'}]
paths:
  /x:
    get:
      responses: {'200': {}}
      x-amazon-apigateway-integration:
        typo: 1
        type: mock
        requestTemplates: {application/json: '{"statusCode": 200}'}
        responses: {default: {statusCode: '200', responseParameters: {},
          responseTemplates: {application/json: "${Greeting}"}}}
"""


def launch(*arguments: str) -> Process:
    """Start the command in a process group of its own, as a shell does."""
    return subprocess.Popen(
        [sys.executable, "-m", "deploy.local", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        process_group=0,
    )


def read_welcome(process: Process) -> str:
    """Read what the command prints when it is ready."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "$USERS_API_URL" in line:
            return "".join(lines)
    assert process.stderr is not None
    pytest.fail(f"it did not start: {process.stderr.read()}")


def complaints(errors: str) -> list[str]:
    """Return what is printed beside the notices on the contract."""
    return [line for line in errors.splitlines() if ": notice: " not in line]


@pytest.fixture
def serving() -> Iterator[tuple[Process, str]]:
    """The command, ready, and what it printed."""
    process = launch()
    try:
        yield process, read_welcome(process)
    finally:
        process.kill()
        process.communicate()


def test_it_prints_all_that_is_needed(serving: tuple[Process, str]) -> None:
    """The printed lines, pasted into a shell, create a user."""
    _, welcome = serving
    exports = re.findall(r"^export (\w+)=(\S+)$", welcome, re.MULTILINE)
    assert {name for name, _ in exports} == {
        "USERS_API_URL",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
    }
    assert all(shlex.quote(value) == value for _, value in exports)
    command = welcome[welcome.index("curl ") :]
    assert "--aws-sigv4" in command
    answer = subprocess.run(
        ["sh", "-c", command.replace("curl ", "curl --silent ", 1)],
        env={**os.environ, **dict(exports)},
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    if answer.returncode == 127 or "aws-sigv4: is unknown" in answer.stderr:
        pytest.skip("curl with --aws-sigv4 is not installed")
    assert '"messageId"' in answer.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything(serving: tuple[Process, str], number: signal.Signals) -> None:
    """Without a complaint, and with no process left."""
    process, _ = serving
    below = children(process.pid)
    assert len(below) >= 2
    os.killpg(process.pid, number)
    _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, complaints(errors)) == (0, [])
    assert not any(runs(pid) for pid in below)


def test_a_second_signal_does_no_harm(serving: tuple[Process, str]) -> None:
    """An impatient Ctrl-C does not cut the stopping short."""
    process, _ = serving
    below = children(process.pid)
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        time.sleep(0.05)
    _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, complaints(errors)) == (0, [])
    assert not any(runs(pid) for pid in below)


def test_a_signal_during_the_start_stops_it() -> None:
    """Ctrl-C before it is ready leaves nothing either."""
    process = launch()
    deadline = time.monotonic() + PATIENCE
    while not (below := children(process.pid)) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, complaints(errors)) == (0, [])
    assert not any(runs(pid) for pid in below)


def test_a_killed_command_leaves_no_process(serving: tuple[Process, str]) -> None:
    """Not even SIGKILL leaves an engine or a function behind."""
    process, _ = serving
    below = children(process.pid)
    process.kill()
    assert all(ends(pid, within=PATIENCE) for pid in below)


def test_a_crashed_engine_ends_the_command(serving: tuple[Process, str]) -> None:
    """One clear line, exit code 1, nothing left."""
    process, _ = serving
    below = children(process.pid)
    (engine,) = [
        pid for pid in below if "GATEWAY_PORT=" in Path(f"/proc/{pid}/environ").read_text()
    ]
    os.kill(engine, signal.SIGKILL)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert complaints(errors)[-1:] == ["error: the engine (ministack) crashed: signal 9"]
    assert not any(runs(pid) for pid in below)


def is_engine(pid: int) -> bool:
    """Tell the engine's process by its environment."""
    return "GATEWAY_PORT=" in Path(f"/proc/{pid}/environ").read_text()


def test_a_busy_port_is_one_line() -> None:
    """The line names the port and says what to do."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        process = launch("--port", str(port))
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    (line,) = errors.splitlines()
    assert line.startswith(f"error: port {port} ")


def test_another_contract_is_served_with_what_it_needs(tmp_path: Path) -> None:
    """A mock needs no engine; what it offers is printed, what AWS ignores is a notice."""
    path = tmp_path / "mock.yaml"
    path.write_text(MOCK, "utf-8")
    process = launch("--contract", str(path), "--set", "Greeting=hello", "--base-path", "prepend")
    try:
        assert process.stdout is not None
        first, route, stop = (process.stdout.readline() for _ in range(3))
        url = first.rpartition(" ")[2].strip()
        assert not any("ministack" in text or "consumer" in text for text in commands(process.pid))
        with urllib.request.urlopen(f"{url}/v1/x", timeout=5) as answer:
            assert answer.read() == b"hello"
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
    assert (route, stop) == ("  GET     /v1/x  (mock)\n", "Ctrl-C stops it.\n")
    assert f"{path}:9: notice: AWS's import: API Gateway does not know `typo`" in errors
    assert f"{path}:2: warning: " in errors
    assert process.returncode == 0


def commands(pid: int) -> list[str]:
    """Return the command lines of the processes below one."""
    return [Path(f"/proc/{each}/cmdline").read_text() for each in children(pid)]


def test_a_contract_that_cannot_run_is_a_line_for_each_problem() -> None:
    """File, line, operation and reason; exit code 1, and nothing was started."""
    process = launch("--contract", str(ROOT / "tests" / "data" / "shipments.yaml"))
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    lines = complaints(errors)
    assert len(lines) == 6
    assert all(line.startswith("error: ") and "aws_proxy" in line for line in lines)
    assert len(errors.splitlines()) > 6, "notices are told along with them"


def test_an_unreadable_contract_is_one_line(tmp_path: Path) -> None:
    """The line names the file."""
    process = launch("--contract", str(tmp_path / "nowhere.yaml"))
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    (line,) = errors.splitlines()
    assert line.startswith("error: ")
    assert "nowhere.yaml" in line


def test_a_missing_dependency_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line names the module and says how to install it."""
    monkeypatch.delitem(sys.modules, "deploy.local.runtime", raising=False)
    monkeypatch.setitem(sys.modules, "boto3", None)
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        assert main([]) == 1
    finally:
        signal.signal(signal.SIGINT, handlers[0])
        signal.signal(signal.SIGTERM, handlers[1])
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: boto3 is not installed; ")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--port", "x"], "'x' is not a port"),
        (["--port", "65536"], "'65536' is not a port"),
        (["--stage", "a/b"], "'a/b' is not a stage name"),
        (["--stage-variable", "x"], "'x' is not NAME=VALUE"),
        (["--set", "=x"], "'=x' is not NAME=VALUE"),
        (["--set", "QueueName=a/b"], "QueueName: 'a/b' is not the name of a queue: use up to 67"),
        (["--set", f"QueueName={'q' * 68}"], "is not the name of a queue"),
        (["--set", "TableName="], "TableName: '' is not the name of a table: use 3 to 255"),
        (["--set", "AccountId=12"], "AccountId: '12' is not an account: use 12 digits"),
        (["--set", "AWS::AccountId=x"], "AWS::AccountId: 'x' is not an account"),
        (["--set", "Region=Ireland"], "Region: 'Ireland' is not a Region"),
        (["--set", "Partition=azure"], "Partition: 'azure' is not a partition"),
        (["--endpoint", "sqs=localhost:1"], "'localhost:1' is not a URL"),
        (["--visibility-timeout", "0"], "'0' is not a number of seconds"),
        (["--base-path", "keep"], "invalid choice: 'keep'"),
        (["--unknown"], "unrecognized arguments: --unknown"),
    ],
)
def test_wrong_usage_is_told(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and what is wrong with which argument."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert complaint in capsys.readouterr().err
