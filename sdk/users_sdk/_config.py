"""A client's settings, checked once when it is made. The only module that reads the environment."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from importlib import import_module
from urllib.parse import urlsplit

from ._polling import Polling
from .errors import ConfigurationError

_AWS_HOSTS = (
    re.compile(
        r"\.(?P<service>execute-api)\.(?P<region>[a-z0-9-]+)\.(?:vpce\.)?amazonaws\.com(?:\.cn)?$"
    ),
    re.compile(r"\.(?P<service>lambda)-url\.(?P<region>[a-z0-9-]+)\.on\.aws$"),
    re.compile(r"\.(?P<service>vpc-lattice-svcs)\.(?P<region>[a-z0-9-]+)\.on\.aws$"),
)
"""Hosts that name the service and the region to sign for; custom domains do not.

Sources: https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-call-api.html,
https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html and
https://docs.aws.amazon.com/vpc-lattice/latest/ug/sigv4-authenticated-requests.html
"""

_USER = re.compile(r"//[^/?#]*@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """
    What a client was made with, and what its environment said then.

    Attributes:
        base_url: Where the API is, stage included, without a slash at the end.
        region: The region to sign for; `None` if only the AWS profile can tell.
        timeout: Seconds for one call: all attempts and the pauses between them.
        attempt_timeout: Seconds for one attempt of a call: connecting, sending, and the whole
            answer.
        max_retries: How often an attempt is repeated at most.
        polling: How accepted requests are asked after.
        user_agent: The `User-Agent` header.
    """

    base_url: str
    region: str | None
    timeout: float
    attempt_timeout: float
    max_retries: int
    polling: Polling
    user_agent: str

    def __post_init__(self) -> None:
        rules = {
            "timeout must be more than 0": self.timeout > 0,
            "attempt_timeout must be more than 0": self.attempt_timeout > 0,
            "max_retries must be 0 or more": self.max_retries >= 0,
        }
        broken = [rule for rule, kept in rules.items() if not kept]
        if broken:
            raise ConfigurationError("; ".join(broken))


def resolve_url(given: str | None, variable: str) -> str:
    """
    Return the API's URL: the given one, else the environment's.

    Args:
        given: The URL that the caller named, if any.
        variable: The environment variable that is read otherwise.

    Raises:
        ConfigurationError: There is none, or it is not the URL of an HTTP server.
    """
    url = given if given is not None else os.environ.get(variable, "")
    if not url:
        raise ConfigurationError(f"No URL: pass base_url=, or set {variable} to the API's URL")
    try:
        parts = urlsplit(url)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid or parts.query or parts.fragment or parts.username is not None:
        source = "base_url" if given is not None else variable
        # A user in it comes with a password, which no log should have.
        shown = _USER.sub("//***@", url).partition("?")[0]
        raise ConfigurationError(
            f"{source} must be like https://host/stage, without user, query or fragment: {shown!r}"
        )
    return url.rstrip("/")


def resolve_region(given: str | None, base_url: str) -> str | None:
    """
    Return the region to sign for: the given one, else the host's, else the environment's.

    Raises:
        ConfigurationError: The given region is not the one that the host names.
    """
    named = _named_by(base_url).get("region")
    if given and named and given != named:
        raise ConfigurationError(
            f"region is {given!r}, but the URL {base_url} is in {named!r}: leave one of them out"
        )
    environment = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return given or named or environment or None


def resolve_service(base_url: str) -> str | None:
    """Return the service to sign for, if the host names one."""
    return _named_by(base_url).get("service")


def _named_by(base_url: str) -> dict[str, str]:
    host = urlsplit(base_url).hostname or ""
    matches = (pattern.search(host) for pattern in _AWS_HOSTS)
    return next((match.groupdict() for match in matches if match), {})


def user_agent(suffix: str | None) -> str:
    """Return the `User-Agent`: this package and its version, Python's, and what the caller adds."""
    package = __name__.partition(".")[0]
    # Imported here: it costs more time than all the rest of the package.
    metadata = import_module("importlib.metadata")
    try:
        product = f"{package}/{metadata.version(package)}"
    except metadata.PackageNotFoundError:
        product = package
    text = f"{product} python/{platform.python_version()}"
    return f"{text} {suffix}" if suffix else text
