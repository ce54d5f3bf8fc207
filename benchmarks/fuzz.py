"""
No request, however malformed, kills or wedges the gateway.

    python -m benchmarks.fuzz [--requests 100000] [--cases 10000] [--seed 1]

Two ways in. Raw: well-formed requests whose bytes are mutated, sent over a socket, to the contract
and to a document that is not ours (`foreign.yaml`). Cases: what schemathesis makes of the contract,
valid and not, signed, so that the stages behind the signature are reached; so are three of ten raw
requests to the contract, whose bodies are mutated before they are signed.

A run fails when the gateway stops answering, when a request gets no answer and its connection is
not closed either, when anything but a gateway response is a 5xx, or when an exception is logged
that no stage expects. What a gateway response of 5xx is due to is printed; a mock whose template
says no status is one, on AWS as here.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import schemathesis
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode

from benchmarks import isolated
from benchmarks.gateway import plain, signed
from benchmarks.isolated import Served
from deploy.contract import derive, load
from deploy.local.runtime import with_defaults

FOREIGN = Path(__file__).with_name("foreign.yaml")
CONNECTIONS = 16
ANSWER_SECONDS = 10.0
PATIENCE_SECONDS = 0.25
_BATCH = 2_000
_ADA = (
    b'{"name":"Ada","email":"ada@example.com","address":{"street":"1","city":"L","country":"GB"}}'
)
_TOKENS = (
    *(
        b"\r\n",
        b"\n",
        b"\r\n\r\n",
        b"\x00",
        b"\xff\xfe",
        b"%00",
        b"%",
        b"%2e%2e/",
        b"//",
        b"?",
        b"#",
    ),
    *(
        b"&",
        b"=",
        b";",
        b"+",
        b" ",
        b"\t",
        b":",
        b"'",
        b'"',
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b"\xf0\x9f",
    ),
    *(b"Content-Length: 0\r\n", b"Content-Length: -1\r\n", b"Content-Length: 99999999\r\n"),
    *(b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n", b"Connection: close\r\n"),
    *(
        b"Upgrade: websocket\r\n",
        b"Host: \r\n",
        b"X-Amz-Date: 1\r\n",
        b"Authorization: AWS4-HMAC-SHA256 ",
    ),
    *(b"Content-Type: text/plain\r\n", b"Accept: application/xml\r\n", b"HTTP/1.0", b"HTTP/9.9"),
    *(
        b"$input.body",
        b"#set($x = 1)",
        b"#foreach($i in [1..999999])x#end",
        b"${",
        b"null",
        b"1e999",
    ),
    *(b"[" * 2_000, b'{"a":' * 2_000, b"a" * 9_000, b"X: y\r\n" * 300),
)
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


@dataclass
class Outcome:
    """What a run has met."""

    statuses: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def note(self, sent: bytes, answer: bytes) -> None:
        """Take an answer, perhaps none, to a request."""
        status = _STATUS.match(answer)
        self.statuses[status[1].decode() if status else "closed"] += 1
        if answer and not status:
            self.failures.append(f"not HTTP: {answer[:80]!r} to {sent[:400]!r}")
        elif (
            status
            and status[1].startswith(b"5")
            and b"\r\nx-amzn-requestid: " not in answer.lower()
        ):
            self.failures.append(f"{answer[:200]!r} to {sent[:400]!r}")

    def ask(self, served: Served) -> None:
        """Take what the gateway has logged."""
        for text in served.complaints():
            if "Traceback" in text:
                self.failures.append(text)
            else:
                self.statuses[f"logged: {text[:100]}"] += 1


def mutated(rng: random.Random, request: bytes, others: list[bytes]) -> bytes:
    """Return a request with a few changes anywhere, or in its body only and still well framed."""
    head, _, body = request.partition(b"\r\n\r\n")
    if not body or rng.random() < 0.6:
        return _changed(rng, request, others)
    body = _changed(rng, body, others)
    length = b"Content-Length: %d" % len(body)
    return re.sub(rb"Content-Length: \d+", length, head) + b"\r\n\r\n" + body


def _changed(rng: random.Random, data: bytes, others: list[bytes]) -> bytes:
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        at, span = rng.randrange(len(data) + 1), rng.choice((1, 2, 8, 64))
        change = rng.randrange(7)
        if change == 0:
            data = data[:at] + rng.randbytes(span) + data[at + span :]
        elif change == 1:
            data = data[:at] + data[at + span :]
        elif change == 2:
            data = data[:at] + rng.choice(_TOKENS) + data[at:]
        elif change == 3:
            data = data[:at] + data[at : at + span] * rng.randint(2, 20) + data[at + span :]
        elif change == 4 and rng.random() < 0.3:
            data = data[:at]
        elif change == 5:
            other = rng.choice(others)
            data = data[:at] + other[rng.randrange(len(other)) :]
        else:
            data = data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
    return data


async def exchange(port: int, data: bytes) -> bytes:
    """
    Send bytes and read until the connection is closed.

    That there are no more bytes is said only when an answer begins, or none does for a while: a
    server may drop a request whose client closes its half.

    Raises:
        TimeoutError: It is not closed in time.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            writer.write(data)
            try:
                await writer.drain()
                answer = await _beginning(reader)
                writer.write_eof()
                return answer + await reader.read(-1)
            except OSError:
                return b""
    finally:
        writer.transport.abort()


