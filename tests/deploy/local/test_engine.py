"""The embedded engine as a process."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import queue
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
import tomllib
from pathlib import Path

import pytest

from deploy.local import engine as module
from deploy.local.engine import MINISTACK_VERSION, ROOT, Engine, EngineError, check_version
from deploy.local.resources import Access
from tests.deploy.local.processes import ends, runs

PARENT = """
import os, signal, sys
from deploy.local.engine import Engine
engine = Engine()
engine.start()
print(engine.pid, engine._directory.name, flush=True)
sys.stdin.read(1)
os.kill(os.getpid(), signal.SIGKILL)
"""


def listening_addresses(pid: int) -> set[str]:
    """Return the local addresses, in hexadecimal, on which a process listens."""
    inodes = {
        os.readlink(link).removeprefix("socket:[").removesuffix("]")
        for link in Path(f"/proc/{pid}/fd").iterdir()
        if os.readlink(link).startswith("socket:")
    }
    rows = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
    ]
    return {row[1] for row in rows if row[3] == "0A" and row[9] in inodes}


def test_the_engine_listens_on_loopback_only(engine: Engine) -> None:
    """It has no authentication and runs uploaded code, so nobody else may reach it."""
    assert engine.pid is not None
    addresses = listening_addresses(engine.pid)
    assert {address.partition(":")[0] for address in addresses} == {"0100007F"}
    assert len(addresses) == 1


def test_a_waiting_receiver_gets_a_message_at_once(engine: Engine) -> None:
    """A long poll ends when a message arrives, and not at the engine's next look at the queue."""
    sqs = Access(engine.url, engine.url).sqs
    url = sqs.create_queue(QueueName="long-poll")["QueueUrl"]
    delays = []
    for round_ in range(7):
        arrived: queue.Queue[float] = queue.Queue()

        def receive(arrived: queue.Queue[float] = arrived) -> None:
            assert sqs.receive_message(QueueUrl=url, WaitTimeSeconds=5)["Messages"]
            arrived.put(time.perf_counter())

        receiver = threading.Thread(target=receive)
        receiver.start()
        time.sleep(0.1 + round_ * 0.013)
        sent = time.perf_counter()
        sqs.send_message(QueueUrl=url, MessageBody="x")
        delays.append(arrived.get(timeout=5) - sent)
        receiver.join()
    assert statistics.median(delays) < 0.04


def test_a_stop_leaves_nothing() -> None:
    """An engine is gone with its process and its state, however often it is told."""
    engine = Engine()
    engine.start()
    pid, directory = engine.pid, engine._directory
    assert pid is not None
    assert directory is not None
    engine.stop()
    engine.stop()
    assert not runs(pid)
    assert not Path(directory.name).exists()


def test_a_crash_is_told_once() -> None:
    """The end of the process reaches whoever asked for it, as one line with the cause."""
    crashes: queue.Queue[EngineError] = queue.Queue()
    with Engine(crashes.put) as engine:
        assert engine.pid is not None
        os.kill(engine.pid, signal.SIGKILL)
        assert str(crashes.get(timeout=5)) == "the engine (ministack) crashed: signal 9"
    assert crashes.empty()


def test_a_stop_is_no_crash() -> None:
    """An engine that is stopped does not call for help."""
    crashes: queue.Queue[EngineError] = queue.Queue()
    with Engine(crashes.put):
        pass
    time.sleep(0.1)
    assert crashes.empty()


def test_a_crash_at_the_start_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The last line of what the process printed is in the error, and nothing is left."""
    broken = tmp_path / "ministack"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise RuntimeError('broken on purpose')")
    environment = module._environment

    def with_broken_ministack(port: int, directory: str) -> dict[str, str]:
        return {**environment(port, directory), "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}

    monkeypatch.setattr(module, "_environment", with_broken_ministack)
    engine = Engine()
    with pytest.raises(EngineError, match=r"ended at its start: exit code 1: .*on purpose"):
        engine.start()
    assert engine.pid is None


def test_an_engine_that_does_not_answer_is_given_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A process that hangs costs the start a bounded time."""
    (tmp_path / "hypercorn").mkdir()
    (tmp_path / "hypercorn" / "__init__.py").write_text("import time; time.sleep(60)")
    environment = module._environment

    def with_hanging_server(port: int, directory: str) -> dict[str, str]:
        return {**environment(port, directory), "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}

    monkeypatch.setattr(module, "_environment", with_hanging_server)
    monkeypatch.setattr(module, "START_SECONDS", 0.5)
    with pytest.raises(EngineError, match=r"gave no answer within 0\.5 seconds"):
        Engine().start()


def test_a_missing_ministack_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install."""

    def version(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    with pytest.raises(EngineError, match=r"ministack is not installed; .* '\.\[local\]'"):
        Engine().start()


def test_another_ministack_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its behaviour changes every few days, so the pinned release it must be."""
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.5.99")
    with pytest.raises(EngineError, match=r"ministack is 1\.5\.99 and must be 1\.5\.33; .*install"):
        check_version()


@pytest.mark.parametrize("name", ["ministack", "hypercorn"])
def test_a_module_that_is_gone_is_not_installed(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """What pip has on record and is not there is said before anything is started."""
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda each: None if each == name else find(each)
    )
    with pytest.raises(EngineError, match=f"{name} is not installed; install the local runtime's"):
        check_version()


def test_the_version_is_the_one_that_is_installed() -> None:
    """The pin in pyproject.toml and the one in the code are the same."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"ministack=={MINISTACK_VERSION}" in project["optional-dependencies"]["local"]


def test_the_engine_ends_with_its_parent() -> None:
    """If the parent is killed, the engine is gone soon, and so is its state."""
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
        pid, directory = parent.stdout.readline().split()
        assert runs(int(pid))
        parent.communicate("x", timeout=10)
    assert ends(int(pid), within=2)
    assert not Path(directory).exists()


def test_nothing_but_the_log_is_removed(tmp_path: Path) -> None:
    """An orphaned engine removes its log and, if nothing else is in it, the directory."""
    log, other = tmp_path / "engine.log", tmp_path / "other"
    for path in (log, other):
        path.write_text("")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        orphan = subprocess.run(
            [*module._COMMAND, str(listener.fileno()), str(log)],
            stdin=subprocess.DEVNULL,
            pass_fds=[listener.fileno()],
            cwd=ROOT,
            timeout=10,
            check=False,
        )
    assert orphan.returncode == 1
    assert list(tmp_path.iterdir()) == [other]


def test_an_orphan_whose_directory_is_gone_touches_nothing(tmp_path: Path) -> None:
    """A parent may remove the directory and end without a stop; the orphan just ends, too."""
    (tmp_path / "other").write_text("")
    gone = tmp_path / "users-engine-gone" / "engine.log"
    environment = {**os.environ, "TMPDIR": str(gone.parent)}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        orphan = subprocess.run(
            [*module._COMMAND, str(listener.fileno()), str(gone)],
            stdin=subprocess.DEVNULL,
            pass_fds=[listener.fileno()],
            env=environment,
            cwd=ROOT,
            timeout=10,
            check=False,
        )
    assert orphan.returncode == 1
    assert [path.name for path in tmp_path.iterdir()] == ["other"]
