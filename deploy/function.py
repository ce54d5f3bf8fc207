"""A function that consumes a queue: the consumer, and the recorder of dead letters."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from aws_cdk import Duration, IgnoreMode
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from deploy.logs import log_group
from deploy.settings import StageSettings

TIMEOUT: Final = Duration.seconds(30)

_ROOT: Final = Path(__file__).parents[1]
# A trace links at most twenty others (X-Ray Developer Guide, "Tracing event-driven applications").
_BATCH_SIZE: Final = 10
_SOURCE: Final = ("*", "!consumer", "!consumer/**", "**/__pycache__")


class QueueFunction(Construct):
    """
    A Lambda function, its log, its role and what feeds it.

    The role has what the function does and no more: no grant of the CDK widens it.

    Args:
        handler: Module and function, as `consumer.handler.handler`.
        queue: What the function consumes.
        table_arn: The only table that the function reaches.
        table_actions: What it does there, as `dynamodb:PutItem`.
        environment: Environment variables of the function.
        settings: Settings of the stage.

    Attributes:
        function: The function.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        handler: str,
        queue: sqs.IQueue,
        table_arn: str,
        table_actions: Sequence[str],
        environment: Mapping[str, str],
        settings: StageSettings,
    ) -> None:
        super().__init__(scope, id)
        log = log_group(self, "Log", settings=settings)
        statements = [
            _allow(("logs:CreateLogStream", "logs:PutLogEvents"), log.log_group_arn),
            _allow(
                ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
                queue.queue_arn,
            ),
            _allow(table_actions, table_arn),
            # X-Ray knows no resources for these (Service Authorization Reference, "AWS X-Ray").
            _allow(("xray:PutTraceSegments", "xray:PutTelemetryRecords"), "*"),
        ]
        self.function = self._function(handler, environment, log, self._role(statements))
        lambda_.EventSourceMapping(
            self,
            "Mapping",
            target=self.function,
            event_source_arn=queue.queue_arn,
            batch_size=_BATCH_SIZE,
            max_concurrency=settings.max_concurrency,
            report_batch_item_failures=True,
        )

    def _role(self, statements: Sequence[iam.PolicyStatement]) -> iam.IRole:
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            inline_policies={"function": iam.PolicyDocument(statements=statements)},
        )
        return role.without_policy_updates()

    def _function(
        self, handler: str, environment: Mapping[str, str], log: logs.LogGroup, role: iam.IRole
    ) -> lambda_.Function:
        return lambda_.Function(
            self,
            "Function",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            code=lambda_.Code.from_asset(
                str(_ROOT), exclude=list(_SOURCE), ignore_mode=IgnoreMode.GIT
            ),
            handler=handler,
            memory_size=256,
            timeout=TIMEOUT,
            environment=dict(environment),
            role=role,
            log_group=log,
            logging_format=lambda_.LoggingFormat.JSON,
            tracing=lambda_.Tracing.ACTIVE,
        )


def _allow(actions: Sequence[str], resource: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=list(actions), resources=[resource])
