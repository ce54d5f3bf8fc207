"""
The template engine: how much of Velocity and API Gateway it reproduces, and how fast.

    python -m benchmarks.vtl [--rounds 15]

The peer is airspeed-ext, LocalStack's engine. Both render the same template of 33 lines in the same
run, turn by turn, and must print the same text. Velocity itself runs on the JVM only.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

import airspeed  # type: ignore[import-untyped]

from deploy.contract import load
from deploy.local.templates import escape_javascript, render_mapping
from deploy.local.vtl import Template, VtlError, VtlObject, render

TEMPLATE = (Path(__file__).parent / "data" / "users.vtl").read_text("utf-8")
CONTRACT = Path(__file__).parents[1] / "openapi.yaml"
CASES = Path(__file__).parents[1] / "tests" / "data"
ITEMS = [
    {
        "userId": {"S": f"user-{number:04}"},
        "name": {"S": ("Ada Lovelace", 'Edsger "W." Dijkstra', "Grace")[number % 3]},
        "email": {"S": f"u{number}@example.com"},
        "role": {"S": "reader" if number % 4 else "admin"},
        "tags": {"L": [{"S": f"tag{tag}"} for tag in range(number % 4)]},
    }
    for number in range(10)
]


class Util(VtlObject):
    """`$util` for both engines: the peer calls Python's methods."""

    vtl_methods: ClassVar = {
        "escapeJavaScript": (("S", lambda util, text: escape_javascript(text)),)
    }

    def escapeJavaScript(self, text: str) -> str:  # noqa: N802 - AWS's name
        """Escape a text."""
        return escape_javascript(text)


VARIABLES: dict[str, object] = {
    "page": {"Count": len(ITEMS), "Items": ITEMS},
    "util": Util(),
    "context": {"requestId": "request-1", "authorizer": {"tenant": "acme"}},
}


# Scores


def cases(name: str) -> list[dict[str, Any]]:
    """Read a file of recorded cases."""
    return [json.loads(line) for line in (CASES / name).read_text("utf-8").splitlines()]


def matches(expected: Mapping[str, Any], printed: Callable[[], str]) -> bool:
    """Say whether a case prints what is expected, or fails where that is expected."""
    try:
        text = printed()
    except VtlError:
        return "error" in expected
    if "output_json" in expected:
        return bool(json.loads(text) == expected["output_json"])
    return bool(text == expected.get("output"))


def show_score(name: str, results: list[bool]) -> None:
    """Print how many cases are right."""
    print(f"  {name:<52} {sum(results)} of {len(results)}")


def velocity_case(case: Mapping[str, Any], mode: Literal["apigateway", "velocity"]) -> bool:
    """Check one column of a case of Velocity."""
    return matches(case[mode], lambda: render(case["template"], case["context"], mode=mode))


def recorded_case(case: Mapping[str, Any]) -> bool:
    """Check a template that real API Gateway has rendered."""

    def printed() -> str:
        if "vars" in case:
            names = {key: "" if value is None else value for key, value in case["vars"].items()}
            return render(case["template"], names)
        return render_mapping(
            case["template"],
            phase=case["phase"],
            body=case["input"]["body"],
            params=case["input"]["params"],
            context=case["context"],
            stage_variables=case["stageVariables"],
        ).output

    return matches(case["expect"], printed)


def show_scores() -> None:
    """Score all recorded cases."""
    # Templates change the lists and maps they are given, so each column reads the file anew.
    for mode in ("apigateway", "velocity"):
        results = [velocity_case(case, mode) for case in cases("vtl-cases-public.jsonl")]
        show_score(f"Velocity 1.7's answers, column {mode}", results)
    templates = [case for case in cases("aws-oracle-public.jsonl") if case["kind"] == "template"]
    show_score("API Gateway's recorded templates", [recorded_case(case) for case in templates])


# Speed


def seconds(action: Callable[[], object], times: int) -> float:
    """How long an action takes, the mean of several."""
    began = time.perf_counter()
    for _ in range(times):
        action()
    return (time.perf_counter() - began) / times


def compare(
    name: str, rounds: int, ours: Callable[[], object], theirs: Callable[[], object]
) -> None:
    """Time both engines turn by turn; print the medians and how many times faster we are."""
    pairs = [(seconds(ours, 20), seconds(theirs, 5)) for _ in range(rounds)]
    mine, peer = (statistics.median(column) * 1e6 for column in zip(*pairs, strict=True))
    print(f"  {name:<52} {mine:7.0f} us   airspeed-ext {peer:7.0f} us   {peer / mine:5.1f} x")


CREATE_USER: dict[str, Any] = {
    "phase": "request",
    "body": json.dumps({"name": "Ada Lovelace", "email": "ada@example.com", "tags": ["a"]}),
    "params": {
        "header": {"Content-Type": "application/json", "idempotency-key": "k-1", "Host": "local"},
    },
    "context": {"identity": {"accountId": "000000000000"}, "requestId": "r-1"},
    "stage_variables": {},
}
GET_USER: dict[str, Any] = {
    "phase": "response",
    "body": json.dumps({"Item": {**ITEMS[3], "createdAt": {"S": "2026-11-23T22:00:00.000Z"}}}),
    "params": {"path": {"userId": "0"}},
    "context": {"extendedRequestId": "x-1"},
    "stage_variables": {},
}


def show_own(rounds: int) -> None:
    """Time the mapping templates of our own contract, `$input` and `$context` included."""
    methods = load(CONTRACT).document["paths"]
    post, get = methods["/users"]["post"], methods["/users/{userId}"]["get"]
    integrations = [node["x-amazon-apigateway-integration"] for node in (post, get)]
    request = integrations[0]["requestTemplates"]["application/json"]
    response = integrations[1]["responses"][r"2\d{2}"]["responseTemplates"]["application/json"]
    for name, text, values in (
        ("createUser, request", request, CREATE_USER),
        ("getUser, response", response, GET_USER),
    ):
        render = partial(render_mapping, text, **values)
        median = statistics.median(seconds(render, 50) for _ in range(rounds)) * 1e6
        print(f"  {name:<52} {median:7.0f} us")


def show_rates(rounds: int) -> None:
    """Compare the rates, parsed once and with parsing."""
    template, peer = Template(TEMPLATE), airspeed.Template(TEMPLATE)
    assert template.render(VARIABLES) == peer.merge(VARIABLES)
    template.fuse()
    assert template.render(VARIABLES) == peer.merge(VARIABLES)
    numbers = itertools.count()

    def new_text() -> str:
        return f"{TEMPLATE}{next(numbers)}"

    compare(
        "parsed once", rounds, lambda: template.render(VARIABLES), lambda: peer.merge(VARIABLES)
    )
    compare(
        "including parsing, the same text again",
        rounds,
        lambda: Template(TEMPLATE).render(VARIABLES),
        lambda: airspeed.Template(TEMPLATE).merge(VARIABLES),
    )
    compare(
        "including parsing, a new text each time",
        rounds,
        lambda: Template(new_text()).render(VARIABLES),
        lambda: airspeed.Template(new_text()).merge(VARIABLES),
    )


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description="score and time the template engine")
    parser.add_argument("--rounds", type=int, default=15)
    rounds: int = parser.parse_args().rounds
    print("Cases:")
    show_scores()
    print(f"A template of {len(TEMPLATE.splitlines())} lines, medians of {rounds} rounds:")
    show_rates(rounds)
    print("The contract's own templates, by render_mapping:")
    show_own(rounds)


if __name__ == "__main__":
    main()
