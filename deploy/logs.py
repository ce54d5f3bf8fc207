"""Log groups as every part of the stack has them."""

from types import MappingProxyType
from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from deploy.settings import StageSettings

_RETENTION: Final = MappingProxyType(
    {
        7: logs.RetentionDays.ONE_WEEK,
        14: logs.RetentionDays.TWO_WEEKS,
        30: logs.RetentionDays.ONE_MONTH,
        90: logs.RetentionDays.THREE_MONTHS,
        365: logs.RetentionDays.ONE_YEAR,
    }
)


def log_group(
    scope: Construct, id: str, *, settings: StageSettings, name: str | None = None
) -> logs.LogGroup:
    """Return a log group, kept as long as the stage says; unnamed, CloudFormation names it."""
    return logs.LogGroup(
        scope,
        id,
        log_group_name=name,
        retention=_RETENTION[settings.log_retention_days],
        removal_policy=RemovalPolicy.RETAIN if settings.keep_data else RemovalPolicy.DESTROY,
    )
