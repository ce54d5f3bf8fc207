"""
What a fake operation does: by default, by script, and when it goes wrong.

1. What goes wrong (`faults`) comes first, one request each, in the order of the script.
2. Then come the limited outcomes (`times=`), in the order of the script; a repetition of a request
   that was carried out uses none.
3. Then comes the outcome that was scripted last without a limit, or else the default.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from typing import Any, TypeAlias, cast

from ._codec import state_text
from ._fake_answers import chain_kind, declared, declared_as, error, reply, result_kind
from ._fake_values import fitted, likely
from ._http import Response
from ._operation import AsyncOperation, Operation
from ._sample import is_dict, sample, schema_of
from .errors import ConfigurationError

State: TypeAlias = str | tuple[str, float]
"""A state before the last, or that and how many seconds it lasts."""


class Fault(Enum):
    """What can go wrong besides an error's answer."""

    RESET_BEFORE = "The connection was refused: nothing was carried out"
    RESET_AFTER_COMMIT = "The connection was lost: the request was carried out"
    TIMEOUT = "No answer came: the request was carried out"
    GARBAGE = "The answer is no JSON"


@dataclass(frozen=True, slots=True)
class Course:
    """
    What becomes of an accepted request.

    Attributes:
        stages: The states before the last, each with the seconds that it lasts; `None` is one poll.
        state: The last state.
        result: What the result is, or members of it; `None` is what is made from the request.
        error: Why it failed, if it does.
        hints: Header fields of the acceptance and of each status before the last.
    """

    stages: tuple[tuple[str, float | None], ...]
    state: str
    result: object = None
    error: Mapping[str, Any] | None = None
    hints: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def seconds(self) -> float | None:
        """How long it takes; `None` if that is told by polls."""
        known = [seconds for _, seconds in self.stages if seconds is not None]
        return sum(known) if len(known) == len(self.stages) else None


Outcome: TypeAlias = Course | Response
"""What an operation does: the course of an accepted request, or its very answer."""


