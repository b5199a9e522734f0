"""The VADER engine: lexicon and rules in, one score out, in time linear in the length of the text.

Here: how a text is read, and the sums. With the stock lexicon and rules every figure equals what the package `vaderSentiment`
3.3.2 computes before it rounds, oddities included. Not here: the rules about a word's neighbours (`word_rules`), learned terms
(`terms`), normalising (`normalise`: callers do it first), explanations (`explanation`), how all this is learned (`models`).
"""

import re
from collections.abc import Mapping
from itertools import compress
from math import sqrt
from typing import NamedTuple

from sentiment_platform.text.contrast import reweigh_around
from sentiment_platform.text.lexicon import Lexicon
from sentiment_platform.text.rules import STOCK_RULES, RuleConstants
from sentiment_platform.text.terms import LearnedTerms, TermWeight, WeighedTerm
from sentiment_platform.text.tokens import trim
from sentiment_platform.text.word_flags import BUT, CAPITALS, KIND, SCORED, SHOUTED, TRIGGER, WordCache, flags_of
from sentiment_platform.text.word_rules import Notes, WordRules

# Not a class of the emoji themselves: beyond the basic plane `re` walks such a class one member at a time.
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


class VaderScore(NamedTuple):
    """compound in [-1, 1]; positive, negative and neutral are shares that sum to 1 (all four are 0 for a text without words)."""

    compound: float
    positive: float
    negative: float
    neutral: float


_NEUTRAL = VaderScore(0.0, 0.0, 0.0, 1.0)
_NO_WORDS = VaderScore(0.0, 0.0, 0.0, 0.0)


class WeighedText(NamedTuple):
    """A text with the word rules applied: what the score is computed from. A tuple, because every text makes one.

    Attributes:
        words: the words as written, punctuation included; an emoji is the words of its description.
        positions: ascending indices into `words` of those in the lexicon; all others have valence 0.
        valences: their valences after every word rule, same length as `positions`.
        punctuation: weight of exclamation and question marks, not negative; it takes the sign of the sum.
        learned: the learned terms found; empty where the engine has none.
    """

    words: list[str]
    positions: list[int]
    valences: list[float]
    punctuation: float
    learned: list[WeighedTerm]


class Sums(NamedTuple):
    """The two sums over a text, in units of valence.

    Attributes:
        polarity: all valences, signed.
        emphasis: what strengthens (above 0) or weakens (below 0) the polarity, whichever side it is on: punctuation and learned terms.
    """

    polarity: float
    emphasis: float

    @property
    def score(self) -> float:
        """The signed number that compound normalises: emphasis takes the sign of the polarity, and never turns it."""
        polarity, emphasis = self
        if polarity > 0:
            return max(polarity + emphasis, 0.0)
        return min(polarity - emphasis, 0.0) if polarity < 0 else 0.0


_NOTHING_LEARNED: list[WeighedTerm] = []


def _table(bits: int) -> bytes:
    """For `bytes.translate`: 1 where one of the bits is set, else 0."""
    return bytes(1 if flags & bits else 0 for flags in range(256))


_IS_SCORED, _IS_TRIGGER, _IS_KIND, _IN_CAPITALS = _table(SCORED), _table(TRIGGER), _table(KIND), _table(CAPITALS)
_IS_EVENTFUL = _table(TRIGGER | SHOUTED | BUT | KIND)


def _term(word: str) -> str:
    # Word by word: beyond ASCII lower case can be longer than the word and depend on its neighbours.
    return trim(word).lower()


_TERMS = WordCache(_term)


def terms_of(words: list[str]) -> list[str]:
    """The words as the lexicon knows them: trimmed, lower case."""
    return list(map(_TERMS.__getitem__, words))


