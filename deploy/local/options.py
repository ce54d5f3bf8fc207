"""Options that the server and the workbench share: a stage, its variables, placeholders."""

import argparse
import re

# Source: Amazon API Gateway Developer Guide, "Quotas": stage names.
_STAGE_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")


def add_stage_options(parser: argparse.ArgumentParser) -> None:
    """Add `--stage`, `--stage-variable` and `--set`; the last two yield lists of pairs."""
    parser.add_argument(
        "--stage", type=_stage, default="local", metavar="NAME", help="name of the stage"
    )
    for option, metavar, text in (
        ("--stage-variable", "NAME=VALUE", "set a stage variable; repeatable"),
        ("--set", "PLACEHOLDER=VALUE", "fill a placeholder of the contract; repeatable"),
    ):
        parser.add_argument(
            option, action="append", default=[], type=pair, metavar=metavar, help=text
        )


def pair(text: str) -> tuple[str, str]:
    """Return name and value of `NAME=VALUE`."""
    name, equals, value = text.partition("=")
    if name and equals:
        return name, value
    raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")


def _stage(text: str) -> str:
    if _STAGE_NAME.fullmatch(text):
        return text
    raise argparse.ArgumentTypeError(
        f"{text!r} is not a stage name: use up to 128 letters, digits, - and _"
    )
