"""What an ML engineer sees in the Dagster UI: the graph, a day of news materialized by hand, its success and its arithmetic, and the
pages of the two models: curves, matrices, the terms that moved, the labels that are doubted, the history of the search.

SENTIMENT_TEST_WRITE_PICTURES=1 also writes the picture of the graph that README shows.
"""

import io
import os
import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, TimeoutError, expect

from sentiment_platform.models.pages.reporting import TERMS_SHOWN
from sentiment_platform.models.transformer.training.distillation import MAX_DOUBTED
from sentiment_platform.running.headless import dagster_instance, run_job
from sentiment_platform.text.sentiment import LABELS
from sentiment_platform_tests.browser.conftest import ROOT, graphql
from sentiment_platform_tests.graph import ASSETS, box

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]
PICTURE = ROOT / ".github" / "graph.png"


def test_the_graph_shows_every_asset(dagster_url: str, page: Page, tmp_path: Path) -> None:
    page.set_viewport_size({"width": 2300, "height": 1300})
    page.goto(f"{dagster_url}/asset-groups")
    expect(page.get_by_text("promotion", exact=True).first).to_be_visible()
    page.wait_for_timeout(1500)
    page.mouse.click(700, 1230, button="right")
    page.get_by_text("Expand all groups").last.click()
    for asset in ASSETS:
        expect(page.get_by_text(asset, exact=True).first).to_be_visible()
    page.mouse.move(2290, 1290)  # what lies under the pointer is highlighted
    page.wait_for_timeout(2500)
    shown = page.screenshot(path=tmp_path / "graph.png")
    assert len(shown) > 20_000
    if os.environ.get("SENTIMENT_TEST_WRITE_PICTURES") == "1":
        _write_picture(shown)


def test_a_day_of_raw_news_is_materialized_by_hand_and_its_counts_add_up(dagster_url: str, page: Page, tmp_path: Path) -> None:
    page.goto(f"{dagster_url}/assets/raw_news")
    expect(page.get_by_text("Never materialized")).to_be_visible()
    page.get_by_role("button", name="Materialize").first.click()
    page.get_by_role("button", name="Latest", exact=True).click()
    launch = page.get_by_role("button", name="Launch 1 run")
    launch.click()
    # Leaving the page before the dialog closes would take the request back.
    expect(launch).to_be_hidden()
    page.wait_for_timeout(2000)
    _wait_for_metadata(page, f"{dagster_url}/assets/raw_news")
    counts = {name: _metadata(page, name) for name in ("fetched", "stored", "duplicate", "quarantined")}
    page.screenshot(path=tmp_path / "raw_news.png")
    assert counts["fetched"] == counts["stored"] + counts["duplicate"] + counts["quarantined"]
    assert counts["fetched"] > 100
    assert counts["quarantined"] > 0
    by_source = _sources(page)
    assert {"harbour-wire", "tallyroom"} <= set(by_source)
    assert [sum(column) for column in zip(*by_source.values(), strict=True)] == list(counts.values())
    # How fresh each source is, what of it was refused, and which days there are, are read off the page of the asset.
    freshness, refused = _table(page, "last collected (UTC)"), _table(page, "rule")
    assert {name: row[-1] for name, *row in freshness} == dict.fromkeys(by_source, "fresh")
    assert sum(int(row[0]) for row in refused) == counts["quarantined"]
    page.set_viewport_size({"width": 1600, "height": 3000})
    page.wait_for_timeout(1000)
    page.screenshot(path=tmp_path / "raw_news_tables.png")
    page.set_viewport_size({"width": 1600, "height": 760})
    page.goto(f"{dagster_url}/assets/raw_news?view=partitions")
    expect(page.get_by_text("Materialized", exact=False).first).to_be_visible()
    page.wait_for_timeout(1500)
    page.screenshot(path=tmp_path / "partitions.png")
    page.goto(f"{dagster_url}/runs")
    expect(page.get_by_text("Success", exact=True).first).to_be_visible(timeout=180_000)
    page.screenshot(path=tmp_path / "runs.png")
    page.goto(f"{dagster_url}/assets/raw_news?view=checks")
    expect(page.get_by_text("sources_are_fresh").first).to_be_visible()
    expect(page.get_by_text("In Progress")).to_have_count(0, timeout=90_000)
    expect(page.get_by_text("Passed", exact=True).first).to_be_visible()
    page.wait_for_timeout(1500)
    page.screenshot(path=tmp_path / "checks.png")


