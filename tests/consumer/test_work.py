"""What a message means."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.body import MAX_BODY_BYTES
from consumer.work import (
    Creation,
    Existing,
    Failure,
    Message,
    decide,
    read_message,
    receipt_for,
)
from tests.consumer.samples import ACCOUNT, ADA, USER, message, record

SMALL = {"name": "Ada", "email": "ada@example.com"}


def creation(body: object = ADA, **options: Any) -> Creation:
    """Decide on a message that must be good."""
    decision = decide(message(body, **options), USER)
    assert isinstance(decision, Creation), decision
    return decision


def failure(body: object = ADA, **options: Any) -> Failure:
    """Decide on a message that must be bad."""
    decision = decide(message(body, **options), USER)
    assert isinstance(decision, Failure), decision
    return decision


def test_a_user_is_what_the_body_says() -> None:
    """Every member that the contract names is taken as it stands."""
    assert creation().members == ADA


def test_absent_members_stay_absent() -> None:
    """Optional members that were not sent are not made up."""
    assert creation(SMALL).members == SMALL


def test_unknown_members_are_dropped() -> None:
    """What the contract does not name reaches neither the user nor its hash."""
    address = {**ADA["address"], "planet": "Earth"}
    extended = creation({**ADA, "address": address, "admin": True, "age": 1e300})
    assert extended.members == ADA
    assert extended.request_hash == creation().request_hash


def test_one_key_of_an_account_means_one_user() -> None:
    """The account and its key name the user; the body and the message ID do not."""
    first = creation(idempotencyKey="k")
    second = creation(SMALL, idempotencyKey="k")
    assert first.entity_id == second.entity_id
    assert uuid.UUID(first.entity_id).version == 5


@pytest.mark.parametrize(
    "other",
    [
        {"idempotencyKey": "l"},
        {"idempotencyKey": "k", "callerAccount": "111111111111"},
        {"idempotencyKey": None},
    ],
)
def test_another_key_or_account_means_another_user(other: dict[str, str | None]) -> None:
    """Keys of different accounts, different keys, and no key have nothing in common."""
    assert creation(**other).entity_id != creation(idempotencyKey="k").entity_id


def test_account_and_key_do_not_run_together() -> None:
    """No account and key make the same user as another account and key."""
    first = creation(callerAccount="1", idempotencyKey='2", "3')
    second = creation(callerAccount='1", "2', idempotencyKey="3")
    assert first.entity_id != second.entity_id


def test_the_name_of_a_user_never_changes() -> None:
    """The IDs are pinned: another algorithm would give repeated requests a second user."""
    assert creation(idempotencyKey="k").entity_id == "af90ebc2-f605-5b3e-9577-54b88b934c0f"
    known = message(message_id="c0ffee00-0000-4000-8000-000000000000")
    decision = decide(known, USER)
    assert isinstance(decision, Creation)
    assert decision.entity_id == "d9139760-d676-528a-9f15-88fa4bac0009"


def test_without_a_key_the_message_names_the_user() -> None:
    """A redelivered message means the same user, another message another one."""
    once = record()
    assert decide(read_message(once), USER) == decide(read_message(dict(once)), USER)
    assert creation().entity_id != creation().entity_id


def test_a_redriven_message_keeps_its_id() -> None:
    """The ID that the client holds names the user and the receipts."""
    original = str(uuid.uuid4())
    again = message(originalMessageId=original)
    assert (again.id, again.redriven) == (original, True)
    assert creation(originalMessageId=original).entity_id == creation(message_id=original).entity_id


@pytest.mark.parametrize("original", ["", "x", "x" * 3000, "C0FFEE00-0000-4000-8000-000000000000"])
def test_an_impossible_original_id_is_ignored(original: str) -> None:
    """Only what the queue could have given out is taken for a message ID."""
    assert message(message_id="m", originalMessageId=original).id == "m"


def test_equal_bodies_have_equal_hashes() -> None:
    """Neither the order of members nor white space nor escapes make a body another one."""
    spaced = json.dumps(dict(reversed(list(ADA.items()))), indent=4)
    assert creation(spaced).request_hash == creation().request_hash
    assert creation({**ADA, "name": "Eve"}).request_hash != creation().request_hash
    escaped = r'{"name": "\u0041da", "email": "ada@example.com"}'
    assert creation(escaped).request_hash == creation(SMALL).request_hash


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("", "not JSON (line 1 column 1)"),
        ("not json", "not JSON"),
        ('{"name": "Ada"', "not JSON"),
        ('\ufeff{"name": "Ada"}', "not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("null", "body must be an object; it is null"),
        ("[]", "body must be an object; it is a list"),
        ("7", "body must be an object; it is a number"),
        ('"Ada"', "body must be an object; it is text"),
        ("{}", "body lacks email, name"),
        ({"name": "Ada"}, "body lacks email"),
        ({**SMALL, "name": 7}, "body.name must be text; it is a number"),
        ({**SMALL, "phone": None}, "body.phone must be text; it is null"),
        ({**SMALL, "email": True}, "body.email must be text; it is a boolean"),
        ({**SMALL, "address": "London"}, "body.address must be an object; it is text"),
        ({**SMALL, "address": {"street": "1"}}, "body.address lacks city, country"),
        ({**SMALL, "tags": "a"}, "body.tags must be a list; it is text"),
        ({**SMALL, "tags": ["a"] * 51}, "body.tags has more than 50 items"),
        ({**SMALL, "tags": ["a", ["b"]]}, "body.tags[1] must be text; it is a list"),
        ({**SMALL, "name": "a\ud800b"}, "body.name has half a surrogate pair"),
        ('{"name": "Ada", "name": "Eve", "email": "x"}', 'member "name" twice'),
        (f'{{"age": {"9" * 5000}}}', "a number that is too large"),
        ('{"age": 1e999}', "a number that is too large"),
        ('{"age": NaN}', "it has NaN"),
        ({**SMALL, "name": "x" * MAX_BODY_BYTES}, f"more than {MAX_BODY_BYTES} bytes"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_body_is_a_permanent_failure(body: object, complaint: str) -> None:
    """Whatever the API would not have sent fails, and the text says what is wrong where."""
    found = failure(body)
    assert found.code == "INVALID_MESSAGE"
    assert complaint in found.message


def test_a_failure_does_not_repeat_personal_data() -> None:
    """The text of a failure is for logs and clients; no member's value is in it."""
    assert "Lovelace" not in failure({"name": "Lovelace", "email": {"Lovelace": 1}}).message


