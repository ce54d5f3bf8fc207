"""What shows how far a batch is: nothing, or a progress bar of tqdm."""

from __future__ import annotations

from collections.abc import Sized
from importlib import import_module
from typing import Any

from .errors import ConfigurationError


class Meter:
    """Counts the items of a batch. This one shows nothing."""

    def __init__(self) -> None:
        self.submissions = 0
        self.failures = 0

    def submitted(self) -> None:
        """Count one more item that is submitted."""
        self.submissions += 1

    def settled(self, *, failed: bool) -> None:
        """Count one more item that is settled."""
        self.failures += failed

    def close(self) -> None:
        """Show nothing more."""


class _Bar(Meter):
    """Shows the settled items, and how many were submitted and have failed."""

    def __init__(self, bar: Any) -> None:
        super().__init__()
        self._bar = bar

    def submitted(self) -> None:
        super().submitted()
        self._show()

    def settled(self, *, failed: bool) -> None:
        super().settled(failed=failed)
        self._bar.update(1)
        self._show()

    def close(self) -> None:
        self._bar.close()

    def _show(self) -> None:
        # The bar draws itself when it is time to.
        self._bar.set_postfix(submitted=self.submissions, failed=self.failures, refresh=False)


def meter(name: str, items: object, *, progress: bool) -> Meter:
    """
    Return what shows the progress.

    Raises:
        ConfigurationError: tqdm is not installed.
    """
    if not progress:
        return Meter()
    try:
        tqdm = import_module("tqdm.auto")
    except ImportError as error:
        package = (__package__ or "").partition(".")[0].replace("_", "-")
        raise ConfigurationError(
            f"progress=True needs tqdm: install it with `pip install '{package}[progress]'`"
        ) from error
    total = len(items) if isinstance(items, Sized) else None
    return _Bar(tqdm.tqdm(total=total, desc=name))