async def _beginning(reader: asyncio.StreamReader) -> bytes:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await reader.read(65_536)
    except TimeoutError:
        return b""


async def fuzz_raw(
    served: Served, write: Callable[[], bytes], count: int, outcome: Outcome
) -> None:
    """Send so many requests; after every batch a whole one has to be answered."""
    for begin in range(0, count, _BATCH):
        queue = iter(range(min(_BATCH, count - begin)))

        async def work(queue: Iterable[int] = queue) -> None:
            for _ in queue:
                data = write()
                try:
                    outcome.note(data, await exchange(served.port, data))
                except TimeoutError:
                    outcome.failures.append(f"no answer, not closed: {data[:400]!r}")

        await asyncio.gather(*(work() for _ in range(CONNECTIONS)))
        outcome.ask(served)
        await check_alive(served, outcome)


async def check_alive(served: Served, outcome: Outcome) -> None:
    """Expect an answer to a whole request."""
    try:
        answer = await exchange(served.port, plain("GET", "/nowhere"))
    except (TimeoutError, OSError) as error:
        raise SystemExit(f"the gateway does not answer any more: {error!r}") from error
    if b" 403 " not in answer[:20]:
        outcome.failures.append(f"unlike itself: {answer[:200]!r}")


def fuzz_cases(served: Served, count: int, run_seed: int, outcome: Outcome) -> None:
    """Send what schemathesis makes of every operation of the contract, signed."""
    document = derive(load(isolated.CONTRACT), with_defaults({}))
    schema = schemathesis.openapi.from_dict(document)
    operations = [
        schema[path][method.upper()]
        for path, item in document["paths"].items()
        for method in item
        if method in ("get", "post")
    ]
    credentials = Credentials(served.access_key_id, served.secret_access_key)
    base = f"http://127.0.0.1:{served.port}/local"
    with requests.Session() as session:
        for operation in operations:
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                examples = max(1, count // len(operations) // 2)

                @seed(run_seed)
                @settings(
                    max_examples=examples,
                    database=None,
                    deadline=None,
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                )
                @given(case=operation.as_strategy(generation_mode=mode))
                def send(case: schemathesis.Case[Any]) -> None:
                    arguments = case.as_transport_kwargs(base_url=base)
                    try:
                        request = session.prepare_request(requests.Request(**arguments))
                        status, text = _send_signed(session, request, credentials)
                    except (ValueError, requests.exceptions.InvalidHeader):
                        return  # The client refuses to write it; the raw way does.
                    outcome.note(text[:300], b"HTTP/1.1 %d \r\n%b" % (status, text))

                send()
                outcome.ask(served)


def _send_signed(
    session: requests.Session, request: requests.PreparedRequest, credentials: Credentials
) -> tuple[int, bytes]:
    body = request.body.encode() if isinstance(request.body, str) else request.body or b""
    signing = AWSRequest(request.method, request.url, data=body, headers={})
    SigV4Auth(credentials, "execute-api", "us-east-1").add_auth(signing)
    request.headers.update(dict(signing.headers.items()))
    answer = session.send(request, timeout=ANSWER_SECONDS)
    head = "".join(f"{name}: {value}\r\n" for name, value in answer.headers.items())
    return answer.status_code, b"\r\n" + head.encode("utf-8", "replace") + answer.content


def contract_writer(served: Served, rng: random.Random) -> Callable[[], bytes]:
    """Return what writes requests to the contract: mutated, or signed after their mutation."""
    bases = [
        signed(served, "POST", "/users", _ADA),
        signed(
            served, "POST", "/users", b'{"name": "\xc3\xa9", "email": "a@b", "tags": ["x", "y"]}'
        ),
        signed(served, "GET", f"/users/{isolated.USER_ID}"),
        signed(served, "GET", f"/status/{isolated.MESSAGE_ID}"),
        signed(served, "GET", "/status/x%22%7D"),
        plain("POST", "/local/users", _ADA),
    ]

    def write() -> bytes:
        if rng.random() < 0.3:
            return signed(served, "POST", "/users", _changed(rng, _ADA, bases))
        return mutated(rng, rng.choice(bases), bases)

    return write


def foreign_writer(rng: random.Random) -> Callable[[], bytes]:
    """Return what writes mutated requests to `foreign.yaml`."""
    document = b'{"title": "t", "parts": [{"name": "a"}, {"name": "b", "x": [1, 2.5, null, true]}]}'
    bases = [
        plain("GET", "/local/mock/1?q=ab&q=cd"),
        plain("GET", "/local/mock/%F0%9F%92%A5?q=%24%7Bx%7D"),
        plain("POST", "/local/documents", document),
        plain("PUT", "/local/proxy/a/b%20c?x=1&y=2", document),
        plain("DELETE", "/local/proxy/z"),
    ]
    return lambda: mutated(rng, rng.choice(bases), bases)


def run(count: int, cases: int, run_seed: int) -> dict[str, Outcome]:
    """Fuzz with so many raw requests and so many cases; what came of it, by way."""
    rng = random.Random(run_seed)
    outcomes: dict[str, Outcome] = {}
    with isolated.stub() as stub_port:
        with isolated.gateway(stub_port) as served:
            outcomes["raw, contract"] = outcome = Outcome()
            # A signature is good for five minutes, so a long run is done in parts.
            for part in _parts(count - count // 2):
                write = contract_writer(served, rng)
                asyncio.run(fuzz_raw(served, write, part, outcome))
            outcomes["cases, contract"] = outcome = Outcome()
            fuzz_cases(served, cases, run_seed, outcome)
        values = {"StubUrl": f"http://127.0.0.1:{stub_port}"}
        with isolated.gateway(stub_port, FOREIGN, values) as served:
            outcomes["raw, foreign"] = outcome = Outcome()
            asyncio.run(fuzz_raw(served, foreign_writer(rng), count // 2, outcome))
    return outcomes


def _parts(count: int, size: int = 10_000) -> list[int]:
    return [min(size, count - begin) for begin in range(0, count, size)]


def main() -> int:
    """Run it, print what came of it, and return 1 if anything failed."""
    parser = argparse.ArgumentParser(description="fuzz the gateway")
    parser.add_argument("--requests", type=int, default=100_000, help="raw requests")
    parser.add_argument("--cases", type=int, default=10_000, help="cases of schemathesis")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    began = time.monotonic()
    outcomes = run(arguments.requests, arguments.cases, arguments.seed)
    failures = 0
    for name, outcome in outcomes.items():
        total = sum(n for key, n in outcome.statuses.items() if not key.startswith("logged"))
        print(f"{name}: {total} requests, {len(outcome.failures)} failures")
        for key, number in sorted(outcome.statuses.items()):
            print(f"  {key}: {number}")
        for failure in outcome.failures[:10]:
            print(f"  FAILURE {failure}")
        failures += len(outcome.failures)
    print(f"{time.monotonic() - began:.0f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