class VaderEngine:
    """Scores texts with one lexicon, one set of rule constants and learned terms. Never changes once made; threads may share it.

    Raises:
        LexiconError: a learned term that no text can contain, or a weight that is not finite.
    """

    def __init__(
        self, lexicon: Lexicon, constants: RuleConstants = STOCK_RULES, learned: Mapping[str, TermWeight] | None = None
    ) -> None:
        self.lexicon = lexicon
        self.constants = constants
        self._learned = LearnedTerms(learned, constants) if learned else None
        self._rules = rules = WordRules(lexicon, constants)
        # Boosters have no valence of their own, whatever the lexicon says.
        scored = {term: value for term, value in lexicon.valences.items() if term not in rules.boosters}
        triggers = rules.triggers
        self._valence = WordCache[float](lambda word: scored[_term(word)])
        self._flags = WordCache[int](lambda word: flags_of(word, _term(word), scored, triggers))
        # Only single characters: the reference reads a text character by character and never sees the longer sequences.
        # None in ASCII, so that an ASCII text need not be searched.
        self._emoji = {emoji: name for emoji, name in lexicon.emoji.items() if len(emoji) == 1 and not emoji.isascii()}

    def score(self, text: str) -> VaderScore:
        """The score of a text, not rounded. Source: Hutto & Gilbert, ICWSM 2014."""
        text, words, flags = self._read(text)
        if 1 not in flags.translate(_IS_SCORED) and self._learned is None:
            return _NEUTRAL if words else _NO_WORDS
        return self.score_weighed(self._weigh(text, words, flags, None))

    def weigh(self, text: str, notes: Notes | None = None) -> WeighedText:
        """Apply every word rule. Into `notes` go (index into words, rule, change of valence) in the order of application."""
        return self._weigh(*self._read(text), notes)

    def sums(self, weighed: WeighedText) -> Sums:
        """Polarity and emphasis of a text that `weigh` returned."""
        polarity, emphasis = float(sum(weighed.valences)), weighed.punctuation
        for term in weighed.learned:
            polarity += term.valence
            emphasis += term.emphasis
        return Sums(polarity, emphasis)

    def score_weighed(self, weighed: WeighedText) -> VaderScore:
        """The score of a text that `weigh` returned. A learned term counts in the shares at its first word."""
        words, positions, valences, _, learned = weighed
        if not valences and not learned:
            return _NEUTRAL if words else _NO_WORDS
        sums = self.sums(weighed)
        raw, emphasis = sums.score, sums.emphasis
        if learned:
            by_position = dict(zip(positions, valences, strict=True))
            for term in learned:
                by_position[term.position] = by_position.get(term.position, 0.0) + term.valence
            valences = list(by_position.values())
        positive = negative = 0.0
        neutral = len(words)
        for valence in valences:
            # Plus 1 because each neutral word counts 1.
            if valence > 0:
                positive += valence + 1
                neutral -= 1
            elif valence < 0:
                negative += 1 - valence
                neutral -= 1
        if positive > negative:
            positive = max(positive + emphasis, 0.0)
        elif negative > positive:
            negative = max(negative + emphasis, 0.0)
        total = (positive + negative + neutral) or 1.0
        compound = raw / sqrt(raw * raw + self.constants.compound_alpha)
        return VaderScore(compound, positive / total, negative / total, neutral / total)

    def _read(self, text: str) -> tuple[str, list[str], bytes]:
        """The text with emoji described, its words as written, and their flags."""
        if not (text.isascii() or self._emoji.keys().isdisjoint(text)):
            text = _NOT_ASCII.sub(self._describe, text)
        words = text.split()
        return text, words, bytes(map(self._flags.__getitem__, words))

    def _weigh(self, text: str, words: list[str], flags: bytes, notes: Notes | None) -> WeighedText:
        positions = list(compress(range(len(words)), flags.translate(_IS_SCORED)))
        if 1 not in flags.translate(_IS_EVENTFUL):
            valence = self._valence
            valences = [valence[words[index]] for index in positions]
        else:
            positions, valences = self._apply_rules(words, flags, positions, notes)
        learned = self._learned.weigh(terms_of(words)) if self._learned else _NOTHING_LEARNED
        return WeighedText(words, positions, valences, self._punctuation(text), learned)

    def _apply_rules(
        self, words: list[str], flags: bytes, positions: list[int], notes: Notes | None
    ) -> tuple[list[int], list[float]]:
        """Which of the lexicon words at `positions` count, and their valences after every rule."""
        terms, valence = terms_of(words), self._valence
        if 1 in flags.translate(_IS_KIND):
            positions = [index for index in positions if terms[index] != "kind" or terms[index + 1 : index + 2] != ["of"]]
        # Capitals stand out only where not all words have them.
        written = words if 0 in flags.translate(_IN_CAPITALS) else []
        triggers, weigh_word = flags.translate(_IS_TRIGGER), self._rules.valence
        valences = [
            weigh_word(terms, written, index, notes)
            if flags[index] & CAPITALS or 1 in triggers[max(index - 3, 0) : index + 3]
            else valence[words[index]]
            for index in positions
        ]
        if "but" in terms:
            valences = self._weigh_clauses(terms.index("but"), positions, valences, notes)
        return positions, valences

    def _describe(self, match: re.Match[str]) -> str:
        name = self._emoji.get(match[0])
        if name is None:
            return match[0]
        start = match.start()
        return name if start == 0 or match.string[start - 1] == " " else f" {name}"

    def _weigh_clauses(self, but: int, positions: list[int], valences: list[float], notes: Notes | None) -> list[float]:
        constants = self.constants
        weighed = reweigh_around(but, positions, valences, before=constants.before_but_factor, after=constants.after_but_factor)
        if notes is not None:
            for index, old, new in zip(positions, valences, weighed, strict=True):
                notes.append((index, "but_clause", new - old))
        return weighed

    def _punctuation(self, text: str) -> float:
        constants = self.constants
        emphasis = min(text.count("!"), constants.exclamation_limit) * constants.exclamation_increment
        questions = text.count("?")
        if questions > constants.question_limit:
            return emphasis + constants.question_flood_emphasis
        return emphasis + (questions * constants.question_increment if questions > 1 else 0)
