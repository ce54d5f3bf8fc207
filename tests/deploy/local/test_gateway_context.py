"""`$context` of a request that has just arrived."""

import re
import uuid

import pytest

from deploy.local.context import arrival_context, trace_header, with_caller
from deploy.local.credentials import KeyStore
from deploy.local.exchange import Request

NOW = 1_747_753_652.25
TRACE = "Root=1-6afd0000-0123456789abcdef01234567"


def arriving(**headers: str) -> Request:
    """Return a request with headers; underscores stand for hyphens."""
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Request("POST", "/dev/a%20b", "", named, b"", "192.0.2.7", "1.1")


def test_members_are_those_of_aws() -> None:
    """Every documented member is there, in AWS's form."""
    request = arriving(Host="api1.example.test:8000", User_Agent="probe/1")
    context = arrival_context(
        request, account_id="123456789012", api_id="api1", stage="dev", now=NOW
    )
    assert context["requestTime"] == "20/May/2025:15:07:32 +0000"
    assert context["requestTimeEpoch"] == 1_747_753_652_250
    assert context["domainName"] == "api1.example.test"
    assert context["domainPrefix"] == "api1"
    assert context["path"] == "/dev/a%20b"
    assert context["protocol"] == "HTTP/1.1"
    assert uuid.UUID(str(context["requestId"])).version == 4
    assert re.fullmatch(r"[\w-]{15}=", str(context["extendedRequestId"]))
    identity = context["identity"]
    assert isinstance(identity, dict)
    assert identity["sourceIp"] == "192.0.2.7"
    assert identity["userAgent"] == "probe/1"
    assert identity["userArn"] is None
    assert len(identity) == 12


def test_same_caller_has_the_same_principal() -> None:
    """The principal ID depends on the ARN alone, and is in the form of IAM's."""
    keys = KeyStore()
    principals = set()
    for key in (keys.issue(user_name="ada"), keys.issue(user_name="ada")):
        context = arrival_context(arriving(), account_id="1", api_id="a", stage="dev", now=NOW)
        with_caller(context, key)
        identity = context["identity"]
        assert isinstance(identity, dict)
        principals.add(identity["caller"])
    [principal] = principals
    assert re.fullmatch(r"AIDA[A-Z2-7]{17}", str(principal))


@pytest.mark.parametrize(
    "sent",
    [
        TRACE,
        f"{TRACE};Parent=53995c3f42cd8ad8;Sampled=1",
        f"Self=1-6afd0001-0123456789abcdef01234567;{TRACE}",
        f"Parent=53995c3f42cd8ad8;{TRACE};Sampled=1",
    ],
)
def test_trace_of_the_client_goes_on(sent: str) -> None:
    """A well-formed trace header is kept as it is."""
    assert trace_header(arriving(x_amzn_trace_id=sent), NOW) == sent


@pytest.mark.parametrize("sent", [None, "", "Self=1", f"{TRACE}\n", f"{TRACE};x={{}}", "Root=1-x"])
def test_other_trace_headers_are_replaced(sent: str | None) -> None:
    """A trace header that is missing or malformed is made new, with the time in it."""
    headers = {} if sent is None else {"x_amzn_trace_id": sent}
    made = trace_header(arriving(**headers), NOW)
    assert re.fullmatch(rf"Root=1-{int(NOW):08x}-[0-9a-f]{{24}}", made)
