"""
AWS keys: given, or found by botocore's chain, which may block.

1. Keys are asked for and frozen for each signature: a refresh never mixes two sets.
2. One search or refresh is under way at a time, in a daemon thread of its own. Whoever needs keys
   waits for it, and no longer than `FETCH_SECONDS` from its beginning: one that hangs fails calls,
   each with what it hangs on, and neither blocks an event loop nor uses up threads.
3. No secret is in a `repr`, and none in a log on account of this package: what botocore logs for
   debugging, answers with keys in them, is kept back in those threads.
"""

from __future__ import annotations

import copy
import logging
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from typing import Any, Protocol

from ._fields import flaw
from ._fork import begins_anew
from ._region import checked_region
from .errors import ConfigurationError, RequestNotSent, SDKError

FETCH_SECONDS = 10.0
"""The longest that calls wait for one search or refresh of credentials.

A container's or an instance's metadata answer within two seconds or not at all: botocore's own
limits, observed in 1.43.106.
"""

MANDATORY_SECONDS = 600.0
"""Before the end of temporary credentials: from then on botocore waits for a refresh.

Source: `_DEFAULT_MANDATORY_REFRESH_TIMEOUT` in botocore.credentials, observed in 1.43.106
"""


class Credentials(Protocol):
    """AWS credentials: what `boto3.Session().get_credentials()` returns, or any such object."""

    @property
    def access_key(self) -> str:
        """The access key ID."""
        ...

    @property
    def secret_key(self) -> str:
        """The secret access key."""
        ...

    @property
    def token(self) -> str | None:
        """The session token, if they are temporary."""


@dataclass(frozen=True, slots=True)
class Keys:
    """One frozen set of credentials and the region they sign for."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(repr=False)
    region: str


class KeySource:
    """
    Where keys come from: the given credentials, else botocore's chain, searched when first needed.

    Args:
        region: The region to sign for; by default the AWS profile's.
        credentials: Given credentials; refreshable ones are asked for each signature.
    """

    def __init__(self, region: str | None, credentials: Credentials | None) -> None:
        self._region = region
        self._credentials: Any = credentials
        self._ready = credentials is not None and bool(region)
        self._tried: list[str] = []
        self._lock = threading.Lock()
        self._fetch: _Fetch | None = None
        begins_anew(self)

    def after_fork(self) -> None:
        """Forget a search that only goes on in the parent."""
        self._lock = threading.Lock()
        self._fetch = None

    def at_hand(self) -> Keys | None:
        """Return the keys if that takes no time, else `None`."""
        return None if not self._ready or self._expires_within(None) else self._frozen()

    def fetch(self, timeout: float = FETCH_SECONDS) -> Keys:
        """
        Find or refresh the keys, or wait for whoever does.

        Args:
            timeout: Seconds to wait at most.

        Raises:
            ConfigurationError: There are none, or no region; the providers asked are named.
            RequestNotSent: They were not there in time, or their source could not be reached.
        """
        with self._lock:
            if self._fetch is None or self._fetch.is_over():
                self._fetch = _Fetch(self._find)
            fetch = self._fetch
        try:
            outcome = fetch.outcome(timeout)
        except TimeoutError:
            if self._ready and not self._expires_within(MANDATORY_SECONDS):
                return self._frozen()
            raise RequestNotSent(self._too_slow()) from None
        if isinstance(outcome, SDKError):
            # A copy for each who waits: a traceback grows each time that an error is raised.
            raise copy.copy(outcome) from outcome.__cause__
        return outcome

    def _expires_within(self, seconds: float | None) -> bool:
        """Say whether a refresh is due: by botocore's own advice, or `seconds` before the end."""
        refresh_needed = getattr(self._credentials, "refresh_needed", None)
        if refresh_needed is None:
            return False
        return bool(refresh_needed() if seconds is None else refresh_needed(refresh_in=seconds))

    def _find(self) -> Keys | SDKError:
        try:
            with _debug_records_kept_back():
                if not self._ready:
                    self._search()
                return self._frozen()
        except SDKError as error:
            return error
        except Exception as error:
            return _explained(error)

    def _search(self) -> None:
        session = import_module("botocore.session").Session()
        self._region = self._region or checked_region(
            session.get_config_variable("region"), "the region of the AWS profile"
        )
        if self._credentials is None:
            self._credentials = self._asked(session.get_component("credential_provider").providers)
        if not self._region:
            raise ConfigurationError(
                "No region: the URL names none; pass region=, or set AWS_REGION or "
                "AWS_DEFAULT_REGION, or the region of the AWS profile"
            )
        self._ready = True

    def _asked(self, providers: list[Any]) -> Any:
        """Ask each provider as botocore does, and note which: an error can name them then."""
        self._tried = []
        for provider in providers:
            self._tried.append(provider.METHOD)
            found = provider.load()
            if found is not None:
                return found
        raise ConfigurationError(
            "No AWS credentials: pass credentials=, or provide them by one of "
            f"{', '.join(self._tried)}"
        )

    def _too_slow(self) -> str:
        if self._ready or not self._tried:
            return "AWS credentials were not there in time: their refresh hangs"
        *before, last = self._tried
        asked = f"; {', '.join(before)} had none" if before else ""
        return f"AWS credentials were not there in time: {last} has not answered yet{asked}"

    def _frozen(self) -> Keys:
        freeze = getattr(self._credentials, "get_frozen_credentials", None)
        frozen = self._credentials if freeze is None else freeze()
        if not frozen.access_key or not frozen.secret_key:
            raise ConfigurationError("The AWS credentials lack the access key or the secret key")
        return _keys(
            frozen.access_key,
            frozen.secret_key,
            frozen.token or None,
            self._region or "",
            getattr(self._credentials, "method", None),
        )


