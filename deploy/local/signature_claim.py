"""
What a request claims about its signature: who signed it, when, and for what.

The claim stands in the `Authorization` header or, of presigned URLs, in the query string. Nothing
of it is believed here; that is `sigv4.verify`'s.

The texts are those of AWS, recorded for the header. For a header of another scheme they were
observed by third parties (aws/chalice#828, rclone), and for the query string with services of the
same kind (DynamoDB, Kinesis).
"""

import base64
import hashlib
from collections.abc import Mapping
from typing import Literal, NamedTuple
from urllib.parse import parse_qsl

ALGORITHM = "AWS4-HMAC-SHA256"

FailureType = Literal[
    "MissingAuthenticationTokenException",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "UnrecognizedClientException",
    "ExpiredTokenException",
]

QUERY_MARK = "X-Amz-Algorithm"
"""The query parameter by which a presigned URL is known."""

_QUERY_PARAMETERS = (
    QUERY_MARK,
    "X-Amz-Credential",
    "X-Amz-Signature",
    "X-Amz-SignedHeaders",
    "X-Amz-Date",
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


class Scope(NamedTuple):
    """The credential scope, as it is written."""

    date: str
    region: str
    service: str
    terminator: str

    def __str__(self) -> str:
        """Return it with slashes, as signatures cover it."""
        return "/".join(self)


class Claim(NamedTuple):
    """
    A claim.

    Attributes:
        access_key_id: Of the key that it is said to be signed with.
        scope: What the signature is for.
        signed_headers: Names of the headers that it covers, lower case, as listed.
        signature: In hexadecimal digits.
        amz_date: When it was made, as it is written.
        session_token: Of temporary credentials.
    """

    access_key_id: str
    scope: Scope
    signed_headers: tuple[str, ...]
    signature: str
    amz_date: str
    session_token: str | None


def claim(headers: Mapping[str, str], raw_query: str) -> Claim:
    """
    Read what a request claims.

    Args:
        headers: Header values by lower-case name.
        raw_query: Query string, percent-encoded.

    Raises:
        SignatureError: There is no claim, two of them, or one that is not whole.
    """
    header = headers.get("authorization", "").strip()
    query = dict(parse_qsl(raw_query)) if QUERY_MARK in raw_query else {}
    if QUERY_MARK not in query:
        return _of_header(header, headers)
    if header:
        raise SignatureError(
            "InvalidSignatureException",
            f"Found both '{QUERY_MARK}' as a query-string param and 'Authorization' as HTTP "
            "header.",
        )
    return _of_query(query)


def _of_query(query: Mapping[str, str]) -> Claim:
    missing = [name for name in _QUERY_PARAMETERS if name not in query]
    if missing:
        sentences = [f"AWS query-string parameters must include '{name}'." for name in missing]
        raise SignatureError(
            "IncompleteSignatureException",
            " ".join([*sentences, "Re-examine the query-string parameters."]),
        )
    algorithm, credential, signature, signed_headers, amz_date = map(query.get, _QUERY_PARAMETERS)
    if algorithm != ALGORITHM:
        message = f"Unsupported AWS 'algorithm': '{algorithm}'."
        raise SignatureError("IncompleteSignatureException", message)
    access_key_id, scope = _parse_credential(str(credential))
    # X-Amz-Expires changes nothing: five minutes are all that API Gateway gives (observed by third
    # parties).
    return Claim(
        access_key_id,
        scope,
        tuple(str(signed_headers).lower().split(";")),
        str(signature),
        str(amz_date),
        query.get("X-Amz-Security-Token"),
    )


def _of_header(header: str, headers: Mapping[str, str]) -> Claim:
    if not header:
        raise SignatureError("MissingAuthenticationTokenException", "Missing Authentication Token")
    algorithm, _, rest = header.partition(" ")
    fields = _authorization_fields(rest, header)
    if algorithm != ALGORITHM:
        # Of another scheme, what is told first is what it is not: pairs, and these among them.
        fields = {}
    amz_date = _request_date(headers)
    missing = [name for name in ("Credential", "Signature", "SignedHeaders") if name not in fields]
    if missing or amz_date is None:
        raise _incomplete(missing, amz_date, header)
    access_key_id, scope = _parse_credential(fields["Credential"])
    signed_headers = tuple(fields["SignedHeaders"].lower().split(";"))
    token = headers.get("x-amz-security-token")
    return Claim(access_key_id, scope, signed_headers, fields["Signature"], amz_date, token)


def _authorization_fields(rest: str, header: str) -> dict[str, str]:
    fields = {}
    for part in rest.split(",") if rest.strip() else ():
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


def _request_date(headers: Mapping[str, str]) -> str | None:
    return headers.get("x-amz-date") or headers.get("date")


def _parse_credential(credential: str) -> tuple[str, Scope]:
    # The access key may hold slashes, so the four parts of the scope are taken from the right.
    parts = credential.rsplit("/", 4)
    if len(parts) != 5 or not parts[0]:
        raise SignatureError(
            "IncompleteSignatureException",
            "Credential must have exactly 5 slash-delimited elements, e.g. "
            "keyid/date/region/service/term, "
            f"got (hashed with SHA-256 and encoded with Base64): '{_hashed(credential)}'",
        )
    return parts[0], Scope(*parts[1:])
