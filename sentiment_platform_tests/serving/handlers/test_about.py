"""Claims about GET /about: it names what this build has, with its limits; a link is there only where a browser can follow it."""

from sentiment_platform.models.families import FAMILIES
from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.documented import documented_answer


def test_a_page_is_told_families_labels_limits_and_only_links_that_lead_somewhere(start_serving: StartServing) -> None:
    serving = start_serving(
        ready=False, DATABASE_URL="", SENTIMENT_DAGSTER_URL="http://127.0.0.1:3000/", SENTIMENT_DEADLINE_MS="150"
    )
    about = documented_answer(serving, "/about")
    assert {family["name"] for family in about["families"]} == FAMILIES.keys()
    assert about["labels"] == ["negative", "neutral", "positive"]
    assert about["limits"] == {"text_characters": 5000, "body_bytes": 65536, "batch_items": 32, "deadline_ms": 150}
    assert (about["dagster_url"], about["runbook_url"]) == ("http://127.0.0.1:3000", None)
