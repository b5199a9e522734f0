"""The one sentence that README, the help, the demo, the OpenAPI page and their tests ask about, and what is right about it.

It teaches something: "profit" and "shares" are good words in the stock lexicon, which therefore calls it positive. What is trained on
labels knows what slides and misses do to them. Written for this repository.
"""

from sentiment_platform.text.sentiment import Label

EXAMPLE_TEXT = "Shares slide as profit misses forecasts"
EXAMPLE_LABEL: Label = "negative"
