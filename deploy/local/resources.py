"""
The queues and the table behind the local gateway, made where they do not exist.

They are made as the deployed stack makes them, as far as the consumer and the contract can tell.
"""

import json
import math
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from deploy.contract import Entity
from deploy.local.engine import EngineError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

MAX_RECEIVE_COUNT = 5
"""Source: AWS Lambda Developer Guide, "Using Lambda with Amazon SQS": at least 5."""

DEAD_LETTER_SECONDS = 14 * 86_400
"""The longest retention that SQS has."""

MAX_MESSAGE_BYTES = 262_144
"""Less than SQS can: the message has to fit into its receipt, an item of at most 400 KB."""

_FILE_VARIABLES = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")

# No proxies: the variables that name them must not send calls for this machine elsewhere.
_CONFIG = Config(
    proxies={},
    connect_timeout=2,
    read_timeout=30,
    retries={"mode": "standard", "total_max_attempts": 2},
    max_pool_connections=50,
)


@dataclass(frozen=True)
class Access:
    """
    Where SQS and DynamoDB answer, and with which credentials.

    Args:
        sqs_url: Endpoint of SQS.
        dynamodb_url: Endpoint of DynamoDB.
        region: Region to sign for.
        access_key: Access key ID to sign with; engines on this machine take any.
        secret_key: Secret access key.
        session_token: Of temporary credentials.
    """

    sqs_url: str
    dynamodb_url: str
    region: str = "us-east-1"
    access_key: str = "test"
    secret_key: str = field(default="test", repr=False)
    session_token: str | None = field(default=None, repr=False)

    @cached_property
    def sqs(self) -> "SQSClient":
        """A client of SQS, good for many threads."""
        return self._session.client("sqs", endpoint_url=self.sqs_url, config=_CONFIG)

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """A client of DynamoDB, good for many threads."""
        return self._session.client("dynamodb", endpoint_url=self.dynamodb_url, config=_CONFIG)

    def environment(self) -> dict[str, str]:
        """Return the variables that make boto3 in another process use this access."""
        return {
            "AWS_ENDPOINT_URL_SQS": self.sqs_url,
            "AWS_ENDPOINT_URL_DYNAMODB": self.dynamodb_url,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_SESSION_TOKEN": self.session_token or "",
            **dict.fromkeys(_FILE_VARIABLES, os.devnull),
        }

    @cached_property
    def _session(self) -> boto3.Session:
        # The user's profile and configuration files are not for calls to this machine.
        files = dict.fromkeys(("config_file", "credentials_file"), (None, None, os.devnull, None))
        return boto3.Session(
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            aws_session_token=self.session_token,
            region_name=self.region,
            botocore_session=botocore.session.Session(
                {**files, "profile": (None, None, None, None)}
            ),
        )


@dataclass(frozen=True)
class Queue:
    """A queue, by its URL and ARN."""

    url: str
    arn: str


@dataclass(frozen=True)
class Resources:
    """What the service consists of, beside its functions."""

    queue: Queue
    dead_letters: Queue
    table: str


def provision(
    access: Access,
    entity: Entity,
    *,
    visibility_timeout: float,
    queue: str,
    table: str,
) -> Resources:
    """
    Create the queues and the table; what exists already is taken as it is.

    Args:
        access: Where to create them.
        entity: What the table is to hold.
        visibility_timeout: In seconds, rounded up.
        queue: Name of the queue; the dead letters' is `<queue>-dead-letters`.
        table: Name of the table.

    Raises:
        EngineError: An endpoint does not answer or refuses.
    """
    visibility = str(math.ceil(visibility_timeout))
    try:
        sqs = access.sqs
        dead_letters = _queue(
            sqs,
            f"{queue}-dead-letters",
            {
                "MaximumMessageSize": str(MAX_MESSAGE_BYTES),
                "MessageRetentionPeriod": str(DEAD_LETTER_SECONDS),
                "VisibilityTimeout": visibility,
            },
        )
        redrive = {"deadLetterTargetArn": dead_letters.arn, "maxReceiveCount": MAX_RECEIVE_COUNT}
        source = _queue(
            sqs,
            queue,
            {
                "MaximumMessageSize": str(MAX_MESSAGE_BYTES),
                "RedrivePolicy": json.dumps(redrive),
                "VisibilityTimeout": visibility,
            },
        )
        _create_table(access.dynamodb, table, entity)
    except (BotoCoreError, ClientError) as error:
        raise EngineError(f"the queues and the table cannot be made: {error}") from error
    return Resources(source, dead_letters, table)


def create_queues(access: Access, names: Iterable[str]) -> None:
    """
    Create plain queues; those that exist already are taken as they are.

    Raises:
        EngineError: The endpoint does not answer or refuses.
    """
    try:
        for name in names:
            fifo: dict[QueueAttributeNameType, str] = {"FifoQueue": "true"}
            _queue(access.sqs, name, fifo if name.endswith(".fifo") else {})
    except (BotoCoreError, ClientError) as error:
        raise EngineError(f"the queues cannot be made: {error}") from error


def _queue(sqs: "SQSClient", name: str, attributes: dict["QueueAttributeNameType", str]) -> Queue:
    try:
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    except sqs.exceptions.QueueDoesNotExist:
        url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return Queue(url, answer["Attributes"]["QueueArn"])


def _create_table(dynamodb: "DynamoDBClient", name: str, entity: Entity) -> None:
    try:
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": entity.id_name, "KeyType": "HASH"}],
            AttributeDefinitions=[
                {"AttributeName": entity.id_name, "AttributeType": "S"},
                {"AttributeName": "messageId", "AttributeType": "S"},
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "messageId-index",
                    "KeySchema": [{"AttributeName": "messageId", "KeyType": "HASH"}],
                    "Projection": {
                        "ProjectionType": "INCLUDE",
                        "NonKeyAttributes": ["outcome", entity.result_name, "failure"],
                    },
                }
            ],
        )
    except dynamodb.exceptions.ResourceInUseException:
        return
    dynamodb.get_waiter("table_exists").wait(
        TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    dynamodb.update_time_to_live(
        TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "expiresAt"}
    )
