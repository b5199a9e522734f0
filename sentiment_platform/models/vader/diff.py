"""What moved between two VADER versions, term by term, for whoever reviews a release. Not here: the learning."""

from dataclasses import asdict, dataclass
from typing import Any

from sentiment_platform.models.vader.family import LearnedTerm, VaderScorer
from sentiment_platform.text.lexicon import stock_lexicon

LISTED = 40


@dataclass(frozen=True, kw_only=True)
class MovedTerm:
    """A term with its valence and emphasis in the older and the newer version, and the evidence of the newer one (ids only)."""

    term: str
    old_valence: float
    new_valence: float
    old_emphasis: float
    new_emphasis: float
    evidence: int
    examples: tuple[str, ...]

    @property
    def size(self) -> float:
        """How far it moved, in units of valence."""
        return abs(self.new_valence - self.old_valence) + abs(self.new_emphasis - self.old_emphasis)


def moved_terms(old: VaderScorer, new: VaderScorer) -> list[MovedTerm]:
    """Every term whose valence or emphasis differs, the largest move first. A term that neither knows has weight 0."""
    moved = list[MovedTerm]()
    for term in old.terms.keys() | new.terms.keys():
        stock = stock_lexicon().valences.get(term)
        before, after = (version.terms.get(term, LearnedTerm(stock or 0.0, stock)) for version in (old, new))
        if (before.valence, before.emphasis) != (after.valence, after.emphasis):
            moved.append(
                MovedTerm(
                    term=term,
                    old_valence=before.valence,
                    new_valence=after.valence,
                    old_emphasis=before.emphasis,
                    new_emphasis=after.emphasis,
                    evidence=after.evidence,
                    examples=after.examples,
                )
            )
    return sorted(moved, key=lambda change: (-change.size, change.term))


def moved_summary(old: VaderScorer, new: VaderScorer, *, listed: int = LISTED) -> dict[str, Any]:
    """JSON-able: how many terms moved, the `listed` ones that moved most, and the rule constants that differ as [old, new]."""
    moved = moved_terms(old, new)
    before, after = old.rules(), new.rules()
    names = sorted(old.constants.keys() | new.constants.keys())
    changed = {name: [getattr(before, name), getattr(after, name)] for name in names}
    return {
        "count": len(moved),
        "most": [{**asdict(term), "examples": list(term.examples)} for term in moved[:listed]],
        "constants": {name: pair for name, pair in changed.items() if pair[0] != pair[1]},
    }
