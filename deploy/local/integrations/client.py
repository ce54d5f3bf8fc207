"""One HTTP client for all backends: keep-alive connections, one time limit, no surprises."""

import asyncio
from collections.abc import Mapping

import aiohttp
from yarl import URL

from deploy.contract.responses import GatewayResponseType
from deploy.local.exchange import BackendResponse, GatewayError

_MAX_ANSWER_BYTES = 10 * 1024 * 1024
# Below the keep-alive time of common servers (hypercorn and uvicorn: 5 s), so that a connection is
# not used in the moment in which the backend closes it.
_KEEP_ALIVE_SECONDS = 4.0
_OWN_HEADERS = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")


class BackendClient:
    """Sends requests to backends; its connections belong to the event loop of the first request."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, timeout: float
    ) -> BackendResponse:
        """
        Send one request, without following redirects.

        Args:
            method: HTTP method.
            url: URL, percent-encoded.
            headers: Headers to send; only Host, Connection and Content-Length are added.
            body: Payload.
            timeout: Seconds for the whole exchange.

        Raises:
            GatewayError: `INTEGRATION_TIMEOUT` or `INTEGRATION_FAILURE`, both 504.
        """
        try:
            async with self._open_session().request(
                method,
                URL(url, encoded=True),
                headers=headers,
                data=body or None,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=timeout),
            ) as answer:
                payload = await answer.content.read(-1)
                headers_received = tuple(answer.headers.items())
                status = answer.status
        except TimeoutError as error:
            raise _no_answer("INTEGRATION_TIMEOUT", "Endpoint request timed out") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            message = "Network error communicating with endpoint"
            raise _no_answer("INTEGRATION_FAILURE", message) from error
        if len(payload) > _MAX_ANSWER_BYTES:
            raise _no_answer("INTEGRATION_FAILURE", "Network error communicating with endpoint")
        return BackendResponse(status, str(status), headers_received, payload)

    async def aclose(self) -> None:
        """Close the connections; a later request opens new ones."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEP_ALIVE_SECONDS),
                skip_auto_headers=_OWN_HEADERS,
                cookie_jar=aiohttp.DummyCookieJar(loop=asyncio.get_running_loop()),
                trust_env=False,
            )
        return self._session


def _no_answer(response_type: GatewayResponseType, message: str) -> GatewayError:
    return GatewayError(response_type, message, "InternalServerErrorException")
