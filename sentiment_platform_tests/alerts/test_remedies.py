"""Every check that opens an incident has a sentence on what to do, and no sentence is left over."""

import ast
import re

from sentiment_platform.alerts.remedies import REMEDIES, UNKNOWN, remedy_of
from sentiment_platform_tests.source_code import ROOT


def sources() -> set[str]:
    """Names of checks that the modules of alerts write down: snake case, with a verb, as a word of their own."""
    words: set[str] = set()
    for path in (ROOT / "sentiment_platform" / "alerts").glob("*.py"):
        if path.stem not in ("remedies", "checks", "assets", "jobs", "schedules"):
            strings = (node.value for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Constant))
            words |= {word for word in strings if isinstance(word, str) and re.fullmatch(r"[a-z]+(_[a-z]+)+", word)}
    return {word for word in words if re.search(r"_(is|are|matches|succeeded|answers|runs)(_|$)", word)}


def test_every_check_that_opens_an_incident_has_its_remedy() -> None:
    assert sources() == REMEDIES.keys()
    assert remedy_of("another") == UNKNOWN
