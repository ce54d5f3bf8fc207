"""The package's logger: silent until the application sets it up, as a library's should be."""

from __future__ import annotations

import logging

logger = logging.getLogger(__package__)
"""Everything that the package logs. At `DEBUG`, each attempt: no secret, no query and no body."""

logger.addHandler(logging.NullHandler())