@pytest.mark.parametrize("version", [None, "", "2", "99", "x" * 1000])
def test_another_schema_version_is_refused(version: str | None) -> None:
    """A message of another form is not guessed at; the text says which is understood."""
    found = failure(schemaVersion=version)
    assert found.code == "UNSUPPORTED_SCHEMA_VERSION"
    assert "must be 1" in found.message
    assert len(found.message) < 200


def test_a_key_has_at_most_255_characters() -> None:
    """A longer key is a permanent failure of its own; the longest one is not."""
    assert creation(idempotencyKey="é" * 255)
    assert failure(idempotencyKey="é" * 256).code == "INVALID_IDEMPOTENCY_KEY"


def test_a_message_without_account_is_refused() -> None:
    """Without the account a key would be everybody's."""
    assert "callerAccount" in failure(callerAccount=None).message


@pytest.mark.parametrize(
    "broken",
    [
        {"body": None},
        {"body": 7},
        {"messageAttributes": None},
        {"messageAttributes": []},
        {"messageAttributes": {"schemaVersion": "1"}},
        {"messageAttributes": {"schemaVersion": {"binaryValue": "MQ=="}}},
        {"messageAttributes": {"schemaVersion": {"stringValue": 1}}},
    ],
)
def test_a_broken_record_is_a_permanent_failure(broken: dict[str, object]) -> None:
    """A record of another shape does not raise."""
    assert isinstance(decide(read_message({**record(), **broken}), USER), Failure)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(
    st.text()
    | JSON
    | st.fixed_dictionaries(
        {"name": JSON, "email": JSON}, optional={"address": JSON, "tags": JSON}
    ),
    st.text() | st.none(),
)
def test_no_message_raises(body: object, key: str | None) -> None:
    """Whatever the body and the key are, there is a decision."""
    assert isinstance(decide(message(body, idempotencyKey=key), USER), Creation | Failure)


def test_a_new_user_needs_no_receipt() -> None:
    """The user item carries the message ID itself; so it does when the message comes again."""
    found = message()
    asked = creation()
    assert receipt_for(found, asked, None, USER) is None
    assert receipt_for(found, asked, Existing(found.id, asked.request_hash), USER) is None


def test_a_redriven_success_gets_a_receipt() -> None:
    """It replaces the one that said the message had failed."""
    again = message(originalMessageId=str(uuid.uuid4()))
    asked = creation()
    for existing in (None, Existing(again.id, asked.request_hash)):
        receipt = receipt_for(again, asked, existing, USER)
        assert receipt is not None
        assert (receipt.message_id, receipt.entity_id, receipt.failure) == (
            again.id,
            asked.entity_id,
            None,
        )


def test_a_repeated_request_points_to_its_user() -> None:
    """Same key and same body under another message ID is a success."""
    found, asked = message(), creation()
    receipt = receipt_for(found, asked, Existing("other", asked.request_hash), USER)
    assert receipt is not None
    assert (receipt.message_id, receipt.entity_id, receipt.failure) == (
        found.id,
        asked.entity_id,
        None,
    )


def test_a_key_with_another_body_is_a_failure() -> None:
    """Same key and another body fails, and the receipt keeps the message."""
    found, asked = message(), creation()
    receipt = receipt_for(found, asked, Existing("other", "other"), USER)
    assert receipt is not None
    assert receipt.failure is not None
    assert receipt.failure.code == "IDEMPOTENCY_KEY_REUSED"
    assert (receipt.entity_id, receipt.message) == (None, found)


def test_attributes_come_with_the_message() -> None:
    """All text attributes are kept: a failed message can be sent again with them."""
    found = message(message_id="m", idempotencyKey="k")
    assert found == Message(
        "m",
        json.dumps(ADA),
        {"schemaVersion": "1", "callerAccount": ACCOUNT, "idempotencyKey": "k"},
    )
