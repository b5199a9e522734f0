"""Rules about structs that code can check: many fields are given by keyword, and a document of the registry is read as its struct,
the figures of a manifest included.

Each rule is a function over one module and is run on samples that break it and on some that do not.
"""

import ast

import pytest

from sentiment_platform_tests.source_code import Module, modules

MANY_FIELDS = 6
# Names that mean a field of a manifest or a deployment wherever they stand; `version`, `rule` and the like mean other things too.
DOCUMENT_FIELDS = {"champions", "default_family", "base_model", "base_digest", "training_files", "git_sha", "golden"}
READ_AS_JSON = {
    # The demo reads the metadata of its own run, as Dagster has stored it.
    "sentiment_platform/local/demo/deployed.py": {"champions", "default_family"},
    "sentiment_platform/commands/demo_summary.py": {"base_model", "default_family"},
}


def made_by_position(module: Module) -> list[str]:
    """Structs with many fields, their own and those of a struct of the same file that they extend, that are not keyword-only."""
    classes = {node.name: node for node in module.nodes if isinstance(node, ast.ClassDef)}
    return [
        name
        for name, node in classes.items()
        if _is_struct(node)
        and len(_fields(node)) + sum(len(_fields(classes[base])) for base in _bases(node) & set(classes)) >= MANY_FIELDS
        and "kw_only" not in _options(node)
    ]


def _is_struct(node: ast.ClassDef) -> bool:
    return bool(_bases(node) & {"Struct"}) or any("dataclass" in ast.unparse(item) for item in node.decorator_list)


def _bases(node: ast.ClassDef) -> set[str]:
    return {ast.unparse(base).rpartition(".")[2] for base in node.bases}


def _fields(node: ast.ClassDef) -> list[ast.AnnAssign]:
    return [item for item in node.body if isinstance(item, ast.AnnAssign) and "ClassVar" not in ast.unparse(item.annotation)]


def _options(node: ast.ClassDef) -> set[str | None]:
    given = [word for item in node.decorator_list if isinstance(item, ast.Call) for word in item.keywords]
    return {word.arg for word in [*given, *node.keywords]}


def indexed_document(module: Module) -> list[str]:
    """Fields of a manifest or a deployment by which something is indexed, outside of registry/ and of what reads JSON."""
    if module.path.is_relative_to("sentiment_platform/registry"):
        return []
    names = {
        str(node.slice.value)
        for node in module.nodes
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and isinstance(node.slice, ast.Constant)
    }
    return sorted(names & DOCUMENT_FIELDS - READ_AS_JSON.get(str(module.path), set()))


def indexed_figures(module: Module) -> list[str]:
    """Reads of the figures of a manifest by a key, outside of registry/: what reads one has a field for it."""
    if module.path.is_relative_to("sentiment_platform/registry"):
        return []
    reads = [
        node.value if isinstance(node, ast.Subscript) else node.func.value
        for node in module.nodes
        if (isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load))
        or (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get")
    ]
    return [name for read in reads if (name := ast.unparse(read)).rpartition(".")[2] == "figures"]


def test_structs_with_many_fields_are_made_by_keyword() -> None:
    assert {str(module.path): names for module in modules() if (names := made_by_position(module))} == {}


SIX = "".join(f"    {name}: int\n" for name in "abcdef")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (f"@dataclass(frozen=True)\nclass A:\n{SIX}", ["A"]),
        (f"@dataclass\nclass A:\n{SIX}", ["A"]),
        (f"class A(msgspec.Struct, frozen=True):\n{SIX}", ["A"]),
        (f"class A(Struct, kw_only=True):\n{SIX}\nclass B(A, Struct):\n    g: int", ["B"]),
        (f"@dataclass(frozen=True, kw_only=True)\nclass A:\n{SIX}", []),
        (f"class A(msgspec.Struct, frozen=True, kw_only=True):\n{SIX}", []),
        (f"@dataclass\nclass A:\n{SIX.replace('f: int', 'f: ClassVar[int]')}", []),
        (f"class A:\n{SIX}", []),
    ],
)
def test_a_struct_that_takes_many_values_by_position_is_found(text: str, named: list[str]) -> None:
    assert made_by_position(Module.parse("sentiment_platform/a.py", text)) == named


def test_nobody_indexes_a_manifest_or_a_deployment_by_the_name_of_a_field() -> None:
    assert {str(module.path): names for module in modules() if (names := indexed_document(module))} == {}


@pytest.mark.parametrize(
    ("path", "text", "named"),
    [
        ("sentiment_platform/served/champion.py", "x = document['champions'][document['default_family']]", 2),
        ("serving/live/live.py", "def f(manifest):\n    return manifest['base_model']", 1),
        ("sentiment_platform/local/demo/demo.py", "x = manifest['base_model']", 1),
        ("sentiment_platform/local/demo/deployed.py", "x = shown['champions']", 0),
        ("sentiment_platform/registry/verify.py", "x = document['champions']", 0),
        ("sentiment_platform/served/champion.py", "x = deployed.champions", 0),
        ("sentiment_platform/promotion/assets.py", "metadata = {'champions': versions}", 0),
    ],
)
def test_an_index_into_a_document_is_found(path: str, text: str, named: int) -> None:
    assert len(indexed_document(Module.parse(path, text))) == named


def test_nobody_reads_the_figures_of_a_manifest_by_a_key() -> None:
    assert {str(module.path): names for module in modules() if (names := indexed_figures(module))} == {}


@pytest.mark.parametrize(
    ("path", "text", "named"),
    [
        ("sentiment_platform/models/assets.py", "x = manifest.figures['ece']", ["manifest.figures"]),
        ("sentiment_platform/models/assets.py", "x = newest.manifest.figures.get(NAME)", ["newest.manifest.figures"]),
        ("sentiment_platform/models/pages/plots.py", "def f(figures):\n    return figures['ece']", ["figures"]),
        ("sentiment_platform/registry/listing.py", "x = manifest.figures['ece']", []),
        ("sentiment_platform/models/assets.py", "x = shown_figures(manifest).ece", []),
        ("sentiment_platform/models/vader/training.py", "figures['warning'] = 'none was fitted'", []),
    ],
)
def test_a_read_of_figures_by_a_key_is_found(path: str, text: str, named: list[str]) -> None:
    assert indexed_figures(Module.parse(path, text)) == named


@pytest.mark.parametrize("path", READ_AS_JSON)
def test_what_may_index_one_does(path: str) -> None:
    (module,) = (module for module in modules() if str(module.path) == path)
    assert set(indexed_document(Module.parse("elsewhere.py", module.text))) == READ_AS_JSON[path]
