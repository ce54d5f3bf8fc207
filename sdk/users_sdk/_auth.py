"""
Who signs requests, and how: AWS Signature Version 4 by default.

1. A request is signed last, once for each attempt, and what an earlier attempt added is taken off
   first.
2. Whatever may block (finding credentials, refreshing them, a foreign signer) is a `Call`.
3. No secret is in a `repr`.
"""

from __future__ import annotations

import inspect
import time
from calendar import timegm
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from importlib import import_module
from typing import Any, Protocol, TypeAlias, TypeGuard
from urllib.parse import urlsplit

from ._credentials import FETCH_SECONDS, Credentials, KeySource
from ._fields import checked, checked_text, flaw
from ._http import Headers, Request, Response
from ._retry import date_of
from ._sigv4 import amz_date, authorization, host
from ._steps import Call, Flow
from .errors import ConfigurationError

SERVICE = "execute-api"
"""The service that is signed for where the host names none: API Gateway.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-call-api.html
"""

SKEW_SECONDS = 240.0
"""How far a request's time may be from the server's before a refusal is put down to that.

AWS refuses what is five minutes off; a minute is left for the way and for whole seconds.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
"""

_FORBIDDEN = int(HTTPStatus.FORBIDDEN)


@dataclass(frozen=True, slots=True)
class BearerToken:
    """
    Sends `Authorization: Bearer …` instead of a signature.

    Attributes:
        token: The token, or a function that returns the one to use now; it may block.

    Raises:
        ConfigurationError: It is neither, or a token that cannot be sent.
    """

    token: str | Callable[[], str] = field(repr=False)

    def __post_init__(self) -> None:
        if callable(self.token):
            _refuse_coroutine_function("token", self.token)
            return
        reason = flaw(self.token) or (None if self.token else "is empty")
        if reason is not None:
            raise ConfigurationError(
                f"BearerToken: the token cannot be sent as Authorization: it {reason}"
            )


class RequestsAuth(Protocol):
    """A signer made for `requests`, such as `aws_requests_auth.boto_utils.BotoAWSRequestsAuth`."""

    def __call__(self, r: Any) -> Any:
        """Add headers to a `requests.PreparedRequest`."""


Auth: TypeAlias = BearerToken | RequestsAuth | Callable[[Request], Request | Mapping[str, str]]
"""What may be given as `auth`: a token, a `requests` signer, or a function of ours."""


class Signer(Protocol):
    """
    Makes a request acceptable to the server.

    Attributes:
        fields: Names, in lower case, of the header fields that it adds whatever the request has.
    """

    fields: frozenset[str] = frozenset()

    def sign(self, request: Request, timeout: float = FETCH_SECONDS) -> Flow[Request]:
        """Return the request with what proves who sends it, in `timeout` seconds if that blocks."""
        ...

    def learn(self, request: Request, response: Response) -> bool:
        """Say whether the answer to a signed request teaches how to sign it rightly."""
        return False


def signer_for(
    auth: Auth | None,
    *,
    region: str | None,
    credentials: Credentials | None,
    service: str | None = None,
    wall_clock: Callable[[], float] = time.time,
) -> Signer:
    """
    Return the signer that a client's settings ask for.

    Raises:
        ConfigurationError: `auth` is of no known kind, or credentials are given that it would not
            use.
    """
    if credentials is not None and not _are_credentials(credentials):
        raise ConfigurationError(
            "credentials must have access_key and secret_key, as botocore.credentials.Credentials "
            f"has them, and are of type {type(credentials).__qualname__}"
        )
    if auth is None:
        return SigV4(KeySource(region, credentials), service or SERVICE, wall_clock)
    if credentials is not None:
        raise ConfigurationError("credentials= has no effect with auth=: leave one of them out")
    if isinstance(auth, BearerToken):
        return Bearer(auth)
    if _is_for_requests(auth):
        return RequestsSigner(auth)
    if callable(auth):
        _refuse_coroutine_function("auth", auth)
        return FunctionSigner(auth)
    raise ConfigurationError(
        f"auth is a {type(auth).__qualname__}; it must be a BearerToken, a requests signer, or a "
        "function that takes a Request and returns one, or headers to add"
    )


def _refuse_coroutine_function(name: str, function: object) -> None:
    if inspect.iscoroutinefunction(function):
        raise ConfigurationError(
            f"{name} is the coroutine function {_name(function)}, which nobody awaits: pass a "
            "plain function, which may block, as it is called outside of the event loop"
        )


def _are_credentials(credentials: object) -> bool:
    # Not asked for their values: refreshable ones would fetch them.
    members = dir(credentials)
    if "get_frozen_credentials" in members:
        return True
    return {"access_key", "secret_key", "token"} <= set(members)


def _is_for_requests(auth: object) -> TypeGuard[RequestsAuth]:
    # Without importing requests, which only those have who have such a signer.
    return any(
        base.__name__ == "AuthBase" and base.__module__.partition(".")[0] == "requests"
        for base in type(auth).__mro__
    )


def same_origin(request: Request, base_url: str) -> bool:
    """Say whether a request goes to the API's own scheme, host and port."""
    return urlsplit(request.url)[:2] == urlsplit(base_url)[:2]


