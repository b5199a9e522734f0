"""Answers of two models on texts of which several tell one story."""

import numpy as np

ONE_HOT = np.eye(3)


def told_by_stories(stories: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[str]]:
    """1 to 8 rows a story, of one label; A and B are right on a whole story or on a row of it by chance: half of what decides is shared."""
    rng = np.random.default_rng(seed)
    story = np.repeat(np.arange(stories), rng.integers(1, 9, stories))
    labels = rng.integers(3, size=stories)[story]
    said = []
    for right in (0.7, 0.75):
        shared = rng.random(stories)[story]
        luck = np.where(rng.random(story.size) < 0.8, shared, rng.random(story.size))
        wrong = (labels + rng.integers(1, 3, stories)[story]) % 3
        said.append(ONE_HOT[np.where(luck < right, labels, wrong)])
    return labels, said[0], said[1], [str(name) for name in story]
