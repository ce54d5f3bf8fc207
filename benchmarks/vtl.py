"""
The template engine: how much of Velocity and API Gateway it reproduces, and how fast.

    python -m benchmarks.vtl [--rounds 15] [--apache velocity-engine]

The peer is airspeed-ext, LocalStack's engine. Both render the same template of 33 lines in the same
run, turn by turn, and must print the same text. Velocity itself runs on the JVM only.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

import airspeed  # type: ignore[import-untyped]

from benchmarks.apache_templates import TEMPLATES, difference
from deploy.contract import load
from deploy.local.templates import escape_javascript, render_mapping
from deploy.local.vtl import Template, VtlError, VtlObject, render
from tests.deploy.local import oracle

TEMPLATE = (Path(__file__).parent / "data" / "users.vtl").read_text("utf-8")
CONTRACT = Path(__file__).parents[1] / "openapi.yaml"
CASES = Path(__file__).parents[1] / "tests" / "data"
# What `git clone` and, on Debian, `apt-get source velocity` make.
APACHE = (Path("velocity-engine"), Path("velocity-1.7"))
# Renders in a round, and before the first: the engine keeps the texts that it saw last.
OURS, THEIRS, WARM = 20, 5, 300
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
    try:
        oracle.check_template(dict(case))
    except AssertionError:
        return False
    return True


def show_apache(folder: Path | None) -> None:
    """Score Apache's regression templates, or say how to get them."""
    found = next((each for each in (folder, *APACHE) if each and _has_templates(each)), None)
    if found is None:
        print(
            "  Apache's regression templates                        not here: get them as "
            "benchmarks/apache_templates.py says, and give --apache DIR"
        )
        return
    templates = found / "test" / "templates"
    show_score(
        "Apache's regression templates, stock mode",
        [difference(templates, name) is None for name in TEMPLATES],
    )


def _has_templates(folder: Path) -> bool:
    return (folder / "test" / "templates" / "compare").is_dir()


def show_scores() -> None:
    """Score all recorded cases."""
    # Templates change the lists and maps they are given, so each column reads the file anew.
    for mode in ("apigateway", "velocity"):
        results = [velocity_case(case, mode) for case in cases("vtl-cases-public.jsonl")]
        show_score(f"Velocity 1.7's answers, column {mode}", results)
    templates = [case for case in oracle.recorded() if case["kind"] == "template"]
    show_score("API Gateway's recorded templates", [recorded_case(case) for case in templates])


# Speed


def seconds(action: Callable[[], object], times: int) -> float:
    """How long an action takes, the mean of several, in this thread's time on the processor."""
    began = time.thread_time()
    for _ in range(times):
        action()
    return (time.thread_time() - began) / times


def compare(
    name: str, rounds: int, ours: Callable[[], object], theirs: Callable[[], object]
) -> None:
    """Time both engines turn by turn; print the medians and how many times faster we are."""
    pairs = [(seconds(ours, OURS), seconds(theirs, THEIRS)) for _ in range(rounds)]
    mine, peer = (statistics.median(column) * 1e6 for column in zip(*pairs, strict=True))
    print(f"  {name:<52} {mine:7.0f} us   airspeed-ext {peer:7.0f} us   {peer / mine:5.1f} x")


# What the language, its loops and the classes of values name; all else can be given a new name.
FIXED = frozenset({"set", "if", "elseif", "else", "end", "foreach", "in", "true", "false", "null"})
FIXED |= {"count", "hasNext", "escapeJavaScript", "replace", "length", "startsWith", "substring"}


def renamed(text: str, number: int) -> str:
    """Give every word of a text that is not FIXED, and its largest number, a form of its own."""
    words = re.sub(
        r"[A-Za-z]\w*", lambda word: word[0] if word[0] in FIXED else f"{word[0]}_{number}", text
    )
    return words.replace(" 100)", f" {100 + number})")


def unseen(number: int) -> tuple[str, dict[str, object]]:
    """Return the template and its variables with names and texts that were never seen before."""
    data = json.dumps({name: VARIABLES[name] for name in ("page", "context")})
    return renamed(TEMPLATE, number), {
        **json.loads(renamed(data, number)),
        f"util_{number}": VARIABLES["util"],
    }


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
    compare(
        "parsed once", rounds, lambda: template.render(VARIABLES), lambda: peer.merge(VARIABLES)
    )
    compare(
        "including parsing, the same text again",
        rounds,
        lambda: Template(TEMPLATE).render(VARIABLES),
        lambda: airspeed.Template(TEMPLATE).merge(VARIABLES),
    )
    numbers = itertools.count()
    show_parsing(
        "including parsing, a new text of names seen before",
        rounds,
        ((f"{TEMPLATE}{next(numbers)}", VARIABLES) for _ in itertools.repeat(None)),
    )
    show_parsing("including parsing, all names, texts and values new", rounds, map(unseen, numbers))


def show_parsing(
    name: str, rounds: int, templates: Iterator[tuple[str, Mapping[str, object]]]
) -> None:
    """Compare the rates of templates that are rendered once, made before the clock runs."""
    for text, variables in itertools.islice(templates, WARM):
        printed = Template(text).render(variables)
    assert printed == airspeed.Template(text).merge(variables)
    mine, peers = (
        iter(list(itertools.islice(templates, rounds * times))) for times in (OURS, THEIRS)
    )

    def ours() -> None:
        text, variables = next(mine)
        Template(text).render(variables)

    def theirs() -> None:
        text, variables = next(peers)
        airspeed.Template(text).merge(variables)

    compare(name, rounds, ours, theirs)


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description="score and time the template engine")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--apache", type=Path, metavar="DIR", help="Velocity's sources, 1.7.x")
    options = parser.parse_args()
    rounds: int = options.rounds
    print("Cases:")
    show_scores()
    show_apache(options.apache)
    print(f"A template of {len(TEMPLATE.splitlines())} lines, medians of {rounds} rounds:")
    show_rates(rounds)
    print("The contract's own templates, by render_mapping:")
    show_own(rounds)


if __name__ == "__main__":
    main()
