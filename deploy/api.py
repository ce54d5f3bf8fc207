"""The REST API, made of the contract."""

import json
from collections.abc import Mapping
from typing import Final, cast

from aws_cdk import Aws, Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from deploy.contract import Contract, deployable
from deploy.logs import log_group
from deploy.settings import StageSettings
from deploy.table import EntityTable

# TLS 1.2 with strong ciphers, and 1.3; a policy of this kind needs an access mode beside it.
_SECURITY_POLICY: Final = "SecurityPolicy_TLS13_1_2_2021_06"
_ENDPOINT_ACCESS_MODE: Final = "BASIC"
# What a log may know: routes instead of paths, for these hold IDs of messages and entities.
_ACCESS_LOG: Final[Mapping[str, str]] = {
    "requestTime": "$context.requestTime",
    "requestId": "$context.requestId",
    "extendedRequestId": "$context.extendedRequestId",
    "traceId": "$context.xrayTraceId",
    "callerAccount": "$context.identity.accountId",
    "method": "$context.httpMethod",
    "route": "$context.resourcePath",
    "status": "$context.status",
    "error": "$context.error.responseType",
    "responseMilliseconds": "$context.responseLatency",
    "responseBytes": "$context.responseLength",
    "backendStatus": "$context.integration.status",
    "backendMilliseconds": "$context.integrationLatency",
}
_LOGGING_LEVELS: Final = {
    "OFF": apigateway.MethodLoggingLevel.OFF,
    "ERROR": apigateway.MethodLoggingLevel.ERROR,
    "INFO": apigateway.MethodLoggingLevel.INFO,
}


class EntityApi(Construct):
    """
    A Regional REST API whose body is the deployable copy of the contract.

    Args:
        name: What the API is called, before the name of the stage.
        contract: The contract.
        queue: Where requests to create entities go.
        entities: The table that the other routes read.
        settings: Settings of the stage.
        log_role: Whether to set the role by which API Gateway writes logs. It is one for the whole
            account and Region, so at most one stack should own it.

    Attributes:
        api: The API.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        contract: Contract,
        queue: sqs.IQueue,
        entities: EntityTable,
        settings: StageSettings,
        log_role: bool,
    ) -> None:
        super().__init__(scope, id)
        placeholders = {
            "Partition": Aws.PARTITION,
            "Region": Aws.REGION,
            "AccountId": Aws.ACCOUNT_ID,
            "QueueName": queue.queue_name,
            "TableName": entities.table.table_name,
            "ApiRoleArn": self._role(queue, entities).role_arn,
        }
        self.api = apigateway.SpecRestApi(
            self,
            "Api",
            rest_api_name=f"{name}-{settings.name}",
            api_definition=apigateway.ApiDefinition.from_inline(deployable(contract, placeholders)),
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            fail_on_warnings=True,
            cloud_watch_role=log_role,
            deploy_options=self._stage(settings),
        )
        self.api.node.try_remove_child("Endpoint")  # an output; the stack has its own
        self._require_tls()
        self._keep_execution_log(settings)
        if settings.alarms:
            self._add_alarm()

    def _role(self, queue: sqs.IQueue, entities: EntityTable) -> iam.Role:
        """Return the role by which API Gateway calls the services: an action on each resource."""
        allowed = {
            "sqs:SendMessage": queue.queue_arn,
            "dynamodb:Query": entities.index_arn,
            "dynamodb:GetItem": entities.table.table_arn,
        }
        statements = [
            iam.PolicyStatement(actions=[action], resources=[arn])
            for action, arn in allowed.items()
        ]
        return iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("apigateway.amazonaws.com"),
            inline_policies={"integrations": iam.PolicyDocument(statements=statements)},
        )

    def _stage(self, settings: StageSettings) -> apigateway.StageOptions:
        access_log = log_group(self, "AccessLog", settings=settings)
        return apigateway.StageOptions(
            stage_name=settings.name,
            variables={"retryAfterMs": str(settings.retry_after_ms)},
            throttling_rate_limit=settings.throttle_rate,
            throttling_burst_limit=settings.throttle_burst,
            tracing_enabled=True,
            metrics_enabled=True,
            logging_level=_LOGGING_LEVELS[settings.log_level],
            data_trace_enabled=False,
            access_log_destination=apigateway.LogGroupLogDestination(access_log),
            access_log_format=apigateway.AccessLogFormat.custom(json.dumps(_ACCESS_LOG)),
        )

    def _require_tls(self) -> None:
        # Of the L1 construct only.
        resource = cast(apigateway.CfnRestApi, self.api.node.default_child)
        resource.security_policy = _SECURITY_POLICY
        resource.endpoint_access_mode = _ENDPOINT_ACCESS_MODE

    def _keep_execution_log(self, settings: StageSettings) -> None:
        """Make the log group that API Gateway would make without a retention, before it does."""
        name = f"API-Gateway-Execution-Logs_{self.api.rest_api_id}/{settings.name}"
        log = log_group(self, "ExecutionLog", settings=settings, name=name)
        self.api.deployment_stage.node.add_dependency(log)

    def _add_alarm(self) -> None:
        cloudwatch.Alarm(
            self,
            "ServerErrorAlarm",
            alarm_description="More than one request in a hundred fails on our side",
            metric=self.api.metric_server_error(period=Duration.minutes(5), statistic="Average"),
            threshold=0.01,
            evaluation_periods=2,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
