"""What the generated clients derive from: their construction, closing, and calls."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import ClassVar, Self, TypeVar

from ._auth import Auth, signer_for
from ._call import call
from ._config import Settings, resolve_region, resolve_service, resolve_url, user_agent
from ._credentials import Credentials
from ._drivers import Closing, run, run_async
from ._endpoint import Endpoint
from ._flows import resumed, submit, submit_and_wait
from ._handle import AsyncHandle, Handle
from ._hooks import (
    AsyncRequestHook,
    AsyncResponseHook,
    Hooks,
    RequestHook,
    ResponseHook,
    hooks_of,
)
from ._http import AsyncHttpClient, HttpClient, Library
from ._operation import AsyncOperation, Operation
from ._outside import Outside
from ._polling import Pace, Polling
from ._scheduler import Background, Loops
from ._steps import Flow
from ._tracing import TracerProvider, Tracing
from .errors import ClientClosed

T = TypeVar("T")


class _Configured:
    """What both kinds of client are made from."""

    _url_variable: ClassVar[str]
    _outside: Outside = Outside()
    _is_copy: bool = False

    def __init__(
        self,
        *,
        base_url: str | None,
        region: str | None,
        credentials: Credentials | None,
        auth: Auth | None,
        timeout: float,
        attempt_timeout: float,
        max_retries: int,
        polling: Polling | None,
        user_agent_suffix: str | None,
        hooks: Hooks,
        tracer_provider: TracerProvider | None,
    ) -> None:
        outside = self._outside
        url = resolve_url(outside.base_url if base_url is None else base_url, self._url_variable)
        settings = Settings(
            base_url=url,
            region=resolve_region(region, url) or outside.region,
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            max_retries=max_retries,
            polling=polling or Polling(),
            user_agent=user_agent(user_agent_suffix),
        )
        signer = signer_for(
            auth,
            region=settings.region,
            credentials=outside.credentials if auth is None and not credentials else credentials,
            service=resolve_service(settings.base_url),
            wall_clock=outside.clock.wall,
        )
        self._endpoint = Endpoint(
            settings,
            signer,
            clock=outside.clock.monotonic,
            wall_clock=outside.clock.wall,
            random=outside.random,
            hooks=hooks,
            tracing=Tracing(tracer_provider, settings.base_url),
        )

    def with_options(
        self,
        *,
        timeout: float | None = None,
        attempt_timeout: float | None = None,
        max_retries: int | None = None,
        polling: Polling | None = None,
    ) -> Self:
        """
        Return a copy of the client with other limits; what is left out stays as it is.

        It shares connections, scheduler, retry budget, and what was learned; so it is closed with
        the original, and its own closing closes nothing. The `rate` of the original's `polling`
        holds for all.

        Raises:
            ConfigurationError: A setting is wrong.
        """
        settings = self._endpoint.settings
        other = copy.copy(self)
        other._endpoint = replace(
            self._endpoint,
            settings=replace(
                settings,
                timeout=settings.timeout if timeout is None else timeout,
                attempt_timeout=(
                    settings.attempt_timeout if attempt_timeout is None else attempt_timeout
                ),
                max_retries=settings.max_retries if max_retries is None else max_retries,
                polling=settings.polling if polling is None else polling,
            ),
        )
        other._is_copy = True
        return other

    def __repr__(self) -> str:
        """Show where the client calls; nothing that is secret."""
        return f"{type(self).__name__}({self._endpoint.settings.base_url!r})"


class BaseClient(_Configured):
    """
    A client whose methods block.

    It may be used by many threads. A scheduler thread is started with the first question to a
    handle.

    Args:
        base_url: Where the API is, stage included; by default what the client's environment
            variable says.
        region: The AWS region to sign for; by default the one that the URL names, else the
            environment's or the AWS profile's.
        credentials: AWS credentials to sign with; by default those that boto3 would find.
        auth: What proves who is calling, instead of an AWS signature.
        http_client: An `httpx.Client` or `httpx2.Client` to send with, which is not closed by this
            one; or which of the two to make connections with, `"httpx"` by default.
        timeout: Seconds for one call: all its attempts and the pauses between them.
        attempt_timeout: Seconds for one attempt of a call.
        max_retries: How often an attempt is repeated at most.
        polling: How accepted requests are asked after.
        user_agent_suffix: What is added to the `User-Agent` header.
        request_hooks: Called with each request before it is signed; they may return header fields
            to add.
        response_hooks: Called with each request and its answer.
        tracer_provider: An OpenTelemetry tracer provider, for a span of each call.

    Raises:
        ConfigurationError: A setting is missing, wrong, or contradicts another.
    """

    def __init__(
        self,
        *,
        base_url: str | None = None,
        region: str | None = None,
        credentials: Credentials | None = None,
        auth: Auth | None = None,
        http_client: HttpClient | Library | None = None,
        timeout: float = 30.0,
        attempt_timeout: float = 10.0,
        max_retries: int = 3,
        polling: Polling | None = None,
        user_agent_suffix: str | None = None,
        request_hooks: Iterable[RequestHook] = (),
        response_hooks: Iterable[ResponseHook] = (),
        tracer_provider: TracerProvider | None = None,
    ) -> None:
        super().__init__(
            base_url=base_url,
            region=region,
            credentials=credentials,
            auth=auth,
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            max_retries=max_retries,
            polling=polling,
            user_agent_suffix=user_agent_suffix,
            hooks=hooks_of(request_hooks, response_hooks, blocking=True),
            tracer_provider=tracer_provider,
        )
        outside = self._outside
        self._transport = outside.transport(http_client)
        library = http_client if isinstance(http_client, str) else None
        given = self._transport if http_client is not None and library is None else None
        opener = partial(outside.polling_transport, given, library)
        pace = Pace(self._endpoint.settings.polling.rate)
        self._background = Background(opener, outside.clock, pace)
        self._closed = threading.Event()

    def close(self) -> None:
        """
        End what is under way, in every thread, and close the connections. Can be repeated.

        Handles and calls fail with `ClientClosed`, which says whether the request was accepted or
        not sent; a call whose request had left, and was not answered, with `UnknownOutcome`. That
        takes a second at most. It may take as long as the step that a call is in: connecting,
        finding credentials, or sending over a given `http_client`, whose connections are not
        closed.
        """
        if not self._is_copy and not self._closed.is_set():
            self._closed.set()
            self._background.close()
            self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _call(
        self,
        operation: Operation[T],
        arguments: Mapping[str, object],
        body: object = None,
        timeout: float | None = None,
    ) -> T:
        """Call an operation; `timeout` in seconds covers all attempts."""
        return self._run(call(self._endpoint, operation, arguments, body, timeout))

    def _start(
        self,
        chain: AsyncOperation[T],
        arguments: Mapping[str, object],
        body: object = None,
        timeout: float | None = None,
    ) -> Handle[T]:
        """Start an asynchronous operation; `timeout` in seconds covers its acceptance."""
        progress = self._run(submit(self._endpoint, chain, arguments, body, timeout))
        return Handle(progress, self._endpoint, self._background, type(self))

    def _start_and_wait(
        self,
        chain: AsyncOperation[T],
        arguments: Mapping[str, object],
        body: object = None,
        timeout: float | None = None,
    ) -> T:
        """Start an asynchronous operation and return its result; `timeout` covers both."""
        return self._run(submit_and_wait(self._endpoint, chain, arguments, body, timeout))

    def _resume(self, chain: AsyncOperation[T], token: str) -> Handle[T]:
        """Return a handle for what `Handle.token()` stands for."""
        progress = resumed(self._endpoint, chain, token)
        return Handle(progress, self._endpoint, self._background, type(self))

    def _run(self, flow: Flow[T]) -> T:
        if self._closed.is_set():
            raise ClientClosed("The client is closed: make another one")
        return run(flow, self._transport, self._closed, self._outside.clock)


class AsyncBaseClient(_Configured):
    """
    A client whose methods are coroutines.

    It may be used in many event loops, one after the other or at once: each has connections of its
    own.

    Args:
        base_url: Where the API is, stage included; by default what the client's environment
            variable says.
        region: The AWS region to sign for; by default the one that the URL names, else the
            environment's or the AWS profile's.
        credentials: AWS credentials to sign with; by default those that boto3 would find.
        auth: What proves who is calling, instead of an AWS signature.
        http_client: An `httpx.AsyncClient` or `httpx2.AsyncClient` to send with, which is not
            closed by this one; or which of the two to make connections with, `"httpx"` by default.
        timeout: Seconds for one call: all its attempts and the pauses between them.
        attempt_timeout: Seconds for one attempt of a call.
        max_retries: How often an attempt is repeated at most.
        polling: How accepted requests are asked after.
        user_agent_suffix: What is added to the `User-Agent` header.
        request_hooks: Functions or coroutine functions, called with each request before it is
            signed; they may return header fields to add.
        response_hooks: The same, called with each request and its answer.
        tracer_provider: An OpenTelemetry tracer provider, for a span of each call.

    Raises:
        ConfigurationError: A setting is missing, wrong, or contradicts another.
    """

    def __init__(
        self,
        *,
        base_url: str | None = None,
        region: str | None = None,
        credentials: Credentials | None = None,
        auth: Auth | None = None,
        http_client: AsyncHttpClient | Library | None = None,
        timeout: float = 30.0,
        attempt_timeout: float = 10.0,
        max_retries: int = 3,
        polling: Polling | None = None,
        user_agent_suffix: str | None = None,
        request_hooks: Iterable[AsyncRequestHook] = (),
        response_hooks: Iterable[AsyncResponseHook] = (),
        tracer_provider: TracerProvider | None = None,
    ) -> None:
        super().__init__(
            base_url=base_url,
            region=region,
            credentials=credentials,
            auth=auth,
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            max_retries=max_retries,
            polling=polling,
            user_agent_suffix=user_agent_suffix,
            hooks=hooks_of(request_hooks, response_hooks, blocking=False),
            tracer_provider=tracer_provider,
        )
        # Made once here as well, so that a client of the wrong kind is refused where it is given.
        self._outside.async_transport(http_client)
        opener = partial(self._outside.async_transport, http_client)
        pace = Pace(self._endpoint.settings.polling.rate)
        self._loops = Loops(opener, self._outside.clock, pace)
        # Shared with copies, which end when this client does.
        self._closed = Closing()

    async def aclose(self) -> None:
        """
        End what is under way, and close the running loop's connections. Can be repeated.

        Handles and calls fail with `ClientClosed`, which says whether the request was accepted or
        not sent; a call whose request had left, and was not answered, with `UnknownOutcome`.
        """
        if not self._is_copy and not self._closed.is_set():
            self._closed.set()
            await self._loops.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _call(
        self,
        operation: Operation[T],
        arguments: Mapping[str, object],
        body: object = None,
        timeout: float | None = None,
    ) -> T:
        """Call an operation; `timeout` in seconds covers all attempts."""
        return await self._run(call(self._endpoint, operation, arguments, body, timeout))

    async def _start(
        self,
        chain: AsyncOperation[T],
        arguments: Mapping[str, object],
        body: object = None,
        timeout: float | None = None,
    ) -> AsyncHandle[T]:
        """Start an asynchronous operation; `timeout` in seconds covers its acceptance."""
        progress = await self._run(submit(self._endpoint, chain, arguments, body, timeout))
        return AsyncHandle(progress, self._endpoint, self._loops, type(self))

    async def _start_and_wait(
        self,
        chain: AsyncOperation[T],
        arguments: Mapping[str, object],
        body: object = None,
        timeout: float | None = None,
    ) -> T:
        """Start an asynchronous operation and return its result; `timeout` covers both."""
        return await self._run(submit_and_wait(self._endpoint, chain, arguments, body, timeout))

    def _resume(self, chain: AsyncOperation[T], token: str) -> AsyncHandle[T]:
        """Return a handle for what `AsyncHandle.token()` stands for."""
        progress = resumed(self._endpoint, chain, token)
        return AsyncHandle(progress, self._endpoint, self._loops, type(self))

    async def _run(self, flow: Flow[T]) -> T:
        if self._closed.is_set():
            raise ClientClosed("The client is closed: make another one")
        return await run_async(flow, self._loops.transport(), self._outside.clock, self._closed)
