"""
Contracts, ours being `openapi.yaml`: loaded with their lines, linted, and made deployable.

Pure: no network, no CDK. The stack and the local gateway take the same copy: `deployable` demands
this project's rules, `derive` takes any document that API Gateway would.
"""

from deploy.contract.deployable import deployable, derive, draft
from deploy.contract.document import Contract, ContractError, Operation, load
from deploy.contract.entity import Entity, entity
from deploy.contract.execution import failing
from deploy.contract.finding import Finding
from deploy.contract.imports import ignored, readable, refused
from deploy.contract.lint import lint
from deploy.contract.placeholders import PLACEHOLDERS

__all__ = [
    "PLACEHOLDERS",
    "Contract",
    "ContractError",
    "Entity",
    "Finding",
    "Operation",
    "deployable",
    "derive",
    "draft",
    "entity",
    "failing",
    "ignored",
    "lint",
    "load",
    "readable",
    "refused",
]
