"""Access keys of this machine."""

from deploy.local.credentials import KeyStore, LocalKey


def test_issued_keys_are_found() -> None:
    """A key that was issued is found by its ID; another is not."""
    store = KeyStore()
    key = store.issue(account_id="123456789012", user_name="ada")
    assert store.find(key.access_key_id) == key
    assert store.find("AKIAUNKNOWN") is None
    assert key.user_arn == "arn:aws:iam::123456789012:user/ada"


def test_issued_keys_differ() -> None:
    """No two keys have an ID, a secret or a token in common."""
    store = KeyStore()
    keys = [store.issue(temporary=True) for _ in range(50)]
    assert len({key.access_key_id for key in keys}) == 50
    assert len({key.secret_access_key for key in keys}) == 50
    assert len({key.session_token for key in keys}) == 50


def test_secrets_are_not_printed() -> None:
    """The text of a key shows neither secret nor token."""
    key = KeyStore().issue(temporary=True)
    assert key.secret_access_key not in repr(key)
    assert str(key.session_token) not in repr(key)


def test_permission_is_by_method_and_path() -> None:
    """`may_invoke` takes patterns of METHOD/path."""
    key = LocalKey("AKIA", "s", None, "0" * 12, "arn", may_invoke=("GET/*", "POST/users"))
    assert key.allows("GET", "/status/1")
    assert key.allows("POST", "/users")
    assert not key.allows("POST", "/users/1")
    assert not key.allows("DELETE", "/users")


def test_api_keys_are_those_given() -> None:
    """Only the values given are API keys."""
    store = KeyStore(api_keys=["k" * 20])
    assert store.accepts_api_key("k" * 20)
    assert not store.accepts_api_key("other")
    assert not store.accepts_api_key(None)
