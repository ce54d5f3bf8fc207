"""
AWS Signature Version 4 of a request as it goes over the wire. Pure.

1. The path is encoded once more than on the wire, as every service but S3 wants it.
2. Names and values of the query are decoded and encoded again, then sorted as pairs: what a client
   left raw is signed as the server reads it.
3. Nothing is logged: the canonical request holds the session token.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha256
from time import gmtime, strftime
from typing import NamedTuple, Protocol
from urllib.parse import quote, unquote_to_bytes, urlsplit

ALGORITHM = "AWS4-HMAC-SHA256"

_DEFAULT_PORTS = {"http": 80, "https": 443}
_NOTHING = sha256(b"").hexdigest()
_UNRESERVED = "-_.~"


class Key(Protocol):
    """What signs."""

    @property
    def access_key(self) -> str:
        """The access key ID."""
        ...

    @property
    def secret_key(self) -> str:
        """The secret access key."""
        ...


class Scope(NamedTuple):
    """What a signature is good for; `date` is `YYYYMMDD`."""

    date: str
    region: str
    service: str
    terminator: str = "aws4_request"


@lru_cache(maxsize=4)
def _text(scope: Scope) -> str:
    return "/".join(scope)


class Canonical(NamedTuple):
    """A request in the one form that both sides sign, and the names of the headers in it."""

    text: str
    signed_headers: str


def amz_date(moment: float) -> str:
    """Return a time, in seconds since 1970, as `X-Amz-Date` has it."""
    return _amz_date(int(moment // 1))


@lru_cache(maxsize=2)
def _amz_date(second: int) -> str:
    """Write a second, once for all requests within it."""
    return strftime("%Y%m%dT%H%M%SZ", gmtime(second))


def host(url: str) -> str:
    """Return the `Host` that HTTP clients send for a URL: with the port, if not the usual one."""
    return _target(url).host


class _Target(NamedTuple):
    """Where a URL points to, as it is signed."""

    host: str
    path: str
    query: str


@lru_cache(maxsize=256)
def _target(url: str) -> _Target:
    """Take a URL apart, once for all polls and repetitions."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    if parts.port is not None and parts.port != _DEFAULT_PORTS.get(parts.scheme):
        host = f"{host}:{parts.port}"
    return _Target(host, _canonical_path(parts.path), _canonical_query(parts.query))


def authorization(
    key: Key,
    region: str,
    service: str,
    moment: str,
    *,
    method: str,
    url: str,
    headers: Iterable[tuple[str, str]],
    body: bytes,
) -> str:
    """
    Return the `Authorization` header of a request.

    Args:
        key: What signs.
        region: The region that the request is for.
        service: The service that it is for, such as `execute-api`.
        moment: The request's `X-Amz-Date`.
        method: The HTTP method.
        url: The URL as it is sent, percent-encoded.
        headers: Names and values to sign; `Host` and `X-Amz-Date` have to be among them.
        body: The body as it is sent.
    """
    scope = Scope(moment[:8], region, service)
    canonical = canonical_request(method, url, headers, body)
    signature = sign(key.secret_key, scope, string_to_sign(moment, scope, canonical))
    return (
        f"{ALGORITHM} Credential={key.access_key}/{_text(scope)}, "
        f"SignedHeaders={canonical.signed_headers}, Signature={signature}"
    )


def canonical_request(
    method: str, url: str, headers: Iterable[tuple[str, str]], body: bytes
) -> Canonical:
    """Return the canonical request; headers of one name are joined in the order given."""
    values: dict[str, str] = {}
    for name, value in headers:
        lower, trimmed = name.lower(), " ".join(value.split())
        values[lower] = f"{values[lower]},{trimmed}" if lower in values else trimmed
    names = sorted(values)
    signed_headers = ";".join(names)
    target = _target(url)
    lines = (
        method,
        target.path,
        target.query,
        *[f"{name}:{values[name]}" for name in names],
        "",
        signed_headers,
        sha256(body).hexdigest() if body else _NOTHING,
    )
    return Canonical("\n".join(lines), signed_headers)


def string_to_sign(moment: str, scope: Scope, canonical: Canonical) -> str:
    """Return the text that is signed; `moment` is the request's `X-Amz-Date`."""
    return "\n".join((ALGORITHM, moment, _text(scope), sha256(canonical.text.encode()).hexdigest()))


def sign(secret_key: str, scope: Scope, text: str) -> str:
    """Return the signature of a text, in hexadecimal digits."""
    signature = _signing(secret_key, scope).copy()
    signature.update(text.encode())
    return signature.hexdigest()


@lru_cache(maxsize=4)
def _signing(secret_key: str, scope: Scope) -> hmac.HMAC:
    """
    Return what signs for a day, with no text yet: four of a signature's five HMACs.

    Copying it spares each signature two of the last one's four hash blocks, and OpenSSL's search
    for the algorithm (RFC 2104, 4).
    """
    key = f"AWS4{secret_key}".encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, digestmod="sha256")


def _canonical_path(path: str) -> str:
    segments: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del segments[-1:]
        elif segment not in ("", "."):
            segments.append(quote(segment, safe=_UNRESERVED))
    end = "/" if segments and path.endswith("/") else ""
    return f"/{'/'.join(segments)}{end}"


def _canonical_query(query: str) -> str:
    if not query:
        return ""
    split = (pair.partition("=") for pair in query.split("&") if pair)
    pairs = sorted((_encoded(name), _encoded(value)) for name, _, value in split)
    return "&".join(f"{name}={value}" for name, value in pairs)


def _encoded(text: str) -> str:
    return quote(unquote_to_bytes(text), safe=_UNRESERVED)
