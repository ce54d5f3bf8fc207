"""
Who signs requests, and how: AWS Signature Version 4 by default.

1. A request is signed last, once for each attempt, and what an earlier attempt added is taken off
   first.
2. Whatever may block (finding credentials, refreshing them, a foreign signer) is a `Call`.
3. Keys are frozen for each signature, never kept: a refresh never mixes two sets.
4. No secret is in a `repr`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol, TypeAlias, TypeGuard
from urllib.parse import urlsplit

from ._http import Headers, Request
from ._steps import Call, Flow
from .errors import ConfigurationError, SDKError

SERVICE = "execute-api"
"""The service name in signatures for API Gateway.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-call-api.html
"""

_SIGNING_HEADERS = ("Authorization", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-SHA256")


class Credentials(Protocol):
    """AWS credentials: what `boto3.Session().get_credentials()` returns, or any such object."""

    @property
    def access_key(self) -> str:
        """The access key ID."""

    @property
    def secret_key(self) -> str:
        """The secret access key."""

    @property
    def token(self) -> str | None:
        """The session token, if they are temporary."""


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

    def sign(self, request: Request) -> Flow[Request]:
        """Return the request with what proves who sends it."""


def signer_for(auth: Auth | None, *, region: str | None, credentials: Credentials | None) -> Signer:
    """
    Return the signer that a client's settings ask for.

    Raises:
        ConfigurationError: `auth` is of no known kind, or credentials are given that it would not
            use.
    """
    if auth is None:
        return SigV4(KeySource(region, credentials))
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


def _is_for_requests(auth: object) -> TypeGuard[RequestsAuth]:
    # Without importing requests, which only those have who have such a signer.
    return any(
        base.__name__ == "AuthBase" and base.__module__.partition(".")[0] == "requests"
        for base in type(auth).__mro__
    )


def same_origin(request: Request, base_url: str) -> bool:
    """Say whether a request goes to the API's own scheme, host and port."""
    return urlsplit(request.url)[:2] == urlsplit(base_url)[:2]


@dataclass(frozen=True, slots=True)
class Keys:
    """One frozen set of credentials and the region they sign for."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(repr=False)
    region: str


class KeySource:
    """
    Where keys come from: the given credentials, else boto3's chain, searched when first needed.

    Args:
        region: The region to sign for; by default the AWS profile's.
        credentials: Given credentials; refreshable ones are asked for each signature.
    """

    def __init__(self, region: str | None, credentials: Credentials | None) -> None:
        self._region = region
        self._credentials: Any = credentials
        self._lock = threading.Lock()
        self._ready = False

    def at_hand(self) -> Keys | None:
        """Return the keys if that takes no time, else `None`."""
        if not self._ready:
            return None
        refresh_needed = getattr(self._credentials, "refresh_needed", None)
        return None if refresh_needed is not None and refresh_needed() else self._frozen()

    def fetch(self) -> Keys:
        """Find or refresh the keys; may block. One thread searches, others wait for it."""
        botocore_errors = import_module("botocore.exceptions")
        try:
            with self._lock:
                if not self._ready:
                    self._search()
            return self._frozen()
        except botocore_errors.BotoCoreError as error:
            raise ConfigurationError(f"AWS credentials cannot be had: {error}") from error

    def _search(self) -> None:
        import_module("botocore.auth")
        import_module("botocore.awsrequest")
        if self._credentials is None or self._region is None:
            session = import_module("botocore.session").Session()
            self._region = self._region or session.get_config_variable("region")
            if self._credentials is None:
                self._credentials = session.get_credentials()
            if self._credentials is None:
                chain = session.get_component("credential_provider").providers
                tried = ", ".join(provider.METHOD for provider in chain)
                raise ConfigurationError(
                    f"No AWS credentials: pass credentials=, or provide them by one of {tried}"
                )
        if not self._region:
            raise ConfigurationError(
                "No region: the URL names none; pass region=, or set AWS_REGION or "
                "AWS_DEFAULT_REGION, or the region of the AWS profile"
            )
        self._ready = True

    def _frozen(self) -> Keys:
        freeze = getattr(self._credentials, "get_frozen_credentials", None)
        frozen = self._credentials if freeze is None else freeze()
        if not frozen.access_key or not frozen.secret_key:
            raise ConfigurationError("The AWS credentials lack the access key or the secret key")
        region = self._region or ""
        return Keys(frozen.access_key, frozen.secret_key, frozen.token or None, region)


class SigV4:
    """Signs by AWS Signature Version 4, with botocore's own signer."""

    def __init__(self, source: KeySource) -> None:
        self._source = source

    def sign(self, request: Request) -> Flow[Request]:
        """Sign host, content type and `x-amz-*`: proxies may change the rest on the way."""
        keys = self._source.at_hand()
        if keys is None:
            keys = yield Call(self._source.fetch)
        headers = request.headers.without(*_SIGNING_HEADERS)
        signed = {
            name: value
            for name, value in headers.items()
            if name.lower() == "content-type" or name.lower().startswith("x-amz-")
        }
        aws_request = import_module("botocore.awsrequest").AWSRequest(
            method=request.method, url=request.url, headers=signed, data=request.body
        )
        auth = import_module("botocore.auth").SigV4Auth(keys, SERVICE, keys.region)
        auth.add_auth(aws_request)
        return _with_headers(request, headers.merged(dict(aws_request.headers.items())))


class Bearer:
    """Adds a bearer token."""

    def __init__(self, bearer: BearerToken) -> None:
        self._token = bearer.token

    def sign(self, request: Request) -> Flow[Request]:
        """Add the token that is valid now."""
        token = self._token if isinstance(self._token, str) else (yield Call(self._token))
        return _with_headers(request, request.headers.merged({"Authorization": f"Bearer {token}"}))


class RequestsSigner:
    """Lets a signer made for `requests` sign our requests."""

    def __init__(self, auth: RequestsAuth) -> None:
        self._auth = auth

    def sign(self, request: Request) -> Flow[Request]:
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


class FunctionSigner:
    """Lets a function of the caller's sign: it returns a request, or headers to add."""

    def __init__(self, function: Callable[[Request], Request | Mapping[str, str]]) -> None:
        self._function = function

    def sign(self, request: Request) -> Flow[Request]:
        """Call the function."""
        signed: object = yield Call(lambda: self._function(request))
        if isinstance(signed, Request):
            return signed
        if isinstance(signed, Mapping):
            return _with_headers(request, request.headers.merged(signed))
        raise SDKError(
            f"The auth function returned a {type(signed).__qualname__}; it must return a Request "
            "or a mapping of headers"
        )


class Unsigned:
    """Signs nothing: for operations that ask for no authentication."""

    def sign(self, request: Request) -> Flow[Request]:
        """Return the request as it is."""
        yield from ()
        return request


def _with_headers(request: Request, headers: Headers) -> Request:
    return Request(request.method, request.url, headers, request.body)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
