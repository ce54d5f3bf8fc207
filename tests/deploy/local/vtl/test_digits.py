"""The digits of floating-point numbers."""

from __future__ import annotations

import struct

import pytest

from deploy.local.vtl import Float, double_string, render


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (9223372036854775807 - 1.0e10, "9.2233720268547758E18"),
        (4.9e-324, "4.9E-324"),
        (2.0e-3, "0.002"),
        (1.0e23, "9.999999999999999E22"),
        (2.0**-44, "5.6843418860808015E-14"),
        (0.0021200000000000004, "0.0021200000000000004"),
        (Float(12345678901), "1.23456788E10"),
        (Float(struct.unpack(">f", b"\0\0\0\2")[0]), "2.8E-45"),
    ],
)
def test_digits_are_those_of_java_17(value: float, text: str) -> None:
    """Java up to 18 prints a digit too many for some numbers."""
    assert double_string(value) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [("1.5", "0x1.8p0"), ("-0.0", "-0x0.0p0"), ("2.0", "0x1.0p1"), ("0.1", "0x1.999999999999ap-4")],
)
def test_hexadecimal_digits(number: str, text: str) -> None:
    """ToHexString and the conversion %a print the bits."""
    assert render(f"$d.toHexString({number}) $s.format('%a', {number})", {"d": 1.5, "s": ""}) == (
        f"{text} {text}"
    )