@lru_cache(maxsize=4)
def _keys(
    access_key: str, secret_key: str, token: str | None, region: str, method: str | None
) -> Keys:
    """
    Return keys that can be sent; what was read with a line break is refused.

    The last ones are known to be right: most often they are the same for each signature.
    """
    for name, value in (
        ("access key ID, which is sent in Authorization", access_key),
        ("secret access key", secret_key),
        ("session token, which is sent as X-Amz-Security-Token", token),
    ):
        reason = None if value is None else flaw(value)
        if reason is not None:
            found = f" (credentials from {method})" if method else ""
            raise ConfigurationError(f"Wrong AWS {name}: it {reason}{found}")
    return Keys(access_key, secret_key, token, region)


class _Fetch:
    """One search or refresh, in a thread of its own, which all who need keys wait for."""

    def __init__(self, find: Callable[[], Keys | SDKError]) -> None:
        self._until = time.monotonic() + FETCH_SECONDS
        self._outcome: Future[Keys | SDKError] = Future()
        name = f"{__package__}-credentials"
        threading.Thread(target=self._run, args=(find,), name=name, daemon=True).start()

    def is_over(self) -> bool:
        """Say whether there is an outcome."""
        return self._outcome.done()

    def outcome(self, timeout: float) -> Keys | SDKError:
        """Wait for the outcome; `TimeoutError` if it is not there in time."""
        left = self._until - time.monotonic()
        return self._outcome.result(max(0.0, min(timeout, left)))

    def _run(self, find: Callable[[], Keys | SDKError]) -> None:
        self._outcome.set_result(find())


def _explained(error: Exception) -> SDKError:
    """Say what a failure of the chain means: a source out of reach, or a wrong setting."""
    known = import_module("botocore.exceptions")
    unreachable = isinstance(error, known.ConnectionError | known.HTTPClientError)
    kind = RequestNotSent if unreachable else ConfigurationError
    explained = kind(f"AWS credentials cannot be had: {error}")
    explained.__cause__ = error
    return explained


@contextmanager
def _debug_records_kept_back() -> Generator[None, None, None]:
    """Keep botocore's records for debugging, made in this thread, out of every log."""
    # A logger's filter does not hold for the loggers below it, so each module's has it. It stays:
    # taking it away could make another thread pass over the filter that comes next.
    modules = import_module("pkgutil").iter_modules(import_module("botocore").__path__, "botocore.")
    for module in modules:
        logging.getLogger(module.name).addFilter(_passes)
    _fetching.here = True
    try:
        yield
    finally:
        _fetching.here = False


_fetching = threading.local()


def _passes(record: logging.LogRecord) -> bool:
    return record.levelno > logging.DEBUG or not getattr(_fetching, "here", False)
