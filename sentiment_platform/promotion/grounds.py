"""What a deployment document keeps of a person's choice: the comparison that speaks for or against it, or why there is none."""

from collections.abc import Sequence

from sqlalchemy import Engine

from sentiment_platform.clock import Clock
from sentiment_platform.experiments.choice import ChosenPair, Content, against, content_of, pairs_of_choice
from sentiment_platform.experiments.choice_comparison import answers_from, weigh_choice
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.deployment import Deployment, Evidence

LONGEST_VERDICT = 4000


def weigh_promotion(
    engine: Engine,
    access: RegistryAccess,
    running: Deployment | None,
    wanted: Content,
    *,
    run_id: str,
    now: Clock,
) -> list[ChosenPair]:
    """Each pair that the choice exchanges, compared on the newest holdout; versions that have not answered it answer now.

    Args:
        wanted: family -> version, and the default family.
        run_id: who makes the comparison, where none is stored.
    """
    return weigh_choice(
        engine, pairs_of_choice(content_of(running), wanted), run_id=run_id, answer=answers_from(engine, access, now)
    )


def weigh_rollback(engine: Engine, running: Deployment | None, wanted: Content, *, run_id: str) -> list[ChosenPair]:
    """The same from stored answers alone: a rollback is urgent, so that no model is loaded for it."""
    return weigh_choice(engine, pairs_of_choice(content_of(running), wanted), run_id=run_id)


def sentence(said: str) -> str:
    """`said` with a full stop, where it ends without a mark that ends a sentence: more words follow it."""
    said = said.rstrip()
    return said if said.rstrip("\"')]”’").endswith((".", "!", "?", "…")) else f"{said}."


def choice_evidence(said: str, pairs: Sequence[ChosenPair] | None, **figures: object) -> Evidence:
    """The grounds of a person's choice: `said` (who, and why), then what each comparison says; None where nobody asked for one."""
    said = sentence(said)
    if pairs is None:
        return Evidence((), (), figures, said)
    opposing = against(pairs)
    words = [said]
    if opposing:
        words.append(f"The evidence speaks against it ({', '.join(map(_opposing, opposing))}).")
    elif not pairs:
        words.append("It exchanges no version, so there is nothing to compare.")
    words += [pair.words for pair in pairs]
    compared = [pair for pair in pairs if pair.comparison]
    runs = tuple(dict.fromkeys(pair.run_id for pair in compared if pair.run_id))
    return Evidence(
        ("ab_evaluation",) if compared else (),
        runs,
        {**figures, **{pair.name: pair.figures() for pair in pairs}},
        " ".join(words)[:LONGEST_VERDICT],
    )


def _opposing(pair: ChosenPair) -> str:
    return f"{pair.challenger} against {pair.champion}: {pair.verdict}"
