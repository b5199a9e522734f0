"""What an answer must not say at the same time; for tests that ask many texts."""

import math
from collections.abc import Iterator
from typing import Any

LABELS = ("negative", "neutral", "positive")
DIRECTIONS = {"negative": "bearish", "neutral": "neutral", "positive": "bullish"}
SIGNS = {"bearish": (-1, 0), "neutral": (-1, 0, 1), "bullish": (0, 1)}


def contradictions(answer: dict[str, Any]) -> list[str]:
    """What contradicts what in the `prediction` of an answer, and between it and the `comparison` where there is one."""
    said = answer["prediction"]
    probabilities = [said["probabilities"][label] for label in LABELS]
    largest = max(probabilities)
    checks = {
        "the probabilities add up to 1": math.isclose(sum(probabilities), 1, abs_tol=1e-6),
        "the label is the likeliest, of equals the first": said["label"] == LABELS[probabilities.index(largest)],
        "the confidence is the label's, and none where the text cannot be read": said["confidence"]
        == (said["probabilities"][said["label"]] if said.get("supported", True) else None),
        "the sentiment is positive less negative": said["sentiment"] == probabilities[2] - probabilities[0],
        "the direction is the label's": said["price_direction"] == DIRECTIONS[said["label"]],
        "the sentiment is not on the other side": (said["sentiment"] > 0) - (said["sentiment"] < 0)
        in SIGNS[said["price_direction"]],
        "no more features are there than were used": 0 <= said["features_present"] <= said["features_count"],
    }
    compared = answer.get("comparison", {}).get(f"{said['model_used']}_sentiment")
    checks["the comparison has the same sentiment"] = compared is None or compared == said["sentiment"]
    return [claim for claim, holds in checks.items() if not holds]


def side_by_side(answer: dict[str, Any]) -> list[str]:
    """What contradicts what in an answer of /predict/compare."""
    results = {family: result for family, result in answer["results"].items() if result}
    wrong = [claim for result in results.values() for claim in contradictions(result | {"comparison": answer["comparison"]})]
    return wrong + list(_agreement(results, answer["comparison"]))


def _agreement(results: dict[str, Any], comparison: dict[str, Any]) -> Iterator[str]:
    if {"vader", "finbert"} <= results.keys():
        vader, finbert = results["vader"]["prediction"], results["finbert"]["prediction"]
        if not vader.get("supported", True):
            if set(comparison.values()) != {None}:
                yield "what cannot be read is not compared"
            return
        if comparison["agreement"] is not (vader["label"] == finbert["label"]):
            yield "agreement is the same label"
        if comparison["confidence_delta"] != finbert["confidence"] - vader["confidence"]:
            yield "the delta is the difference of the confidences"
