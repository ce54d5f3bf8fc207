"""What differs from stage to stage, in one typed place. Imports nothing of the CDK."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSettings:
    """
    Settings of one stage.

    Attributes:
        name: Name of the stage: in the URL, in the names of the stack and the queues.
        keep_data: Whether table, queues and logs outlive the stack, and table and stack are
            protected from deletion.
        recovery_days: Days that the table can be restored to (1 to 35), 0 for no recovery.
        log_retention_days: Days that logs are kept.
        log_level: What API Gateway writes to its execution log.
        throttle_rate: Requests a second over all clients, before 429.
        throttle_burst: Requests at once over all clients, before 429.
        max_concurrency: Consumers at once (2 to 1000, Lambda's `MaximumConcurrency`).
        retry_after_ms: Milliseconds that clients wait between two questions for a status.
        receipt_days: Days that receipts are kept, failures and their original messages too.
        alarms: Whether there are alarms; what they notify is left to the account.
    """

    name: str
    keep_data: bool
    recovery_days: int
    log_retention_days: Literal[7, 14, 30, 90, 365]
    log_level: Literal["OFF", "ERROR", "INFO"] = "ERROR"
    throttle_rate: int
    throttle_burst: int
    max_concurrency: int
    retry_after_ms: int
    receipt_days: int = 30
    alarms: bool

    def __post_init__(self) -> None:
        """Refuse what AWS would refuse only when deploying."""
        if not 0 <= self.recovery_days <= 35:
            raise ValueError(f"recovery_days must be from 0 to 35, not {self.recovery_days}")
        if not 2 <= self.max_concurrency <= 1000:
            raise ValueError(f"max_concurrency must be from 2 to 1000, not {self.max_concurrency}")


DEV: Final = StageSettings(
    name="dev",
    keep_data=False,
    recovery_days=0,
    log_retention_days=7,
    throttle_rate=50,
    throttle_burst=100,
    max_concurrency=5,
    retry_after_ms=250,
    alarms=False,
)
PROD: Final = StageSettings(
    name="prod",
    keep_data=True,
    recovery_days=35,
    log_retention_days=90,
    throttle_rate=500,
    throttle_burst=1000,
    max_concurrency=50,
    retry_after_ms=500,
    alarms=True,
)
STAGES: Final[Mapping[str, StageSettings]] = MappingProxyType({"dev": DEV, "prod": PROD})


def stage_settings(name: str) -> StageSettings:
    """
    Return the settings of a stage.

    Raises:
        ValueError: There is no such stage; the text names those that there are.
    """
    if name not in STAGES:
        raise ValueError(f"there is no stage {name!r}: choose one of {', '.join(STAGES)}")
    return STAGES[name]
