"""Command: check the contract, or print its deployable copy."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from deploy.contract.deployable import deployable
from deploy.contract.document import Contract, ContractError, load
from deploy.contract.lint import RULES, lint
from deploy.contract.placeholders import placeholders_in
from deploy.contract.templates import templates

_CONTRACT: Final = Path(__file__).parents[2] / "openapi.yaml"


def main(arguments: Sequence[str] | None = None) -> int:
    """
    Run the command.

    Returns:
        Exit status: 0 all is well, 1 the contract breaks a rule, 2 it cannot be read.
    """
    options = _parser().parse_args(arguments)
    try:
        contract = load(options.file)
    except ContractError as error:
        print(error, file=sys.stderr)
        return 2
    if findings := lint(contract):
        print("\n".join(map(str, findings)), file=sys.stderr if options.deployable else sys.stdout)
        return 1
    print(_deployable_text(contract) if options.deployable else _summary(contract))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.contract", description=__doc__)
    parser.add_argument(
        "file", nargs="?", default=_shortest(_CONTRACT), help="default: %(default)s"
    )
    parser.add_argument(
        "--deployable", action="store_true", help="print the deployable copy as JSON, not filled"
    )
    return parser


def _shortest(path: Path) -> Path:
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def _deployable_text(contract: Contract) -> str:
    unfilled = {name: f"${{{name}}}" for name in placeholders_in(contract.document)}
    return json.dumps(deployable(contract, unfilled), indent=2, ensure_ascii=False)


def _summary(contract: Contract) -> str:
    operations = len(list(contract.operations()))
    texts = len(list(templates(contract)))
    return (
        f"{contract.file}: no findings in {operations} operations and {texts} mapping templates "
        f"by {len(RULES)} rules"
    )


if __name__ == "__main__":
    sys.exit(main())
