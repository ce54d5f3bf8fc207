"""
Who signs requests, and how: AWS Signature Version 4 by default.

1. A request is signed last, once for each attempt, and what an earlier attempt added is taken off
   first.
2. Whatever may block (finding credentials, refreshing them, a foreign signer) is a `Call`.
3. No secret is in a `repr`.
"""

from __future__ import annotations

import time
from calendar import timegm
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from importlib import import_module
from typing import Any, Protocol, TypeAlias, TypeGuard
from urllib.parse import urlsplit

from ._credentials import FETCH_SECONDS, Credentials, KeySource
from ._http import Headers, Request, Response
from ._json import is_object
from ._retry import date_of
from ._sigv4 import amz_date, authorization, host
from ._steps import Call, Flow
from .errors import ConfigurationError, SDKError

SERVICE = "execute-api"
"""The service that is signed for where the host names none: API Gateway.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-call-api.html
"""

SKEW_SECONDS = 240.0
"""How far a request's time may be from the server's before a refusal is put down to that.

AWS refuses what is five minutes off; a minute is left for the way and for whole seconds.
Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html
"""

_SIGNING_HEADERS = ("Authorization", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-SHA256")


@dataclass(frozen=True, slots=True)
class BearerToken:
    """
    Sends `Authorization: Bearer …` instead of a signature.

    Attributes:
        token: The token, or a function that returns the one to use now; it may block.
    """

    token: str | Callable[[], str] = field(repr=False)


class RequestsAuth(Protocol):
    """A signer made for `requests`, such as `aws_requests_auth.boto_utils.BotoAWSRequestsAuth`."""

    def __call__(self, r: Any) -> Any:
        """Add headers to a `requests.PreparedRequest`."""


Auth: TypeAlias = BearerToken | RequestsAuth | Callable[[Request], Request | Mapping[str, str]]
"""What may be given as `auth`: a token, a `requests` signer, or a function of ours."""


class Signer(Protocol):
    """Makes a request acceptable to the server."""

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
        return FunctionSigner(auth)
    raise ConfigurationError(
        f"auth is a {type(auth).__qualname__}; it must be a BearerToken, a requests signer, or a "
        "function that takes a Request and returns one, or headers to add"
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
        headers = request.headers.without(*_SIGNING_HEADERS)
        proof = authorization(
            keys,
            keys.region,
            self._service,
            moment,
            method=request.method,
            url=request.url,
            headers=[
                ("host", host(request.url)),
                *filter(_is_signed, headers.items()),
                *added.items(),
            ],
            body=request.body,
        )
        return _with_headers(request, headers.merged(added | {"Authorization": proof}))

    def learn(self, request: Request, response: Response) -> bool:
        """
        Learn the server's time from a refusal, if the request was signed for another time.

        The refused request's own time counts, not what was learned meanwhile: of many that are
        refused at once, each is signed again.
        """
        if response.status != HTTPStatus.FORBIDDEN:
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

    def __init__(self, bearer: BearerToken) -> None:
        self._token = bearer.token

    def sign(self, request: Request, timeout: float = FETCH_SECONDS) -> Flow[Request]:
        """Add the token that is valid now."""
        token = self._token if isinstance(self._token, str) else (yield Call(self._token))
        return _with_headers(request, request.headers.merged({"Authorization": f"Bearer {token}"}))


class RequestsSigner(Signer):
    """Lets a signer made for `requests` sign our requests."""

    def __init__(self, auth: RequestsAuth) -> None:
        self._auth = auth

    def sign(self, request: Request, timeout: float = FETCH_SECONDS) -> Flow[Request]:
        """Show the signer a prepared request of its own library, and take over its headers."""
        headers: dict[str, str] = yield Call(lambda: self._headers(request))
        return _with_headers(request, request.headers.merged(headers))

    def _headers(self, request: Request) -> dict[str, str]:
        # Filled by hand: prepare() would encode the URL once more.
        prepared = import_module("requests").PreparedRequest()
        prepared.method = request.method
        prepared.url = request.url
        prepared.body = request.body or None
        prepared.headers = import_module("requests.structures").CaseInsensitiveDict(
            request.headers.without(*_SIGNING_HEADERS)
        )
        return {name: _text(value) for name, value in self._auth(prepared).headers.items()}


class FunctionSigner(Signer):
    """Lets a function of the caller's sign: it returns a request, or headers to add."""

    def __init__(self, function: Callable[[Request], Request | Mapping[str, str]]) -> None:
        self._function = function

    def sign(self, request: Request, timeout: float = FETCH_SECONDS) -> Flow[Request]:
        """Call the function."""
        signed: object = yield Call(lambda: self._function(request))
        if isinstance(signed, Request):
            return signed
        if is_object(signed):
            return _with_headers(request, request.headers.merged(signed))
        raise SDKError(
            f"The auth function returned a {type(signed).__qualname__}; it must return a Request "
            "or a mapping of headers"
        )


class Unsigned(Signer):
    """Signs nothing: for operations that ask for no authentication."""

    def sign(self, request: Request, timeout: float = FETCH_SECONDS) -> Flow[Request]:
        """Return the request as it is."""
        yield from ()
        return request


def _is_signed(header: tuple[str, str]) -> bool:
    name = header[0].lower()
    return name.startswith("x-amz-") or name == "content-type"


def _moment(request: Request) -> float | None:
    """Return when a request says that it was signed."""
    try:
        moment = time.strptime(request.headers.get("x-amz-date", ""), "%Y%m%dT%H%M%SZ")
    except ValueError:
        return None
    return float(timegm(moment))


def _with_headers(request: Request, headers: Headers) -> Request:
    return Request(request.method, request.url, headers, request.body)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
