"""Access keys that this machine issues, and the look-up that signature verification needs."""

import re
import secrets
import string
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

_KEY_ALPHABET = string.ascii_uppercase + "234567"
_DEFAULT_ACCOUNT_ID = "000000000000"


@dataclass(frozen=True, slots=True)
class LocalKey:
    """
    One access key, and who calls with it.

    Args:
        access_key_id: Public half, 20 characters.
        secret_access_key: Secret half; never printed.
        session_token: Present on temporary credentials; every request has to carry it.
        account_id: Twelve digits; `$context.identity.accountId` of its calls.
        user_arn: `$context.identity.userArn` of its calls.
        expires_at: When temporary credentials end, with a time zone; `None` for never.
        may_invoke: Patterns of `METHOD/path` with `*` for anything, as at the end of the ARN in a
            policy on `execute-api:Invoke`; a call that none matches is `ACCESS_DENIED`.
    """

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(repr=False)
    account_id: str
    user_arn: str
    expires_at: datetime | None = None
    may_invoke: tuple[str, ...] = ("*",)

    def allows(self, http_method: str, path: str) -> bool:
        """Tell whether a pattern of `may_invoke` matches `METHOD/path` (path without the stage)."""
        resource = f"{http_method}{path}"
        return any(_matches(pattern, resource) for pattern in self.may_invoke)


def _matches(pattern: str, resource: str) -> bool:
    if pattern == "*":
        return True
    expression = ".*".join(re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(expression, resource, re.DOTALL) is not None


class KeyStore:
    """
    The access keys, and the API keys of usage plans, that the gateway knows.

    Args:
        keys: Access keys to begin with.
        api_keys: Values that are good as `x-api-key`.
    """

    def __init__(self, keys: Iterable[LocalKey] = (), api_keys: Iterable[str] = ()) -> None:
        self._keys = {key.access_key_id: key for key in keys}
        self._api_keys = frozenset(api_keys)

    def issue(
        self,
        *,
        account_id: str = _DEFAULT_ACCOUNT_ID,
        user_name: str = "local",
        temporary: bool = False,
        expires_at: datetime | None = None,
        may_invoke: tuple[str, ...] = ("*",),
    ) -> LocalKey:
        """
        Make a random access key and remember it.

        Args:
            account_id: Twelve digits.
            user_name: Name of the IAM user in the key's ARN.
            temporary: Add a session token, as credentials of STS have one.
            expires_at: When temporary credentials end.
            may_invoke: See `LocalKey`.

        Returns:
            The key, secret included; the store gives it out again by its ID.
        """
        prefix = "ASIA" if temporary else "AKIA"
        key = LocalKey(
            access_key_id=prefix + "".join(secrets.choice(_KEY_ALPHABET) for _ in range(16)),
            secret_access_key=secrets.token_urlsafe(30),
            session_token=secrets.token_urlsafe(96) if temporary else None,
            account_id=account_id,
            user_arn=f"arn:aws:iam::{account_id}:user/{user_name}",
            expires_at=expires_at,
            may_invoke=may_invoke,
        )
        self._keys[key.access_key_id] = key
        return key

    def find(self, access_key_id: str) -> LocalKey | None:
        """Return the key with this ID, or `None`."""
        return self._keys.get(access_key_id)

    def accepts_api_key(self, value: str | None) -> bool:
        """Tell whether `value` is a usage plan's API key."""
        return value is not None and value in self._api_keys
