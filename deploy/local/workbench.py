"""
The workbench for mapping templates: `python -m deploy.local render`.

It renders the request template of one operation, and with `--response` the response template that
the backend's answer selects, for an event; see `rehearsal.py` for its form. Exit codes: 0 rendered
(or Ctrl-C while watching), 1 something is wrong with the operation, the event or the rendering, 2
wrong usage. What is wrong with other operations is a warning on standard error.
"""

import argparse
import copy
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from deploy import contract as contracts
from deploy.contract import Contract, ContractError, Finding, Operation
from deploy.contract.document import join
from deploy.contract.placeholders import placeholders_in
from deploy.local.api_import import import_api
from deploy.local.definition import ApiImportError, Refusals
from deploy.local.deployment import contract_error, follows
from deploy.local.exchange import ConfigurationError, GatewayError
from deploy.local.options import add_stage_options
from deploy.local.references import Value, values
from deploy.local.rehearsal import Event, EventError, Rehearsal
from deploy.local.runtime import STAGE_VARIABLES, with_defaults
from deploy.local.stages.integration_response import select, template_for
from deploy.local.stages.request_validation import content_type
from deploy.local.templates import Phase, render_mapping
from deploy.local.vtl import Template, VtlError

_WATCH_SECONDS: Final = 0.2
_MAX_SHOWN: Final = 200


class WorkbenchError(Exception):
    """Nothing can be rendered; the text says why."""


