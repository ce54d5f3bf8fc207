"""What is known of one accepted request, and the token that carries it to another process. Pure."""

from __future__ import annotations

import binascii
import json
import math
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Generic, TypeVar, cast

from ._codec import resolve
from ._http import Headers
from ._json import is_array, is_object
from ._operation import AsyncOperation, Binding, Location, Operation, Parameter
from ._polling import Schedule
from ._tracing import UNTRACED, Trace
from .errors import InvalidArgumentError, ProtocolError, SDKError

T = TypeVar("T")

TOKEN_VERSION = 1
"""Raised when the token's members change their meaning; another version is refused."""

_NO_SEGMENTS = ("", ".", "..")
_SHOWN_CHARACTERS = 60


@dataclass(slots=True)
class Progress(Generic[T]):
    """
    An accepted request.

    Attributes:
        chain: What was started.
        arguments: The arguments of the status operation, as JSON values, by Python name.
        message_id: The server's ID of the request.
        request_id: The server's ID of the HTTP request that started it, if known.
        idempotency_key: The key that it was sent with, if one was.
        accepted_at: When it was accepted, in seconds since 1970.
        schedule: When to ask next.
        status: The last state that the server named.
        result_arguments: The arguments of the result operation, once the state is good.
        lagging_since: Since when the server has not known what it must know soon, on the monotonic
            clock.
        missing_since: Since when the state has been good without what the result is found by, on
            the monotonic clock.
        trouble: What the last question failed with, if it brought nothing new.
        polls: How often its handle has asked after it.
        polled_at: When its handle asked last, in seconds since 1970.
        trace: What is told of its questions and its outcome.
    """

    chain: AsyncOperation[T]
    arguments: Mapping[str, Any]
    message_id: str
    request_id: str | None
    idempotency_key: str | None
    accepted_at: float
    schedule: Schedule
    status: str | None = None
    result_arguments: Mapping[str, Any] | None = None
    lagging_since: float | None = None
    missing_since: float | None = None
    trouble: SDKError | None = field(default=None, repr=False)
    polls: int = 0
    polled_at: float | None = None
    trace: Trace = field(default=UNTRACED, repr=False, compare=False)

    def token(self) -> str:
        """Return what another process resumes with: no secret, and safe in a URL."""
        members = {
            "v": TOKEN_VERSION,
            "operation": self.chain.start.operation_id,
            "arguments": dict(self.arguments),
            "message": self.message_id,
            "request": self.request_id,
            "key": self.idempotency_key,
            "accepted": round(self.accepted_at, 3),
        }
        text = json.dumps(
            {k: v for k, v in members.items() if v is not None}, separators=(",", ":")
        )
        return urlsafe_b64encode(text.encode("ascii")).decode("ascii").rstrip("=")


def from_token(chain: AsyncOperation[T], token: str, schedule: Schedule) -> Progress[T]:
    """
    Return the request that a token stands for.

    Raises:
        InvalidArgumentError: It is no token, or one of another version or operation.
    """
    if not isinstance(cast("object", token), str):
        raise InvalidArgumentError(
            "token must be the text that a handle's token() gave, not a value of type "
            f"{type(token).__qualname__}"
        )
    members = _members(token)
    if members.get("v") != TOKEN_VERSION:
        raise InvalidArgumentError(
            f"The token is of version {members.get('v')!r}; this package reads version "
            f"{TOKEN_VERSION}"
        )
    if members.get("operation") != chain.start.operation_id:
        raise InvalidArgumentError(
            f"The token is of {members.get('operation')!r}, not of {chain.start.operation_id!r}: "
            "resume it with the method of that operation"
        )
    if not _is_whole(chain, members):
        raise InvalidArgumentError("The token is damaged: members are missing, or of another kind")
    return Progress(
        chain=chain,
        arguments=dict(members["arguments"]),
        message_id=members["message"],
        request_id=members.get("request"),
        idempotency_key=members.get("key"),
        accepted_at=float(members["accepted"]),
        schedule=schedule,
    )


def _is_whole(chain: AsyncOperation[Any], members: Mapping[str, Any]) -> bool:
    arguments, accepted = members.get("arguments"), members.get("accepted")
    return (
        is_object(arguments)
        and all(it.name in arguments for it in chain.status.parameters if it.required)
        and isinstance(members.get("message"), str)
        and all(isinstance(members.get(name, ""), str) for name in ("request", "key"))
        and isinstance(accepted, int | float)
        and isfinite(accepted)
    )


