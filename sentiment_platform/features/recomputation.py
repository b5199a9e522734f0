"""Was every served vector what the raw data said? A sample is computed again, from the text and from articles, and must be equal.

A prediction names its text, ticker, outlet and time of publication, not the moment at which Redis was last told about them: so what it
was given must be what PostgreSQL had at most one cycle of reconciliation earlier, and that in turn what the articles fetched by then
give. A value that was missing online is excused; a wrong one never is.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from sentiment_platform.entities import article_entity, source_entity, split_entity, ticker_entity
from sentiment_platform.features.compute import COMPUTE, FeatureContext
from sentiment_platform.features.context import ArticleHistory
from sentiment_platform.features.freshness import MAX_AHEAD, TTL_S
from sentiment_platform.features.history import load_history
from sentiment_platform.features.pipeline import ONLINE_DAYS, is_live
from sentiment_platform.features.reconciliation import CYCLE
from sentiment_platform.features.schema import CONTEXT_ENTITY, SCHEMAS, FeatureSchema
from sentiment_platform.store.articles import Article
from sentiment_platform.store.feature_inputs import ServedFeatures, articles_available, served_features
from sentiment_platform.store.vectors import FeatureRow, features_between, first_vectors
from sentiment_platform.text.normalise import text_key

WINDOW = timedelta(days=1)
SAMPLE = 200
_Values = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class ReplayedDifference:
    """A prediction, the features in which it differs, and from what: the text, the stored rows, or the raw data behind them."""

    prediction_id: str
    features: tuple[str, ...]
    differs_from: str


@dataclass(frozen=True, slots=True)
class Replay:
    """How many predictions were computed again, of them with context from the store, and those that differ."""

    compared: int
    with_context: int
    different: tuple[ReplayedDifference, ...]


def evaluate_replay(engine: Engine, now: datetime, *, window: timedelta = WINDOW, sample: int = SAMPLE) -> Replay:
    """Compute the newest `sample` predictions of the `window` before `now` again."""
    with engine.connect() as connection:
        served = served_features(connection, now - window, now, sample)
        different: list[ReplayedDifference] = []
        with_context = 0
        for version in sorted({one.feature_schema for one in served}):
            ours = [one for one in served if one.feature_schema == version]
            if version not in SCHEMAS:
                different += [ReplayedDifference(one.id, (), f"schema {version} is unknown to this build") for one in ours]
                continue
            replayer = _Replayer(connection, SCHEMAS[version], ours)
            for one in ours:
                with_context += replayer.has_context(one)
                different += replayer.differences(one)
    return Replay(len(served), with_context, tuple(different))


class _Replayer:
    """Predictions of one schema, with what the store and the raw data say about them; read once for all of them."""

    def __init__(self, connection: Connection, schema: FeatureSchema, served: Sequence[ServedFeatures]) -> None:
        self._connection = connection
        self._schema = schema
        self._position = {name: position for position, name in enumerate(schema.names)}
        first, last = min(one.predicted_at for one in served), max(one.predicted_at for one in served)
        self._articles: dict[str, Article] = {}
        self._ids: dict[str, list[str]] = defaultdict(list)
        wanted = {text_key(one.text) for one in served}
        for article in articles_available(connection, first - ONLINE_DAYS - CYCLE, last):
            if (name := text_key(article.title)) in wanted:
                self._articles[article_entity(article.id)] = article
                self._ids[name].append(article_entity(article.id))
        entities = {ticker_entity(one.ticker) for one in served} | {source_entity(one.source) for one in served}
        self._rows: dict[str, list[FeatureRow]] = defaultdict(list)
        since = first - timedelta(seconds=TTL_S) - ONLINE_DAYS
        for row in features_between(connection, schema.version, sorted(entities | self._articles.keys()), since, last):
            self._rows[row.entity].append(row)
        self._histories: dict[tuple[datetime, timedelta], ArticleHistory] = {}
        self._verified: dict[FeatureRow, bool] = {}

    def has_context(self, one: ServedFeatures) -> bool:
        """Whether any value of the vector came from the store."""
        return any(one.features[self._position[name]] is not None for name in CONTEXT_ENTITY if name in self._position)

    def differences(self, one: ServedFeatures) -> list[ReplayedDifference]:
        """What of a served vector cannot be had again."""
        if len(one.features) != len(self._schema.names):
            return [ReplayedDifference(one.id, (), "the length of its schema")]
        again = COMPUTE[self._schema.version](one.text, FeatureContext(published_at=one.published_at))
        own = [name for name in self._schema.names if name not in CONTEXT_ENTITY]
        wrong = tuple(name for name in own if again[self._position[name]] != one.features[self._position[name]])
        differences = [ReplayedDifference(one.id, wrong, "the text")] if wrong else []
        for kind, entities in (
            ("story", self._ids.get(text_key(one.text), [])),
            ("ticker", [ticker_entity(one.ticker)]),
            ("source", [source_entity(one.source)]),
        ):
            differences += self._context_differences(one, kind, entities)
        return differences

    def _context_differences(self, one: ServedFeatures, kind: str, entities: Sequence[str]) -> list[ReplayedDifference]:
        names = self._schema.names_of(kind)
        given = self._of(one.features, names)
        if all(value is None for value in given) and (kind == "story" or one.feature_status != "PRESENT"):
            return []
        rows = [row for entity in entities for row in self._valid(entity, one.predicted_at)]
        matching = [row for row in rows if self._of(row.values, names) == given]
        if not matching:
            asked = {"story": one.text, "ticker": one.ticker, "source": one.source}[kind]
            if asked is None and all(value is None for value in given):
                return []
            return [ReplayedDifference(one.id, names, "the stored rows")]
        if not any(self._is_verified(row) for row in matching):
            return [ReplayedDifference(one.id, names, "the raw data")]
        return []

    def _of(self, values: Sequence[float | None], names: Sequence[str]) -> _Values:
        return tuple(values[self._position[name]] for name in names)

    def _valid(self, entity: str, at: datetime) -> list[FeatureRow]:
        """The rows that Redis may have had at `at`: those of the cycle before, and the one that held when it began."""
        rows = [row for row in self._rows.get(entity, []) if row.as_of <= at]
        current = [row for row in rows if row.as_of > at - CYCLE]
        return current + [row for row in rows if row.as_of <= at - CYCLE][-1:]

    def _is_verified(self, row: FeatureRow) -> bool:
        """Whether the articles that had been fetched when the row was written give its values."""
        if row not in self._verified:
            self._verified[row] = self._recomputed(row) == row.values
        return self._verified[row]

    def _recomputed(self, row: FeatureRow) -> _Values:
        kind, name = split_entity(row.entity)
        if kind == "article":
            article = self._articles[row.entity]
            history = self._history(self._context_known_at(row), ONLINE_DAYS + CYCLE)
            return COMPUTE[self._schema.version](article.title, history.context(article))
        history = self._history(row.as_of, timedelta())
        known = history.ticker_values(name, row.as_of) if kind == "ticker" else history.source_values(name, row.as_of)
        return tuple(known.get(feature) for feature in self._schema.names)

    def _context_known_at(self, row: FeatureRow) -> datetime:
        """When the context of an article's row was computed: once, where it was live, however often its words were corrected since."""
        first = first_vectors(self._connection, self._schema.version, [(row.entity, row.as_of)]).get(row.entity)
        return first.computed_at if first and is_live(row, first) else row.computed_at or row.as_of

    def _history(self, fetched_until: datetime, reach: timedelta) -> ArticleHistory:
        """What answers questions about the `reach` before a moment from what had been fetched by then."""
        asked = fetched_until, reach
        if asked not in self._histories:
            start, end = fetched_until - reach, fetched_until + MAX_AHEAD
            self._histories[asked] = load_history(self._connection, self._schema, start, end, fetched_until=fetched_until)
        return self._histories[asked]
