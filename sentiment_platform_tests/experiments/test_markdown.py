"""The page of a comparison: the conclusion first, every figure in a table, and nothing that another version's words could break."""

import msgspec
from sqlalchemy import Engine

from sentiment_platform.experiments.holdout_comparison import compare_on_holdout
from sentiment_platform.experiments.markdown import comparison_report, guardrail_table, macro_f1_of_newest
from sentiment_platform_tests.promotion.seeding import NOW, answers, register, truth, write_holdout

V1, V2, F1 = "v1.0.0-vader", "v1.1.0-vader", "v1.0.0-finbert"


def test_the_conclusion_stands_first_then_the_pairs_that_the_gate_reads_then_the_others(engine: Engine) -> None:
    labels = truth(200)
    write_holdout(engine, labels)
    register(engine, V1, answers(labels, 0.5, 1))
    register(engine, F1, answers(labels, 0.9, 2))
    made = compare_on_holdout(engine, NOW).evidence()
    other = msgspec.structs.replace(made.comparisons[0], b=V2, adjusted_p=None, verdict="not weighed")
    evidence = msgspec.structs.replace(made, comparisons=(*made.comparisons, other))
    report = comparison_report(evidence)
    assert report.startswith(f"**{evidence.proposal.reason}**")
    read, shown = report.split("## Shown only")
    for pair in evidence.comparisons:
        here, there = (read, shown) if pair.read else (shown, read)
        row = f"| {pair.b} | {pair.a} | {f'**{pair.verdict}**' if pair.read else '-'} | {pair.macro_f1.b:.3f} / {pair.macro_f1.a:.3f} |"
        assert (row in here, row in there, pair.words() in here) == (True, False, True)
    pair = made.comparisons[0]
    assert macro_f1_of_newest(made) == {"vader": pair.macro_f1.a, "finbert": pair.macro_f1.b}


def test_a_guardrail_that_blocks_stands_above_those_that_only_tell(engine: Engine) -> None:
    labels = truth(200)
    write_holdout(engine, labels)
    register(engine, V1, answers(labels, 0.9, 1))
    register(engine, F1, answers(labels, 0.5, 2))
    pairs = compare_on_holdout(engine, NOW).comparisons
    lines = guardrail_table(pairs).splitlines()[2:]
    assert sum(len(pair.guardrails) for pair in pairs) == len(lines) >= 2
    blocking = ["**blocks**" in line for line in lines]
    assert blocking == sorted(blocking, reverse=True)
    assert any(blocking)
    assert guardrail_table([]) == "No guardrail has anything to say."