class Script:
    """
    What an operation does from now on; each method returns the script itself.

    Attributes:
        operation: The operation.
        chain: What it starts, if it is asynchronous.
        lags_for: For how many seconds an accepted request, and a result, is not known yet.
    """

    def __init__(self, operation: Operation[Any], chain: AsyncOperation[Any] | None) -> None:
        self.operation = operation
        self.chain = chain
        self.lags_for = (0.0, 0.0)
        self._faults: deque[Fault | Response] = deque()
        self._limited: deque[Outcome] = deque()
        self._standing: Outcome | None = None
        if chain is not None:
            self._standing = Course(_stages(chain, (), None, strict=True), _final(chain))

    def settles(
        self,
        *,
        after: float | None = None,
        states: Sequence[State] = (),
        result: object = None,
        state: str | None = None,
        retry_after: float | None = None,
        retry_after_ms: float | None = None,
        times: int | None = None,
        strict: bool = True,
    ) -> Script:
        """
        Let accepted requests succeed.

        Args:
            after: Seconds on the fake's clock until then; `None` is after one poll for each state.
            states: The states before, in order, each alone or with its seconds; by default the
                first pending one of the document.
            result: The result, or members of it; the others are made.
            state: The state that means success, where the document has several; by default its
                first.
            retry_after: Seconds that acceptance and status ask to wait (`Retry-After`).
            retry_after_ms: Milliseconds that they ask to wait (`Retry-After-Ms`).
            times: For how many requests this holds; `None` is for all that come.
            strict: Whether states and members of the result that the document does not list are
                refused.

        Raises:
            ConfigurationError: It is not asynchronous, or the document has no such state or result.
        """
        chain = self._started("settles")
        kind = chain_kind(chain)
        if result is not None:
            made = b"" if kind is bytes else sample(schema_of(kind)) if kind is not None else None
            what = f"The result of {self.operation.name}"
            result = _parts(fitted(kind, made, result, what=what, strict=strict), result)
        course = Course(
            _stages(chain, states, after, strict=strict),
            _final(chain, state),
            result,
            hints=_hints(retry_after, retry_after_ms),
        )
        return self._add(course, times)

    def fails(
        self,
        *,
        code: str,
        message: str = "",
        after: float | None = None,
        states: Sequence[State] = (),
        error: Mapping[str, object] | None = None,
        state: str | None = None,
        retry_after: float | None = None,
        retry_after_ms: float | None = None,
        times: int | None = None,
        strict: bool = True,
    ) -> Script:
        """
        Let accepted requests fail.

        Args:
            code: The reason for programs.
            message: The reason for people.
            after: As in `settles`.
            states: As in `settles`.
            error: More members of the reason.
            state: The state that means failure, where the document has several.
            retry_after: As in `settles`.
            retry_after_ms: As in `settles`.
            times: As in `settles`.
            strict: As in `settles`, for states and members of `error`.

        Raises:
            ConfigurationError: It is not asynchronous, or the document has no such state or reason.
        """
        chain = self._started("fails")
        if not chain.states.failed:
            raise ConfigurationError(f"{self.operation.name} has no state that means failure")
        if error and strict:
            _check_reason(chain, error)
        course = Course(
            _stages(chain, states, after, strict=strict),
            _final(chain, state, failed=True),
            error={"code": code, "message": message, **(error or {})},
            hints=_hints(retry_after, retry_after_ms),
        )
        return self._add(course, times)

    def returns(
        self,
        value: object = None,
        *,
        status: int | None = None,
        times: int | None = None,
        strict: bool = True,
    ) -> Script:
        """
        Let the operation answer with a value; one that starts something has `settles` for that.

        Args:
            value: A model, JSON values, text or bytes; of an object, members that are required and
                not given are made. `None` is what is made, and no body where there is none.
            status: The status, where the document has several that mean success; by default its
                first.
            times: For how many requests this holds; `None` is for all that come.
            strict: Whether members that the document does not list are refused.

        Raises:
            ConfigurationError: It is asynchronous, or the document has no such status or value.
        """
        name, results = self.operation.name, self.operation.results
        if self.chain is not None:
            raise ConfigurationError(f"{name} is asynchronous: script its result with settles()")
        kind = result_kind(self.operation) if status is None else declared(results, status)
        if status is not None and declared_as(results, status) is None:
            raise ConfigurationError(f"{name} does not answer with {status}: {', '.join(results)}")
        made = b"sample" if kind is bytes else None if kind is None else sample(schema_of(kind))
        value = fitted(kind, made, value, what=f"The answer of {name}", strict=strict)
        return self._add(reply(self.operation, value, status=status), times)

    def rejects(
        self,
        status: int,
        body: object = None,
        *,
        retry_after: float | None = None,
        retry_after_ms: float | None = None,
        times: int | None = None,
        strict: bool = True,
    ) -> Script:
        """
        Let the operation answer with an error, after it was asked properly; nothing is carried out.

        Args:
            status: The HTTP status.
            body: The error's body or members of it; by default one that is made.
            retry_after: Seconds that the answer asks to wait (`Retry-After`).
            retry_after_ms: Milliseconds that it asks to wait (`Retry-After-Ms`).
            times: For how many requests this holds; `None` is for all that come.
            strict: Whether members that the document does not list are refused.

        Raises:
            ConfigurationError: It is no error's status, or the body does not fit.
        """
        _check_status(status)
        hints = _hints(retry_after, retry_after_ms)
        return self._add(error(self.operation, status, body, hints, strict=strict), times)

    def faults(
        self,
        *faults: int | Fault,
        times: int = 1,
        retry_after: float | None = None,
        retry_after_ms: float | None = None,
    ) -> Script:
        """
        Let the next requests go wrong, before anything else that is scripted.

        Args:
            faults: HTTP statuses, or what else can go wrong.
            times: How often, in this order.
            retry_after: Seconds that an error's answer asks to wait (`Retry-After`).
            retry_after_ms: Milliseconds that it asks to wait (`Retry-After-Ms`).

        Raises:
            ConfigurationError: A number is no error's status.
        """
        _check_times(times)
        hints = _hints(retry_after, retry_after_ms)
        found: list[Fault | Response] = []
        for fault in faults:
            if isinstance(fault, Fault):
                found.append(fault)
            else:
                _check_status(fault)
                found.append(error(self.operation, fault, None, hints, strict=True))
        self._faults.extend(found * times)
        return self

    def lags(self, seconds: float, *, result: float | None = None) -> Script:
        """
        Let what was accepted be unknown (404) for a while, as where copies of data come late.

        Args:
            seconds: How long the status is unknown, from acceptance.
            result: How long the result is unknown, from when the status first said that it is
                there; by default as long.

        Raises:
            ConfigurationError: It is not asynchronous.
        """
        self._started("lags")
        late = seconds if result is None else result
        self.lags_for = (_seconds("seconds", seconds), _seconds("result", late))
        return self

    def next_fault(self) -> Fault | Response | None:
        """Take what goes wrong with the next request, if anything does."""
        return self._faults.popleft() if self._faults else None

    def next_outcome(self) -> Outcome | None:
        """Take what the next request comes to; `None` if nothing is scripted."""
        return self._limited.popleft() if self._limited else self._standing

    def reused(self, code: str, message: str) -> Course:
        """Return what becomes of a request whose key was used for another."""
        chain = self._started("reused")
        stages, state = _stages(chain, (), None, strict=True), _final(chain, failed=True)
        return Course(stages, state, error={"code": code, "message": message})

    def _started(self, method: str) -> AsyncOperation[Any]:
        if self.chain is None:
            raise ConfigurationError(
                f"{self.operation.name} is not asynchronous, so it has no {method}(): returns() "
                "and rejects() script what it answers"
            )
        return self.chain

    def _add(self, outcome: Outcome, times: int | None) -> Script:
        if times is None:
            self._standing = outcome
        else:
            _check_times(times)
            self._limited.extend([outcome] * times)
        return self


