"""The source of product and tests as syntax trees, for rules that code can check."""

import ast
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[1]
PACKAGES = ("sentiment_platform", "serving")
TOP = ("running/", "cli.py", "commands/", "local/")


@dataclass(frozen=True)
class Module:
    """One source file: its path from the repository's root, its text and its syntax tree."""

    path: PurePosixPath
    text: str
    tree: ast.Module

    @classmethod
    def parse(cls, path: str, text: str) -> "Module":
        return cls(PurePosixPath(path), text, ast.parse(text))

    @property
    def name(self) -> str:
        return ".".join(self.path.with_suffix("").parts).removesuffix(".__init__")

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Everything in the tree; walked once, for a dozen rules."""
        return tuple(ast.walk(self.tree))

    @property
    def on_top(self) -> bool:
        return self.path.is_relative_to("sentiment_platform") and str(self.path).removeprefix("sentiment_platform/").startswith(
            TOP
        )


def files(folder: Path, *endings: str) -> list[Path]:
    """Every file of ours below `folder` whose name ends so, in order; what npm installed is left out."""
    found: list[Path] = []
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - {"node_modules", "dist"})
        found += [Path(where, name) for name in names if name.endswith(endings)]
    return sorted(found)


@lru_cache
def modules() -> tuple[Module, ...]:
    """What is shipped."""
    paths = sorted(path for package in PACKAGES for path in files(ROOT / package, ".py"))
    return tuple(Module.parse(path.relative_to(ROOT).as_posix(), path.read_text()) for path in paths)


@lru_cache
def modules_of_tests() -> tuple[Module, ...]:
    """Tests and their rigs."""
    paths = files(ROOT / "sentiment_platform_tests", ".py")
    return tuple(Module.parse(path.relative_to(ROOT).as_posix(), path.read_text()) for path in paths)


def at_import(node: ast.AST) -> Iterator[ast.AST]:
    """Everything below `node` that runs when the module is imported: function bodies and blocks for type checkers do not."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            for part in (*child.decorator_list, child.args):
                yield from at_import(part)
        elif isinstance(child, ast.Lambda):
            yield from at_import(child.args)
        else:
            yield from at_import(child)


def imported(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, int]]:
    """(dotted name, line) of every import; `from a import b` gives `a` and `a.b`, since b may be a module."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield module, node.lineno
            yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)


def roots(nodes: Iterable[ast.AST]) -> set[str]:
    return {name.partition(".")[0] for name, _ in imported(nodes)}
