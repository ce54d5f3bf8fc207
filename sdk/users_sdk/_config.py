"""
A client's settings, checked once when it is made. The only module that reads the environment.

It is read when a client is made, except for Lambda's trace, which each request is sent with.
"""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from importlib import import_module
from typing import cast
from urllib.parse import quote, unquote, urlsplit

from ._fields import flaw
from ._polling import Polling
from ._region import checked_region
from .errors import ConfigurationError, InvalidArgumentError

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

_DOTS = frozenset({".", ".."})
_USER = re.compile(r"//[^/?#]*@")
_URL_CHARACTERS = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})+")
"""Source: RFC 3986, 2 (characters)"""


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
        for name in ("timeout", "attempt_timeout"):
            if not _is_number(getattr(self, name)) or not getattr(self, name) > 0:
                raise _wrong(name, "a number of seconds, more than 0", getattr(self, name))
        if type(self.max_retries) is not int or self.max_retries < 0:
            raise _wrong("max_retries", "a whole number, 0 or more", self.max_retries)
        polling = cast("object", self.polling)
        if not isinstance(polling, Polling):
            raise _wrong("polling", "a Polling", polling)


def seconds(timeout: float) -> float:
    """
    Return the `timeout` of one call.

    Raises:
        InvalidArgumentError: It is no number of seconds above 0.
    """
    if not _is_number(timeout) or not timeout > 0:
        raise InvalidArgumentError(
            f"timeout must be a number of seconds, more than 0, not {timeout!r}"
        )
    return timeout


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _wrong(name: str, expected: str, value: object) -> ConfigurationError:
    """Return the error of an argument; a text is not shown, as it may be a secret put there."""
    shown = repr(value) if _is_number(value) else f"a {type(value).__qualname__}"
    return ConfigurationError(f"{name} must be {expected}, not {shown}")


def _checked_text(name: str, value: object) -> str | None:
    """Return a setting that is a text or left out."""
    if value is not None and not isinstance(value, str):
        raise _wrong(name, "a text", value)
    return value


def resolve_url(given: str | None, variable: str) -> str:
    """
    Return the API's URL: the given one, else the environment's.

    Args:
        given: The URL that the caller named, if any.
        variable: The environment variable that is read otherwise.

    Raises:
        ConfigurationError: There is none, or it is not the URL of an HTTP server.
    """
    given = _checked_text("base_url", given)
    url = given if given is not None else os.environ.get(variable, "")
    if not url:
        raise ConfigurationError(f"No URL: pass base_url=, or set {variable} to the API's URL")
    if not _is_server(url):
        source = "base_url" if given is not None else variable
        # A user in it comes with a password, which no log should have.
        shown = _USER.sub("//***@", url).partition("?")[0]
        raise ConfigurationError(
            f"{source} must be like https://host/stage, percent-encoded, without user, query or "
            f"fragment, and without . or .. as a part of the path: {shown!r}"
        )
    return url.rstrip("/")


def _is_server(url: str) -> bool:
    """Say whether a URL names an HTTP server and a path, and nothing besides."""
    # What is not written as it goes over the wire could be signed as something else.
    if not _URL_CHARACTERS.fullmatch(url) or "?" in url or "#" in url:
        return False
    try:
        parts = urlsplit(url)
        named = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    # A path with these would be resolved on the way, and reach something else.
    straight = _DOTS.isdisjoint(unquote(parts.path).split("/"))
    return named and straight and parts.username is None


def resolve_region(given: str | None, base_url: str) -> str | None:
    """
    Return the region to sign for: the given one, else the host's, else the environment's.

    Raises:
        ConfigurationError: The given region is not the one that the host names.
    """
    named = _named_by(base_url).get("region")
    given = checked_region(_checked_text("region", given), "region")
    if given and named and given != named:
        raise ConfigurationError(
            f"region is {given!r}, but the URL {base_url} is in {named!r}: leave one of them out"
        )
    if given or named:
        return given or named
    name = next(filter(os.environ.get, ("AWS_REGION", "AWS_DEFAULT_REGION")), None)
    return None if name is None else checked_region(os.environ[name], f"the variable {name}")


def resolve_service(base_url: str) -> str | None:
    """Return the service to sign for, if the host names one."""
    return _named_by(base_url).get("service")


def _named_by(base_url: str) -> dict[str, str]:
    host = urlsplit(base_url).hostname or ""
    matches = (pattern.search(host) for pattern in _AWS_HOSTS)
    unnamed: dict[str, str] = {}
    return next((match.groupdict() for match in matches if match), unnamed)


def is_lambda() -> bool:
    """Say whether this process is AWS Lambda's, which has a trace for each invocation."""
    return "AWS_LAMBDA_FUNCTION_NAME" in os.environ


def lambda_trace_id() -> str | None:
    """
    Return the trace that the present invocation runs in, as `X-Amzn-Trace-Id` has it.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, and botocore's
    `add_recursion_detection_header` (observed in 1.43.106), whose rule and encoding these are.
    """
    trace_id = os.environ.get("_X_AMZN_TRACE_ID")
    return quote(trace_id, safe="-=;:+&[]{}\"',") if trace_id else None


def user_agent(suffix: str | None) -> str:
    """Return the `User-Agent`: this package and its version, Python's, and what the caller adds."""
    suffix = _checked_text("user_agent_suffix", suffix)
    reason = flaw(suffix or "")
    if reason is not None:
        raise ConfigurationError(f"user_agent_suffix is sent as a header, but it {reason}")
    package = __name__.partition(".")[0]
    # Imported here: it costs more time than all the rest of the package.
    metadata = import_module("importlib.metadata")
    try:
        product = f"{package}/{metadata.version(package)}"
    except metadata.PackageNotFoundError:
        product = package
    text = f"{product} python/{platform.python_version()}"
    return f"{text} {suffix}" if suffix else text
