"""What is kept of a refused item, and how it becomes an item again.

The payload is the item as it came, with what the way back needs: whether an archive brought it, and which fields could not be kept
as they were. Not here: who refuses (`news.quality`), and the way back itself (`news.replay`).
"""

from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

from sentiment_platform.contracts import in_words
from sentiment_platform.entities import article_entity
from sentiment_platform.news.items import RawItem
from sentiment_platform.news.quality import ARTICLE_RULES, Refusal
from sentiment_platform.store.articles import Article
from sentiment_platform.store.quarantine import QuarantinedItem, refused_row
from sentiment_platform.times.reading import read_time
from sentiment_platform.times.stated import stated_clock

_PAYLOAD_CHARACTERS = 20_000
_ARCHIVED, _ALTERED = "archived", "altered"


def refused_item(refusal: Refusal, run_id: str, now: datetime, *, archived: bool) -> QuarantinedItem:
    """A refused item as a row of quarantine; the same item refused again for the same rule is the same row."""
    came = msgspec.to_builtins(refusal.item)
    if came["zone"] == "UTC":  # rows of before there were zones keep their names
        del came["zone"]
    payload = {name: _storable(value) for name, value in came.items()}
    altered = sorted(name for name, value in payload.items() if value != came[name])
    # Where it stood in the document is no part of what it is, because a feed's items move down; notes are ours.
    content = {name: value for name, value in payload.items() if name not in ("position", "notes")}
    digest = sha256(refusal.rule.encode() + msgspec.json.encode(content, order="deterministic")).hexdigest()
    payload |= {_ARCHIVED: archived} | ({_ALTERED: altered} if altered else {})
    return refused_row(
        "raw_news",
        refusal.item.source,
        payload,
        rule=refusal.rule,
        detail=refusal.detail,
        run_id=run_id,
        now=now,
        identity=digest[:32],
    )


def refused_article(article: Article, rules: list[str], run_id: str, now: datetime) -> QuarantinedItem:
    """An article that broke its contract as a row of quarantine; one row an article, which is left out of what downstream reads."""
    payload = {name: _storable(value) for name, value in msgspec.to_builtins(article).items()}
    detail = in_words(rules, ARTICLE_RULES)
    return refused_row(
        "articles",
        article.source,
        payload,
        rule=rules[0],
        detail=detail,
        run_id=run_id,
        now=now,
        identity=article_entity(article.id),
    )


def unpack(row: QuarantinedItem) -> tuple[RawItem, bool] | None:
    """The item of a row and whether an archive brought it; None where a field was cut or changed to be kept at all.

    A publication time that could not be read when the item came is read again: reading may have learned its shape.
    """
    if row.payload.get(_ALTERED):
        return None
    item = msgspec.convert({k: v for k, v in row.payload.items() if k not in (_ARCHIVED, _ALTERED)}, RawItem, strict=False)
    if item.published_at is None and item.published_text:
        published = read_time(item.published_text, stated_clock(item.zone))
        if published is not None:
            item = msgspec.structs.replace(item, published_at=published.at, day_only=published.day_only)
    return item, bool(row.payload.get(_ARCHIVED))


def _storable(value: Any) -> Any:
    # JSONB cannot hold NUL, and a refused text may be of any length.
    if isinstance(value, tuple):
        return tuple(_storable(part) for part in value)  # pyright: ignore[reportUnknownVariableType]  fields of any type
    return value[:_PAYLOAD_CHARACTERS].replace("\x00", "\ufffd") if isinstance(value, str) else value
