"""The table of entities and receipts."""

from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from deploy.contract import Entity
from deploy.settings import StageSettings

MESSAGE_INDEX: Final = "messageId-index"


class EntityTable(Construct):
    """
    Entities and receipts by ID, and by `messageId` what the status route may show of them.

    Args:
        entity: What the table holds.
        settings: Settings of the stage.

    Attributes:
        table: The table.
        index_arn: ARN of the index on `messageId`.
    """

    def __init__(
        self, scope: Construct, id: str, *, entity: Entity, settings: StageSettings
    ) -> None:
        super().__init__(scope, id)
        self.table = dynamodb.TableV2(
            self,
            "Table",
            partition_key=_text(entity.id_name),
            billing=dynamodb.Billing.on_demand(),
            global_secondary_indexes=[
                dynamodb.GlobalSecondaryIndexPropsV2(
                    index_name=MESSAGE_INDEX,
                    partition_key=_text("messageId"),
                    projection_type=dynamodb.ProjectionType.INCLUDE,
                    non_key_attributes=["outcome", entity.result_name, "failure"],
                )
            ],
            time_to_live_attribute="expiresAt",
            point_in_time_recovery_specification=_recovery(settings.recovery_days),
            deletion_protection=settings.keep_data,
            removal_policy=RemovalPolicy.RETAIN if settings.keep_data else RemovalPolicy.DESTROY,
        )
        self.index_arn = f"{self.table.table_arn}/index/{MESSAGE_INDEX}"


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


def _recovery(days: int) -> dynamodb.PointInTimeRecoverySpecification:
    return dynamodb.PointInTimeRecoverySpecification(
        point_in_time_recovery_enabled=days > 0, recovery_period_in_days=days or None
    )
