import ast
import re

import pytest

from sentiment_platform_tests.source_code import Module, imported, modules

READS = r"(?:.*\.)?(?:strptime|fromisoformat|fromisocalendar|to_datetime|parsedate\w*|mktime_tz|\w+_parsed)|(?:dateutil|dateparser)\b.*"


def dates_read(module: Module) -> list[str]:
    """What of a module reads a date by itself: calls of the standard library's readers, libraries that guess, feedparser's own dates."""
    if module.path.is_relative_to("sentiment_platform/times"):
        return []
    names = [name for name, _ in imported(ast.walk(module.tree))]
    names += [node.attr for node in ast.walk(module.tree) if isinstance(node, ast.Attribute)]
    names += [node.value for node in ast.walk(module.tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return sorted({name for name in names if re.fullmatch(READS, name)})


def test_no_other_file_reads_a_date() -> None:
    assert {str(module.path): names for module in modules() if (names := dates_read(module))} == {}


@pytest.mark.parametrize(
    "line",
    [
        "def f(datetime, text):\n    return datetime.fromisoformat(text)",
        "def f(datetime, text):\n    return datetime.strptime(text, '%Y')",
        "from email.utils import parsedate_to_datetime",
        "import dateutil.parser",
        "def f(entry):\n    return entry.get('published_parsed')",
        "def f(entry):\n    return entry.updated_parsed",
    ],
)
def test_a_file_that_reads_one_is_found(line: str) -> None:
    assert dates_read(Module.parse("sentiment_platform/news/archive.py", line)) != []
    assert dates_read(Module.parse("sentiment_platform/times/reading.py", line)) == []
