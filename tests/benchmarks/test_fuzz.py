"""No request kills or wedges the gateway: a small part of `python -m benchmarks.fuzz`."""

from __future__ import annotations

import random

from benchmarks.fuzz import Outcome, mutated, run


def test_a_few_hundred_requests_do_no_harm() -> None:
    """Both documents, raw and as schemathesis writes them; every way has its answers."""
    outcomes = run(400, 30, run_seed=1)
    assert {name: outcome.failures for name, outcome in outcomes.items()} == {
        "raw, contract": [],
        "cases, contract": [],
        "raw, foreign": [],
    }
    assert outcomes["raw, contract"].statuses.keys() >= {"202", "400", "403"}
    assert outcomes["cases, contract"].statuses.keys() >= {"200", "202", "400"}
    assert outcomes["raw, foreign"].statuses.keys() >= {"200", "400", "403"}


def test_a_mutation_changes_something() -> None:
    """Of a hundred requests nearly all differ from the one that they are made of."""
    rng = random.Random(1)
    request = b"GET / HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody"
    assert len({mutated(rng, request, [request]) for _ in range(100)}) > 80


def test_what_is_not_the_gateways_fails() -> None:
    """A 5xx that no gateway response is, and what is not HTTP, count as failures."""
    outcome = Outcome()
    outcome.note(b"x", b"HTTP/1.1 500 Internal Server Error\r\n\r\nInternal Server Error")
    outcome.note(b"x", b"garbage")
    outcome.note(b"x", b"HTTP/1.1 504 Gateway Timeout\r\nx-amzn-RequestId: 1\r\n\r\n")
    outcome.note(b"x", b"")
    assert len(outcome.failures) == 2
    assert outcome.statuses == {"500": 1, "closed": 2, "504": 1}
