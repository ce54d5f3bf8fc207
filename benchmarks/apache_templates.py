"""
Apache Velocity's own regression templates, rendered by our engine in stock mode.

    git clone --branch 1.7.x https://github.com/apache/velocity-engine
    python -m benchmarks.apache_templates velocity-engine

Most of Apache's templates use Java objects of its test suite. Scored are those whose recorded
output Velocity 1.7 itself reproduces when it has plain data only.
"""

from __future__ import annotations

import argparse
import copy
import sys
from pathlib import Path

from deploy.local.vtl import VtlError, render

TEMPLATES = [
    *("arithmetic", "block", "comment", "equality", "foreach-array", "foreach-variable", "if"),
    *("quotes", "shorthand", "pedantic", "map", "literal", "ifstatement", "range", "velocimacro2"),
    *("foreach-introspect", "settest", "newline", "logical2", "string", "stop1", "stop2"),
    *("foreach-null-list", "curly-directive", "comment-eof", "commas"),
]
_ELEMENTS = [f"ArrayList element {number}" for number in range(1, 5)]
_TABLE = {"Bar": "this is from a hashtable!", "Foo": "this is from a hashtable too!"}
VARIABLES: dict[str, object] = {
    "name": "jason",
    "name2": "jason",
    "name3": "geoge",
    "list": _ELEMENTS,
    "providers": _ELEMENTS,
    "hashtable": _TABLE,
    "map": _TABLE,
    "hashmap": {},
    "vector": ["string1", "string2"],
    "collection": ["string1", "string2"],
    "stringarray": ["first element", "second element"],
    "mystring": "",
    "Floog": "floogie woogie",
    "obarr": ["a", "b", "c", "d"],
    "intarr": [10, 20, 30, 40, 50],
    "int1": 1000,
    "long1": 10000000000,
    "double1": 1.0e10,
    "nullList": ["a", "b", None, "d"],
}


def difference(folder: Path, name: str) -> str | None:
    """
    Render one template and compare.

    Args:
        folder: `test/templates` of the repository, at branch 1.7.x.
        name: The template, without its suffix.

    Returns:
        What is wrong; None when the output is the recorded one. Line breaks at the end and their
        kind do not count.
    """
    template = (folder / f"{name}.vm").read_bytes().decode("iso-8859-1")
    expected = (folder / "compare" / f"{name}.cmp").read_bytes().decode("iso-8859-1")
    try:
        printed = render(template, copy.deepcopy(VARIABLES), mode="velocity")
    except VtlError as error:
        return str(error)
    pairs = zip(_lines(printed), _lines(expected), strict=False)
    for number, (ours, theirs) in enumerate(pairs, start=1):
        if ours != theirs:
            return f"line {number}: {ours!r} for {theirs!r}"
    if len(_lines(printed)) != len(_lines(expected)):
        return f"{len(_lines(printed))} lines for {len(_lines(expected))}"
    return None


def _lines(text: str) -> list[str]:
    return text.replace("\r\n", "\n").rstrip("\n").split("\n")


def main() -> None:
    """Print the score, and the first difference of each template that fails."""
    parser = argparse.ArgumentParser(description="score Apache Velocity's regression templates")
    parser.add_argument("folder", type=Path, help="a checkout of velocity-engine, branch 1.7.x")
    root: Path = parser.parse_args().folder
    folder = root / "test" / "templates"
    if not folder.is_dir():
        sys.exit(f"{folder} is no folder: give the root of velocity-engine at branch 1.7.x")
    found = {name: difference(folder, name) for name in TEMPLATES}
    for name, problem in found.items():
        if problem is not None:
            print(f"  {name}: {problem}")
    right = sum(problem is None for problem in found.values())
    print(f"Apache's regression templates, stock mode: {right} of {len(TEMPLATES)}")


if __name__ == "__main__":
    main()
