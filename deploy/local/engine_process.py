"""
The embedded engine's process: `python -m deploy.local.engine_process FD LOG`.

`engine.py` starts it with a listening socket and the file that its output goes to, alone in a
directory. Its standard input is a pipe that the parent never writes to: it closes when the parent
ends, however that happens, and this process ends with it.
"""

import asyncio
import contextlib
import os
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

LONG_POLL_SECONDS = 0.005
"""How often a waiting receiver looks at the queue."""


def main() -> None:
    """Run ministack until it is terminated, or the parent is gone."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from ministack.app import app

    _quicken_long_polls()
    config = Config()
    config.bind = [f"fd://{int(sys.argv[1])}"]
    config.loglevel = "WARNING"
    config.keep_alive_timeout = 75
    asyncio.run(serve(app, config))


def _end_with_parent() -> None:
    # Unbuffered: a thread in a buffered read aborts the interpreter's own, orderly end.
    while os.read(0, 1):
        pass
    # The parent did not come to remove them. Never a whole tree: what is found here unexpectedly is
    # not ours to remove.
    log = Path(sys.argv[2])
    with contextlib.suppress(OSError):
        log.unlink()
        log.parent.rmdir()
    os._exit(1)


def _quicken_long_polls() -> None:
    # While a receiver waits, ministack 1.5.33 looks at the queue every 100 ms (observed 2026-11-23,
    # services/sqs.py, _act_receive_message); SQS hands a message over as it arrives.
    from ministack.services import sqs

    async def sleep(seconds: float) -> None:
        await asyncio.sleep(min(seconds, LONG_POLL_SECONDS))

    sqs.asyncio = SimpleNamespace(**{**vars(asyncio), "sleep": sleep})


if __name__ == "__main__":
    main()
