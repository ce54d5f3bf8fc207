"""What the generated clients derive from: their construction, closing, and calls."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import partial
from typing import ClassVar, Self, TypeVar

from ._auth import Auth, signer_for
from ._config import Settings, resolve_region, resolve_service, resolve_url, user_agent
from ._credentials import Credentials
from ._drivers import BlockingTransport, run, run_async
from ._flows import Endpoint, call, resumed, submit, submit_and_wait
from ._handle import AsyncHandle, Handle
from ._http import (
    AsyncHttpClient,
    AsyncHttpxTransport,
    AsyncTransport,
    HttpClient,
    HttpxTransport,
    Transport,
)
from ._operation import AsyncOperation, Operation
from ._polling import Polling
from ._scheduler import Background, Loops
from ._steps import Flow
from .errors import ClientClosed

T = TypeVar("T")


class _Configured:
    """What both kinds of client are made from."""

    _url_variable: ClassVar[str]

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
    ) -> None:
        url = resolve_url(base_url, self._url_variable)
        settings = Settings(
            base_url=url,
            region=resolve_region(region, url),
            timeout=timeout,
            attempt_timeout=attempt_timeout,
            max_retries=max_retries,
            polling=polling or Polling(),
            user_agent=user_agent(user_agent_suffix),
        )
        signer = signer_for(
            auth,
            region=settings.region,
            credentials=credentials,
            service=resolve_service(settings.base_url),
        )
        self._endpoint = Endpoint(settings, signer)

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
            one.
        timeout: Seconds for one call: all its attempts and the pauses between them.
        attempt_timeout: Seconds for one attempt of a call.
        max_retries: How often an attempt is repeated at most.
        polling: How accepted requests are asked after.
        user_agent_suffix: What is added to the `User-Agent` header.

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
        http_client: HttpClient | None = None,
        timeout: float = 30.0,
        attempt_timeout: float = 10.0,
        max_retries: int = 3,
        polling: Polling | None = None,
        user_agent_suffix: str | None = None,
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
        )
        self._transport = HttpxTransport(http_client)
        given = None if http_client is None else self._transport
        self._background = Background(partial(_background_transport, given))
        self._closed = threading.Event()

    def close(self) -> None:
        """Fail what is outstanding with `ClientClosed`, and close connections. Can be repeated."""
        if not self._closed.is_set():
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
        *,
        arguments: Mapping[str, object],
        body: object = None,
        timeout: float | None = None,
    ) -> T:
        """Call an operation; `timeout` in seconds covers all attempts."""
        return self._run(call(self._endpoint, operation, arguments, body, timeout))

    def _start(
        self,
        chain: AsyncOperation[T],
        *,
        arguments: Mapping[str, object],
        body: object = None,
        timeout: float | None = None,
    ) -> Handle[T]:
        """Start an asynchronous operation; `timeout` in seconds covers its acceptance."""
        progress = self._run(submit(self._endpoint, chain, arguments, body, timeout))
        return Handle(progress, self._endpoint, self._background)

    def _start_and_wait(
        self,
        chain: AsyncOperation[T],
        *,
        arguments: Mapping[str, object],
        body: object = None,
        timeout: float | None = None,
    ) -> T:
        """Start an asynchronous operation and return its result; `timeout` covers both."""
        return self._run(submit_and_wait(self._endpoint, chain, arguments, body, timeout))

    def _resume(self, chain: AsyncOperation[T], token: str) -> Handle[T]:
        """Return a handle for what `Handle.token()` stands for."""
        return Handle(resumed(self._endpoint, chain, token), self._endpoint, self._background)

    def _run(self, flow: Flow[T]) -> T:
        if self._closed.is_set():
            raise ClientClosed("The client is closed: make another one")
        return run(flow, self._transport, self._closed)


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
            closed by this one.
        timeout: Seconds for one call: all its attempts and the pauses between them.
        attempt_timeout: Seconds for one attempt of a call.
        max_retries: How often an attempt is repeated at most.
        polling: How accepted requests are asked after.
        user_agent_suffix: What is added to the `User-Agent` header.

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
        http_client: AsyncHttpClient | None = None,
        timeout: float = 30.0,
        attempt_timeout: float = 10.0,
        max_retries: int = 3,
        polling: Polling | None = None,
        user_agent_suffix: str | None = None,
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
        )
        # Made once here as well, so that a client of the wrong kind is refused where it is given.
        AsyncHttpxTransport(http_client)
        self._loops = Loops(partial(AsyncHttpxTransport, http_client))
        self._closed = False

    async def aclose(self) -> None:
        """Fail what is outstanding with `ClientClosed`, and close connections. Can be repeated."""
        if not self._closed:
            self._closed = True
            await self._loops.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _call(
        self,
        operation: Operation[T],
        *,
        arguments: Mapping[str, object],
        body: object = None,
        timeout: float | None = None,
    ) -> T:
        """Call an operation; `timeout` in seconds covers all attempts."""
        return await self._run(call(self._endpoint, operation, arguments, body, timeout))

    async def _start(
        self,
        chain: AsyncOperation[T],
        *,
        arguments: Mapping[str, object],
        body: object = None,
        timeout: float | None = None,
    ) -> AsyncHandle[T]:
        """Start an asynchronous operation; `timeout` in seconds covers its acceptance."""
        progress = await self._run(submit(self._endpoint, chain, arguments, body, timeout))
        return AsyncHandle(progress, self._endpoint, self._loops)

    async def _start_and_wait(
        self,
        chain: AsyncOperation[T],
        *,
        arguments: Mapping[str, object],
        body: object = None,
        timeout: float | None = None,
    ) -> T:
        """Start an asynchronous operation and return its result; `timeout` covers both."""
        return await self._run(submit_and_wait(self._endpoint, chain, arguments, body, timeout))

    def _resume(self, chain: AsyncOperation[T], token: str) -> AsyncHandle[T]:
        """Return a handle for what `AsyncHandle.token()` stands for."""
        return AsyncHandle(resumed(self._endpoint, chain, token), self._endpoint, self._loops)

    async def _run(self, flow: Flow[T]) -> T:
        if self._closed:
            raise ClientClosed("The client is closed: make another one")
        return await run_async(flow, self._loops.transport())


def _background_transport(given: Transport | None) -> AsyncTransport:
    """Return what a blocking client's scheduler sends with: the given client, or one of its own."""
    return AsyncHttpxTransport() if given is None else BlockingTransport(given)
