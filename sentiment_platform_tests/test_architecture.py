"""The house rules that code can check: who may import what and when, how long a file is, what an asset body may hold.

The one-way order between packages is in the import contracts of pyproject.toml; the last test here proves that they bite.
Every rule is a function over one module and is run on a sample that breaks it: a rule that flags nothing is no rule.
"""

import ast
import re
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from sentiment_platform.models.families import FAMILIES
from sentiment_platform_tests.source_code import PACKAGES, ROOT, Module, at_import, imported, modules, modules_of_tests, roots

ROLE_FILES = {
    f"{role}.py"
    for role in [
        "assets",
        "checks",
        "sensors",
        "schedules",
        "jobs",
        "resources",
        "partitions",
        "conditions",
        "definitions",
        "executors",
    ]
}
NEVER_AT_IMPORT = {"torch", "transformers", "onnx", "onnxscript", "optuna", "matplotlib", "pandas", "scipy"}
NEVER_IN_SERVING = NEVER_AT_IMPORT | {"dagster", "polars", "pandera", "github", "onnxruntime", "tokenizers"}
SUPERSEDED = {
    "multi_asset_sensor",
    "AutoMaterializePolicy",
    "LegacyFreshnessPolicy",
    "SourceAsset",
    "build_asset_reconciliation_sensor",
}


def rooms_of_families() -> set[str]:
    """The file or folder below `models` of each family, as its entry in the table says: where it is loaded from and trained."""
    references = [reference for entry in FAMILIES.values() for reference in (entry.loader, entry.trainer)]
    rooms = {"/".join(reference.partition(":")[0].split(".")[:3]) for reference in references}
    return {room if (ROOT / room).is_dir() else f"{room}.py" for room in rooms}


# Path: the identifiers and texts with a family's name in them that may stand there.
MAY_NAME_A_FAMILY = {
    "sentiment_platform/models/families.py": ".*",  # the table
    **dict.fromkeys(rooms_of_families(), ".*"),
    # The object `comparison` of the API's contract has two families by name.
    "serving/contract": "vader_sentiment|finbert_sentiment",
    # The published rules that are called VADER: an engine and a lexicon, which the feature schema v1 uses whatever families there are.
    "sentiment_platform/text": ".*",
    "sentiment_platform/features/compute.py": r"sentiment_platform\.text\.vader|VaderEngine",
    "sentiment_platform/models/evaluation/baselines.py": r"sentiment_platform\.text\.vader|VaderEngine|VADER as published",
    "sentiment_platform/features/schema.py": "vader|vader_(compound|positive|negative)",
    # The published model that is called FinBERT: a base to fine-tune, and what it has seen.
    "sentiment_platform/settings.py": "ProsusAI/finbert",
    "sentiment_platform/models/evaluation/seen_data.py": "(prosusai/)?finbert",
}
LONGEST_FILE, LONGEST_TEST_FILE, LONGEST_MIGRATION, MEDIAN_FILE = 250, 420, 600, 110
LONGEST_DOCSTRING, LONGEST_ASSET = 8, 30


def _decorators(node: ast.FunctionDef | ast.AsyncFunctionDef) -> set[str]:
    return {ast.unparse(item.func if isinstance(item, ast.Call) else item).rpartition(".")[2] for item in node.decorator_list}


def heavy_import(module: Module) -> list[str]:
    return sorted(roots(at_import(module.tree)) & NEVER_AT_IMPORT)


def dagster_outside_role_files(module: Module) -> list[str]:
    nodes = at_import(module.tree) if module.on_top else module.nodes
    found = {name for name in roots(nodes) if name.startswith("dagster")}
    return [] if module.path.name in ROLE_FILES else sorted(found)


def dagster_by_another_name(module: Module) -> list[str]:
    return [
        ast.unparse(node)
        for node in at_import(module.tree)
        if (isinstance(node, ast.ImportFrom) and node.module == "dagster")
        or (isinstance(node, ast.Import) and any(alias.name == "dagster" and alias.asname != "dg" for alias in node.names))
    ]


def superseded_dagster(module: Module) -> list[str]:
    used = {ast.unparse(node) for node in module.nodes if isinstance(node, ast.Attribute)}
    return sorted(name for name in used if name.rpartition(".")[2] in SUPERSEDED or name == "context.run_id")


def deferred_annotations(module: Module) -> list[str]:
    """Dagster and Litestar read annotations at run time."""
    reads_them = {"dagster", "litestar"} & roots(at_import(module.tree))
    deferred = any(name == "__future__.annotations" for name, _ in imported(module.nodes))
    return sorted(reads_them) if deferred else []


