"""The form of an AWS region: a signature for any other text is refused, or cannot even be sent."""

from __future__ import annotations

import re

from .errors import ConfigurationError

_REGION = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def checked_region(region: str | None, source: str) -> str | None:
    """
    Return a region that has the form of one; what is empty or left out is nobody's.

    Args:
        region: Such as `us-east-1`.
        source: Where it comes from, for people.

    Raises:
        ConfigurationError: It has another form: it was read with its line break, for instance.
    """
    if region and not _REGION.fullmatch(region):
        raise ConfigurationError(
            f"{source} is {region!r}: a region is lower-case letters, digits and hyphens, such as "
            "'us-east-1'"
        )
    return region
