"""
The service behind a fake server: requests in, answers out, in the fake's time.

1. A request that does not fit the document is refused before any script counts.
2. An accepted request is a job: its status and its result are asked for by the IDs that its
   acceptance, and its status, gave away.
3. A request with the idempotency key of an earlier one, and the same content, gets the earlier
   answer; with other content its course is a failure, or it is refused where there is none.

Source of rule 3: draft-ietf-httpapi-idempotency-key-header-07, 2.6 and 2.7.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Literal, TypeAlias

from pydantic import ValidationError

from ._codec import adapter
from ._fake_answers import chain_kind, refused, reply, result_kind
from ._fake_clock import RealClock
from ._fake_documents import (
    id_names,
    made_from,
    numbered,
    state_value,
    with_arguments,
    with_reason,
    with_state,
)
from ._fake_request import RecordedRequest, Refusal, Routes, read_body, readable
from ._fake_script import Course, Fault, Script, ordered
from ._fake_values import fitted
from ._http import Headers, Request, Response
from ._operation import AsyncOperation, Binding, Embedded, Fetched, Operation
from ._progress import Linked
from ._sample import Schema, is_dict, put, sample, schema_of, tokens
from ._virtual_clock import VirtualClock
from .errors import ProtocolError

Unknown: TypeAlias = Literal["not_found", "pending"]
"""What the status of an ID says that was never given out."""

REUSED = ("IDEMPOTENCY_KEY_REUSED", "The key was used before, with another request")
"""Code and message of what comes of another request under the same idempotency key."""

_Key: TypeAlias = tuple[str, ...]


class Dropped(Exception):  # noqa: N818  # what becomes of a request, not a fault of this code
    """There is no answer; `fault` says why."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.value)
        self.fault = fault


@dataclass(slots=True)
class Job:
    """
    An accepted request.

    Attributes:
        chain: What was started.
        request: The request.
        number: The how manieth it is, which its IDs are made from.
        course: What becomes of it.
        result: The result, as JSON values, text or bytes.
        polls: How often its status was told.
        told_at: When the status first said that the result is there.
    """

    chain: AsyncOperation[Any]
    request: RecordedRequest
    number: int
    course: Course
    result: Any = None
    polls: int = 0
    told_at: float | None = None

    def stage(self, now: float) -> int:
        """Return the number of the state that it is in; that of its last state once it is over."""
        if self.course.seconds is None:
            return min(self.polls, len(self.course.stages))
        passed = now - self.request.at
        for number, (_, seconds) in enumerate(self.course.stages):
            passed -= seconds or 0.0
            if passed < 0:
                return number
        return len(self.course.stages)

    def is_over(self, now: float) -> bool:
        """Say whether it is in its last state."""
        return self.stage(now) == len(self.course.stages)


@dataclass(frozen=True, slots=True)
class _Answered:
    """A request with an idempotency key that was carried out, and its answer."""

    request: RecordedRequest
    answer: Response

    def is_repeated_by(self, request: RecordedRequest) -> bool:
        mine, other = self.request, request
        return (mine.arguments, mine.body) == (other.arguments, other.body)


