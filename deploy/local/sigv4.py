"""
AWS Signature Version 4: verified of requests as they came over the wire, and made for services.

Invariants of the verification:
1. The canonical request is made of the raw path and query string, not of decoded ones.
2. The payload hash is taken of the body that arrived; `X-Amz-Content-Sha256` is one more header.
3. Everything about the request is checked before the secret key is used.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple
from urllib.parse import quote, unquote_to_bytes

from deploy.local.credentials import KeyStore, LocalKey

ALGORITHM = "AWS4-HMAC-SHA256"
MAX_SKEW = timedelta(minutes=5)

FailureType = Literal[
    "MissingAuthenticationTokenException",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "UnrecognizedClientException",
    "ExpiredTokenException",
]

_AMZ_DATE = re.compile(r"\d{8}T\d{6}Z")
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


class SignatureError(Exception):
    """
    A request is not signed, or not rightly signed.

    Args:
        error_type: AWS's name of the failure, as `x-amzn-ErrorType` has it.
        message: AWS's text.
    """

    def __init__(self, error_type: FailureType, message: str) -> None:
        super().__init__(message)
        self.error_type: FailureType = error_type
        self.message = message


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


class _Scope(NamedTuple):
    date: str
    region: str
    service: str
    terminator: str

    def __str__(self) -> str:
        return "/".join(self)


class _Authorization(NamedTuple):
    access_key_id: str
    scope: _Scope
    signed_headers: tuple[str, ...]
    signature: str
    amz_date: str


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
    claimed = _parse_authorization(headers)
    key = _known_key(claimed, headers, keys, now)
    _check_scope(claimed, region, service)
    _check_signed_headers(claimed.signed_headers)
    _check_date(claimed, now)
    canonical = canonical_request(request, headers, claimed.signed_headers)
    string_to_sign = "\n".join(
        (ALGORITHM, claimed.amz_date, str(claimed.scope), _sha256(canonical.encode()))
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
    scope = _Scope(amz_date[:8], region, service, "aws4_request")
    canonical = canonical_request(request, headers, names)
    string_to_sign = "\n".join((ALGORITHM, amz_date, str(scope), _sha256(canonical.encode())))
    return (
        f"{ALGORITHM} Credential={access_key_id}/{scope}, SignedHeaders={';'.join(names)}, "
        f"Signature={_sign(secret, scope, string_to_sign)}"
    )


def canonical_request(
    request: SignedRequest, headers: dict[str, str], signed_headers: Sequence[str]
) -> str:
    """
    Return the canonical request.

    Args:
        request: The request as it arrived.
        headers: Header values by lower-case name, several of one name joined by commas.
        signed_headers: Names of the headers that the signature covers, lower case, as listed.
    """
    lines = [f"{name}:{headers.get(name, '')}" for name in signed_headers]
    return "\n".join(
        (
            request.method,
            _canonical_uri(request.raw_path),
            _canonical_query(request.raw_query),
            *lines,
            "",
            ";".join(signed_headers),
            _sha256(request.body),
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
    return "&".join(f"{name}={value}" for name, value in sorted(pairs))


def _reencode(text: str) -> str:
    # A raw `+` is a space to API Gateway; signers send spaces as %20 and pluses as %2B.
    return quote(unquote_to_bytes(text.replace("+", " ")), safe=_UNRESERVED)


def _parse_authorization(headers: dict[str, str]) -> _Authorization:
    header = headers.get("authorization", "").strip()
    if not header:
        raise SignatureError("MissingAuthenticationTokenException", "Missing Authentication Token")
    algorithm, _, rest = header.partition(" ")
    if algorithm != ALGORITHM:
        raise _malformed(header)
    fields = _authorization_fields(rest, header)
    amz_date = _request_date(headers)
    missing = [name for name in ("Credential", "Signature", "SignedHeaders") if name not in fields]
    if missing or amz_date is None:
        raise _incomplete(missing, amz_date, header)
    access_key_id, scope = _parse_credential(fields["Credential"])
    signed_headers = tuple(fields["SignedHeaders"].lower().split(";"))
    return _Authorization(access_key_id, scope, signed_headers, fields["Signature"], amz_date)


def _authorization_fields(rest: str, header: str) -> dict[str, str]:
    fields = {}
    for part in rest.split(","):
        name, equals, value = part.strip().partition("=")
        if not equals:
            raise _malformed(header)
        fields[name] = value
    return fields


def _malformed(header: str) -> SignatureError:
    return SignatureError(
        "IncompleteSignatureException",
        "Invalid key=value pair (missing equal-sign) in Authorization header "
        f"(hashed with SHA-256 and encoded with Base64): '{_hashed(header)}'.",
    )


def _incomplete(missing: list[str], amz_date: str | None, header: str) -> SignatureError:
    sentences = [f"Authorization header requires '{name}' parameter." for name in missing]
    if amz_date is None:
        sentences.append(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
        )
    hint = f"(Hashed with SHA-256 and encoded with Base64) Authorization={_hashed(header)}"
    return SignatureError("IncompleteSignatureException", " ".join([*sentences, hint]))


def _hashed(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _request_date(headers: dict[str, str]) -> str | None:
    return headers.get("x-amz-date") or headers.get("date")


def _parse_credential(credential: str) -> tuple[str, _Scope]:
    # The access key may hold slashes, so the four parts of the scope are taken from the right.
    parts = credential.rsplit("/", 4)
    if len(parts) != 5 or not parts[0]:
        raise SignatureError(
            "IncompleteSignatureException",
            "Credential must have exactly 5 slash-delimited elements, e.g. "
            "keyid/date/region/service/term, "
            f"got (hashed with SHA-256 and encoded with Base64): '{_hashed(credential)}'",
        )
    return parts[0], _Scope(*parts[1:])


def _known_key(
    authorization: _Authorization, headers: dict[str, str], keys: KeyStore, now: datetime
) -> LocalKey:
    key = keys.find(authorization.access_key_id)
    token = headers.get("x-amz-security-token")
    if key is None or not hmac.compare_digest(
        (key.session_token or "").encode(), (token or "").encode()
    ):
        raise SignatureError("UnrecognizedClientException", _INVALID_TOKEN)
    if key.expires_at is not None and now >= key.expires_at:
        message = "The security token included in the request is expired"
        raise SignatureError("ExpiredTokenException", message)
    return key


def _check_scope(authorization: _Authorization, region: str, service: str) -> None:
    scope = authorization.scope
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
    if scope.date != authorization.amz_date[:8]:
        problems.append(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from "
            f"HTTP: '{scope.date}' != '{authorization.amz_date[:8]}', "
            f"from '{authorization.amz_date}'. "
        )
    if problems:
        raise SignatureError("InvalidSignatureException", "".join(problems))


def _check_signed_headers(signed_headers: tuple[str, ...]) -> None:
    if "host" not in signed_headers:
        raise SignatureError(
            "InvalidSignatureException",
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        )


def _check_date(authorization: _Authorization, now: datetime) -> None:
    sent = _parse_date(authorization.amz_date)
    if sent < now - MAX_SKEW:
        relation, bound, sign = "now earlier than", now - MAX_SKEW, "-"
    elif sent > now + MAX_SKEW:
        relation, bound, sign = "still later than", now + MAX_SKEW, "+"
    else:
        return
    problem = "expired" if sign == "-" else "not yet current"
    raise SignatureError(
        "InvalidSignatureException",
        f"Signature {problem}: {authorization.amz_date} is {relation} {_format_date(bound)} "
        f"({_format_date(now)} {sign} 5 min.)",
    )


def _parse_date(amz_date: str) -> datetime:
    try:
        if _AMZ_DATE.fullmatch(amz_date):
            return datetime.strptime(amz_date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        pass
    raise SignatureError(
        "IncompleteSignatureException",
        f"Date must be in ISO-8601 'basic format'. Got '{amz_date}'. "
        "See http://en.wikipedia.org/wiki/ISO_8601",
    )


def _format_date(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _sign(secret: str, scope: _Scope, string_to_sign: str) -> str:
    key = _signing_key(secret, scope)
    return hmac.new(key, string_to_sign.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=256)
def _signing_key(secret: str, scope: _Scope) -> bytes:
    """Derive the key of one day, region and service; it is the same for the day's requests."""
    key = f"AWS4{secret}".encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    return key