def test_the_web_server_lists_a_run_of_the_command_line_with_its_job(dagster_url: str) -> None:
    with dagster_instance() as instance:
        run = run_job(instance, "alert_job", log_level="ERROR").run_id
    job = '{repositoryName: "__repository__", repositoryLocationName: "sentiment_platform", pipelineName: "alert_job"}'
    query = f"{{ pipelineOrError(params: {job}) {{ ... on Pipeline {{ runs {{ runId }} }} }} }}"
    assert [one["runId"] for one in graphql(dagster_url, query)["pipelineOrError"]["runs"]] == [run]


@pytest.mark.parametrize("stage", ["collection", "training", "monitoring"])
def test_the_web_server_lists_the_box_of_a_stage(dagster_url: str, stage: str) -> None:
    nodes = graphql(dagster_url, "{ assetNodes { assetKey { path } tags { key value } } }")["assetNodes"]
    listed = {node["assetKey"]["path"][-1] for node in nodes if {"key": "stage", "value": stage} in node["tags"]}
    assert listed == box(stage)


@pytest.mark.usefixtures("trained_models")
@pytest.mark.parametrize(
    ("asset", "pictures"),
    [
        ("vader_model", ["picture"]),
        ("finbert_model", ["picture"]),
    ],
)
def test_the_page_of_a_model_shows_how_it_was_trained_and_how_it_answers(
    dagster_url: str, page: Page, tmp_path: Path, asset: str, pictures: list[str]
) -> None:
    page.set_viewport_size({"width": 1600, "height": 1000})
    _wait_for_metadata(page, f"{dagster_url}/assets/{asset}")
    page.screenshot(path=tmp_path / f"{asset}.png")
    for name in pictures:
        picture = _opened(page, name).locator("img")
        expect(picture).to_be_visible()
        assert picture.evaluate("image => image.complete ? image.naturalWidth : 0") > 500
        _fits(page, picture)
        page.screenshot(path=tmp_path / f"{asset}.{name}.png")
        _close(page)
    measured = _opened(page, "measured")
    for row in ("macro_f1", "scorer alone", "with the features", "difference (95 % interval)"):
        expect(measured.get_by_text(row, exact=True)).to_be_visible()
    _fits(page, measured)
    page.screenshot(path=tmp_path / f"{asset}.measured.png")
    _close(page)
    # The whole card is a page to read, longer than a window and no wider.
    card = _opened(page, "card")
    for heading in ("What it is", "Beside baselines", "Limits", "Answer with it elsewhere"):
        expect(card.get_by_role("heading", name=heading, exact=True)).to_be_attached()
    place = card.bounding_box()
    assert place is not None
    assert place["x"] >= 0
    assert place["x"] + place["width"] <= 1600
    page.screenshot(path=tmp_path / f"{asset}.card.png", full_page=True)


@pytest.mark.usefixtures("trained_models")
def test_the_terms_that_moved_are_a_table_of_the_family_that_has_terms(dagster_url: str, page: Page, tmp_path: Path) -> None:
    page.set_viewport_size({"width": 1600, "height": 1000})
    _wait_for_metadata(page, f"{dagster_url}/assets/vader_model")
    dialog = _opened(page, "terms_moved")
    expect(dialog.locator("th", has_text="examples")).to_be_visible()
    page.screenshot(path=tmp_path / "terms_moved.png")
    rows = [row.locator("td").all_inner_texts() for row in dialog.locator("table").first.locator("tbody tr").all()]
    assert 5 < len(rows) <= TERMS_SHOWN
    for term, *weights, evidence, examples in rows:
        assert re.search(r"[a-z]", term)
        assert any(float(weight) for weight in weights)
        assert int(evidence) >= len(examples.split(", ")) >= 1
        assert examples.startswith("train-")
    _fits(page, dialog)
    _wait_for_metadata(page, f"{dagster_url}/assets/finbert_model")
    expect(page.get_by_text("summary", exact=True)).to_be_visible()
    expect(page.get_by_text("terms_moved", exact=True)).to_have_count(0)
    page.goto(f"{dagster_url}/assets/vader_model?view=checks")
    expect(page.get_by_text("vader_learning_succeeded").first).to_be_visible()
    expect(page.get_by_text("Passed", exact=True).first).to_be_visible()
    page.screenshot(path=tmp_path / "checks_of_vader.png")


