"""
What is told of each attempt: to the package's log, and to OpenTelemetry where it was asked for.

1. A call is one span, from its beginning to its outcome; for an accepted request that is when it is
   settled. Attempts and polls are events of that span, as a poll every second for hours would be
   too many spans.
2. OpenTelemetry is imported only if a tracer provider is given, and without one nothing is done.
3. Neither a log record nor a span holds a header field, a query or a body.

Source: https://opentelemetry.io/docs/specs/semconv/http/http-spans/
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Protocol
from urllib.parse import urlsplit

from ._http import Request, Response
from ._log import logger
from ._operation import Operation
from .errors import ConfigurationError


class TracerProvider(Protocol):
    """What `opentelemetry.trace.get_tracer_provider()` returns."""

    def get_tracer(
        self, instrumenting_module_name: str, instrumenting_library_version: str | None = None
    ) -> Any:
        """Return what makes spans."""


class Trace:
    """One call or accepted request, to be told about. This one tells nobody."""

    __slots__ = ()

    def headers(self) -> Mapping[str, str]:
        """Return the header fields that let the server's spans be this one's children."""
        return {}

    def note(self, event: str, attributes: Mapping[str, str | int | float]) -> None:
        """Note an event."""

    def end(self, error: BaseException | None = None) -> None:
        """Note the outcome. Only the first one counts."""

    @property
    def is_recorded(self) -> bool:
        """Whether anybody is told."""
        return False


class Spanned(Trace):
    """A call that is one span."""

    __slots__ = ("_context", "_ended", "_span")

    def __init__(self, span: Any) -> None:
        self._span = span
        self._context = import_module("opentelemetry.trace").set_span_in_context(span)
        self._ended = False

    def headers(self) -> Mapping[str, str]:
        """Return what the application's propagators write: `traceparent`, by default."""
        carrier: dict[str, str] = {}
        import_module("opentelemetry.propagate").inject(carrier, context=self._context)
        return carrier

    def note(self, event: str, attributes: Mapping[str, str | int | float]) -> None:
        """Add an event to the span, unless it has ended."""
        if not self._ended:
            self._span.add_event(event, attributes)

    def end(self, error: BaseException | None = None) -> None:
        """End the span, with the error that the caller sees."""
        if self._ended:
            return
        self._ended = True
        if error is not None:
            status = import_module("opentelemetry.trace")
            self._span.set_attribute("error.type", type(error).__qualname__)
            self._span.record_exception(error)
            self._span.set_status(status.Status(status.StatusCode.ERROR, str(error)))
        self._span.end()

    @property
    def is_recorded(self) -> bool:
        """Whether the span was sampled."""
        return bool(self._span.is_recording())

    def __del__(self) -> None:
        # A handle that nobody holds any more is not asked after: its span ends without an outcome.
        if not getattr(self, "_ended", True):
            self._span.set_attribute("abandoned", True)
            self.end()


UNTRACED = Trace()


class Tracing:
    """
    Begins the spans of one client.

    Args:
        provider: Where the tracer comes from; without one, nothing is traced.
        base_url: Where the API is.

    Raises:
        ConfigurationError: The provider is none.
    """

    def __init__(self, provider: TracerProvider | None = None, base_url: str = "") -> None:
        self._tracer: Any = None
        if provider is None:
            return
        if not callable(getattr(provider, "get_tracer", None)):
            raise ConfigurationError(
                "tracer_provider must be an OpenTelemetry tracer provider, such as "
                "opentelemetry.trace.get_tracer_provider() returns, not of type "
                f"{type(provider).__qualname__}"
            )
        self._tracer = provider.get_tracer((__package__ or "").partition(".")[0])
        parts = urlsplit(base_url)
        self._server: dict[str, str | int] = {"server.address": parts.hostname or ""}
        if parts.port is not None:
            self._server["server.port"] = parts.port

    def begin(self, operation: Operation[Any]) -> Trace:
        """Begin a span, as a child of the caller's."""
        if self._tracer is None:
            return UNTRACED
        attributes = {
            **self._server,
            "http.request.method": operation.method,
            "url.template": operation.path,
        }
        kind = import_module("opentelemetry.trace").SpanKind.CLIENT
        return Spanned(self._tracer.start_span(operation.name, kind=kind, attributes=attributes))


def tell(
    trace: Trace,
    operation: Operation[Any],
    request: Request,
    outcome: Response | Exception,
    *,
    attempt: int,
    seconds: float,
) -> None:
    """
    Tell of one attempt.

    Args:
        trace: What it belongs to.
        operation: What was called.
        request: What was sent.
        outcome: The answer, or why there is none.
        attempt: 1 for the first.
        seconds: How long it took.
    """
    if logger.isEnabledFor(logging.DEBUG):
        _log(request, outcome, attempt, seconds)
    if trace.is_recorded:
        trace.note("attempt", _attributes(operation, outcome, attempt, seconds))


def _log(request: Request, outcome: Response | Exception, attempt: int, seconds: float) -> None:
    path = urlsplit(request.url).path
    if isinstance(outcome, Response):
        said = f"{outcome.status}, request ID {outcome.request_id}"
    else:
        said = type(outcome).__qualname__
    logger.debug("%s %s: %s (attempt %d, %.3f s)", request.method, path, said, attempt, seconds)


def _attributes(
    operation: Operation[Any], outcome: Response | Exception, attempt: int, seconds: float
) -> Mapping[str, str | int | float]:
    attributes: dict[str, str | int | float] = {
        "http.request.method": operation.method,
        "url.template": operation.path,
        "http.request.resend_count": attempt - 1,
        "duration": seconds,
    }
    if isinstance(outcome, Response):
        attributes["http.response.status_code"] = outcome.status
        attributes["request_id"] = outcome.request_id or ""
    else:
        attributes["error.type"] = type(outcome).__qualname__
    return attributes