def main(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit code."""
    options = _parser().parse_args(arguments)
    paint = _Paint(sys.stdout.isatty() and not os.environ.get("NO_COLOR"))
    if not options.watch:
        return _print_rendering(options, paint)
    try:
        for _ in _saves([options.file, options.event]):
            print(paint.faint(f"--- {time.strftime('%H:%M:%S')}"))
            _print_rendering(options, paint)
            sys.stdout.flush()
    except KeyboardInterrupt:
        pass
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m deploy.local render",
        description="Render the mapping template of one operation.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="OpenAPI document")
    parser.add_argument(
        "--operation",
        required=True,
        metavar="ID",
        help="its operationId, or METHOD and path as in 'GET /users'",
    )
    parser.add_argument(
        "--event", required=True, type=Path, metavar="FILE", help="what comes in, as JSON"
    )
    parser.add_argument(
        "--response", action="store_true", help="render the response to the event's `response`"
    )
    parser.add_argument("--watch", action="store_true", help="render again on each save")
    add_stage_options(parser)
    return parser


def _print_rendering(options: argparse.Namespace, paint: "_Paint") -> int:
    try:
        print(_rendering(options, paint))
    except (ContractError, WorkbenchError) as error:
        for line in str(error).splitlines():
            print(f"error: {line}", file=sys.stderr)
        return 1
    return 0


def _saves(files: Sequence[Path]) -> Iterator[None]:
    """Yield once, and again whenever one of the files is another than before."""
    seen: object = None
    while True:
        now = [(path.stat().st_mtime_ns if path.exists() else 0) for path in files]
        if now != seen:
            seen = now
            yield
        time.sleep(_WATCH_SECONDS)


@dataclass(frozen=True, slots=True)
class _Bench:
    """An operation, an event, how far they have come, and what is wrong with other operations."""

    contract: Contract
    operation: Operation
    rehearsal: Rehearsal
    warnings: tuple[str, ...]

    def template(self, phase: Phase) -> tuple[str, Template] | None:
        """Return pointer and template of a phase, if there is one for the media type."""
        routed, integration = self.rehearsal.routed, self.rehearsal.method.integration
        if phase == "request":
            media_type = content_type(routed)
            template = integration.templates.get(media_type)
            pointer = join(f"{integration.pointer}/requestTemplates", media_type)
            return (pointer, template) if template else None
        selected = select(integration, self.rehearsal.answer.selection)
        chosen = template_for(selected.templates, routed.parameters.header_value("Accept"))
        if chosen is None:
            return None
        return join(f"{selected.pointer}/responseTemplates", chosen[0]), chosen[1]

    def references(self, phase: Phase) -> list[tuple[str, Value]]:
        """Return place in the file and value of what the template refers to."""
        found = self.template(phase)
        if found is None:
            return []
        pointer, template = found
        try:
            used = values(template.text, self._renderer(phase))
        except VtlError:
            return []  # The stage will say it, with the column that the template has.
        return [(self.place(pointer, each.line), each) for each in used]

    def place(self, pointer: str, line: int) -> str:
        """Return `file:line` of a node or, with its line there, of a place in a text."""
        found = self.contract.text_line(pointer, line) if line else self.contract.line(pointer)
        return f"{self.contract.file}:{found}"

    def _renderer(self, phase: Phase) -> Callable[[str], str]:
        routed = self.rehearsal.routed
        body = routed.text if phase == "request" else self.rehearsal.answer.body.decode()

        def render(text: str) -> str:
            return render_mapping(
                text,
                phase=phase,
                body=body,
                params=routed.parameters.as_input(),
                context=copy.deepcopy(routed.context),
                stage_variables=routed.stage_variables,
            ).output

        return render


def _rendering(options: argparse.Namespace, paint: "_Paint") -> str:
    bench = _bench(options)
    for warning in bench.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    try:
        return "\n".join(_lines(bench, options.response, paint))
    except ConfigurationError as error:
        place, _, cause = error.cause.partition(": ")
        pointer, _, media_type = place.partition(", ")
        line = error.__cause__.line if isinstance(error.__cause__, VtlError) else 0
        at = bench.place(join(pointer, media_type) if media_type else pointer, line)
        raise WorkbenchError(f"{at}: {cause}") from error
    except GatewayError as error:
        text = f"{bench.operation.name} answers {error.response_type}: {error.message}"
        raise WorkbenchError(f"{options.event}: {text}") from error


def _lines(bench: _Bench, response: bool, paint: "_Paint") -> Iterator[str]:
    references = bench.references("request")
    sent = bench.rehearsal.request()
    if response:
        references = bench.references("response")
        answer = bench.rehearsal.response()
        yield paint.bold(f"HTTP {answer.status}")
        yield from (f"{paint.faint(name + ':')} {value}" for name, value in answer.headers)
        body = answer.body.decode("utf-8", "replace")
    else:
        yield paint.bold(f"{sent.method} {sent.url}".strip())
        yield from (f"{paint.faint(name + ':')} {value}" for name, value in sent.headers.items())
        body = sent.body
    yield from ("", body, "")
    yield paint.bold("references") if references else paint.faint("no references")
    width = max((len(value.source) for _, value in references), default=0)
    for place, value in references:
        source = paint.cyan(value.source.ljust(min(width, 60)))
        yield f"  {paint.faint(place)}  {source}  {paint.green(_shown(value.text))}"


def _shown(text: str) -> str:
    """Return a value on one line, without what a terminal would obey; what is long is cut."""
    shown = "".join(it if it.isprintable() else ascii(it)[1:-1] for it in text) or "(empty)"
    return shown if len(shown) <= _MAX_SHOWN else f"{shown[:_MAX_SHOWN]}… ({len(text)} characters)"


def _bench(options: argparse.Namespace) -> _Bench:
    contract = contracts.load(options.file)
    operation = _operation(contract, options.operation)
    alone = _alone(contract, operation)
    sound = contracts.readable(alone)
    if findings := [*contracts.refused(sound), *_in_paths(contracts.refused(alone))]:
        raise ContractError("\n".join(map(str, findings)))
    placeholders = with_defaults(dict(options.set))
    elsewhere = placeholders_in(contract.document).keys() - placeholders_in(alone.document).keys()
    own = {name: value for name, value in placeholders.items() if name not in elsewhere}
    try:
        api = import_api(contracts.derive(sound, own))
    except ApiImportError as error:
        raise contract_error(contract, error.problems) from error
    rehearsal = Rehearsal(
        api,
        _event(options.event),
        stage=options.stage,
        stage_variables={**STAGE_VARIABLES, **dict(options.stage_variable)},
        region=placeholders["Region"],
        account_id=placeholders["AccountId"],
    )
    return _Bench(contract, operation, rehearsal, _wrong_elsewhere(contract, placeholders))


def _in_paths(findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.pointer.startswith("/paths/")]


def _wrong_elsewhere(contract: Contract, placeholders: Mapping[str, str]) -> tuple[str, ...]:
    """Return what keeps the whole contract from starting, given that the operation is sound."""
    findings = contracts.refused(contract)
    document, unfilled = contracts.draft(contracts.readable(contract), placeholders)
    refusals = Refusals()
    with refusals.collected():
        import_api(document)
    told = [*findings, *unfilled]
    problems = [each for each in refusals.problems if not follows(each, told, document)]
    return tuple(str(contract_error(contract, problems, findings)).splitlines())


def _operation(contract: Contract, name: str) -> Operation:
    operations = list(contracts.readable(contract).operations())
    for operation in operations:
        if name in (operation.name, f"{operation.http_method} {operation.path}"):
            return operation
    known = ", ".join(operation.name for operation in operations) or "none"
    absent = f"{contract.file}: there is no operation {name!r}; there are: {known}"
    raise WorkbenchError("\n".join([*map(str, contracts.refused(contract)), absent]))


def _alone(contract: Contract, operation: Operation) -> Contract:
    """Return a contract with one operation: what is wrong with others does not keep it back."""
    item = contract.document["paths"][operation.path]
    own = {name: item[name] for name in ("parameters", operation.method) if name in item}
    return replace(contract, document={**contract.document, "paths": {operation.path: own}})


def _event(path: Path) -> Event:
    try:
        return Event.parse(path.read_text("utf-8"))
    except OSError as error:
        raise WorkbenchError(f"{path}: cannot be read: {error.strerror}") from error
    except (EventError, UnicodeDecodeError) as error:
        raise WorkbenchError(f"{path}: {error}") from error


@dataclass(frozen=True, slots=True)
class _Paint:
    """ANSI colours, or none."""

    on: bool

    def _painted(self, code: int, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.on else text

    def bold(self, text: str) -> str:
        return self._painted(1, text)

    def faint(self, text: str) -> str:
        return self._painted(2, text)

    def green(self, text: str) -> str:
        return self._painted(32, text)

    def cyan(self, text: str) -> str:
        return self._painted(36, text)