def relative_import(module: Module) -> list[str]:
    return [name for name, _ in imported(module.nodes) if name.startswith(".")]


def pickled(module: Module) -> list[str]:
    used = roots(module.nodes) & {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    return sorted(used) + re.findall(r"\btorch\.(?:load|save)\(", module.text)


def outside_world_at_import(module: Module) -> list[str]:
    read = r"\bos\.(environ|getenv)|\b(datetime|date)\.(now|today|utcnow)\(|\btime\.(time|monotonic|perf_counter)\(|\.from_environment\("
    statements = [ast.unparse(node) for node in at_import(module.tree) if isinstance(node, ast.Attribute | ast.Call)]
    return sorted({text for text in statements if re.match(read, text) or re.search(r"\.from_environment\(", text)})


def time_of_day_elsewhere(module: Module) -> list[str]:
    """One function reads the time of day; everybody else takes a clock."""
    read = re.findall(r"\b(?:datetime|date)\.(?:now|today|utcnow)\b|\btime\.(?:time|time_ns|gmtime|localtime)\(", module.text)
    return [] if module.name == "sentiment_platform.clock" else read


def named_family(module: Module) -> list[str]:
    """Families differ by their entry in the table, so nothing else names one: no identifier, module or text has its name as a word.

    Docstrings may, for examples: no code hangs on them.
    """
    explanations = {id(node.value) for node in module.nodes if isinstance(node, ast.Expr)}
    texts = {
        text
        for node in module.nodes
        if id(node) not in explanations
        for _, text in ast.iter_fields(node)
        if isinstance(text, str) and set(FAMILIES) & {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", text)}
    }
    allowed = [names for path, names in MAY_NAME_A_FAMILY.items() if module.path.is_relative_to(path)]
    return sorted(text for text in texts if not any(re.fullmatch(names, text) for names in allowed))


def long_asset_body(module: Module) -> list[str]:
    found: list[str] = []
    for node in module.nodes:
        if isinstance(node, ast.FunctionDef) and _decorators(node) & {"asset", "multi_asset", "graph_asset"}:
            first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            lines = (node.end_lineno or 0) - first.lineno + 1
            found += [f"{node.name}: {lines} lines"] if lines > LONGEST_ASSET else []
    return found


def asset_without_evidence(module: Module) -> list[str]:
    """Every materialization says what it made and which content that is."""
    found: list[str] = []
    for node in module.nodes:
        if isinstance(node, ast.FunctionDef) and _decorators(node) & {"asset", "multi_asset"}:
            calls = [item for item in ast.walk(node) if isinstance(item, ast.Call)]
            results = [call for call in calls if ast.unparse(call.func).endswith("MaterializeResult")]
            given = [{keyword.arg for keyword in call.keywords} for call in results]
            if not results or any(not {"metadata", "data_version"} <= names for names in given):
                found.append(node.name)
    return found


def broad_catch_in_asset(module: Module) -> list[str]:
    return [
        node.name
        for node in module.nodes
        if isinstance(node, ast.FunctionDef) and _decorators(node) & {"asset", "multi_asset", "graph_asset"}
        for handler in ast.walk(node)
        if isinstance(handler, ast.ExceptHandler)
        and (handler.type is None or ast.unparse(handler.type) in ("Exception", "BaseException"))
    ]


def undescribed(module: Module) -> list[str]:
    text = ast.get_docstring(module.tree)
    if text is None:
        return ["no docstring"] if module.text.strip() else []
    length = len(text.splitlines())
    return [f"docstring of {length} lines"] if length > LONGEST_DOCSTRING else []


def overlong(module: Module) -> list[str]:
    # A migration is history: it is written once, by a tool, and not read as a whole.
    limit = LONGEST_MIGRATION if "versions" in module.path.parts else LONGEST_FILE
    length = len(module.text.splitlines())
    return [f"{length} lines"] if length > limit else []


def catch_all_name(module: Module) -> list[str]:
    return re.findall(r"utils?|helpers?|common|misc", module.path.stem)


RULES: dict[Callable[[Module], list[str]], tuple[str, str]] = {
    heavy_import: ("sentiment_platform/a.py", "try:\n    import torch.nn\nexcept ImportError:\n    pass"),
    dagster_outside_role_files: ("sentiment_platform/news/collect/turn.py", "def f():\n    import dagster as dg"),
    dagster_by_another_name: ("sentiment_platform/news/assets.py", "from dagster import asset"),
    superseded_dagster: ("sentiment_platform/news/assets.py", "def f(context):\n    return context.run_id"),
    deferred_annotations: ("serving/app.py", "from __future__ import annotations\nfrom litestar import get"),
    relative_import: ("serving/app.py", "from . import live"),
    pickled: ("sentiment_platform/a.py", "def f(torch):\n    return torch.load('model.pt')"),
    outside_world_at_import: ("sentiment_platform/a.py", "import os\ndef f(x=os.environ.get('X')):\n    pass"),
    time_of_day_elsewhere: ("serving/app.py", "def f():\n    return time.time()"),
    named_family: ("serving/predict/router.py", "def f(family):\n    return 1 if family == 'vader' else 2"),
    long_asset_body: ("sentiment_platform/a.py", "@dg.asset\ndef a():\n" + "    x = 1\n" * 31),
    asset_without_evidence: (
        "sentiment_platform/a.py",
        "@dg.asset(group_name='a')\ndef a():\n    return dg.MaterializeResult(metadata={'rows': 1})",
    ),
    broad_catch_in_asset: (
        "sentiment_platform/a.py",
        "@dg.asset()\ndef a():\n    try:\n        f()\n    except Exception:\n        pass",
    ),
    undescribed: ("sentiment_platform/a.py", '"""' + "One line.\n" * 9 + '"""'),
    overlong: ("sentiment_platform/a.py", "x = 1\n" * 251),
    catch_all_name: ("sentiment_platform/utils.py", ""),
}
ALLOWED = '''"""What belongs here."""

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def weights(path: str) -> "torch.Tensor":
    import torch

    return torch.zeros(int(os.environ["SIZE"]))
'''


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_no_file_breaks_the_rule(rule: Callable[[Module], list[str]]) -> None:
    broken = {str(module.path): found for module in modules() if (found := rule(module))}
    assert broken == {}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_rule_flags_a_file_that_breaks_it_and_passes_one_that_does_not(rule: Callable[[Module], list[str]]) -> None:
    assert rule(Module.parse(*RULES[rule])) != []
    assert rule(Module.parse("sentiment_platform/models/weights.py", ALLOWED)) == []


@pytest.mark.parametrize(
    "line",
    [
        "from sentiment_platform.models.vader.family import load",
        "import sentiment_platform.models.finbert as model",
        "def f(platform):\n    return platform.finbert_model",
        "class VaderAnswers: ...",
        "f(vader=1)",
        "label = f'v{n}-finbert'",
        "match family:\n    case 'finbert': ...",
        "VADER = 1",
    ],
)
def test_a_family_can_be_named_in_many_ways(line: str) -> None:
    assert named_family(Module.parse("sentiment_platform/promotion/jobs.py", line)) != []
    assert named_family(Module.parse("sentiment_platform/models/families.py", line)) == []


@pytest.mark.parametrize("path", sorted(MAY_NAME_A_FAMILY))
def test_what_may_name_a_family_does(path: str) -> None:
    elsewhere = [Module.parse("elsewhere.py", module.text) for module in modules() if module.path.is_relative_to(path)]
    assert any(named_family(module) for module in elsewhere), f"{path} needs no exception"


def test_half_of_all_files_are_short() -> None:
    assert statistics.median(len(module.text.splitlines()) for module in modules() if module.text.strip()) < MEDIAN_FILE


def test_no_test_file_is_overlong() -> None:
    lengths = {str(module.path): len(module.text.splitlines()) for module in modules_of_tests()}
    assert {path: length for path, length in lengths.items() if length > LONGEST_TEST_FILE} == {}


def imported_tests(module: Module) -> list[str]:
    """What several tests use stands in a file of its own subject, not in one of the tests."""
    return [name for name, _ in imported(module.nodes) if re.search(r"\.test_\w+$", name)]


def test_no_test_is_imported() -> None:
    assert {str(module.path): names for module in modules_of_tests() if (names := imported_tests(module))} == {}


@pytest.mark.parametrize("line", ["from a.test_b import c", "import a.test_b", "def f():\n    from a import test_b"])
def test_an_import_of_a_test_is_seen(line: str) -> None:
    assert imported_tests(Module.parse("sentiment_platform_tests/a.py", line)) == ["a.test_b"]


def reached(start: str, known: dict[str, Module]) -> dict[str, str]:
    """Dotted name -> importing module, of everything that importing `start` and its submodules imports in turn."""
    waiting = [name for name in known if name == start or name.startswith(f"{start}.")]
    found = dict.fromkeys(waiting, start)
    while waiting:
        module = known[waiting.pop()]
        for name, _ in imported(at_import(module.tree)):
            # Importing a.b.c runs a and a.b too.
            parts = name.split(".")
            for parent in (".".join(parts[:end]) for end in range(1, len(parts) + 1)):
                if parent not in found:
                    found[parent] = module.name
                    waiting += [parent] if parent in known else []
    return found


def test_importing_serving_loads_no_graph_and_no_table_or_training_library() -> None:
    found = reached("serving", {module.name: module for module in modules()})
    assert {name: found[name] for name in sorted(NEVER_IN_SERVING & set(found))} == {}


def test_what_is_reached_over_another_module_is_found() -> None:
    samples = [
        Module.parse("serving/app.py", "from sentiment_platform.news import quality"),
        Module.parse("sentiment_platform/news/quality.py", "import polars as pl"),
    ]
    assert reached("serving", {module.name: module for module in samples})["polars"] == "sentiment_platform.news.quality"


def at_run_time(node: ast.AST) -> Iterator[ast.AST]:
    """Everything below `node` but what only a type checker reads."""
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)):
            yield child
            yield from at_run_time(child)


