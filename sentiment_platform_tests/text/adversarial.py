"""Seeded texts that put VADER's rules in each other's way. Here: the generator only; nothing in it is a sentence of a data set."""

from random import Random

from sentiment_platform.text.lexicon import stock_lexicon
from sentiment_platform.text.rules import STOCK_RULES

_GLUE = [
    word
    for line in (
        "no not never so this without doubt least at very kind of sort just enough but BUT But or nor hardly isn't DIDN'T",
        "the a company profit shit bomb bad ass badass bus stop yeah right kiss of death to die for beating heart good good great loss",
        "VERY NOT GOOD LOSS :) :( :D ;) ... ! !! ??? ? 😀 💘 😀😀 x😀y 😀good ☹ İstanbul ΑΣ ﬁne Ünder naïve don’t",
    )
    for word in line.split()
]
_TAILS = ("!", "?", "??", ".", ",", "'s", "!!!!!", '"', ")", "😡")
_BLANKS = (" ", " ", " ", "  ", "\n", "\u00a0")


def adversarial_texts(seed: int, count: int) -> list[str]:
    """The same `count` texts for a seed in every process."""
    random = Random(seed)
    terms = sorted(stock_lexicon().valences)
    return [_text(random, terms) for _ in range(count)]


def _text(random: Random, terms: list[str]) -> str:
    words = STOCK_RULES.words
    # Few different words, so that equal valences repeat on both sides of "but".
    pool = random.sample(terms, random.choice((1, 2, 5)))
    pool += random.sample(words.negations, 2) + random.sample(words.intensifiers, 1) + random.sample(words.dampeners, 1)
    chosen: list[str] = []
    for _ in range(random.choice((0, 1, 2, 3, 4, 5, 8, 12, 20, 40))):
        word = random.choice(_GLUE if random.random() < 0.6 else pool)
        word = word.upper() if random.random() < 0.12 else word
        chosen.append(word + random.choice(_TAILS) if random.random() < 0.1 else word)
    if random.random() < 0.3:
        phrase = random.choice([*(phrase for phrase, _ in words.phrase_valences), *words.dampening_phrases])
        at = random.randint(0, len(chosen))
        chosen[at:at] = phrase.split()
    if random.random() < 0.05:
        chosen = [word.upper() for word in chosen]
    return random.choice(_BLANKS).join(chosen)
