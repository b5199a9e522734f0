"""The watch after each swap: reads the answers of both versions, judges, goes back where it must, and tells an incident.

Doing it again changes nothing: a look judges the same answers whenever it is made, and a version is sent back once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import Connection, Engine

from sentiment_platform.clock import Clock
from sentiment_platform.errors import PlatformError
from sentiment_platform.models.families import load_model
from sentiment_platform.monitoring.swap_history import COOL_DOWN, Swap, watched_swaps
from sentiment_platform.monitoring.swap_judging import (
    DISAGREEMENT_TEXTS,
    LOOKS,
    NO_CLASS,
    Answers,
    Disagreement,
    Question,
    judge_swap,
    worst,
)
from sentiment_platform.promotion.intents import intent_of_rollback
from sentiment_platform.promotion.next_revision import Intent, Promoted, publish
from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.deployment import AUTO_ROLLBACK
from sentiment_platform.store.deployments import MirroredDeployment, deployments
from sentiment_platform.store.experiments import stored_comparison
from sentiment_platform.store.incidents import Incident, open_incident
from sentiment_platform.store.swap_answers import SwapAnswer, answers_around, texts_answered
from sentiment_platform.store.training_sets import latest_training_set
from sentiment_platform.store.versions import get_version

SOURCE = "the_new_version_answers_as_well"
BEFORE = timedelta(days=7)
NOTHING_WATCHED = "Nothing is watched: no version took another's place in the last hour."
NEWEST = 200
"""Deployments that are looked at."""
Rescore = Callable[[str, Sequence[SwapAnswer]], Sequence[int]]
"""(version, answers) -> the class that the version answers to each of their texts."""


@dataclass(frozen=True, kw_only=True)
class Watched:
    """What came of one look at a swap; `note` says why nothing was asked about disagreement."""

    swap: Swap
    answers: int
    questions: list[Question]
    reason: Question | None
    note: str = ""

    def words(self) -> str:
        """What was found, as a sentence."""
        began = f"{self.swap.version} took the place of {self.swap.before} with {self.swap.document.tag}"
        if self.reason is not None:
            return f"{began}; after {self.reason.n:,} answers: {self.reason.words}."
        told = (
            f"nothing is worse after {self.questions[0].n:,}"
            if self.questions
            else f"too few to judge: {LOOKS[0]} are needed of each"
        )
        return f"{began}; {self.answers:,} texts answered, {told}."


def watch(engine: Engine, now: datetime, rescore: Rescore | None = None) -> list[Watched]:
    """Every watched swap, judged by the answers that are there; without `rescore` nothing is asked about disagreement."""
    with engine.connect() as connection:
        return looks(connection, watched_swaps(deployments(connection, limit=NEWEST), now), now, rescore)


def looks(connection: Connection, swaps: Sequence[Swap], now: datetime, rescore: Rescore | None = None) -> list[Watched]:
    """Each of `swaps`, judged by the answers that are there."""
    return [_look(connection, swap, now, rescore) for swap in swaps]


def answers_so_far(engine: Engine, now: datetime) -> list[tuple[Swap, int]]:
    """Every watched swap, and how many different texts its version has answered since."""
    with engine.connect() as connection:
        swaps = watched_swaps(deployments(connection, limit=NEWEST), now)
        return [(swap, texts_answered(connection, swap.version, swap.at, min(now, swap.ends_at))) for swap in swaps]


def respond(engine: Engine, access: RegistryAccess, watched: Watched, *, holder: str, now: Clock) -> Promoted | None:
    """Go back, or warn, where there is a reason; the incident is told in both cases. Returns the rollback.

    Raises:
        ConflictError: somebody else has published meanwhile; their decision holds, and is watched in its turn.
    """
    swap, reason = watched.swap, watched.reason
    if reason is None:
        return None
    published = None
    if swap.response == "roll back":
        intent = partial(_intent, watched=watched, reason=reason)
        expected = swap.running.revision
        published = publish(engine, access, intent, holder=holder, now=now, expected_revision=expected)
    with engine.begin() as connection:
        newest = deployments(connection, limit=NEWEST)
        for incident in swap_incidents(newest, [watched], now()):
            open_incident(connection, incident, now())
    return published


def swap_incidents(history: Sequence[MirroredDeployment], watched: Sequence[Watched], now: datetime) -> list[Incident]:
    """What somebody must hear of: a rollback of the last day, and a reason to go back where it was left to people."""
    incidents = [
        Incident(
            fingerprint=f"swap:{one.document.sent_back}",
            category="deployment",
            severity="critical",
            source=SOURCE,
            summary=f"{one.document.tag} went back by itself. {one.document.reason}",
            detail=one.document.evidence.figures,
        )
        for one in history
        if one.document.sent_back and now - one.published_at < COOL_DOWN
    ]
    incidents += [_warning(one, one.reason) for one in watched if one.reason is not None and one.swap.response == "warn"]
    return incidents


def _warning(watched: Watched, reason: Question) -> Incident:
    return Incident(
        fingerprint=f"swap:{watched.swap.version}",
        category="deployment",
        severity="warning",
        source=SOURCE,
        summary=f"{watched.words()} Nothing was changed: {watched.swap.why}.",
        detail=_figures(watched, reason),
    )


def rescore_with(engine: Engine, access: RegistryAccess) -> Rescore:
    """Fetches, verifies and loads the version, and has it answer the texts with the features that were logged with them."""

    def rescore(version: str, answers: Sequence[SwapAnswer]) -> Sequence[int]:
        with engine.connect() as connection:
            registered = get_version(connection, version)
        if registered is None:
            return []
        directory, _ = access.fetch(version, registered.manifest_digest)
        model = load_model(registered.family, directory, threads=0)
        features = np.array([answer.features for answer in answers], dtype=np.float64)
        said = model.predict([answer.text for answer in answers], features)
        return [int(index) for index in said.argmax(axis=1)]

    return rescore


def _look(connection: Connection, swap: Swap, now: datetime, rescore: Rescore | None) -> Watched:
    new = answers_around(connection, swap.version, swap.at, min(now, swap.ends_at), LOOKS[-1])
    old = answers_around(connection, swap.before, swap.at - BEFORE, swap.at, LOOKS[-1], newest=True)
    disagreement, note = None, "no text was answered again by the version before"
    if rescore is not None and len(new) >= LOOKS[0]:
        try:
            disagreement, note = _disagreement(connection, swap, new, rescore), ""
        except PlatformError as error:
            note = f"{swap.before} could not answer again: {error}"
    questions = judge_swap(_answers(new), _answers(old), disagreement)
    return Watched(swap=swap, answers=len(new), questions=questions, reason=worst(questions), note=note)


def _answers(rows: Sequence[SwapAnswer]) -> Answers:
    return Answers(
        degraded=[row.degraded for row in rows],
        failed=[row.failed for row in rows],
        classes=[NO_CLASS if row.probabilities is None else int(np.argmax(row.probabilities)) for row in rows],
        latency_ms=[float("nan") if row.inference_ms is None else row.inference_ms for row in rows],
    )


def _disagreement(connection: Connection, swap: Swap, new: Sequence[SwapAnswer], rescore: Rescore) -> Disagreement:
    due = max(look for look in LOOKS if look <= len(new))
    sample = [row for row in new[:due] if row.probabilities is not None][-DISAGREEMENT_TEXTS:]
    again = rescore(swap.before, sample) if sample else []
    said = [int(np.argmax(row.probabilities or ())) for row in sample]
    different = sum(a != b for a, b in zip(said, again, strict=False))
    return Disagreement(asked=len(again), different=different, expected=_expected(connection, swap))


class _Compared(msgspec.Struct, frozen=True):
    """What a stored comparison says of where two versions differ."""

    disagreement: dict[str, Any] = {}


def _expected(connection: Connection, swap: Swap) -> float | None:
    newest = latest_training_set(connection)
    stored = stored_comparison(connection, swap.before, swap.version, newest.digest) if newest else None
    told = msgspec.convert(stored.result, _Compared).disagreement if stored else {}
    return told["n_different"] / told["n"] if told.get("n") else None


def _intent(engine: Engine, watched: Watched, reason: Question) -> Intent:
    metric = f"{AUTO_ROLLBACK}{reason.metric}"
    intent = intent_of_rollback(engine, metric, f"{metric}: {watched.words()}", watched.swap.leaves_to.revision)
    evidence = msgspec.structs.replace(
        intent.evidence,
        asset_keys=("swap_watch",),
        figures={**intent.evidence.figures, **_figures(watched, reason)},
        verdict=f"{intent.evidence.verdict} {watched.words()}"[:4000],
    )
    return replace(intent, evidence=evidence)


def _figures(watched: Watched, reason: Question) -> dict[str, Any]:
    return {
        "left": watched.swap.version,
        "metric": reason.metric,
        "before": reason.before,
        "now": reason.now,
        "p": reason.p,
        "n": reason.n,
    }