class SigV4(Signer):
    """
    Signs by AWS Signature Version 4.

    Args:
        source: Where the keys come from.
        service: What the request is for.
        wall_clock: Seconds since 1970, as this machine believes.
    """

    fields = frozenset(
        ("authorization", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token")
    )

    def __init__(
        self,
        source: KeySource,
        service: str = SERVICE,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._source = source
        self._service = service
        self._wall_clock = wall_clock
        self._offset = 0.0

    def sign(self, request: Request, timeout: float = FETCH_SECONDS) -> Flow[Request]:
        """Sign host, content type and `x-amz-*`: proxies may change the rest on the way."""
        keys = self._source.at_hand()
        if keys is None:
            keys = yield Call(lambda: self._source.fetch(timeout))
        moment = amz_date(self._wall_clock() + self._offset)
        added = {"X-Amz-Date": moment}
        if keys.token:
            added["X-Amz-Security-Token"] = keys.token
        headers = request.headers.without(self.fields)
        added["Authorization"] = authorization(
            keys,
            keys.region,
            self._service,
            moment,
            method=request.method,
            url=request.url,
            headers=[
                ("host", host(request.url)),
                *[field for field in headers.in_lower_case() if _is_signed(field[0])],
                *added.items(),
            ],
            body=request.body,
        )
        return _with_headers(request, headers.merged(added))

    def learn(self, request: Request, response: Response) -> bool:
        """
        Learn the server's time from a refusal, if the request was signed for another time.

        The refused request's own time counts, not what was learned meanwhile: of many that are
        refused at once, each is signed again.
        """
        if response.status != _FORBIDDEN:
            return False
        sent, refused = _moment(request), date_of(response.headers)
        if sent is None or refused is None:
            return False
        if abs(refused - sent) <= SKEW_SECONDS:
            return False
        self._offset = refused - self._wall_clock()
        return True


class Bearer(Signer):
    """Adds a bearer token."""

    fields = frozenset({"authorization"})

    def __init__(self, bearer: BearerToken) -> None:
        self._token = bearer.token

    def sign(self, request: Request, timeout: float = FETCH_SECONDS) -> Flow[Request]:
        """Add the token that is valid now."""
        token = self._token
        if not isinstance(token, str):
            source = f"The function {_name(token)} of BearerToken"
            token = checked_text((yield Call(token)), source, "Authorization")
        return _with_headers(request, request.headers.merged({"Authorization": f"Bearer {token}"}))


class RequestsSigner(Signer):
    """Lets a signer made for `requests` sign our requests."""

    fields = SigV4.fields

    def __init__(self, auth: RequestsAuth) -> None:
        self._auth = auth

    def sign(self, request: Request, timeout: float = FETCH_SECONDS) -> Flow[Request]:
        """Show the signer a prepared request of its own library, and take over its headers."""
        headers: Mapping[str, str] = yield Call(partial(self._headers, request))
        return _with_headers(request, request.headers.merged(headers))

    def _headers(self, request: Request) -> Mapping[str, str]:
        # Filled by hand: prepare() would encode the URL once more.
        prepared = import_module("requests").PreparedRequest()
        prepared.method = request.method
        prepared.url = request.url
        prepared.body = request.body or None
        prepared.headers = import_module("requests.structures").CaseInsensitiveDict(
            request.headers.without(self.fields)
        )
        signed = self._auth(prepared).headers.items()
        fields = {name: _text(value) for name, value in signed}
        return _added(request, fields, f"The signer {type(self._auth).__qualname__}")


class FunctionSigner(Signer):
    """Lets a function of the caller's sign: it returns a request, or headers to add."""

    def __init__(self, function: Callable[[Request], Request | Mapping[str, str]]) -> None:
        self._function = function

    def sign(self, request: Request, timeout: float = FETCH_SECONDS) -> Flow[Request]:
        """Call the function."""
        signed: object = yield Call(partial(self._function, request))
        source = f"The auth function {_name(self._function)}"
        if not isinstance(signed, Request):
            return _with_headers(request, request.headers.merged(checked(signed, source)))
        _added(request, signed.headers, source)
        return _with_headers(signed, Headers(signed.headers))


class Unsigned(Signer):
    """Signs nothing: for operations that ask for no authentication."""

    def sign(self, request: Request, timeout: float = FETCH_SECONDS) -> Flow[Request]:
        """Return the request as it is."""
        yield from ()
        return request


def _is_signed(name: str) -> bool:
    return name == "content-type" or name.startswith("x-amz-")


def _moment(request: Request) -> float | None:
    """Return when a request says that it was signed."""
    try:
        moment = time.strptime(request.headers.get("x-amz-date", ""), "%Y%m%dT%H%M%SZ")
    except ValueError:
        return None
    return float(timegm(moment))


def _added(request: Request, fields: Mapping[str, str], source: str) -> Mapping[str, str]:
    """Return those of a signed request's header fields that it did not have before."""
    known = request.headers
    added = {n: v for n, v in fields.items() if n not in known or known[n] != v}
    return checked(added, source)


def _with_headers(request: Request, headers: Headers) -> Request:
    return Request(request.method, request.url, headers, request.body)


def _name(function: object) -> str:
    return getattr(function, "__qualname__", None) or type(function).__qualname__


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
