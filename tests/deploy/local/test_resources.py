"""The queues and the table behind the gateway."""

from __future__ import annotations

import json

import pytest

from deploy.local.engine import Engine, EngineError
from deploy.local.resources import Access, Resources, provision
from tests.consumer.samples import CONTRACT

NAME = "resource-tests"


@pytest.fixture
def access(engine: Engine) -> Access:
    """Access to the engine."""
    return Access(engine.url, engine.url)


@pytest.fixture
def resources(access: Access) -> Resources:
    """What `provision` made."""
    return provision(access, CONTRACT, queue=NAME, table=NAME, visibility_timeout=1.5)


def test_the_queue_gives_up_after_five_receives(access: Access, resources: Resources) -> None:
    """The queue has the visibility timeout, rounded up, and hands over to its dead letters."""
    answer = access.sqs.get_queue_attributes(QueueUrl=resources.queue.url, AttributeNames=["All"])
    attributes = answer["Attributes"]
    assert attributes["VisibilityTimeout"] == "2"
    assert attributes["MaximumMessageSize"] == "262144"
    redrive = json.loads(attributes["RedrivePolicy"])
    assert redrive["deadLetterTargetArn"] == resources.dead_letters.arn
    assert int(redrive["maxReceiveCount"]) == 5


def test_dead_letters_are_kept_for_two_weeks(access: Access, resources: Resources) -> None:
    """The dead-letter queue keeps its messages as long as SQS can."""
    answer = access.sqs.get_queue_attributes(
        QueueUrl=resources.dead_letters.url, AttributeNames=["All"]
    )
    assert answer["Attributes"]["MessageRetentionPeriod"] == "1209600"
    assert resources.dead_letters.arn.endswith(f":{NAME}-dead-letters")


def test_the_table_is_the_contracts(access: Access, resources: Resources) -> None:
    """Key, index and expiry are those that the templates and the consumer rely on."""
    table = access.dynamodb.describe_table(TableName=resources.table)["Table"]
    assert table["KeySchema"] == [{"AttributeName": "userId", "KeyType": "HASH"}]
    (index,) = table["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "messageId-index"
    assert index["KeySchema"] == [{"AttributeName": "messageId", "KeyType": "HASH"}]
    expiry = access.dynamodb.describe_time_to_live(TableName=resources.table)
    assert expiry["TimeToLiveDescription"]["AttributeName"] == "expiresAt"


def test_what_exists_is_taken_as_it_is(access: Access, resources: Resources) -> None:
    """A second call with other settings changes nothing and gives the same."""
    assert provision(access, CONTRACT, queue=NAME, table=NAME, visibility_timeout=99) == resources
    answer = access.sqs.get_queue_attributes(QueueUrl=resources.queue.url, AttributeNames=["All"])
    assert answer["Attributes"]["VisibilityTimeout"] == "2"


def test_an_endpoint_that_does_not_answer_is_named() -> None:
    """The error is one of the engine's, with the URL in it."""
    nowhere = Access("http://127.0.0.1:1", "http://127.0.0.1:1")
    with pytest.raises(EngineError, match=r"cannot be made: .*http://127\.0\.0\.1:1"):
        provision(nowhere, CONTRACT, queue=NAME, table=NAME, visibility_timeout=30)


def test_the_machines_aws_settings_do_not_matter(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a profile that is not there nor a proxy keeps calls from the engine."""
    monkeypatch.setenv("AWS_PROFILE", "nowhere")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    access = Access(engine.url, engine.url)
    assert "QueueUrls" in access.sqs.list_queues() or access.sqs.list_queues()["ResponseMetadata"]


def test_secrets_are_not_shown() -> None:
    """The text of an access has its key's ID and no secret."""
    shown = repr(Access("http://a", "http://b", secret_key="hidden", session_token="hidden"))
    assert "hidden" not in shown
