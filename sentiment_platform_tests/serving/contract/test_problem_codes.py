"""The list of error codes is whole: every code that the program can answer is published, and every published one is in use."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from sentiment_platform.registry.refusal import Reason
from sentiment_platform_tests.source_code import ROOT
from serving.contract.problem_codes import CODES

REFUSING = {"Problem": 1, "Refusal": 1, "_refuse": 1, "_stop": 1, "unavailable": 0, "_refusal": 0}
"""What makes a problem -> where its code stands among the arguments."""
WORD = re.compile(r"[a-z][a-z_0-9]*\Z")


def sources() -> Iterator[tuple[Path, ast.AST]]:
    for path in sorted((ROOT / "serving").rglob("*.py")):
        if path.name != "problem_codes.py" and "node_modules" not in path.parts:
            yield path, ast.parse(path.read_text())


def codes_in(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            place = REFUSING.get(name)
            given = node.args[place] if place is not None and len(node.args) > place else None
            if isinstance(given, ast.Constant) and isinstance(given.value, str) and WORD.match(given.value):
                yield given.value


def test_every_code_that_serving_answers_is_published() -> None:
    answered = {code for _, tree in sources() for code in codes_in(tree)} | set(get_args(Reason))
    assert len(answered) > 50, "the search finds what it looks for"
    assert sorted(answered - CODES.keys()) == [], (
        "add them to serving/contract/problem_codes.py and to the table of handlers/README.md"
    )


def test_an_unpublished_code_is_seen() -> None:
    assert list(codes_in(ast.parse('raise Problem(400, "never_heard_of", detail)'))) == ["never_heard_of"]


def test_every_published_code_is_one_that_the_program_has() -> None:
    words = {
        node.value
        for _, tree in sources()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert sorted(CODES.keys() - words - set(get_args(Reason))) == []


def test_the_page_of_the_api_lists_every_code_with_its_meaning() -> None:
    page = (ROOT / "serving" / "handlers" / "README.md").read_text()
    table = page.partition("## Error codes")[2].partition("\n## ")[0]
    listed = dict(re.findall(r"^\| `([a-z_0-9]+)` \| (.+) \|$", table, re.MULTILINE))
    assert listed == CODES
