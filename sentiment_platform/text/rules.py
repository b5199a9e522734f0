"""The constants of VADER's rules and the words that trigger them.

Here: numbers and word lists, all replaceable, so that training can tune them. Not here: valences of words (`lexicon`) and the
rules themselves (`vader`). Source of every default: Hutto & Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment
Analysis of Social Media Text", ICWSM 2014, and its MIT-licensed reference implementation 3.3.2.
"""

from dataclasses import dataclass, fields
from math import isfinite

from sentiment_platform.errors import PermanentError


class RulesError(PermanentError):
    """A rule constant with which no score can be computed."""


def _words(*lines: str) -> tuple[str, ...]:
    return tuple(sorted(word for line in lines for word in line.split()))


@dataclass(frozen=True, slots=True)
class RuleWords:
    """The closed vocabularies of the rules, lower case. Tuples in alphabetical order: they serialise the same every time."""

    intensifiers: tuple[str, ...] = _words(
        "more most very so quite really major majorly especially particularly total totally",
        "absolutely completely entirely fully purely thoroughly utter utterly decidedly",
        "considerable considerably substantially enormous enormously extreme extremely tremendous tremendously",
        "greatly highly hugely deeply intensely hella uber",
        "exceptional exceptionally incredible incredibly unbelievably amazingly awfully fabulously remarkably unusually",
        "effing flippin flipping frackin fracking frickin fricking friggin frigging fuckin fucking fuggin fugging",
    )
    dampeners: tuple[str, ...] = _words(
        "almost barely hardly scarce scarcely less little marginal marginally occasional occasionally partly",
        "slight slightly somewhat kinda kindof kind-of sorta sortof sort-of",
    )
    dampening_phrases: tuple[str, ...] = ("just enough", "kind of", "sort of")
    # Any word that contains n't negates too.
    negations: tuple[str, ...] = _words(
        "never none nope nor not nothing nowhere neither without rarely seldom despite cannot uhuh uh-uh",
        "aint arent cant couldnt darent didnt doesnt dont hadnt hasnt havent isnt mightnt mustnt",
        "neednt oughtnt shant shouldnt wasnt werent wont wouldnt",
        "ain't aren't can't couldn't daren't didn't doesn't don't hadn't hasn't haven't isn't mightn't mustn't",
        "needn't oughtn't shan't shouldn't wasn't weren't won't wouldn't",
    )
    # Phrases of two or three words around a lexicon word, with the valence that replaces that word's own.
    phrase_valences: tuple[tuple[str, float], ...] = (
        ("bad ass", 1.5),
        ("beating heart", 3.5),
        ("bus stop", 0.0),
        ("kiss of death", -1.5),
        ("the bomb", 3.0),
        ("the shit", 3.0),
        ("to die for", 3.0),
        ("yeah right", -2.0),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleConstants:
    """The numbers of the rules, in units of valence (the lexicon's scale, about -4 to 4) or as factors.

    Raises:
        RulesError: a constant that is not finite, or `compound_alpha` not above 0.
    """

    intensifier_increment: float = 0.293
    dampener_increment: float = -0.293
    capitals_increment: float = 0.733
    negation_factor: float = -0.74
    # "never so good": emphasis, not negation.
    emphatic_never_factor: float = 1.25
    # A booster two and three words before the word it modifies counts less.
    second_booster_factor: float = 0.95
    third_booster_factor: float = 0.9
    before_but_factor: float = 0.5
    after_but_factor: float = 1.5
    exclamation_increment: float = 0.292
    exclamation_limit: int = 4
    # Question marks add nothing alone, their increment each up to the limit, and a fixed emphasis beyond it.
    question_increment: float = 0.18
    question_limit: int = 3
    question_flood_emphasis: float = 0.96
    # Roughly the largest squared sum to expect; compound = sum / sqrt(sum**2 + alpha).
    compound_alpha: float = 15.0
    words: RuleWords = RuleWords()

    def __post_init__(self) -> None:
        for field in fields(self):
            value: object = getattr(self, field.name)
            if isinstance(value, float | int) and not isfinite(value):
                raise RulesError(f"The rule constant {field.name} is {value}.", remedy="Give a finite number.")
        if self.compound_alpha <= 0:
            raise RulesError(f"compound_alpha is {self.compound_alpha}.", remedy="Give a number above 0; VADER uses 15.")


STOCK_RULES = RuleConstants()
