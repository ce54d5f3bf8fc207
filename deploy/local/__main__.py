"""
`python -m deploy.local`: run the service on this machine until Ctrl-C.

Exit codes: 0 stopped, 1 cannot start or go on, 2 wrong usage.
"""

import argparse
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from deploy.local.runtime import LocalRuntime

# Source: Amazon API Gateway Developer Guide, "Quotas": stage names and stage variables.
_STAGE_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    options = _parser().parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        return _serve(options)
    except KeyboardInterrupt:
        return 0


def _serve(options: argparse.Namespace) -> int:
    try:
        from deploy.local.runtime import LocalRuntime, LocalRuntimeError
    except ModuleNotFoundError as error:
        mend = "install the local runtime's dependencies: pip install '.[local]'"
        return _complain(f"{error.name} is not installed; {mend}")
    try:
        with LocalRuntime(
            contract=options.contract,
            stage=options.stage,
            stage_variables=dict(options.stage_variable),
            placeholders=dict(options.set),
            endpoints=dict(options.endpoint),
            port=options.port,
            log_level="INFO",
        ) as runtime:
            print(_welcome(runtime), flush=True)
            runtime.wait()
    except LocalRuntimeError as error:
        return _complain(str(error))
    return 0


def _complain(text: str) -> int:
    print(f"error: {text}", file=sys.stderr)
    return 1


def _interrupt(number: int, frame: FrameType | None) -> None:
    # Once is enough: a second Ctrl-C must not cut the stopping short.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def _welcome(runtime: "LocalRuntime") -> str:
    exports = [f"export {name}={value}" for name, value in runtime.environment().items()]
    return "\n".join(
        [
            f"{runtime.contract} is served at {runtime.url}",
            "Ctrl-C stops it. To use it from another terminal:",
            "",
            "unset AWS_PROFILE AWS_SESSION_TOKEN",
            *exports,
            "",
            "With the SDK: python examples/create_user.py. With curl:",
            "",
            f'curl --aws-sigv4 "aws:amz:{runtime.region}:execute-api" \\',
            '  --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \\',
            "  -H 'Content-Type: application/json' \\",
            """  -d '{"name": "Ada", "email": "ada@example.com"}' "$USERS_API_URL/users\"""",
            "",
        ]
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.local",
        description="Run the service on this machine: gateway, queue, consumer and table.",
    )
    parser.add_argument("--port", type=_port, default=0, help="port of the gateway (default: any)")
    parser.add_argument(
        "--contract",
        type=Path,
        default=Path(__file__).parents[2] / "openapi.yaml",
        metavar="FILE",
        help="OpenAPI document to serve (default: the repository's openapi.yaml)",
    )
    parser.add_argument(
        "--stage", type=_stage, default="local", metavar="NAME", help="name of the stage"
    )
    for option, kind, metavar, text in (
        ("--stage-variable", _pair, "NAME=VALUE", "set a stage variable; repeatable"),
        ("--set", _pair, "PLACEHOLDER=VALUE", "fill a placeholder of the contract; repeatable"),
        ("--endpoint", _endpoint, "SERVICE=URL", "send a service's calls elsewhere; repeatable"),
    ):
        parser.add_argument(
            option, action="append", default=[], type=kind, metavar=metavar, help=text
        )
    return parser


def _port(text: str) -> int:
    if text.isdecimal() and int(text) <= 65_535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a port: give a number from 0 to 65535")


def _stage(text: str) -> str:
    if _STAGE_NAME.fullmatch(text):
        return text
    raise argparse.ArgumentTypeError(
        f"{text!r} is not a stage name: use up to 128 letters, digits, - and _"
    )


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if name and equals:
        return name, value
    raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")


def _endpoint(text: str) -> tuple[str, str]:
    service, url = _pair(text)
    parts = urlsplit(url)
    if parts.scheme in ("http", "https") and parts.netloc:
        return service, url
    raise argparse.ArgumentTypeError(f"{url!r} is not a URL: give SERVICE=http://HOST:PORT")


if __name__ == "__main__":
    sys.exit(main())
