"""What the Dagster UI shows first: a sentence for each asset, and for each check its value against its bound.

Each rule is a function over the tree of one module and is run on a sample that breaks it.
"""

import ast
from collections.abc import Callable, Iterator

from sentiment_platform_tests.source_code import modules


def calls(tree: ast.AST, name: str) -> Iterator[dict[str, ast.expr]]:
    """The keywords of each call of `dg.<name>`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == f"dg.{name}":
            yield {keyword.arg: keyword.value for keyword in node.keywords if keyword.arg}


def keys(metadata: ast.expr | None) -> list[str]:
    """The names that a dictionary spells out, in their order."""
    named = metadata.keys if isinstance(metadata, ast.Dict) else []
    return [key.value for key in named if isinstance(key, ast.Constant) and isinstance(key.value, str)]


def results_without_bound(tree: ast.AST) -> int:
    """Check results that do not say their value, their bound and, in a sentence, what both mean."""
    whole = (
        "description" in call and {"value", "bound"} <= set(keys(call.get("metadata")))
        for call in calls(tree, "AssetCheckResult")
    )
    return sum(not one for one in whole)


def materializations_without_sentence(tree: ast.AST) -> int:
    """Materializations whose metadata does not begin with a `summary`; a digest never comes first."""
    return sum(keys(call.get("metadata"))[:1] != ["summary"] for call in calls(tree, "MaterializeResult"))


def broken(rule: Callable[[ast.AST], int]) -> dict[str, int]:
    counts = {str(module.path): rule(module.tree) for module in modules()}
    return {path: n for path, n in counts.items() if n}


def number_of(name: str) -> int:
    return sum(1 for module in modules() for _ in calls(module.tree, name))


def test_every_check_result_says_its_value_its_bound_and_what_they_mean() -> None:
    assert broken(results_without_bound) == {}
    assert number_of("AssetCheckResult") > 20
    sample = """
good = dg.AssetCheckResult(passed=True, description="so", metadata={"value": 1, "bound": 0, **more})
bad = dg.AssetCheckResult(passed=True, metadata={"value": 1, "bound": 0})
worse = dg.AssetCheckResult(passed=True, description="so", metadata={"value": 1})
"""
    assert results_without_bound(ast.parse(sample)) == 2


def test_every_materialization_begins_with_a_sentence() -> None:
    assert broken(materializations_without_sentence) == {}
    assert number_of("MaterializeResult") > 15
    sample = """
good = dg.MaterializeResult(metadata={"summary": "5 articles.", "digest": digest})
bad = dg.MaterializeResult(metadata={"digest": digest, "summary": "5 articles."})
"""
    assert materializations_without_sentence(ast.parse(sample)) == 1
