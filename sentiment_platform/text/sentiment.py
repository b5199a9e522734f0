"""The closed vocabulary of labels, and its order: index 0, 1, 2 of every probability array."""

from typing import Literal

Label = Literal["negative", "neutral", "positive"]
LABELS: tuple[Literal["negative"], Literal["neutral"], Literal["positive"]] = ("negative", "neutral", "positive")
