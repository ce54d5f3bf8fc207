"""What a client reaches outside of itself: time, chance, and what carries its requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import random as uniform

from ._clock import Clock
from ._credentials import Credentials
from ._drivers import BlockingTransport
from ._http import (
    AsyncHttpClient,
    AsyncHttpxTransport,
    AsyncTransport,
    HttpClient,
    HttpxTransport,
    Library,
    Transport,
)


@dataclass(frozen=True, slots=True)
class Outside:
    """
    What lies outside of a client: by default this machine and the network.

    Attributes:
        clock: The time.
        random: Returns a number from 0 to 1.
        base_url: The URL of a client that was given none; by default the environment's.
        region: The region to sign for where neither the URL nor the environment names one.
        credentials: What a client signs with that was given neither credentials nor a signer; by
            default those that boto3 would find.
    """

    clock: Clock = field(default_factory=Clock)
    random: Callable[[], float] = uniform
    base_url: str | None = None
    region: str | None = None
    credentials: Credentials | None = None

    def transport(self, client: HttpClient | Library | None) -> Transport:
        """Return what carries a blocking client's requests: the given HTTP client or one's own."""
        return HttpxTransport(client)

    def async_transport(self, client: AsyncHttpClient | Library | None) -> AsyncTransport:
        """Return what carries an asynchronous client's requests, within one event loop."""
        return AsyncHttpxTransport(client)

    def polling_transport(
        self, given: Transport | None, library: Library | None = None
    ) -> AsyncTransport:
        """Return what a blocking client's scheduler sends with: the given client, or its own."""
        if given is None:
            return self.async_transport(library)
        return BlockingTransport(given, self.clock)