def circle(parsed: Iterable[Module]) -> list[str]:
    """Files that import each other in a ring, at whatever level the imports stand; [] where there is none."""
    files = {module.name: module for module in parsed}
    imports: dict[str, set[str]] = {}
    for name, module in files.items():
        named = {target for target, _ in imported(at_run_time(module.tree))}
        # `from a import b` names `a` too, which is only meant where `b` is no file.
        parents = {target.rpartition(".")[0] for target in named if target in files}
        imports[name] = {target for target in named - parents if target in files}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_two_files_import_each_other() -> None:
    assert circle(modules()) == []


@pytest.mark.parametrize(
    ("line", "ring"),
    [
        ("import serving.b", True),
        ("def f():\n    from serving import b", True),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import serving.b", False),
    ],
)
def test_a_ring_of_imports_is_found_inside_functions_too(line: str, ring: bool) -> None:
    samples = [
        Module.parse("serving/a.py", line),
        Module.parse("serving/b.py", "from serving.c import x"),
        Module.parse("serving/c.py", "from serving import a"),
    ]
    assert set(circle(samples)) == ({"serving.a", "serving.b", "serving.c"} if ring else set())


def test_the_import_contracts_hold() -> None:
    result = _contracts(ROOT)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("path", "line", "contract"),
    [
        ("sentiment_platform/store/bad.py", "from sentiment_platform.models import family", "one way"),
        ("sentiment_platform/errors.py", "import sentiment_platform.definitions", "one way"),
        ("sentiment_platform/github_server/bad.py", "from sentiment_platform.settings import Settings", "one way"),
        ("sentiment_platform/models/family.py", "import serving", "Nothing imports serving"),
        (
            "sentiment_platform/models/vader/fit.py",
            "from sentiment_platform.models.transformer import tokens",
            "no family imports",
        ),
        (
            "sentiment_platform/models/transformer/runtime.py",
            "def f():\n    from sentiment_platform.models.transformer import training",
            "transformer: the",
        ),
        ("sentiment_platform/news/items.py", "from sentiment_platform.news import late, quarantine", "rooms of news"),
        ("sentiment_platform/local/parts/redis.py", "from sentiment_platform.local import stack", "local stack: session"),
        ("serving/bad.py", "def f():\n    import dagster", "never reaches the graph"),
        ("serving/live/selections.py", "def f():\n    import serving.services", "rooms of serving"),
        ("serving/bad.py", "def f():\n    import torch", "training or table libraries"),
        ("sentiment_platform/unplanned/__init__.py", "", "one way"),
    ],
)
def test_the_import_contracts_refuse(tmp_path: Path, path: str, line: str, contract: str) -> None:
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=lambda _, names: [n for n in names if "." in n and not n.endswith(".py")]
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / path).parent.mkdir(exist_ok=True)
    with (tmp_path / path).open("a") as file:
        file.write(f"\n{line}\n")
    result = _contracts(tmp_path)
    assert result.returncode == 1, result.stdout
    assert re.search(rf"{contract}.*BROKEN", " ".join(result.stdout.split()))


def _contracts(folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as f; f()", "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
