"""Java's printing, arithmetic, equality and hash codes."""

from __future__ import annotations

from decimal import Decimal

import pytest

from deploy.local.vtl import BigInteger, Float, HashMap, Long, render
from deploy.local.vtl._equality import equals, hash_code
from deploy.local.vtl._java import compute, double_string, to_string
from deploy.local.vtl._values import class_name


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1.0"),
        (0.001, "0.001"),
        (0.0001, "1.0E-4"),
        (1e7, "1.0E7"),
        (9999999.0, "9999999.0"),
        (1.5e300, "1.5E300"),
        (-0.0, "-0.0"),
        (float("inf"), "Infinity"),
        (float("nan"), "NaN"),
        (Float(0.1), "0.1"),
    ],
)
def test_double_prints_as_in_java(value: float, text: str) -> None:
    """A Double prints its shortest digits, with an exponent outside 10^-3 to 10^7."""
    assert double_string(value) == text


@pytest.mark.parametrize(
    ("left", "operator", "right", "result", "kind"),
    [
        (2**31 - 1, "+", 1, 2**31, "java.lang.Long"),
        (2**63 - 1, "+", 1, 2**63, "java.math.BigInteger"),
        (Long(1), "+", 1, 2, "java.lang.Long"),
        (BigInteger(1), "+", 1, 2, "java.math.BigInteger"),
        (-7, "/", 2, -3, "java.lang.Integer"),
        (-7, "%", 3, -1, "java.lang.Integer"),
        (1, "+", 0.5, 1.5, "java.lang.Double"),
        (Decimal("1.50"), "+", 1, Decimal("2.50"), "java.math.BigDecimal"),
    ],
)
def test_arithmetic(left: object, operator: str, right: object, result: object, kind: str) -> None:
    """Integers widen on overflow and keep the wider class; division truncates."""
    computed = compute(operator, left, right)
    assert computed == result
    assert class_name(computed) == kind


@pytest.mark.parametrize("operator", ["/", "%"])
def test_division_by_zero_is_null(operator: str) -> None:
    """Dividing by zero gives null, for integers and decimals."""
    assert compute(operator, 1, 0) is None
    assert compute(operator, 1.0, 0.0) is None


def test_numbers_of_different_classes_are_not_equal() -> None:
    """equals() tells Integer, Long and Double apart; == in a template does not."""
    assert not equals(1, Long(1))
    assert not equals(1, 1.0)
    assert render("#if(1 == 1.0)y#end", {}) == "y"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("abc", 96354),
        (True, 1231),
        (None, 0),
        (5, 5),
        (2**40, 256),
        ([1, 2], 994),
        (1.5, 1073217536),
    ],
)
def test_hash_codes(value: object, code: int) -> None:
    """Hash codes are Java's."""
    assert hash_code(value) == code


def test_hash_map_iterates_by_bucket() -> None:
    """A HashMap iterates in the order of java.util.HashMap, not of insertion."""
    assert to_string(HashMap({"zeta": 1, "alpha": 2, "mid": 3})) == "{zeta=1, alpha=2, mid=3}"
    assert render("$m.keySet()", {"m": HashMap({"b": 1, "a": 2})}) == "[a, b]"


def test_keys_that_python_confuses_are_told_apart() -> None:
    """1, "1", 1.0 and true are four keys of a map."""
    template = "#set($m = {1:'i', '1':'s', 1.0:'d', true:'b'})$m.get(1)$m.get('1')$m.get(1.0)$m"
    assert render(template, {}) == "isd{1=i, 1=s, 1.0=d, true=b}"


def test_a_list_in_itself_prints() -> None:
    """A collection that holds itself prints as Java says."""
    assert render("#set($l = [])#set($d = $l.add($l))$l", {}) == "[(this Collection)]"
