"""Claims about GET /experiments: it shows what the comparison stored, and why nothing may be deployed on it."""

import pytest
from sqlalchemy import Engine, text

from sentiment_platform.experiments.holdout_comparison import compare_on_holdout
from sentiment_platform_tests.promotion.seeding import NOW, answers, make_evidence, register, truth, write_holdout
from sentiment_platform_tests.serving.conftest import StartServing
from sentiment_platform_tests.serving.documented import documented_answer, refuses

V1, F1 = "v1.0.0-vader", "v1.0.0-finbert"


@pytest.mark.slow
def test_pairs_verdict_interval_p_and_proposal_are_those_that_were_stored(engine: Engine, start_serving: StartServing) -> None:
    serving = start_serving(ready=False)
    serving.wait_until(lambda: serving.answers("/experiments"))
    empty = documented_answer(serving, "/experiments")
    assert (empty["evidence"], empty["comparisons"]) == (None, [])
    assert empty["objection"].startswith("No evidence is stored yet")

    labels = truth(200)
    write_holdout(engine, labels)
    register(engine, V1, answers(labels, 0.5, 1))
    register(engine, F1, answers(labels, 0.9, 2))
    compared = compare_on_holdout(engine, NOW)
    digest = make_evidence(engine, "run-1")
    shown = documented_answer(serving, "/experiments")

    (pair,) = compared.comparisons
    difference = pair.macro_f1.difference
    interval = {"value": difference.value, "low": difference.low, "high": difference.high, "n": difference.n}
    (comparison,) = shown["comparisons"]
    assert (comparison["champion"], comparison["challenger"], comparison["verdict"]) == (V1, F1, "better")
    assert (comparison["kind"], comparison["run_id"]) == ("offline", "run-1")
    figures = comparison["figures"]
    assert figures["macro_f1"]["difference"] == interval
    assert figures["mcnemar"]["p_value"] == pair.mcnemar.p_value
    assert (figures["adjusted_p"], figures["n"], figures["in_sample"]) == (pair.adjusted_p, 200, False)
    assert figures["words"] == pair.words()
    assert figures["disagreement"]["n_different"] == compared.disagreement(pair).n_different > 0

    evidence = shown["evidence"]
    assert (evidence["digest"], evidence["run_id"], evidence["n"]) == (digest, "run-1", 200)
    assert evidence["made_at"] == NOW.isoformat().replace("+00:00", "Z")
    assert evidence["pairs"] == [
        {"a": V1, "b": F1, "verdict": "better", "difference": interval, "adjusted_p": pair.adjusted_p, "in_sample": False}
    ]
    assert evidence["proposal"]["champions"] == {"vader": V1, "finbert": F1}
    assert (evidence["proposal"]["default_family"], evidence["proposal"]["rule"]) == ("finbert", "bootstrap")
    assert shown["objection"] is None
    assert documented_answer(serving, "/experiments?limit=1&offset=1")["comparisons"] == []
    assert refuses(serving, "/experiments?limit=0", 400)
    for asked, pairs in ((f"version={F1}&other={V1}", 1), (f"version={V1}", 1), (f"version={V1}&other=v9.9.9-vader", 0)):
        assert len(documented_answer(serving, f"/experiments?{asked}")["comparisons"]) == pairs, asked
    assert refuses(serving, "/experiments?other=latest", 400)

    # Evidence that was changed by hand is not shown as evidence.
    with engine.begin() as connection:
        connection.execute(text("UPDATE platform.gate_evidence SET document = jsonb_set(document, '{n}', '201')"))
    edited = documented_answer(serving, "/experiments")
    assert edited["evidence"] is None
    assert "is not what its digest" in edited["objection"]
    assert len(edited["comparisons"]) == 1
