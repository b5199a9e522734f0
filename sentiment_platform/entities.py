"""What feature values are about (entities), and under which keys our values stand in Redis: spelled here and nowhere else.

Graph, serving, SQL and tests share this file, so it imports nothing heavy. An entity's name is `{kind}:{what}`. Values in Redis expire
by themselves and can all be made again; a key under another first word was not written by us.
"""

from datetime import date
from hashlib import sha256
from typing import Any, Literal

from sentiment_platform.text.normalise import normalise, text_key

ContextKind = Literal["story", "ticker", "source"]
"""What a request can ask about besides its text."""

ARTICLE = "article:"
"""What the name of every article's entity begins with; a refused article waits in quarantine under the same name."""
STORY = "story:"
EVENTS_KEY = "events"
"""The stream of what happens in public."""
REPLICAS_KEY = "replicas"
"""The serving processes that were asked of late."""

KEY_SPACES: dict[str, str] = {
    "features": "Feature values: features:{schema}:{entity}, a day (`features.online`).",
    "events": "Public events, a stream of the newest thousand or so, a day after the newest (`events`).",
    "flags": "The switches, a minute (`flags`).",
    "limit": "Tokens taken: limit:{address|key}:{whose}, until they are paid back (`serving.edge.gcra`); what is evicted is forgotten.",
    "replicas": "Serving processes that count requests, by when they told so, 30 s (`serving.edge.replicas`).",
    "prediction": "Predictions: prediction:{manifest digest}:{schema}:{hash}, an hour less up to a tenth (`serving.predict.prediction_cache`).",
    "shadow": "Answers in shadow of a day: shadow:{hash of experiment and phase}:{day}, two days (`serving.predict.shadows`).",
    "idempotency": "What feedback was sent under an Idempotency-Key: idempotency:{hash}, a day (`serving.journal.repeats`).",
}
"""First word of a key -> what stands there, for how long, and who writes it."""


def article_entity(article_id: str) -> str:
    """An article: its whole vector."""
    return f"{ARTICLE}{article_id}"


def story_entity(text: str) -> str:
    """The story that a headline tells, whatever its case and punctuation: how widely it runs."""
    return f"{STORY}{sha256(text_key(text).encode()).hexdigest()[:32]}"


def ticker_entity(symbol: str | None) -> str:
    """A ticker: how busy it is, and what is said of it."""
    return f"ticker:{symbol}"


def outlet_name(outlet: str) -> str:
    """The one spelling of an outlet, whatever case, blanks and invisible characters it came with."""
    return normalise(outlet).casefold()


def source_entity(outlet: str | None) -> str:
    """An outlet, or the source that an article without one was fetched from."""
    return f"source:{outlet_name(outlet) if outlet else outlet}"


def split_entity(entity: str) -> tuple[str, str]:
    """Kind and what it is about, of an entity's name."""
    kind, _, name = entity.partition(":")
    return kind, name


def feature_key(schema_version: str, entity: str) -> str:
    """The Redis key of an entity's values under a feature schema."""
    return f"features:{schema_version}:{entity}"


def prediction_key(manifest_digest: str, schema_version: str, content_hash: str) -> str:
    """The Redis key of a model's answer; `content_hash` names the request and the feature values it was answered with."""
    return f"prediction:{manifest_digest}:{schema_version}:{content_hash}"


def unknown_keys(client: Any, limit: int = 100) -> list[str]:
    """Keys outside of every key space, at most `limit`; reads every key, so for an hourly look and not for a request."""
    strangers: list[str] = []
    for raw in client.scan_iter(count=1000):
        name = raw.decode(errors="replace")
        if name.partition(":")[0] not in KEY_SPACES:
            strangers.append(name)
            if len(strangers) == limit:
                break
    return strangers


def shadow_count_key(name: str, phase: int, day: date) -> str:
    """Where all processes count what a version in shadow answered on a UTC day."""
    return f"shadow:{sha256(f'{name}/{phase}'.encode()).hexdigest()[:16]}:{day.isoformat()}"


def idempotency_key(named: str) -> str:
    """Where it stands what was said under the key that `named` is the hash of."""
    return f"idempotency:{named}"
