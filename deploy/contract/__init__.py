"""
The contract, `openapi.yaml`: loaded with its lines, linted, and made deployable.

Pure: no network, no CDK. The stack and the local gateway take the same `deployable` copy.
"""

from deploy.contract.deployable import deployable
from deploy.contract.document import Contract, ContractError, Operation, load
from deploy.contract.finding import Finding
from deploy.contract.lint import lint
from deploy.contract.placeholders import PLACEHOLDERS

__all__ = [
    "PLACEHOLDERS",
    "Contract",
    "ContractError",
    "Finding",
    "Operation",
    "deployable",
    "lint",
    "load",
]
