"""VADER's rules about one lexicon word and the words around it: negation, boosters, capitals, set phrases.

Here: these rules, compiled from a lexicon and constants. Not here: the constants (`rules`), the rule about whole clauses
(`contrast`), reading a text and summing up (`vader`). Source: Hutto & Gilbert, ICWSM 2014; where the paper is silent or the
reference implementation 3.3.2 does something else, the implementation decides, because published scores come from it.
"""

from typing import Literal

from sentiment_platform.text.lexicon import Lexicon
from sentiment_platform.text.rules import RuleConstants

WordRule = Literal["negation", "booster", "capitals", "emphatic_never", "phrase", "but_clause"]
Notes = list[tuple[int, WordRule, float]]


class WordRules:
    """Applies the rules to one word at a time.

    Attributes:
        boosters: word, or phrase of two words, to the increment for a word just after it.
        triggers: terms without which, from three words before to two after, and without "n't" and capitals, no rule
            changes a valence.
    """

    def __init__(self, lexicon: Lexicon, constants: RuleConstants) -> None:
        words = constants.words
        self._known = dict(lexicon.valences)
        self._constants = constants
        self._negations = frozenset(words.negations)
        self._phrases = dict(words.phrase_valences)
        self.boosters = dict.fromkeys(words.intensifiers, constants.intensifier_increment)
        self.boosters.update(dict.fromkeys((*words.dampeners, *words.dampening_phrases), constants.dampener_increment))
        # One word is enough to notice a phrase; the longest is the rarest.
        self._phrase_marks = frozenset(max(phrase.split(), key=len) for phrase in (*self._phrases, *words.dampening_phrases))
        self.triggers = self._phrase_marks.union(
            words.intensifiers, words.dampeners, self._negations, ("no", "so", "this", "never", "least")
        )

    def valence(self, terms: list[str], words: list[str], index: int, notes: Notes | None) -> float:
        """The valence of the lexicon word `terms[index]` after up to three words before it and two after it had their say.

        `words` are the same words as written, to see which are in capitals; none where capitals do not stand out.
        """
        constants, known = self._constants, self._known
        term = terms[index]
        valence = base = known[term]
        first = terms[index - 1] if index > 0 else ""
        second = terms[index - 2] if index > 1 else ""
        third = terms[index - 3] if index > 2 else ""

        if first == "no" or second == "no" or (third == "no" and first in ("or", "nor")):
            valence = _changed(base, base * constants.negation_factor, index, "negation", notes)
        elif term == "no" and index + 1 < len(terms) and terms[index + 1] in known:
            # Its weight goes into negating the next word.
            valence = _changed(base, 0.0, index, "negation", notes)

        if words and words[index].isupper():
            increment = constants.capitals_increment if valence > 0 else -constants.capitals_increment
            valence = _changed(valence, valence + increment, index, "capitals", notes)

        # A word in the lexicon neither boosts nor negates the next ones.
        if index > 0 and first not in known:
            valence = self._boosted(valence, first, words, index, 1, notes)
            if self._negates(first):
                valence = _changed(valence, valence * constants.negation_factor, index, "negation", notes)
        if index > 1 and second not in known:
            valence = self._boosted(valence, second, words, index, 2, notes)
            if second == "never" and first in ("so", "this"):
                valence = _changed(valence, valence * constants.emphatic_never_factor, index, "emphatic_never", notes)
            elif self._negates(second) and not (second == "without" and first == "doubt"):
                valence = _changed(valence, valence * constants.negation_factor, index, "negation", notes)
        if index > 2 and third not in known:
            valence = self._boosted(valence, third, words, index, 3, notes)
            # By the reference's operator precedence "so" or "this" just before the word is enough, without any "never".
            if first in ("so", "this") or (third == "never" and second in ("so", "this")):
                valence = _changed(valence, valence * constants.emphatic_never_factor, index, "emphatic_never", notes)
            elif self._negates(third) and not (third == "without" and "doubt" in (first, second)):
                valence = _changed(valence, valence * constants.negation_factor, index, "negation", notes)
            # Phrases count only here: from the fourth word on, and if the word three before is not in the lexicon.
            if not self._phrase_marks.isdisjoint(terms[index - 3 : index + 3]):
                valence = self._phrased(valence, terms, index, notes)

        if first == "least" and first not in known and second not in ("at", "very"):
            valence = _changed(valence, valence * constants.negation_factor, index, "negation", notes)
        return valence

    def _negates(self, term: str) -> bool:
        return term in self._negations or "n't" in term

    def _boosted(self, valence: float, term: str, words: list[str], index: int, distance: int, notes: Notes | None) -> float:
        increment = self.boosters.get(term)
        if increment is None:
            return valence
        constants = self._constants
        if valence < 0:
            increment = -increment
        if words and words[index - distance].isupper():
            increment += constants.capitals_increment if valence > 0 else -constants.capitals_increment
        if distance == 2:
            increment *= constants.second_booster_factor
        elif distance == 3:
            increment *= constants.third_booster_factor
        return _changed(valence, valence + increment, index, "booster", notes)

    def _phrased(self, valence: float, terms: list[str], index: int, notes: Notes | None) -> float:
        third, second, first, term = terms[index - 3 : index + 1]
        two_before, far_two, three_before = f"{second} {first}", f"{third} {second}", f"{third} {second} {first}"
        behind = (f"{first} {term}", f"{two_before} {term}", two_before, three_before, far_two)
        ahead = (" ".join(terms[index : index + 3]), " ".join(terms[index : index + 2]))
        # Phrases that begin with the word win over those that end with it or stand before it.
        for phrase in (*ahead, *behind):
            if phrase in self._phrases:
                valence = _changed(valence, self._phrases[phrase], index, "phrase", notes)
                break
        for phrase in (three_before, far_two, two_before):
            if phrase in self.boosters:
                valence = _changed(valence, valence + self.boosters[phrase], index, "booster", notes)
        return valence


def _changed(old: float, new: float, index: int, rule: WordRule, notes: Notes | None) -> float:
    if notes is not None:
        notes.append((index, rule, new - old))
    return new
