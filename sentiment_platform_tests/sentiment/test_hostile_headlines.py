"""Headlines are text: 500 hostile ones come out of the API and of `news show` as what a model reads of them, and do nothing."""

import itertools
import json
import re
import unicodedata
from collections.abc import Iterator

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine

from sentiment_platform.cli import main
from sentiment_platform.settings import Settings
from sentiment_platform.text.normalise import normalise
from sentiment_platform_tests.features.articles import article, insert
from sentiment_platform_tests.sentiment.scores import score, store_scores
from sentiment_platform_tests.serving.running import ServingProcess, environment_of

pytestmark = pytest.mark.slow

WRAPPINGS = (
    "<script>alert({n})</script> {words}",
    '<img src=x onerror="alert({n})"> {words}',
    "[bold red]{words}[/] [/b] [link=https://evil.example]{n}[/link]",
    "\x1b[31m{words}\x1b[0m \x1b]8;;https://evil.example\x07{n}\x1b]8;;\x07",
    "\x1b[2J\x1b[H{words} {n}\x08\x08\r",
    "\u202e{words}\u202c \u2066{n}\u2069",
    "{words}\u200b\u200d\ufeff {n}\u00ad",
    '=HYPERLINK("https://evil.example","{words} {n}")',
    "+{n}+cmd|' /C calc'!A0 {words}",
    "-{n}+{words}",
    "@SUM(1+1)*cmd {words} {n}",
    '"{words}" \'{n}\' `{words}` \\"',
    "{words}\nsecond line {n}\r\n\tthird",
    "{words} %s %(n)s {{n}} ${{n}} #{{n}} {n}",
    "'; DROP TABLE platform.raw_data; -- {words} {n}",
    "{words} \U000e0041\U000e0042 {n}\u2028\u2029",
    "\x9b31m{words} \x85{n}",
)
WORDS = ("Mill profit rose", "Brass Bank warns", "عاجل: ربح", "利益が増加", "Ä̈rger bei Müller")


def hostile() -> Iterator[str]:
    for n, (wrapping, words) in enumerate(itertools.cycle(itertools.product(WRAPPINGS, WORDS))):
        yield wrapping.format(n=n, words=words)


def stored_as(title: str) -> str:
    """What a column can hold of it."""
    return title.replace("\x00", "")


def powerless(text: str) -> bool:
    """No character that a terminal or a page obeys."""
    return all(unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for character in text)


def test_500_hostile_headlines_are_text_in_the_api_and_in_the_terminal(settings: Settings, engine: Engine) -> None:
    titles = [stored_as(title) for title in itertools.islice(hostile(), 500)]
    articles = [article(n, n, title=title, outlet="<i>Outlet</i>[/]", tickers=()) for n, title in enumerate(titles)]
    insert(engine, articles)
    store_scores(engine, *[score(one, (0.1, 0.2, 0.7)) for one in articles])
    expected = [normalise(title) for title in reversed(titles)]
    assert not all(powerless(title) for title in titles)  # the control

    process = ServingProcess(settings).start(ready=False)
    try:
        process.wait_until(lambda: process.answers("/news"))
        shown: list[str] = []
        cursor: dict[str, str] = {}
        while len(shown) < 500:
            reply = process.client.get("/news", params={"limit": "200", **cursor})
            assert reply.headers["content-type"].startswith("application/json")
            page = reply.json()
            shown += [item["headline"] for item in page["items"]]
            cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else {}
    finally:
        process.stop()
    assert shown == expected
    assert all(powerless(title) for title in shown)

    runner = CliRunner(env=environment_of(settings))
    printed = runner.invoke(main, ["news", "show", "--limit", "500", "--json"], catch_exceptions=False).stdout
    assert [story["headline"] for story in json.loads(printed)["stories"]] == expected
    table = runner.invoke(main, ["news", "show", "--limit", "500"], catch_exceptions=False).stdout
    lines = table.splitlines()
    assert len(lines) == 502  # title, columns, and one line a story, however many lines its headline had
    for line, title in zip(lines[2:], expected, strict=True):
        assert re.search(re.escape(title), line)
    assert all(powerless(line) for line in lines)
