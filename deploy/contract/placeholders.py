"""The placeholders that a deployment fills."""

import re
from typing import Final

PLACEHOLDERS: Final = frozenset(
    {"AccountId", "ApiRoleArn", "Partition", "QueueName", "Region", "TableName"}
)
"""Every placeholder that there is."""

PLACEHOLDER: Final = re.compile(r"\$\{([A-Z][A-Za-z0-9]*)\}")
"""A placeholder in a text: in capitals, for VTL's own references are in lower case."""

REFERENCE: Final = re.compile(r"\$\{([^}\n]*)\}")
"""Anything that is written like a placeholder."""
