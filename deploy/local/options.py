"""Options that the server and the workbench share: a stage, its variables, placeholders."""

import argparse
import re

# Source: Amazon API Gateway Developer Guide, "Quotas": stage names.
_STAGE_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")

# What AWS takes for the names in the contract, and how to say it. Sources: SQS API Reference,
# "CreateQueue" (80 characters, of which the dead letters' queue needs 13); DynamoDB API Reference,
# "CreateTable"; Account Management Reference, "AccountId".
_QUEUE_NAME = re.compile(r"[A-Za-z0-9_-]{1,67}", re.ASCII)
_TABLE_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}", re.ASCII)
_ACCOUNT_ID = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-z]{2,}(-[a-z]+)+-[0-9]+")
_PARTITION = re.compile(r"aws(-[a-z]+)*")
_VALUES = {
    "QueueName": (_QUEUE_NAME, "the name of a queue: use up to 67 letters, digits, - and _"),
    "TableName": (_TABLE_NAME, "the name of a table: use 3 to 255 letters, digits, _ . and -"),
    "AccountId": (_ACCOUNT_ID, "an account: use 12 digits"),
    "Region": (_REGION, "a Region: use a code such as us-east-1"),
    "Partition": (_PARTITION, "a partition: use aws, aws-cn or aws-us-gov"),
}


def add_stage_options(parser: argparse.ArgumentParser) -> None:
    """Add `--stage`, `--stage-variable` and `--set`; the last two yield lists of pairs."""
    parser.add_argument(
        "--stage", type=_stage, default="local", metavar="NAME", help="name of the stage"
    )
    for option, value, metavar, text in (
        ("--stage-variable", pair, "NAME=VALUE", "set a stage variable; repeatable"),
        (
            "--set",
            _placeholder,
            "PLACEHOLDER=VALUE",
            "fill a placeholder of the contract; repeatable",
        ),
    ):
        parser.add_argument(
            option, action="append", default=[], type=value, metavar=metavar, help=text
        )


def pair(text: str) -> tuple[str, str]:
    """Return name and value of `NAME=VALUE`."""
    name, equals, value = text.partition("=")
    if name and equals:
        return name, value
    raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")


def _placeholder(text: str) -> tuple[str, str]:
    name, value = pair(text)
    form, description = _VALUES.get(name.removeprefix("AWS::"), (None, ""))
    if form is None or form.fullmatch(value):
        return name, value
    raise argparse.ArgumentTypeError(f"{name}: {value!r} is not {description}")


def _stage(text: str) -> str:
    if _STAGE_NAME.fullmatch(text):
        return text
    raise argparse.ArgumentTypeError(
        f"{text!r} is not a stage name: use up to 128 letters, digits, - and _"
    )
