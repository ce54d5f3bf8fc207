"""Every recorded case of Apache Velocity 1.7, in both modes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

import pytest

from deploy.local.vtl import Template, VtlError

DATA = Path(__file__).parents[3] / "data" / "vtl-cases-public.jsonl"
CASES: list[dict[str, Any]] = [json.loads(line) for line in DATA.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("fused", [False, True], ids=["closures", "fused"])
@pytest.mark.parametrize("mode", ["velocity", "apigateway"])
@pytest.mark.parametrize("number", range(len(CASES)), ids=[case["id"] for case in CASES])
def test_case(number: int, mode: Literal["velocity", "apigateway"], fused: bool) -> None:
    """The engine prints what Velocity printed, byte for byte, or fails where it failed."""
    case = json.loads(json.dumps(CASES[number]))
    expected = case[mode]

    def printed() -> str:
        template = Template(case["template"], mode=mode)
        if fused:
            template.fuse()
        return template.render(case["context"])

    if "error" in expected:
        with pytest.raises(VtlError):
            printed()
    else:
        assert printed() == expected["output"]
