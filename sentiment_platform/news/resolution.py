"""Which stored article an item is: a sighting of one, another wording of one, or an article of its own (entity resolution).

A name at a source proves nothing by itself: sites use one guid for everything, count again from one, or tell another story under it. The
rule, in this order: the same content; the same source, outlet, title and time, whatever the link; the same name and title, whatever the
time; the same name and a title that is reworded or corrected. What is left is an article of its own.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256

from sentiment_platform.news.identity import title_key
from sentiment_platform.news.stories.headlines import SIMILARITY, Headline, contradict, corrects, read_headline, similarity
from sentiment_platform.news.stories.linking import STORY_WINDOW
from sentiment_platform.store.articles import NewArticle
from sentiment_platform.store.wordings import KnownArticle, Revision

_FEWEST_WORDS = 3
"""Words of a headline that say enough for a longer one around them to be the same headline."""
_FIRST = frozenset({"one", "first"})
# As desks mark it. The word alone may be a market's correction.
_SAYS_CORRECTED = re.compile(
    r"^\W*(correct(ed|ion|s)|refile)\s*\d*\s*[-:\u2013\u2014/]|[(\[]\s*correct(s|ed|ing|ion)\b"
    r"|\b(story|article|headline|report|version) (has been|was|is) corrected\b",
    re.IGNORECASE,
)
_CORRECTED = 0.01
"""How near a correction is: farther than any rewording."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """What becomes of some items: articles of their own, sightings (each with the id of its article), other wordings."""

    articles: list[NewArticle] = field(default_factory=list[NewArticle])
    sightings: list[NewArticle] = field(default_factory=list[NewArticle])
    revisions: list[Revision] = field(default_factory=list[Revision])


@dataclass(slots=True, kw_only=True)
class _Told:
    """An article as it is known so far: its wordings with their keys, oldest first; `run_id`: of the run that brought it."""

    id: str
    outlet: str | None
    tickers: tuple[str, ...]
    published_at: datetime
    titles: dict[str, str]
    run_id: str


def resolve(articles: Sequence[NewArticle], known: Iterable[KnownArticle]) -> Resolution:
    """Sort `articles` by what they are. What is stored need not be among `known` where nothing of it could match.

    An article whose name at its source stands for another one already is stored under its content hash, and seen under that name.
    """
    told: dict[str, _Told] = {}
    named: defaultdict[tuple[str, str], list[_Told]] = defaultdict(list)
    timed: dict[tuple[str, str, datetime, str], str] = {}
    resolution = Resolution()

    def remember(article: _Told, source: str, name: str | None) -> None:
        if name is not None and article not in named[source, name]:
            named[source, name].append(article)
        for key in article.titles:
            timed.setdefault((source, article.outlet or "", article.published_at, key), article.id)

    for one in known:
        titles = {title_key(title): title for title in one.titles}
        stored = _told(one, titles)
        remember(told.setdefault(one.id, stored), one.source, one.external_id)
    for article in articles:
        name, key = (article.source, article.external_id), title_key(article.title)
        if article.id in told:
            resolution.sightings.append(article)
            continue
        same = timed.get((article.source, article.outlet or "", article.published_at, key)) or next(
            (one.id for one in named[name] if key in one.titles), None
        )
        if same is not None:
            resolution.sightings.append(replace(article, id=same))
            continue
        reworded = max(named[name], key=lambda one: _nearness(article, one), default=None)
        if reworded is not None and _nearness(article, reworded) > 0.0:
            reworded.titles[key] = article.title
            resolution.revisions.append(_revision(reworded.id, key, article))
            resolution.sightings.append(replace(article, id=reworded.id))
            remember(reworded, *name)
            continue
        # An archive that tells it otherwise than what we hold of that very time does not say since when.
        retold = any(one.published_at == article.published_at for one in named[name])
        known_since = max(article.available_at, article.fetched_at) if retold else article.available_at
        own_name = article.content_hash if named[name] else article.external_id
        resolution.articles.append(replace(article, available_at=known_since, external_id=own_name))
        if own_name != article.external_id:
            resolution.sightings.append(article)
        told[article.id] = _told(article, {key: article.title})
        remember(told[article.id], *name)
    return resolution


def _told(one: NewArticle | KnownArticle, titles: dict[str, str]) -> _Told:
    return _Told(
        id=one.id, outlet=one.outlet, tickers=one.tickers, published_at=one.published_at, titles=titles, run_id=one.run_id
    )


def _nearness(article: NewArticle, other: _Told) -> float:
    """How alike a title is to the most similar wording of an article of the same name; 0 where none is a rewording of the other.

    Reworded: published within three days of each other, half the words in common or one headline inside the other, and no
    contradiction in numbers, outcomes, denials or, where neither tickers nor time agree, names. Corrected: half the words in common,
    another fact about the same names, and either the very same time of publication, brought by another run, or a text that says it
    is a correction.
    """
    if abs(article.published_at - other.published_at) > STORY_WINDOW:
        return 0.0
    # What one collection brings side by side corrects nothing: there the name at the source says too little.
    is_later = other.run_id != article.run_id
    is_correction = (is_later and article.published_at == other.published_at) or any(
        _SAYS_CORRECTED.search(text) for text in (article.title, article.summary or "")
    )
    is_same_item = article.published_at == other.published_at or bool(article.tickers and article.tickers == other.tickers)
    here = read_headline(article.title, article.outlet)
    return max(
        (
            _likeness(here, there, same_companies=is_same_item)
            or (_CORRECTED if is_correction and _is_corrected(here, there) else 0.0)
            for there in (read_headline(title, other.outlet) for title in other.titles.values())
        ),
        default=0.0,
    )


def _likeness(one: Headline, other: Headline, *, same_companies: bool) -> float:
    if _numbered(one, other) or contradict(one, other, same_companies=same_companies):
        return 0.0
    shorter, longer = sorted((one.words, other.words), key=len)
    alike = similarity(one, other)
    return alike if alike >= SIMILARITY or (len(shorter) >= _FEWEST_WORDS and shorter <= longer) else 0.0


def _is_corrected(one: Headline, other: Headline) -> bool:
    return corrects(one, other) and not _numbered(one, other)


def _numbered(one: Headline, other: Headline) -> bool:
    """Whether they are parts of a series: part one, and another."""
    here, there = one.words - other.words, other.words - one.words
    return bool((here & one.numbers and there & _FIRST) or (there & other.numbers and here & _FIRST))


def _revision(article_id: str, key: str, article: NewArticle) -> Revision:
    return Revision(
        article_id=article_id,
        wording=sha256(key.encode()).hexdigest()[:32],
        title=article.title,
        summary=article.summary,
        published_at=article.published_at,
        # Since when it was told so, only the fetch can say.
        available_at=article.fetched_at,
        run_id=article.run_id,
    )
