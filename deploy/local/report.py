"""
What is said about a contract when it starts.

Notices: what AWS's import leaves out without a word, what it takes and fails with at run time, and
what AWS has and the local gateway has not; each has its line. Warnings: how many rules of this
project it breaks besides; they are for its own contract, and for others advice. What AWS refuses is
no part of it: with that nothing starts.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from deploy import contract as contracts
from deploy.contract import Contract, Finding
from deploy.contract.document import join
from deploy.contract.finding import Problem, located
from deploy.contract.operations import INTEGRATION

_NOT_HERE = {
    "x-amazon-apigateway-minimum-compression-size": "nothing is compressed here",
    "x-amazon-apigateway-policy": "resource policies are not evaluated here",
}
_NOT_HERE_IN_INTEGRATIONS = {
    "cacheKeyParameters": "nothing is cached here",
    "connectionId": "there are no VPC links here",
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
    return [*notices(contract), *_warnings(contract)]


def notices(contract: Contract) -> list[str]:
    """
    Return what AWS takes and leaves out or fails with, and what is not here, a line each.

    Args:
        contract: Any contract; of one that is refused, what its readable part gives rise to.
    """
    readable = contracts.readable(contract)
    missing = [located(readable, "local", problem) for problem in _not_here(readable)]
    return [
        *_grouped("AWS's import", contracts.ignored(readable)),
        *_grouped("when AWS runs it", contracts.failing(readable)),
        *_grouped("not as on AWS", missing),
    ]


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
    lines = dict.fromkeys(str(each.line) for each in others)
    return f" (also in line {', '.join(lines)})"


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
    told = {
        (each.rule, each.pointer)
        for each in (*contracts.ignored(contract), *contracts.failing(contract))
    }
    findings = [f for f in contracts.lint(contract) if (f.rule, f.pointer) not in told]
    if findings:
        counts = Counter(finding.rule for finding in findings).most_common()
        rules = ", ".join(f"{rule} {count}" for rule, count in counts)
        yield (
            f"{contract.file}:{findings[0].line}: warning: {len(findings)} findings of the rules "
            f"for this project's own contract ({rules}). "
            f"`python -m deploy.contract {contract.file}` lists them."
        )
