from __future__ import annotations

from typing import Any

import pytest

from users_sdk._config import Settings, resolve_region, resolve_service, resolve_url, user_agent
from users_sdk._polling import Polling
from users_sdk.errors import ConfigurationError

HOST = "https://a1b2c3.execute-api.eu-central-1.amazonaws.com/prod"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "ORDERS_API_URL"):
        monkeypatch.delenv(name, raising=False)


def test_the_given_url_wins_over_the_environment_s(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slash at the end makes no difference."""
    monkeypatch.setenv("ORDERS_API_URL", "https://other.example")
    assert (
        resolve_url("https://orders.example/v1/", "ORDERS_API_URL") == "https://orders.example/v1"
    )
    assert resolve_url(None, "ORDERS_API_URL") == "https://other.example"


def test_no_url_is_one_clear_error() -> None:
    """The message names both ways to give one."""
    with pytest.raises(ConfigurationError, match=r"base_url=.*ORDERS_API_URL"):
        resolve_url(None, "ORDERS_API_URL")


@pytest.mark.parametrize(
    "url",
    [
        "orders.example",
        "ftp://orders.example",
        "https://",
        "https://h:99999",
        "https://u@h",
        "https://h?q",
        "https://h#f",
        "",
    ],
)
def test_a_url_that_is_none_is_refused(url: str) -> None:
    """Before anything is sent."""
    with pytest.raises(ConfigurationError):
        resolve_url(url, "ORDERS_API_URL")


@pytest.mark.parametrize(
    ("url", "service", "region"),
    [
        (HOST, "execute-api", "eu-central-1"),
        ("https://x.execute-api.cn-north-1.amazonaws.com.cn", "execute-api", "cn-north-1"),
        ("https://v-1.execute-api.us-east-1.vpce.amazonaws.com/dev", "execute-api", "us-east-1"),
        ("https://abc.lambda-url.eu-west-1.on.aws", "lambda", "eu-west-1"),
        ("https://s-1.7d67.vpc-lattice-svcs.us-west-2.on.aws", "vpc-lattice-svcs", "us-west-2"),
        ("https://orders.example", None, None),
        ("http://127.0.0.1:8000", None, None),
        ("https://x.execute-api.eu-west-1.amazonaws.com.attacker.example", None, None),
    ],
)
def test_service_and_region_are_read_from_the_host(
    url: str, service: str | None, region: str | None
) -> None:
    """Corner 31: hosts of AWS name both, custom domains neither."""
    assert resolve_service(url) == service
    assert resolve_region(None, url) == region


def test_a_password_in_a_url_is_not_shown() -> None:
    """Corner 32: the message is one that gets logged."""
    with pytest.raises(ConfigurationError) as caught:
        resolve_url("https://me:hush@orders.example/v1?token=hush", "ORDERS_API_URL")
    assert "https://***@orders.example/v1" in str(caught.value)
    assert "hush" not in str(caught.value)


def test_the_region_is_the_given_one_then_the_host_s_then_the_environment_s(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The environment speaks of the machine, the host of the API."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-west-2")
    assert resolve_region("us-east-1", "https://orders.example") == "us-east-1"
    assert resolve_region(None, HOST) == "eu-central-1"
    assert resolve_region(None, "https://orders.example") == "us-west-2"
    monkeypatch.setenv("AWS_REGION", "us-west-1")
    assert resolve_region(None, "https://orders.example") == "us-west-1"


@pytest.mark.parametrize(
    "wrong", ["us-east-1\n", "us-east-1 ", "us east", "../x", "\u00e9", "US-EAST-1"]
)
def test_what_is_no_region_is_refused(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it comes from is told, before anything is sent."""
    with pytest.raises(ConfigurationError, match=r"^region is .*: a region is lower-case"):
        resolve_region(wrong, "https://orders.example")
    monkeypatch.setenv("AWS_REGION", wrong)
    with pytest.raises(ConfigurationError, match="the variable AWS_REGION is "):
        resolve_region(None, "https://orders.example")


def test_a_region_that_contradicts_the_host_is_refused() -> None:
    """Corner 31: a signature for another region would be refused later, and less clearly."""
    with pytest.raises(ConfigurationError, match=r"us-east-1.*eu-central-1"):
        resolve_region("us-east-1", HOST)


@pytest.mark.parametrize("wrong", [{"timeout": 0}, {"attempt_timeout": -1}, {"max_retries": -1}])
def test_limits_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    """The message names the setting."""
    good: dict[str, Any] = {
        "base_url": "https://h",
        "region": None,
        "timeout": 1.0,
        "attempt_timeout": 1.0,
        "max_retries": 0,
        "polling": Polling(),
        "user_agent": "x",
    }
    Settings(**good)
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        Settings(**good | wrong)


def test_the_user_agent_names_package_and_python() -> None:
    """What the caller adds comes last."""
    assert user_agent("shop/2").startswith("users_sdk")
    assert user_agent("shop/2").endswith(" shop/2")
    assert " python/3." in user_agent(None)
