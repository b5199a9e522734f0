"""Bodies of GET /news and GET /tickers: what the news says, story by story and company by company."""

from typing import Annotated

from msgspec import Meta, Struct

from sentiment_platform.text.sentiment import Label
from serving.contract.prediction_bodies import LabelProbabilities
from serving.contract.values import Moment


class LabelShares(Struct, frozen=True):
    """Share of the scored stories that have each label; they add up to 1."""

    negative: Annotated[float, Meta(ge=0, le=1)]
    neutral: Annotated[float, Meta(ge=0, le=1)]
    positive: Annotated[float, Meta(ge=0, le=1)]


class NewsScore(Struct, frozen=True, kw_only=True):
    """What a version says of a headline; `sentiment` is the probability of positive less that of negative."""

    version: str
    label: Label
    sentiment: Annotated[float, Meta(ge=-1, le=1)]
    probabilities: LabelProbabilities
    scored_at: Moment


class EarlierHeadline(Struct, frozen=True):
    """Words that stood before the headline was corrected or reworded, with what the versions said of them then."""

    headline: str
    available_at: Annotated[Moment, Meta(description="Since when they were known; they stood until the next ones.")]
    scores: dict[str, NewsScore]


class NewsItem(Struct, frozen=True, kw_only=True):
    """A story, at its first article, in its newest wording.

    The headline is plain text, whatever characters it has: show it as text, never as markup. `scores` has each family that has scored it,
    by the version that did so last; `agreement` tells whether their labels are the same, null where fewer than two have.
    """

    story_id: Annotated[str, Meta(description="What all articles of the story share.")]
    article_id: str
    headline: str
    outlet: str
    url: str | None
    symbols: list[str]
    published_at: Moment
    available_at: Annotated[Moment, Meta(description="When the platform could first have known it.")]
    articles: Annotated[int, Meta(ge=1, description="Articles that tell the story, this one included.")]
    supported: Annotated[
        bool, Meta(description="Whether the headline is English that a model can read; what is not is not scored.")
    ]
    scores: dict[str, NewsScore]
    agreement: bool | None
    corrected_at: Annotated[
        Moment | None, Meta(description="Since when the headline reads as it does; null where the source never changed it.")
    ]
    earlier: Annotated[list[EarlierHeadline], Meta(description="What stood before, oldest first.")]


class NewsAnswer(Struct, frozen=True):
    """Stories, newest first; `next_cursor` asks for what follows, null at the end."""

    as_of: Moment
    items: list[NewsItem]
    next_cursor: str | None


class TickerNews(Struct, frozen=True, kw_only=True):
    """A company in the window. With `too_few` scored stories there are counts alone."""

    symbol: str
    stories: Annotated[int, Meta(description="Stories that name it; a wire story that forty outlets carry is one.")]
    scored_stories: Annotated[int, Meta(description="Those that the family has scored.")]
    too_few: Annotated[bool, Meta(description="Fewer scored stories than `min_stories`.")]
    mean_sentiment: Annotated[float, Meta(ge=-1, le=1)] | None
    label_shares: LabelShares | None
    change: Annotated[float, Meta(ge=-2, le=2, description="The mean less that of the window before.")] | None


class TickersAnswer(Struct, frozen=True, kw_only=True):
    """Companies with news in (since, as_of], most stories first, by the scores of `family`; null where nothing is deployed yet."""

    as_of: Moment
    since: Moment
    family: str | None
    min_stories: Annotated[int, Meta(description="Scored stories below which there is no mean.")]
    tickers: list[TickerNews]