def _stages(
    chain: AsyncOperation[Any], states: Sequence[State], after: float | None, *, strict: bool
) -> tuple[tuple[str, float | None], ...]:
    pending = ordered(chain, chain.states.pending)
    # One that the document does not list means the same, so there is always one.
    wanted = states or pending[:1] or ("PENDING",)
    names = [it if isinstance(it, str) else it[0] for it in wanted]
    unknown = [name for name in names if name not in pending]
    if states and strict and unknown:
        raise ConfigurationError(
            f"{chain.start.name} has no pending state {unknown[0]!r}: {likely(unknown[0], pending)}"
        )
    lasting = [_seconds(it[0], it[1]) for it in wanted if not isinstance(it, str)]
    if lasting and (after is not None or len(lasting) < len(names)):
        raise ConfigurationError("states= with seconds: give each state its own, and no after=")
    if lasting:
        return tuple(zip(names, lasting, strict=True))
    each = None if after is None else _seconds("after", after) / len(names)
    return tuple((name, each) for name in names)


def _final(chain: AsyncOperation[Any], state: str | None = None, *, failed: bool = False) -> str:
    known = ordered(chain, chain.states.failed if failed else chain.states.succeeded)
    if state is not None and state not in known:
        meaning = "failure" if failed else "success"
        raise ConfigurationError(
            f"{chain.start.name} has no state {state!r} for {meaning}: {likely(state, known)}"
        )
    return state or known[0]


def ordered(chain: AsyncOperation[Any], states: frozenset[str]) -> list[str]:
    """Return states in the document's order, where it lists them in one."""
    schema = schema_of(result_kind(chain.status)).at(chain.states.pointer)
    listed = [text for text in map(state_text, schema.choices()) if text in states]
    return [*dict.fromkeys(it for it in listed if it), *sorted(states.difference(listed))]


def _check_reason(chain: AsyncOperation[Any], error: Mapping[str, object]) -> None:
    pointer = chain.states.error
    known = [] if pointer is None else [*schema_of(result_kind(chain.status)).at(pointer).members()]
    unknown = [name for name in error if known and name not in known]
    if unknown:
        raise ConfigurationError(
            f"The error of {chain.start.name} has no member {unknown[0]!r}: "
            f"{likely(unknown[0], known)}"
        )


def _parts(fits: Any, given: object) -> Any:
    """Return what was given, as JSON values: all of it, or the members."""
    if is_dict(fits) and is_dict(given):
        return {name: fits[name] for name in given}
    return fits


def _hints(retry_after: float | None, retry_after_ms: float | None) -> dict[str, str]:
    given = {"Retry-After": retry_after, "Retry-After-Ms": retry_after_ms}
    return {name: f"{_seconds(name, it):g}" for name, it in given.items() if it is not None}


def _seconds(name: str, value: float) -> float:
    if not (math.isfinite(value) and value >= 0):
        raise ConfigurationError(f"{name} must be a number of at least 0, not {value!r}")
    return float(value)


def _check_times(times: int) -> None:
    if times < 1:
        raise ConfigurationError(f"times must be at least 1, not {times!r}")


def _check_status(status: int) -> None:
    number = status if isinstance(cast("object", status), int) else 0
    if not HTTPStatus.MULTIPLE_CHOICES <= number <= 599:
        raise ConfigurationError(f"{status!r} is no error's status: those are 300 to 599")
