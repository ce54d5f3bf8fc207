"""
What is said about a contract when it starts.

Notices: what AWS's import leaves out without a word, and what AWS has and the local gateway has
not. Warnings: how many rules of this project it breaks; they are for its own contract, and for
others advice. What AWS refuses is no part of it: with that nothing starts.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from deploy import contract as contracts
from deploy.contract import Contract, Finding
from deploy.contract.document import join
from deploy.contract.finding import Problem, located
from deploy.contract.operations import INTEGRATION

_MAX_LINES = 5
_NOT_HERE = {
    "x-amazon-apigateway-binary-media-types": "bodies are text here",
    "x-amazon-apigateway-minimum-compression-size": "nothing is compressed here",
    "x-amazon-apigateway-policy": "resource policies are not evaluated here",
}
_NOT_HERE_IN_INTEGRATIONS = {
    "cacheKeyParameters": "nothing is cached here",
    "connectionId": "there are no VPC links here",
    "contentHandling": "bodies are text here",
    "integrationTarget": "there are no VPC links here",
    "responseTransferMode": "responses are sent whole here",
    "tlsConfig": "certificates are verified here",
}


def report(contract: Contract) -> list[str]:
    """
    Return notices and warnings, a line each.

    Args:
        contract: A contract that `deployment.deploy` has taken.
    """
    missing = [located(contract, "local", problem) for problem in _not_here(contract)]
    lines = [
        *_grouped("AWS's import", contracts.ignored(contract)),
        *_grouped("not as on AWS", missing),
    ]
    return [*lines, *_warnings(contract)]


def _grouped(kind: str, findings: Iterable[Finding]) -> Iterator[str]:
    """Yield a line for each message: where it applies first, and in which lines besides."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.message, []).append(finding)
    for message, (first, *others) in groups.items():
        place = f"{first.file}:{first.line}"
        yield f"{place}: notice: {kind}: {message}{_also(others)}. {first.remedy}."


def _also(others: Sequence[Finding]) -> str:
    if not others:
        return ""
    lines = ", ".join(str(each.line) for each in others[:_MAX_LINES])
    more = f" and {len(others) - _MAX_LINES} more" if len(others) > _MAX_LINES else ""
    return f" (also in line {lines}{more})"


def _not_here(contract: Contract) -> Iterator[Problem]:
    for key, effect in _NOT_HERE.items():
        if key in contract.document:
            yield Problem(join("", key), f"`{key}`: {effect}", "Try it on AWS")
    for operation in contract.operations():
        at = join(operation.pointer, INTEGRATION)
        for key, effect in _NOT_HERE_IN_INTEGRATIONS.items():
            if key in operation.node.get(INTEGRATION, {}):
                yield Problem(join(at, key), f"`{key}`: {effect}", "Try it on AWS")


def _warnings(contract: Contract) -> Iterator[str]:
    findings = contracts.lint(contract)
    if findings:
        counts = Counter(finding.rule for finding in findings).most_common()
        rules = ", ".join(f"{rule} {count}" for rule, count in counts)
        yield (
            f"{contract.file}:{findings[0].line}: warning: {len(findings)} findings of the rules "
            f"for this project's own contract ({rules}). "
            f"`python -m deploy.contract {contract.file}` lists them."
        )