def _members(token: str) -> Mapping[str, Any]:
    try:
        text = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        members: object = json.loads(text)
    except (UnicodeError, binascii.Error, ValueError, RecursionError) as error:
        raise InvalidArgumentError("The token is not one that a handle gave") from error
    if not is_object(members):
        raise InvalidArgumentError("The token is not one that a handle gave")
    return members


def message_id_of(bindings: tuple[Binding, ...], arguments: Mapping[str, Any]) -> str:
    """Return the ID that the server gave: the first argument that comes from its answer."""
    there = [binding for binding in bindings if binding.parameter in arguments]
    given = [binding for binding in there if binding.source.startswith("response.")]
    named = (given or there)[:1]
    return str(arguments[named[0].parameter]) if named else ""


@dataclass(frozen=True, slots=True)
class Linked:
    """
    A request and its answer, which carried a link: what a link's arguments are taken from.

    Attributes:
        operation: What was called.
        arguments: With which arguments, as JSON values, by Python name.
        request_body: The body that was sent, as JSON values.
        response_headers: The answer's header fields.
        response_body: The answer's body, as JSON values.
    """

    operation: Operation[Any]
    arguments: Mapping[str, Any]
    request_body: Any
    response_headers: Headers
    response_body: Any

    def follow(self, bindings: tuple[Binding, ...], target: Operation[Any]) -> dict[str, Any]:
        """
        Return the arguments for a link's target.

        Raises:
            ProtocolError: A required one is not there, or cannot be sent. A request without it
                would be another request.
        """
        arguments: dict[str, Any] = {}
        for binding in bindings:
            value, parameter = self._value(binding), target.named.get(binding.parameter)
            if value is None:
                if parameter is not None and parameter.required:
                    raise ProtocolError(
                        f"{self._answer} lacks {_place(binding)}, which {target.name} needs"
                    )
                continue
            given = binding.source.startswith("response.")
            if given and parameter is not None and _is_unusable(parameter, value):
                shown = f"{value!r:.{_SHOWN_CHARACTERS}}"
                raise ProtocolError(
                    f"{self._answer} has {shown} as {_place(binding)}, which {target.name} cannot "
                    "be called with"
                )
            arguments[binding.parameter] = value
        return arguments

    def missing(self, bindings: tuple[Binding, ...], target: Operation[Any]) -> Binding | None:
        """Return where an argument that a link's target needs is not, or not yet."""
        for binding in bindings:
            parameter = target.named.get(binding.parameter)
            if parameter is not None and parameter.required and self._value(binding) is None:
                return binding
        return None

    @property
    def _answer(self) -> str:
        return f"The answer to {self.operation.method} {self.operation.path}"

    def _value(self, binding: Binding) -> Any:
        if binding.source == "constant":
            return binding.value
        if binding.source == "response.body":
            return resolve(self.response_body, binding.value)
        if binding.source == "response.header":
            return self.response_headers.get(binding.value)
        if binding.source == "request.body":
            return resolve(self.request_body, binding.value)
        location: Location
        for location in ("path", "query", "header"):
            if binding.source == f"request.{location}":
                return self._argument(location, binding.value)
        raise ValueError(f"{binding.source} is no source of a link's argument")

    def _argument(self, location: Location, wire_name: str) -> Any:
        for parameter in self.operation.parameters:
            same = parameter.wire_name == wire_name or (
                location == "header" and parameter.wire_name.lower() == wire_name.lower()
            )
            if parameter.location == location and same:
                return self.arguments.get(parameter.name)
        return None


def _place(binding: Binding) -> str:
    return f"{binding.source} {binding.value}"


def _is_unusable(parameter: Parameter, value: Any) -> bool:
    """
    Say whether a value that a server gave identifies nothing.

    A number is taken for a text, as it is written the same. In a path, `.` and `..` would be
    resolved on the way, and reach something else.
    """
    in_path = parameter.location == "path"
    if isinstance(value, str):
        return value in _NO_SEGMENTS if in_path else parameter.required and not value
    if isinstance(value, float):
        return not math.isfinite(value)
    return in_path and (isinstance(value, bool) or is_object(value) or is_array(value))
