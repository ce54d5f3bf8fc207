"""
AWS Signature Version 4: verified of requests as they came over the wire, and made for services.

Invariants of the verification:
1. The canonical request is made of the raw path and query string, not of decoded ones.
2. The payload hash is taken of the body that arrived; `X-Amz-Content-Sha256` is one more header.
3. Everything about the request is checked before the secret key is used.
4. Of several faults the first in this order is told: the form of the date, its age, the signed
   headers, the scope, the key, the signature. Third parties observed it with DynamoDB, whose texts
   are the same; API Gateway's own order is not documented.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import contextlib
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import quote, unquote_to_bytes

from deploy.local.credentials import KeyStore, LocalKey
from deploy.local.signature_claim import (
    ALGORITHM,
    QUERY_MARK,
    Claim,
    Scope,
    SignatureError,
    claim,
)

MAX_SKEW = timedelta(minutes=5)

_AMZ_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z", re.ASCII)
_SPACES = re.compile(" {2,}")
_UNRESERVED = "-_.~"
_INVALID_TOKEN = "The security token included in the request is invalid."
_MISMATCH = (
    "The request signature we calculated does not match the signature you provided. "
    "Check your AWS Secret Access Key and signing method. "
    "Consult the service documentation for details.\n\n"
    "The Canonical String for this request should have been\n'{canonical}'\n\n"
    "The String-to-Sign should have been\n'{string_to_sign}'\n"
)


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """
    What a signature covers.

    Args:
        method: HTTP method, upper case.
        raw_path: Path as sent, percent-encoded, stage included.
        raw_query: Query string as sent, without `?`.
        headers: Names and values in the order sent; names in any case.
        body: Payload bytes.
    """

    method: str
    raw_path: str
    raw_query: str
    headers: Sequence[tuple[str, str]]
    body: bytes


def verify(
    request: SignedRequest, keys: KeyStore, *, region: str, service: str, now: datetime
) -> LocalKey:
    """
    Find the key that a request is signed with, and check the signature.

    Args:
        request: The request as it arrived.
        keys: The keys that are known.
        region: Region that the credential scope has to name.
        service: Service that the credential scope has to name, such as `execute-api`.
        now: The time, with a time zone.

    Returns:
        The key of the caller.

    Raises:
        SignatureError: The request is unsigned, malformed, expired or wrongly signed.
    """
    headers = _joined_headers(request.headers)
    claimed = claim(headers, request.raw_query)
    _check_date(claimed, now)
    _check_signed_headers(claimed.signed_headers)
    _check_scope(claimed, region, service)
    key = _known_key(claimed, keys, now)
    canonical = canonical_request(request, headers, claimed.signed_headers)
    string_to_sign = "\n".join(
        (ALGORITHM, claimed.amz_date, str(claimed.scope), sha256(canonical.encode()))
    )
    expected = _sign(key.secret_access_key, claimed.scope, string_to_sign)
    if not hmac.compare_digest(expected.encode(), claimed.signature.encode()):
        message = _MISMATCH.format(canonical=canonical, string_to_sign=string_to_sign)
        raise SignatureError("InvalidSignatureException", message)
    return key


def authorization(
    request: SignedRequest, *, access_key_id: str, secret: str, region: str, service: str
) -> str:
    """
    Return the `Authorization` header of a request.

    Args:
        request: The request, with the headers that are to be signed, `X-Amz-Date` among them.
        access_key_id: Of the key to sign with.
        secret: Its secret access key.
        region: Region of the service.
        service: Name that the service has in signatures, such as `sqs`.
    """
    headers = _joined_headers(request.headers)
    names = sorted(headers)
    amz_date = headers["x-amz-date"]
    scope = Scope(amz_date[:8], region, service, "aws4_request")
    canonical = canonical_request(request, headers, names, path_as_sent=service == "s3")
    string_to_sign = "\n".join((ALGORITHM, amz_date, str(scope), sha256(canonical.encode())))
    return (
        f"{ALGORITHM} Credential={access_key_id}/{scope}, SignedHeaders={';'.join(names)}, "
        f"Signature={_sign(secret, scope, string_to_sign)}"
    )


def canonical_request(
    request: SignedRequest,
    headers: dict[str, str],
    signed_headers: Sequence[str],
    *,
    path_as_sent: bool = False,
) -> str:
    """
    Return the canonical request.

    Args:
        request: The request as it arrived.
        headers: Header values by lower-case name, several of one name joined by commas.
        signed_headers: Names of the headers that the signature covers, lower case, as listed.
        path_as_sent: Whether the path is neither normalized nor encoded once more, as for S3.
    """
    lines = [f"{name}:{headers.get(name, '')}" for name in signed_headers]
    return "\n".join(
        (
            request.method,
            request.raw_path if path_as_sent else _canonical_uri(request.raw_path),
            _canonical_query(request.raw_query),
            *lines,
            "",
            ";".join(signed_headers),
            sha256(request.body),
        )
    )


def _joined_headers(headers: Sequence[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in headers:
        lower = name.lower()
        trimmed = _SPACES.sub(" ", value).strip()
        joined[lower] = f"{joined[lower]},{trimmed}" if lower in joined else trimmed
    return joined


def _canonical_uri(raw_path: str) -> str:
    """Encode each segment once more: what came as `%2F` is `%252F` for every service but S3."""
    segments: list[str] = []
    for segment in raw_path.split("/"):
        if segment == "..":
            del segments[-1:]
        elif segment not in ("", "."):
            segments.append(quote(segment, safe=_UNRESERVED))
    trailing = "/" if segments and raw_path.endswith("/") else ""
    return f"/{'/'.join(segments)}{trailing}"


def _canonical_query(raw_query: str) -> str:
    if not raw_query:
        return ""
    pairs = []
    for part in raw_query.split("&"):
        if part:
            name, _, value = part.partition("=")
            pairs.append((_reencode(name), _reencode(value)))
    if any(name == QUERY_MARK for name, _ in pairs):
        # Of a presigned URL the signature covers all but itself.
        pairs = [pair for pair in pairs if pair[0] != "X-Amz-Signature"]
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _reencode(text: str) -> str:
    # A raw `+` is a space to API Gateway; signers send spaces as %20 and pluses as %2B.
    return quote(unquote_to_bytes(text.replace("+", " ")), safe=_UNRESERVED)


def _known_key(claimed: Claim, keys: KeyStore, now: datetime) -> LocalKey:
    key = keys.find(claimed.access_key_id)
    if key is None or not hmac.compare_digest(
        (key.session_token or "").encode(), (claimed.session_token or "").encode()
    ):
        raise SignatureError("UnrecognizedClientException", _INVALID_TOKEN)
    if key.expires_at is not None and now >= key.expires_at:
        message = "The security token included in the request is expired"
        raise SignatureError("ExpiredTokenException", message)
    return key


def _check_scope(claimed: Claim, region: str, service: str) -> None:
    scope = claimed.scope
    problems = []
    if scope.region != region:
        problems.append(f"Credential should be scoped to a valid region, not '{scope.region}'. ")
    if scope.service != service:
        problems.append(f"Credential should be scoped to correct service: '{service}'. ")
    if scope.terminator != "aws4_request":
        problems.append(
            "Credential should be scoped with a valid terminator: 'aws4_request', "
            f"not '{scope.terminator}'. "
        )
    if scope.date != claimed.amz_date[:8]:
        problems.append(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
            f"HTTP: '{scope.date}' != '{claimed.amz_date[:8]}', "
            f"from '{claimed.amz_date}'. "
        )
    if problems:
        raise SignatureError("InvalidSignatureException", "".join(problems))


def _check_signed_headers(signed_headers: tuple[str, ...]) -> None:
    if "host" not in signed_headers:
        raise SignatureError(
            "InvalidSignatureException",
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        )


def _check_date(claimed: Claim, now: datetime) -> None:
    sent = _parse_date(claimed.amz_date)
    if sent < now - MAX_SKEW:
        relation, bound, sign = "now earlier than", now - MAX_SKEW, "-"
    elif sent > now + MAX_SKEW:
        relation, bound, sign = "still later than", now + MAX_SKEW, "+"
    else:
        return
    problem = "expired" if sign == "-" else "not yet current"
    raise SignatureError(
        "InvalidSignatureException",
        f"Signature {problem}: {claimed.amz_date} is {relation} {_format_date(bound)} "
        f"({_format_date(now)} {sign} 5 min.)",
    )


def _parse_date(amz_date: str) -> datetime:
    match = _AMZ_DATE.fullmatch(amz_date)
    if match is not None:
        with contextlib.suppress(ValueError):
            year, month, day, hour, minute, second = map(int, match.groups())
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    raise SignatureError(
        "IncompleteSignatureException",
        f"Date must be in ISO-8601 'basic format'. Got '{amz_date}'. "
        "See http://en.wikipedia.org/wiki/ISO_8601",
    )


def _format_date(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def sha256(data: bytes) -> str:
    """Return the SHA-256 of a payload in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def _sign(secret: str, scope: Scope, string_to_sign: str) -> str:
    key = _signing_key(secret, scope)
    return hmac.new(key, string_to_sign.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=256)
def _signing_key(secret: str, scope: Scope) -> bytes:
    """Derive the key of one day, region and service; it is the same for the day's requests."""
    key = f"AWS4{secret}".encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    return key
