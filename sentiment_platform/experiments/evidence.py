"""The gate's evidence: one document with the comparisons and what follows from them, stored under its digest.

The asset `ab_evaluation` writes it. Its check and the asset `deployment` read it, and compute nothing again.
"""

import json
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from sentiment_platform.errors import PermanentError
from sentiment_platform.experiments.comparison import MINIMUM_TEXTS, Comparison
from sentiment_platform.experiments.contenders import Contenders
from sentiment_platform.experiments.error_budget import PLANNED_ATTEMPTS, YEAR, YEARLY_ERROR, Question
from sentiment_platform.experiments.floor import Floor
from sentiment_platform.experiments.gate import Proposal, propose
from sentiment_platform.registry.documents import canonical_json, digest
from sentiment_platform.store.gate_evidence import StoredGateEvidence, add_gate_evidence, gate_questions, newest_gate_evidence

MAKE_IT_AGAIN = "Materialize the asset ab_evaluation again."
NO_EVIDENCE = "No evidence is stored yet. Materialize the asset ab_evaluation."


class GateEvidence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every pair of the contenders on the `n` holdout texts of `training_set`, and the proposal that follows.

    Attributes:
        floors: of versions that are the first of their family.
        attempt: which one of the year it is; `level`: what its p values are held against.
    """

    training_set: str
    n: int
    contenders: Contenders
    comparisons: tuple[Comparison, ...]
    proposal: Proposal
    floors: tuple[Floor, ...]
    attempt: int
    level: float

    def words(self) -> str:
        """Which attempt it is, and the verdicts on the pairs that the gate reads, as sentences."""
        read = [comparison.words() for comparison in self.comparisons if comparison.read]
        return " ".join([self.attempt_words(), *read]) if read else "One version alone: there is nothing to beat."

    def attempt_words(self) -> str:
        """Which attempt of the year it is."""
        return (
            f"Attempt {self.attempt} of {PLANNED_ATTEMPTS} a year, at level {self.level:.2g}: all together switch to what is no better "
            f"in {YEARLY_ERROR:.0%} of years at most."
        )

    @property
    def in_sample(self) -> bool:
        """True where any of the versions has seen the holdout."""
        return any(comparison.in_sample for comparison in self.comparisons)

    def objection(self) -> str | None:
        """Why nothing may be deployed on the strength of it, with the remedy; None where nothing speaks against it."""
        if self.n < MINIMUM_TEXTS:
            return f"The evidence rests on {self.n} holdout texts; {MINIMUM_TEXTS} are needed. Import more labels."
        if propose(self.contenders, self.comparisons, self.floors) != self.proposal:
            return f"The proposal does not follow from the verdicts. {MAKE_IT_AGAIN}"
        if not self.proposal.champions:
            return f"Nothing can be deployed: {self.proposal.reason}. Import more labels, or train again."
        return None


@dataclass(frozen=True)
class RecordedEvidence:
    """Evidence as it is stored: its digest, the run that made it, and when."""

    evidence: GateEvidence
    digest: str
    run_id: str
    made_at: datetime


def record_evidence(connection: Connection, evidence: GateEvidence, *, run_id: str, made_at: datetime) -> str:
    """Store `evidence` as the newest; returns its digest. The newest made once more is no new row."""
    document, name = json.loads(canonical_json(evidence)), digest(evidence)
    newest = newest_gate_evidence(connection)
    if newest is None or (newest.digest, newest.document) != (name, document):
        add_gate_evidence(connection, StoredGateEvidence(name, document, run_id, made_at))
    return name


class _Compared(msgspec.Struct, frozen=True):
    """What evidence of any release says of its contenders."""

    champions: dict[str, str] = {}
    newest: dict[str, str] = {}


def questions_of_the_year(connection: Connection, now: datetime) -> list[Question]:
    """What evidence of the year before `now` asked, oldest first, whichever release wrote it."""
    questions: list[Question] = []
    for training_set, contenders in gate_questions(connection, now - YEAR):
        compared = msgspec.convert(contenders, _Compared)
        questions.append(Question(training_set, frozenset((*compared.champions.values(), *compared.newest.values()))))
    return [question for question in questions if len(question.versions) > 1]


def newest_evidence(connection: Connection) -> RecordedEvidence | None:
    """The newest evidence; None where none was made yet.

    Raises:
        PermanentError: the stored document is not what its digest names, or cannot be read.
    """
    stored = newest_gate_evidence(connection)
    if stored is None:
        return None
    try:
        evidence = msgspec.convert(stored.document, GateEvidence)
    except msgspec.ValidationError as error:
        raise PermanentError(
            f"The stored evidence {stored.digest[:12]} cannot be read: {error}.", remedy=MAKE_IT_AGAIN
        ) from error
    if digest(evidence) != stored.digest:
        raise PermanentError(
            f"The stored evidence is not what its digest {stored.digest[:12]} names: it was edited, or another version wrote it.",
            remedy=MAKE_IT_AGAIN,
        )
    return RecordedEvidence(evidence, stored.digest, stored.run_id, stored.made_at)
