"""
`python -m deploy.local`: run the service, or any contract, on this machine until Ctrl-C.

Exit codes: 0 stopped, 1 cannot start or go on, 2 wrong usage. `python -m deploy.local render` is
the workbench for mapping templates; see `workbench.py`.
"""

import argparse
import gc
import json
import shlex
import signal
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from deploy.local.options import add_stage_options, pair

if TYPE_CHECKING:
    from deploy.contract import Entity
    from deploy.local.api import Method
    from deploy.local.runtime import LocalRuntime

_CONTRACT = Path(__file__).resolve().parents[2] / "openapi.yaml"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["render"]:
        return _workbench(words[1:])
    options = _parser().parse_args(words)
    _end_on_signals()
    try:
        return _serve(options)
    except KeyboardInterrupt:
        return 0


def _workbench(words: Sequence[str]) -> int:
    try:
        from deploy.local.workbench import main as render
    except ModuleNotFoundError as error:
        return _complain_of_missing(error)
    if "--watch" in words:
        _end_on_signals()
    return render(words)


def _serve(options: argparse.Namespace) -> int:
    try:
        from deploy.local.runtime import VISIBILITY_TIMEOUT, LocalRuntime, LocalRuntimeError
    except ModuleNotFoundError as error:
        return _complain_of_missing(error)
    runtime = LocalRuntime(
        contract=options.contract,
        stage=options.stage,
        stage_variables=dict(options.stage_variable),
        placeholders=dict(options.set),
        endpoints=dict(options.endpoint),
        base_path=options.base_path,
        port=options.port,
        visibility_timeout=options.visibility_timeout or VISIBILITY_TIMEOUT,
        log_level="INFO",
    )
    try:
        with runtime:
            # What the start has made stays for good. Collections that look through it again cost a
            # tenth of the throughput of many connections.
            gc.freeze()
            _tell(runtime.report)
            print(_welcome(runtime), flush=True)
            runtime.wait()
    except LocalRuntimeError as error:
        if not runtime.url:
            _tell(runtime.report)
        return _complain(str(error))
    return 0


def _tell(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, file=sys.stderr)


def _complain(text: str) -> int:
    for line in text.splitlines():
        print(f"error: {line}", file=sys.stderr)
    return 1


def _complain_of_missing(error: ModuleNotFoundError) -> int:
    mend = "install the local runtime's dependencies: pip install '.[local]'"
    return _complain(f"{error.name} is not installed; {mend}")


def _end_on_signals() -> None:
    # Explicitly: what a shell starts in the background ignores Ctrl-C's signal by default.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    # Once is enough: a second Ctrl-C must not cut the stopping short.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def _welcome(runtime: "LocalRuntime") -> str:
    lines = [f"{runtime.contract} is served at {runtime.url}", *_routes(runtime)]
    signed = any(method.iam for method in runtime.methods)
    exports = [f"export {name}={value}" for name, value in runtime.environment().items()]
    unset = "unset AWS_PROFILE AWS_SESSION_TOKEN"
    if signed or runtime.entity:
        lines += ["Ctrl-C stops it. To use it from another terminal:", "", unset, *exports, ""]
    else:
        lines += ["Ctrl-C stops it.", ""]
    return "\n".join([*lines, *_clients(runtime), ""])


def _clients(runtime: "LocalRuntime") -> list[str]:
    """Return commands that make the entity, if there is one and an example of it."""
    if runtime.entity is None or not runtime.entity.example:
        return []
    own = runtime.contract.resolve() == _CONTRACT
    sdk = "With the SDK: python examples/create_user.py. " if own else ""
    return [f"{sdk}With curl:", "", *_curl(runtime, runtime.entity)]


def _routes(runtime: "LocalRuntime") -> list[str]:
    """Return what a contract that is not the project's own has to offer, a line each."""
    if runtime.entity:
        return []
    lines = [
        f"  {method.http_method:<7} {method.resource_path}  ({method.integration.type}"
        f"{_target(method)})"
        for method in runtime.methods
    ]
    if runtime.engine_url:
        lines.append(f"AWS services (ministack, any key) answer at {runtime.engine_url}")
    return lines


def _target(method: "Method") -> str:
    uri = method.integration.uri
    return f" {uri.service}" if uri and uri.service else ""


def _curl(runtime: "LocalRuntime", entity: "Entity") -> list[str]:
    body = json.dumps(entity.example)
    return [
        f'curl --aws-sigv4 "aws:amz:{runtime.region}:execute-api" \\',
        '  --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \\',
        "  -H 'Content-Type: application/json' \\",
        f'  -d {shlex.quote(body)} "${runtime.url_variable}{entity.path}"',
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.local",
        description="Run the service on this machine: gateway, queue, consumer and table.",
        epilog="python -m deploy.local render --help: try one mapping template.",
    )
    parser.add_argument("--port", type=_port, default=0, help="port of the gateway (default: any)")
    parser.add_argument(
        "--contract",
        type=Path,
        default=_shortest(_CONTRACT),
        metavar="FILE",
        help="OpenAPI document to serve (default: the repository's openapi.yaml)",
    )
    add_stage_options(parser)
    parser.add_argument(
        "--endpoint",
        action="append",
        default=[],
        type=_endpoint,
        metavar="SERVICE=URL",
        help="send a service's calls elsewhere; repeatable",
    )
    parser.add_argument(
        "--visibility-timeout",
        type=_seconds,
        metavar="SECONDS",
        help="when a message that failed comes back (default: 180, as deployed)",
    )
    parser.add_argument(
        "--base-path",
        choices=("ignore", "prepend", "split"),
        default="ignore",
        help="what to do with the path of the document's first server (default: %(default)s)",
    )
    return parser


def _shortest(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _port(text: str) -> int:
    if text.isdecimal() and int(text) <= 65_535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a port: give a number from 0 to 65535")


def _seconds(text: str) -> float:
    # Source: Amazon SQS API Reference, "SetQueueAttributes": 0 to 43,200 in whole seconds.
    if text.isdecimal() and 1 <= int(text) <= 43_200:
        return float(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 1 to 43200")


def _endpoint(text: str) -> tuple[str, str]:
    service, url = pair(text)
    parts = urlsplit(url)
    if parts.scheme in ("http", "https") and parts.netloc:
        return service, url
    raise argparse.ArgumentTypeError(f"{url!r} is not a URL: give SERVICE=http://HOST:PORT")


if __name__ == "__main__":
    sys.exit(main())
