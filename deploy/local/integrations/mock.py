"""The mock integration: the request template itself says which status "the backend" answers."""

import json
import re

from deploy.local.exchange import (
    BackendRequest,
    BackendResponse,
    ConfigurationError,
    RoutedRequest,
)

# API Gateway reads {statusCode: 200} as well, which is not quite JSON (recorded).
_LENIENT = re.compile(r"""[{,]\s*["']?statusCode["']?\s*:\s*["']?(\d{3})\b""")


class MockIntegration:
    """Answers without a backend."""

    async def call(self, routed: RoutedRequest, request: BackendRequest) -> BackendResponse:
        """
        Answer with the `statusCode` of the rendered request template, and nothing else.

        Raises:
            ConfigurationError: The template says no status.
        """
        status = _status(request.body)
        if status is None:
            raise ConfigurationError(
                f"{routed.method.integration.pointer}: the mock's request template renders no "
                'JSON object with "statusCode"'
            )
        return BackendResponse(status, str(status), (), b"")


def _status(body: str) -> int | None:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        match = _LENIENT.search(body)
        return int(match[1]) if match else None
    status = document.get("statusCode") if isinstance(document, dict) else None
    return int(str(status)) if re.fullmatch(r"\d{3}", str(status)) else None
