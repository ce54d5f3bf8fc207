"""
What a forked process must not share with its parent, and how it is told.

A fork copies connections, locks and event loops, and none of the threads that serve them. Parent
and child would then write to the same socket, and wait for a lock that nobody lets go. Whoever
holds such things begins anew in the child, and closes nothing that is still the parent's.
"""

from __future__ import annotations

import os
from typing import Protocol
from weakref import WeakSet


class Forked(Protocol):
    """What has to begin anew in the child."""

    def after_fork(self) -> None:
        """Forget what is the parent's, without closing it. No other thread runs."""


_known: WeakSet[Forked] = WeakSet()


def begins_anew(holder: Forked) -> None:
    """Let the holder begin anew in every child, as long as it exists."""
    _known.add(holder)


def _in_child() -> None:
    for holder in list(_known):
        holder.after_fork()


# Windows has no fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
