"""What real API Gateway answered: the recorded cases of tests/data/aws-oracle-public.jsonl."""

from typing import Any

import pytest

from tests.deploy.local.oracle import (
    Case,
    check_config,
    check_gateway,
    check_table,
    recorded,
)

_CASES = recorded()


def cases(kind: str) -> list[Any]:
    """Return the cases of a kind as parameters of a test."""
    return [pytest.param(case, id=case["id"]) for case in _CASES if case["kind"] == kind]


@pytest.mark.parametrize("case", cases("gateway"))
async def test_gateway_case(case: Case) -> None:
    """A request gets the answer, and the backend the call, that AWS recorded or documents."""
    await check_gateway(case)


@pytest.mark.parametrize("case", cases("config"))
def test_config_case(case: Case) -> None:
    """An integration that AWS refuses is refused with AWS's message; AWS stops at the first."""
    check_config(case)


@pytest.mark.parametrize("case", cases("table"))
def test_table_case(case: Case) -> None:
    """The statuses of the gateway responses are AWS's, inheritance of the defaults included."""
    check_table(case)
