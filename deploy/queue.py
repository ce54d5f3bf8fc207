"""The queue between the API and the consumer, and the queue of its dead letters."""

from typing import Final

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from deploy.settings import StageSettings

# Lambda Developer Guide, "Using Lambda with Amazon SQS": a visibility timeout of at least six times
# the function's, and at least five receives, so that throttling alone makes no dead letters.
_VISIBILITY_FACTOR: Final = 6
_MAX_RECEIVES: Final = 5
# An entity is far smaller; SQS would take 1 MiB, an item of the table 400 KB.
_MAX_MESSAGE_BYTES: Final = 256 * 1024
_OLDEST_MESSAGE_SECONDS: Final = 300


class MessageQueue(Construct):
    """
    A queue and its dead-letter queue.

    The queues have fixed names: each policy names the other queue, and by reference that would be a
    circle that CloudFormation cannot create.

    Args:
        name: What the queues are called, before the name of the stage.
        settings: Settings of the stage.
        consumer_timeout: Timeout of the functions that read the queues.

    Attributes:
        queue: What the API sends to.
        dead_letters: What the queue gives up after five receives.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        settings: StageSettings,
        consumer_timeout: Duration,
    ) -> None:
        super().__init__(scope, id)
        visibility = Duration.seconds(_VISIBILITY_FACTOR * consumer_timeout.to_seconds())
        removal = RemovalPolicy.RETAIN if settings.keep_data else RemovalPolicy.DESTROY
        name = f"{name}-{settings.name}"
        arn = Stack.of(self).format_arn(service="sqs", resource=name)
        # The clock of a dead letter started when it was first sent: its queue keeps it for longer.
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            queue_name=f"{name}-dead-letters",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
            visibility_timeout=visibility,
            redrive_allow_policy=sqs.RedriveAllowPolicy(
                redrive_permission=sqs.RedrivePermission.BY_QUEUE,
                source_queues=[sqs.Queue.from_queue_arn(self, "Source", arn)],
            ),
            removal_policy=removal,
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            queue_name=name,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            max_message_size_bytes=_MAX_MESSAGE_BYTES,
            retention_period=Duration.days(4),
            visibility_timeout=visibility,
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.dead_letters, max_receive_count=_MAX_RECEIVES
            ),
            removal_policy=removal,
        )
        if settings.alarms:
            self._add_alarms()

    def _add_alarms(self) -> None:
        minute = Duration.minutes(1)
        cloudwatch.Alarm(
            self,
            "OldestMessageAlarm",
            alarm_description="Messages wait too long: is the consumer throttled or failing?",
            metric=self.queue.metric_approximate_age_of_oldest_message(period=minute),
            threshold=_OLDEST_MESSAGE_SECONDS,
            evaluation_periods=3,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        # A move by the redrive policy does not count as a message sent, so the depth is watched.
        # The recorder empties the queue at once: what stays, it could not record.
        cloudwatch.Alarm(
            self,
            "DeadLettersAlarm",
            alarm_description="Dead letters stay: read the log of the recorder",
            metric=self.dead_letters.metric_approximate_number_of_messages_visible(period=minute),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=3,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