class Service:
    """
    Answers requests.

    Args:
        operations: What can be called.
        chains: The asynchronous ones among them.
        types: The types of each operation's parameters, by their Python names.
        clock: The time.
        unknown: What the status of an ID says that was never given out.

    Attributes:
        scripts: What each operation does, by its name.
        requests: What was asked, in order.
        jobs: What was accepted, in order.
    """

    def __init__(
        self,
        operations: Iterable[Operation[Any]],
        chains: Iterable[AsyncOperation[Any]],
        types: Mapping[str, Mapping[str, Any]],
        clock: VirtualClock | RealClock,
        unknown: Unknown,
    ) -> None:
        known = list(operations)
        self._chains = {chain.start.name: chain for chain in chains}
        self._types = types
        self._clock = clock
        self._unknown = unknown
        self._routes = Routes(known, types)
        self._lock = threading.RLock()
        self._by_status: dict[tuple[str, _Key], Job] = {}
        self._by_result: dict[tuple[str, _Key], Job] = {}
        self._answered: dict[tuple[str, str], _Answered] = {}
        self.scripts = {it.name: Script(it, self._chains.get(it.name)) for it in known}
        self.requests: list[RecordedRequest] = []
        self.jobs: list[Job] = []

    def answer(self, request: Request) -> Response:
        """
        Answer a request.

        Raises:
            Dropped: There is no answer, by script.
        """
        with self._lock:
            try:
                operation, path = self._routes.match(request)
            except Refusal as refusal:
                self._record(None, request, {}, readable(request))
                return refused({}, refusal)
            try:
                arguments = self._routes.arguments(operation, path, request)
                body = read_body(operation, request)
            except Refusal as refusal:
                self._record(operation, request, {}, readable(request))
                return refused(operation.errors, refusal)
            recorded = self._record(operation, request, arguments, body)
            return self._disturbed(operation, recorded)

    def _record(
        self,
        operation: Operation[Any] | None,
        request: Request,
        arguments: Mapping[str, Any],
        body: Any,
    ) -> RecordedRequest:
        header = None if operation is None else operation.idempotency_header
        recorded = RecordedRequest(
            None if operation is None else operation.name,
            request.method,
            request.url,
            request.headers,
            arguments,
            body,
            self._clock.now,
            None if header is None else request.headers.get(header),
        )
        self.requests.append(recorded)
        return recorded

    def _disturbed(self, operation: Operation[Any], recorded: RecordedRequest) -> Response:
        fault = self.scripts[operation.name].next_fault()
        if isinstance(fault, Response):
            return fault
        if fault is Fault.RESET_BEFORE:
            raise Dropped(fault)
        answer = self._carried_out(operation, recorded)
        if fault is Fault.GARBAGE:
            return Response(answer.status, answer.headers, b"<html>")
        if fault is not None:
            raise Dropped(fault)
        return answer

    def _carried_out(self, operation: Operation[Any], recorded: RecordedRequest) -> Response:
        key = (operation.name, recorded.idempotency_key or "")
        earlier = self._answered.get(key) if key[1] else None
        if earlier is None:
            answer = self._outcome(operation, recorded)
            if key[1] and answer.status < HTTPStatus.MULTIPLE_CHOICES:
                self._answered[key] = _Answered(recorded, answer)
            return answer
        if earlier.is_repeated_by(recorded):
            return earlier.answer
        chain = self._chains.get(operation.name)
        if chain is not None and chain.states.failed:
            return self._accepted(chain, recorded, self.scripts[operation.name].reused(*REUSED))
        listed = (HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY)
        status = next((it for it in listed if str(int(it)) in operation.errors), listed[0])
        return refused(operation.errors, Refusal(status, *REUSED))

    def _outcome(self, operation: Operation[Any], recorded: RecordedRequest) -> Response:
        outcome = self.scripts[operation.name].next_outcome()
        if isinstance(outcome, Response):
            return outcome
        if outcome is not None:
            return self._accepted(self._chains[operation.name], recorded, outcome)
        for find in (self._status, self._result):
            told = find(operation, recorded)
            if isinstance(told, Response):
                return told
            if told:
                refusal = Refusal(HTTPStatus.NOT_FOUND, "NOT_FOUND", "There is no such thing")
                return refused(operation.errors, refusal)
        made = made_from(result_kind(operation), recorded, 0, self._clock.time())
        return reply(operation, with_arguments(operation, made, recorded))

    def _accepted(
        self, chain: AsyncOperation[Any], recorded: RecordedRequest, course: Course
    ) -> Response:
        number, kind = len(self.jobs) + 1, chain_kind(chain)
        job = Job(chain, recorded, number, course)
        if course.error is None:
            ended = self._clock.time() + timedelta(seconds=course.seconds or 0.0)
            made = made_from(kind, recorded, number, ended, id_names(chain))
            result = fitted(kind, made, course.result, what="The result", strict=False)
            job.result = with_state(chain, result, course.state)
        document, fields = self._acceptance(job)
        # As the client does it, from the same answer.
        linked = Linked(chain.start, recorded.arguments, recorded.body, Headers(fields), document)
        with suppress(ProtocolError):
            arguments = linked.follow(chain.status_arguments, chain.status)
            self._by_status[chain.status.name, self._key(chain, arguments)] = job
        self._offer(job)
        self.jobs.append(job)
        return reply(chain.start, document, fields)

    def _acceptance(self, job: Job) -> tuple[Any, dict[str, str]]:
        """Return body and header fields of the answer to an accepted request."""
        chain = job.chain
        kind = result_kind(chain.start)
        schema = schema_of(kind) if kind is not None else Schema({}, {})
        body = sample(schema, self._clock.time()) if kind is not None else None
        fields = dict(job.course.hints)
        for binding in chain.status_arguments:
            if binding.source == "response.body":
                is_text = schema.at(binding.value).node.get("type", "string") == "string"
                value = self._id(job, chain.status, binding) if is_text else job.number
                body = put(body, schema, binding.value, value)
            elif binding.source == "response.header":
                fields[binding.value] = str(self._id(job, chain.status, binding))
        return body, fields

    def _offer(self, job: Job) -> None:
        """Let a result be asked for by its ID; whether it is there yet is seen when it is."""
        fetched = job.chain.result
        if isinstance(fetched, Fetched) and job.course.error is None:
            values = {it.parameter: self._result_id(job, it) for it in fetched.arguments}
            key = self._result_key(fetched, values)
            self._by_result[fetched.operation.name, key] = job

    def _status(self, operation: Operation[Any], recorded: RecordedRequest) -> Response | bool:
        """Return the status that is asked for; else whether the operation tells any."""
        chains = [it for it in self._chains.values() if it.status is operation]
        for chain in chains:
            key = self._key(chain, recorded.arguments)
            job = self._by_status.get((operation.name, key))
            if job is not None and job.chain is chain:
                lag = self.scripts[chain.start.name].lags_for[0]
                return recorded.at - job.request.at < lag or self._told(job, recorded)
        if chains and self._unknown == "pending":
            return self._never_given_out(chains[0], recorded)
        return bool(chains)

    def _result(self, operation: Operation[Any], recorded: RecordedRequest) -> Response | bool:
        """Return the result that is asked for; else whether the operation tells any."""
        results = (it.result for it in self._chains.values())
        fetched = [it for it in results if isinstance(it, Fetched) and it.operation is operation]
        for one in fetched:
            key = self._result_key(one, recorded.arguments)
            job = self._by_result.get((operation.name, key))
            if job is not None and job.chain.result is one and job.is_over(recorded.at):
                lag = self.scripts[job.chain.start.name].lags_for[1]
                since = job.told_at if job.told_at is not None else recorded.at
                return recorded.at - since < lag or reply(operation, job.result)
        return bool(fetched)

    def _told(self, job: Job, recorded: RecordedRequest) -> Response:
        """Return the status of a job."""
        chain, course = job.chain, job.course
        stage = job.stage(recorded.at)
        job.polls += 1
        if stage < len(course.stages):
            body = self._described(chain, course.stages[stage][0], recorded)
            return reply(chain.status, body, course.hints)
        body = self._described(chain, course.state, recorded)
        fields: dict[str, str] = {}
        if course.error is not None:
            body = with_reason(chain, body, course.error)
        elif isinstance(chain.result, Embedded):
            schema = schema_of(result_kind(chain.status))
            # The result may hold the state, or be all that the status says.
            body = put(body, schema, chain.result.pointer, job.result)
        else:
            body, fields = self._with_ids(job, chain.result, body)
        if course.error is None and job.told_at is None:
            job.told_at = recorded.at
        return reply(chain.status, body, fields)

    def _never_given_out(self, chain: AsyncOperation[Any], recorded: RecordedRequest) -> Response:
        state = next(iter(ordered(chain, chain.states.pending)), "PENDING")
        return reply(chain.status, self._described(chain, state, recorded))

    def _described(self, chain: AsyncOperation[Any], state: str, recorded: RecordedRequest) -> Any:
        """Return a status with its state, and with the IDs that it was asked for by."""
        schema = schema_of(result_kind(chain.status))
        pointer = chain.states.pointer
        body = with_arguments(chain.status, sample(schema, self._clock.time()), recorded)
        return put(body, schema, pointer, state_value(schema.at(pointer), state))

    def _with_ids(self, job: Job, fetched: Fetched[Any], body: Any) -> tuple[Any, dict[str, str]]:
        """Return a status with what the result is asked for by, in its body and header fields."""
        schema = schema_of(result_kind(job.chain.status))
        fields: dict[str, str] = {}
        for binding in fetched.arguments:
            value = self._result_id(job, binding)
            if binding.source == "response.body":
                body = put(body, schema, binding.value, value)
            elif binding.source == "response.header":
                fields[binding.value] = str(value)
        return body, fields

    def _key(self, chain: AsyncOperation[Any], arguments: Mapping[str, Any]) -> _Key:
        """Return what tells a job from others of its chain: the IDs that the service gave it."""
        given = [it for it in chain.status_arguments if it.source.startswith("response.")]
        chosen = given or [it for it in chain.status_arguments if it.source != "constant"]
        return self._texts(chain.status, chosen, arguments)

    def _result_key(self, fetched: Fetched[Any], arguments: Mapping[str, Any]) -> _Key:
        chosen = [it for it in fetched.arguments if it.source.startswith("response.")]
        return self._texts(fetched.operation, chosen, arguments)

    def _texts(
        self, operation: Operation[Any], bindings: Iterable[Binding], arguments: Mapping[str, Any]
    ) -> _Key:
        """Return arguments as texts that are the same however they came."""
        types = self._types.get(operation.name, {})
        texts: list[str] = []
        for binding in bindings:
            value = arguments.get(binding.parameter)
            with suppress(ValidationError):
                value = adapter(types.get(binding.parameter, str)).validate_python(value)
            texts.append(str(value))
        return tuple(texts)

    def _id(self, job: Job, operation: Operation[Any], binding: Binding) -> Any:
        """Return an ID that the next operation takes."""
        limited = (it.type for it in operation.parameters if it.name == binding.parameter)
        kind = next(limited, None) or self._types.get(operation.name, {}).get(binding.parameter)
        return numbered(job.number, schema_of(kind or str).node)

    def _result_id(self, job: Job, binding: Binding) -> Any:
        """Return the ID of a result: the result's own member for it, if it has one."""
        name = (tokens(str(binding.value)) or [str(binding.value)])[-1]
        result = job.result if is_dict(job.result) else {}
        for member in (name, "id"):
            if member in result:
                return result[member]
        fetched = job.chain.result
        operation = fetched.operation if isinstance(fetched, Fetched) else job.chain.status
        return self._id(job, operation, binding)
