"""
The sound part of a document, in which the rest is looked for when something in it is broken.

So one run tells all that is wrong, and nothing that merely follows from something told already.
"""

import copy
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from deploy.contract.document import METHODS, Contract, value_at, without_extensions
from deploy.contract.operations import INTEGRATION

_LISTS_OF_TEXTS: Final = ("/required",)


def sound(contract: Contract, pointers: Iterable[str]) -> Contract:
    """
    Return a contract without the members at some pointers.

    What stands in a list is emptied instead, so that those after it keep their pointers.

    Args:
        contract: The contract; left as it is.
        pointers: JSON pointers; those that lead nowhere are of no effect.
    """
    broken = list(pointers)
    if not broken:
        return contract
    document = copy.deepcopy(contract.document)
    for pointer in broken:
        _remove(document, *pointer.rpartition("/")[::2])
    return replace(contract, document=document)


def _remove(document: Any, above: str, last: str) -> None:
    parent = value_at(document, above)
    if isinstance(parent, dict):
        parent.pop(last.replace("~1", "/").replace("~0", "~"), None)
    elif isinstance(parent, list):
        parent[int(last)] = "" if above.endswith(_LISTS_OF_TEXTS) else {}


def integrated(contract: Contract) -> Contract:
    """Return a contract with those operations only that are integrated; all have `responses`."""
    paths = without_extensions(contract.document.get("paths", {}))
    whole = {path: _integrated(item) for path, item in paths.items()}
    return replace(contract, document={**contract.document, "paths": whole})


def _integrated(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: {"responses": {}, **member} if name in METHODS else member
        for name, member in item.items()
        if name not in METHODS or "type" in member.get(INTEGRATION, {})
    }
