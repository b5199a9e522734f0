"""What others wrote is printed as it is, by every command that prints what is stored: no markup, no control of the terminal."""

import json
import re

import pytest
from sqlalchemy import Engine

from sentiment_platform.commands.console import POWERFUL, harmless
from sentiment_platform.settings import Settings
from sentiment_platform.text.normalise import normalise
from sentiment_platform_tests.commands.command_tree import listings
from sentiment_platform_tests.commands.conftest import Invoke, OnTerminal
from sentiment_platform_tests.commands.stored import HARM, TEXT_ID, store_harm
from sentiment_platform_tests.serving.publishing import Publisher

pytestmark = pytest.mark.slow

LISTINGS: dict[str, list[str]] = {
    "models list": [],
    "models at": ["2030-01-01"],
    "news quarantine": [],
    "news show": [],
    "news sources": [],
    "news replay": ["--dry-run"],
    "market show": [],
    "labels sets": [],
    "labels agreement": [],
    "labels show": [TEXT_ID],
    "alerts list": [],
    "keys list": [],
    "flags list": [],
    "explain": ["PREDICTION"],
}
"""Every command that prints what is stored."""
TOLD = {"news show": normalise(HARM)}
"""What a command makes of it, where that is not the text itself."""
WITHOUT_STORED_TEXT = {"models at"}
ELSEWHERE = {
    "doctor": "test_doctor.py",
    "experiments status": "test_experiments.py",
    "labels tasks": "test_labels.py",
    "models replay": "test_experiments.py",
    "news try": "test_trying.py",
    "predict": "below",
    "setup": "test_setup.py",
}
"""Other commands that take --json, and where they are tried."""
LINE_BREAKS = re.compile(r"[\s│┃|]+")


def lines_of(name: str, prediction: str) -> list[str]:
    return [*name.split(), *(prediction if word == "PREDICTION" else word for word in LISTINGS[name])]


def test_no_listing_is_left_out() -> None:
    assert {" ".join(path) for path in listings()} == {*LISTINGS, *ELSEWHERE}


def test_text_with_markup_and_escapes_passes_through_every_listing(
    engine: Engine, invoke: Invoke, on_terminal: OnTerminal
) -> None:
    prediction = store_harm(engine)
    for name in LISTINGS:
        piped = invoke(*lines_of(name, prediction))
        assert piped.exit_code == 0, piped.output
        wide, narrow = (
            on_terminal(*lines_of(name, prediction), columns=2000),
            on_terminal(*lines_of(name, prediction), columns=40),
        )
        for how, printed in (("piped", piped.output), ("wide", wide), ("narrow", narrow)):
            assert not POWERFUL.findall(printed), (name, how, printed)
            if name not in WITHOUT_STORED_TEXT:
                told = LINE_BREAKS.sub("", harmless(TOLD.get(name, HARM)))
                assert told in LINE_BREAKS.sub("", printed), (name, how, printed)


def test_every_listing_is_one_json_document_that_says_what_is_stored(engine: Engine, invoke: Invoke) -> None:
    prediction = store_harm(engine)
    for name in LISTINGS:
        printed = invoke(*lines_of(name, prediction), "--json")
        assert (printed.exit_code, printed.stderr) == (0, ""), printed.stderr
        assert not POWERFUL.findall(printed.stdout), name
        document = json.loads(printed.stdout)
        if name not in WITHOUT_STORED_TEXT:
            assert TOLD.get(name, HARM) in str_leaves(document), name


def str_leaves(document: object) -> set[str]:
    """Every string of a JSON document, names of fields included."""
    if isinstance(document, dict):
        return {str(key) for key in document} | set[str]().union(*map(str_leaves, document.values()))
    if isinstance(document, list):
        return set[str]().union(*map(str_leaves, document))
    return {document} if isinstance(document, str) else set()


def test_piped_listings_have_a_line_a_row_however_narrow_the_terminal_is(engine: Engine, invoke: Invoke) -> None:
    store_harm(engine)
    lines = invoke("models", "list").output.splitlines()
    [deployment] = [line for line in lines if "deploy-" in line]
    assert deployment.startswith("deploy-000001  2026-03-02 09:30  v1.0.0-vader")
    assert deployment.count(harmless(HARM)) == 2, "actor and reason, whole"


def test_json_has_numbers_as_numbers_times_as_iso_8601_and_an_array_or_an_object(engine: Engine, invoke: Invoke) -> None:
    store_harm(engine)
    [series] = json.loads(invoke("market", "show", "--json").stdout)
    assert (series["first"], series["bars"], series["revised"]) == ("2026-03-02", 1, 0)
    listed = json.loads(invoke("models", "list", "--json").stdout)
    assert set(listed) == {"versions", "deployments"}
    assert listed["deployments"][0]["published_at"] == "2026-03-02T09:30:00Z"
    assert listed["versions"][0]["metrics"]["accuracy"]["n"] == 400
    [key] = json.loads(invoke("keys", "list", "--json").stdout)
    assert set(key) == {
        "id",
        "role",
        "owner",
        "created_at",
        "expires_at",
        "revoked_at",
        "last_used_at",
        "previous_until",
        "scopes",
    }
    explained = json.loads(invoke("explain", "served-0", "--json").stdout)
    assert explained["answer"]["latency_ms"] == {"total": 1.0}


EMPTY: dict[str, tuple[list[str], str]] = {
    "models list": ([], "sentiment-platform labels import"),
    "models verify": ([], "sentiment-platform run bootstrap_job"),
    "models at": (["2026-01-01"], "sentiment-platform models list"),
    "news quarantine": ([], "sentiment-platform news import"),
    "news show": ([], "sentiment-platform run collect_job"),
    "news sources": ([], "SENTIMENT_SOURCES"),
    "news replay": ([], "sentiment-platform news quarantine"),
    "market show": ([], "sentiment-platform market import"),
    "labels sets": ([], "sentiment-platform labels import"),
    "labels agreement": ([], "sentiment-platform labels import"),
    "alerts list": ([], "sentiment-platform run alert_job"),
    "keys list": ([], "sentiment-platform keys create"),
}


THEMSELVES_AN_ANSWER = {"models at", "news sources"}


def test_where_there_is_nothing_yet_the_next_step_is_named_beside_an_empty_output(invoke: Invoke) -> None:
    for name, (arguments, next_step) in EMPTY.items():
        said = invoke(*name.split(), *arguments)
        assert (said.exit_code, next_step in said.output) == (0, True), (name, said.output)
        assert name in THEMSELVES_AN_ANSWER or said.stdout == "", name
        if name != "models verify":
            document = json.loads(invoke(*name.split(), *arguments, "--json").stdout)
            lists = [one for one in (document.values() if isinstance(document, dict) else [document]) if isinstance(one, list)]
            assert name == "news sources" or not any(lists), name


def test_a_text_with_markup_and_escapes_is_answered(
    settings: Settings, engine: Engine, invoke: Invoke, on_terminal: OnTerminal
) -> None:
    publisher = Publisher(settings, engine)
    publisher.deploy(publisher.model())
    publisher.close()
    answered = invoke("predict", f"Profit rose {HARM}")
    assert (answered.exit_code, answered.stderr) == (0, "")
    for printed in (answered.stdout, on_terminal("predict", f"Profit rose {HARM}")):
        assert not POWERFUL.findall(printed)
        assert "v1.0.0-vader (default)" in printed
        assert "[link=https://x.example]" in printed
    [answer] = json.loads(invoke("predict", HARM, "--json").stdout)
    assert answer["version"] == "v1.0.0-vader"
    assert len(answer["probabilities"]) == 3
