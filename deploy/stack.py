"""The stack: composes the constructs, defines no resource of its own."""

from typing import Final

from aws_cdk import CfnOutput, Environment, Stack
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from deploy.api import EntityApi
from deploy.contract import Contract, Entity
from deploy.function import TIMEOUT, QueueFunction
from deploy.queue import MessageQueue
from deploy.settings import StageSettings
from deploy.table import EntityTable

# Function: handler, and what it does with the table.
_CONSUMER: Final = ("consumer.handler.handler", ("dynamodb:PutItem",))
_RECORDER: Final = ("consumer.recorder.handler", ("dynamodb:GetItem", "dynamodb:PutItem"))


class EntityStack(Stack):
    """
    API, queue, consumer, recorder and table of one stage.

    Args:
        contract: The contract that the API is made of.
        entity: What it makes.
        settings: Settings of the stage.
        log_role: Whether the stack sets the account's role for API Gateway's logs; see `EntityApi`.
        env: Account and Region; without them those of the credentials that deploy.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        contract: Contract,
        entity: Entity,
        settings: StageSettings,
        log_role: bool = True,
        env: Environment | None = None,
    ) -> None:
        super().__init__(
            scope,
            id,
            env=env,
            description=f"{contract.document['info']['title']}, stage {settings.name}",
            termination_protection=settings.keep_data,
        )
        self._settings = settings
        self._entity = entity
        name = entity.collection
        self._table = EntityTable(
            self, name.title().replace("-", ""), entity=entity, settings=settings
        )
        messages = MessageQueue(
            self, "Messages", name=name, settings=settings, consumer_timeout=TIMEOUT
        )
        self._add_function("Consumer", messages.queue, *_CONSUMER)
        self._add_function("Recorder", messages.dead_letters, *_RECORDER)
        api = EntityApi(
            self,
            "Api",
            name=name,
            contract=contract,
            queue=messages.queue,
            entities=self._table,
            settings=settings,
            log_role=log_role,
        )
        self._add_outputs(
            ApiUrl=api.api.deployment_stage.url_for_path(),
            Region=self.region,
            QueueUrl=messages.queue.queue_url,
            DeadLetterQueueUrl=messages.dead_letters.queue_url,
            TableName=self._table.table.table_name,
        )

    def _add_function(
        self, id: str, queue: sqs.IQueue, handler: str, table_actions: tuple[str, ...]
    ) -> None:
        QueueFunction(
            self,
            id,
            handler=handler,
            queue=queue,
            table_arn=self._table.table.table_arn,
            table_actions=table_actions,
            environment={
                "ENTITY": self._entity.text,
                "TABLE_NAME": self._table.table.table_name,
                "RECEIPT_DAYS": str(self._settings.receipt_days),
            },
            settings=self._settings,
        )

    def _add_outputs(self, **values: str) -> None:
        for name, value in values.items():
            CfnOutput(self, name, value=value)
