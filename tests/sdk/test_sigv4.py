from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sdk.orders import Keys
from users_sdk._sigv4 import (
    Scope,
    amz_date,
    authorization,
    canonical_request,
    host,
    sign,
    string_to_sign,
)

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
MOMENT = "20150830T123600Z"
DATA = Path(__file__).parents[1] / "data" / "sigv4-vectors.jsonl"
VECTORS = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_aws_s_own_test_suite_is_met(vector: dict[str, Any]) -> None:
    """Each step of each request that AWS publishes, to the last byte; see tests/data/README.md."""
    url = f"https://example.amazonaws.com{vector['target']}"
    headers = [(name, value) for name, value in vector["headers"]]
    body = vector["body"].encode()
    scope = Scope(MOMENT[:8], "us-east-1", "service")
    canonical = canonical_request(vector["method"], url, headers, body)
    text = string_to_sign(MOMENT, scope, canonical)
    assert canonical.text == vector["canonical"]
    assert text == vector["string_to_sign"]
    assert vector["authorization"].endswith(f"Signature={sign(SECRET, scope, text)}")
    whole = authorization(
        Keys(access_key="AKIDEXAMPLE", secret_key=SECRET),
        "us-east-1",
        "service",
        MOMENT,
        method=vector["method"],
        url=url,
        headers=headers,
        body=body,
    )
    assert whole == vector["authorization"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/x", "a.example"),
        ("https://A.Example/x", "a.example"),
        ("https://a.example:443", "a.example"),
        ("http://a.example:80/", "a.example"),
        ("http://a.example:443/", "a.example:443"),
        ("https://a.example:8443/x?y", "a.example:8443"),
        ("http://[::1]:8080/", "[::1]:8080"),
        ("https://[::1]/", "[::1]"),
    ],
)
def test_the_host_is_what_http_clients_send(url: str, expected: str) -> None:
    """Corner 27: with a port that is not the usual one. Both clients say the same."""
    import httpx
    import httpx2

    assert host(url) == expected
    assert httpx.Request("GET", url).headers["host"] == expected
    assert httpx2.Request("GET", url).headers["host"] == expected


@pytest.mark.parametrize(
    ("query", "canonical"),
    [
        ("a-b=2&a=1", "a=1&a-b=2"),
        ("a=10&a=1&a=%2F", "a=%2F&a=1&a=10"),
        ("x=http://h:1/@", "x=http%3A%2F%2Fh%3A1%2F%40"),
        ("x=a+b", "x=a%2Bb"),
        ("flag&&other=", "flag=&other="),
        ("a=b=c", "a=b%3Dc"),
        ("x=%7e%2a", "x=~%2A"),
    ],
)
def test_a_query_is_signed_as_the_server_reads_it(query: str, canonical: str) -> None:
    """Pairs are sorted, not texts, and what is raw or in lower case is encoded anew."""
    text = canonical_request("GET", f"https://h/?{query}", [("host", "h")], b"").text
    assert text.split("\n")[2] == canonical


@given(st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=6))
def test_the_order_of_a_query_does_not_matter(pairs: list[tuple[str, str]]) -> None:
    """Whatever the names and values are."""
    from urllib.parse import quote

    written = [f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs]
    texts = {
        canonical_request("GET", f"https://h/?{'&'.join(order)}", [], b"").text
        for order in (written, written[::-1], sorted(written))
    }
    assert len(texts) == 1


def test_a_time_is_written_as_aws_wants_it() -> None:
    """UTC, whatever the machine's time zone."""
    assert amz_date(1440938160.9) == MOMENT