@pytest.mark.usefixtures("trained_models")
def test_the_labels_that_are_doubted_are_a_table_of_the_transformer(dagster_url: str, page: Page, tmp_path: Path) -> None:
    page.set_viewport_size({"width": 1600, "height": 1000})
    _wait_for_metadata(page, f"{dagster_url}/assets/finbert_model")
    dialog = _opened(page, "doubted_labels")
    expect(dialog.get_by_text("of the training texts", exact=False)).to_be_visible()
    page.screenshot(path=tmp_path / "doubted_labels.png")
    rows = [row.locator("td").all_inner_texts() for row in dialog.locator("table").first.locator("tbody tr").all()]
    assert len(rows) == MAX_DOUBTED
    for identifier, label, predicted, probability in rows:
        assert identifier.startswith("train-")
        assert {label, predicted} < set(LABELS)
        assert label != predicted
        assert 1 / 3 < float(probability) <= 1
    _fits(page, dialog)


def _opened(page: Page, name: str) -> Locator:
    """The dialog with the markdown of this metadata."""
    row = page.locator("tr", has=page.get_by_text(name, exact=True)).first
    row.get_by_text("[Show Markdown]").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text(name, exact=True)).to_be_visible()
    # It grows while it opens.
    page.wait_for_timeout(500)
    return dialog


def _close(page: Page) -> None:
    page.get_by_role("dialog").get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_be_hidden()


def _fits(page: Page, shown: Locator) -> None:
    """Whoever looks at it need not scroll."""
    place, window = shown.bounding_box(), page.viewport_size
    assert place is not None
    assert window is not None
    assert place["x"] >= 0
    assert place["y"] >= 0
    assert place["x"] + place["width"] <= window["width"]
    assert place["y"] + place["height"] <= window["height"]


def _wait_for_metadata(page: Page, address: str, limit_s: float = 120) -> None:
    """The daemon takes the run from the queue; look again until the page has what the run left, longer each time: it may be slow."""
    deadline, look_ms = time.monotonic() + limit_s, 5_000
    while True:
        page.goto(address)
        try:
            page.get_by_placeholder("Filter metadata keys").wait_for(timeout=look_ms)
        except TimeoutError:
            assert time.monotonic() < deadline, f"no metadata after {limit_s:.0f} s"
            look_ms *= 2
        else:
            return


def _metadata(page: Page, name: str) -> int:
    row = page.locator("tr", has=page.get_by_text(name, exact=True)).first
    expect(row).to_be_visible()
    return int(row.locator("td").last.inner_text())


def _sources(page: Page) -> dict[str, list[int]]:
    """The table in the metadata `sources`: name of a feed -> fetched, stored, duplicate, quarantined."""
    table = page.locator("table", has=page.locator("th", has_text="outcome")).last
    rows = [row.locator("td").all_inner_texts() for row in table.locator("tbody tr").all()]
    return {name: [int(n) for n in numbers[:4]] for name, *numbers in rows}


def _table(page: Page, heading: str) -> list[list[str]]:
    """The rows of the table in the metadata that has this heading."""
    table = page.locator("table", has=page.locator("th", has_text=re.compile(f"^{re.escape(heading)}$"))).last
    return [row.locator("td").all_inner_texts() for row in table.locator("tbody tr").all()]


def _write_picture(shown: bytes) -> None:
    from PIL import Image

    with Image.open(io.BytesIO(shown)) as picture:
        # The graph without the navigation beside it.
        picture.crop((560, 275, 2258, 1062)).quantize(64).save(PICTURE, optimize=True)
