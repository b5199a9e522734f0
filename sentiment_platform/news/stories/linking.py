"""Which articles tell the same story: syndicated and edited copies are linked to the article that opened the story, never deleted.

Candidates come from MinHash and locality-sensitive hashing; whether two headlines tell one story is `news.stories.headlines`. A story keeps
its name: what comes late joins it or opens one. Source: Broder, "On the resemblance and containment of documents", 1997; Indyk and
Motwani, "Approximate nearest neighbors", STOC 1998.
"""

from bisect import bisect
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sentiment_platform.news.stories.headlines import SIMILARITY, Headline, contradict, read_headline, similarity
from sentiment_platform.store.stories import StoryAssignment, StoryCandidate

STORY_WINDOW = timedelta(days=3)
"""Furthest from the opening article that a copy is looked for."""
EDITED_WINDOW = timedelta(days=1)
"""Furthest from another copy that an edited one is looked for: what comes later under a similar headline is the next event."""

# 84 bands of 3 hashes: of headlines that share half their words one pair in 70,000 is missed; of those that share a tenth one in 12
# is looked at in vain.
_BANDS, _ROWS, _SEED = 84, 3, 1
_COMPARED = 50
"""Different headlines of a story that a new one is held against."""
_CANDIDATES = 100
"""Similar headlines, nearest in time on either side, that are looked at: a feed of one template must not take quadratic time."""


@dataclass(slots=True)
class _Story:
    opener: StoryCandidate
    told: list[tuple[Headline, frozenset[str]]] = field(default_factory=list)


def cluster_stories(candidates: Iterable[StoryCandidate]) -> list[StoryAssignment]:
    """Assign every candidate without a `story_id`; those that bring one are settled and only offer their story.

    In the order of publication each joins the story of the headline that is most like its own, or opens one under its own id.
    The order of the input does not matter, nor into how many calls a stretch of time is divided, as long as they go forward in time.
    """
    ordered = sorted(candidates, key=lambda c: (c.published_at, c.id))
    headlines = [read_headline(candidate.title, candidate.outlet) for candidate in ordered]
    companies = [frozenset(candidate.tickers) for candidate in ordered]
    openers = {candidate.id: candidate for candidate in ordered}
    stories: dict[str, _Story] = {}
    story_of: list[str | None] = [None] * len(ordered)
    same_key: dict[str, dict[str, int]] = defaultdict(dict)

    def settle(position: int, story_id: str) -> None:
        story_of[position] = story_id
        same_key[headlines[position].key].setdefault(story_id, position)
        opener = openers.get(story_id)
        if opener is not None:
            story = stories.setdefault(story_id, _Story(opener))
            told = (headlines[position], companies[position])
            if len(story.told) < _COMPARED and told not in story.told:
                story.told.append(told)

    def joined(position: int, alike: Iterable[int]) -> StoryAssignment | None:
        matches: list[tuple[float, StoryCandidate]] = []
        here, at = headlines[position], ordered[position].published_at
        for other in {*same_key[here.key].values(), *alike}:
            story = stories.get(story_of[other] or "")
            if story is None or abs(at - story.opener.published_at) > STORY_WINDOW:
                continue
            if headlines[other].key == here.key and here.key:
                matches.append((1.0, story.opener))
                continue
            score = similarity(here, headlines[other])
            if score < SIMILARITY or abs(at - ordered[other].published_at) > EDITED_WINDOW:
                continue
            if not any(_apart(here, companies[position], *told) for told in story.told):
                matches.append((score, story.opener))
        if not matches:
            return None
        score, opener = min(matches, key=lambda match: (-match[0], match[1].published_at, match[1].id))
        return StoryAssignment(
            ordered[position].id, opener.id, "title_key" if score == 1.0 else "near_duplicate", round(score, 4)
        )

    waiting: list[int] = []
    for position, candidate in enumerate(ordered):
        if candidate.story_id is None:
            waiting.append(position)
        else:
            settle(position, candidate.story_id)
    neighbours = _neighbours(ordered, headlines, waiting)
    assignments: list[StoryAssignment] = []
    for position in waiting:
        assignment = joined(position, neighbours[position])
        if assignment is None:
            own = ordered[position].id
            assignment = StoryAssignment(own, own, "opened", 1.0)
        settle(position, assignment.story_id)
        assignments.append(assignment)
    return assignments


def _apart(one: Headline, one_companies: frozenset[str], other: Headline, other_companies: frozenset[str]) -> bool:
    """Other companies, or headlines that contradict each other."""
    if one_companies and other_companies and not one_companies & other_companies:
        return True
    return contradict(one, other, same_companies=bool(one_companies) and one_companies == other_companies)


def _neighbours(ordered: Sequence[StoryCandidate], headlines: Sequence[Headline], waiting: Sequence[int]) -> dict[int, list[int]]:
    """For each waiting position the positions that may have a similar headline within EDITED_WINDOW, itself left out."""
    # Compiled, without stubs.
    from rensa import RMinHash, RMinHashLSH  # pyright: ignore[reportAttributeAccessIssue]

    if not waiting:
        return {}
    first = ordered[waiting[0]].published_at - EDITED_WINDOW
    last = ordered[waiting[-1]].published_at + EDITED_WINDOW
    near = [p for p, candidate in enumerate(ordered) if first <= candidate.published_at <= last and headlines[p].words]
    sketches = RMinHash.from_token_sets([sorted(headlines[p].words) for p in near], _BANDS * _ROWS, _SEED)
    index = RMinHashLSH(SIMILARITY, _BANDS * _ROWS, _BANDS)
    index.insert_many(sketches)
    asked = {position: sketch for position, sketch in zip(near, sketches, strict=True) if ordered[position].story_id is None}
    neighbours: dict[int, list[int]] = {position: [] for position in waiting}
    for position, hits in zip(asked, index.query_all(list(asked.values())), strict=True):
        key = headlines[position].key
        others = sorted(near[hit] for hit in hits if headlines[near[hit]].key != key)
        middle = bisect(others, position)
        neighbours[position] = others[max(0, middle - _CANDIDATES) : middle + _CANDIDATES]
    return neighbours
