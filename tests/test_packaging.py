"""What `pip install .` installs."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel, built as pip builds it."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_holds_the_sdk_alone(wheel: zipfile.ZipFile) -> None:
    """Nothing but users_sdk and the metadata is in the wheel."""
    folders = {name.partition("/")[0] for name in wheel.namelist()}
    assert folders == {"users_sdk", f"users_sdk-{version()}.dist-info"}


def test_the_wheel_holds_all_of_the_sdk(wheel: zipfile.ZipFile) -> None:
    """Every module of the package is in the wheel, and the marker that it is typed."""
    package = ROOT / "sdk" / "users_sdk"
    sources = {
        f"users_sdk/{path.relative_to(package).as_posix()}" for path in package.rglob("*.py")
    }
    assert sources | {"users_sdk/py.typed"} <= set(wheel.namelist())


def test_runtime_dependencies_are_few(wheel: zipfile.ZipFile) -> None:
    """The SDK needs httpx, pydantic and boto3, and nothing else."""
    metadata = wheel.read(f"users_sdk-{version()}.dist-info/METADATA").decode()
    needed = [
        line.removeprefix("Requires-Dist: ")
        for line in metadata.splitlines()
        if line.startswith("Requires-Dist: ") and "extra ==" not in line
    ]
    names = {line.split("<")[0].split(">")[0].split("=")[0].strip() for line in needed}
    assert names == {"httpx", "pydantic", "boto3"}


def version() -> str:
    """The version in pyproject.toml."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return str(project["version"])
