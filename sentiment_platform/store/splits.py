"""SQL of splits: the changes of level that are asked about, what people answered, and the bars that wait for an answer.

What makes a change a question is `market.levels`; what an answer does to stored bars is `market.splits`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from sentiment_platform.store.tables import PriceAnswer, PriceQuestion, Quarantine

RULE = "split_suspected"
READ_AS = "read_as"
"""Under this key a bar that waits for an answer keeps how it was read: its row's own columns need a map."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """From `day` on a source's prices of a symbol are on another level: was that a split `ratio` ("2:1")?

    `before` is the close before, `after` the open of the day, `closes_at` when its session ends (aware UTC).
    """

    symbol: str
    source: str
    day: date
    ratio: str
    before: float
    after: float
    closes_at: datetime

    @property
    def commands(self) -> tuple[str, str]:
        """What answers it: that it was a split, or that the move is real."""
        command = "sentiment-platform market import"
        return f"{command} --split {self.symbol} {self.day} {self.ratio}", f"{command} --real-move {self.symbol} {self.day}"

    @property
    def words(self) -> str:
        """The question, and what answers it."""
        split, real = self.commands
        return (
            f"{self.symbol} opens at {self.after:.6g} on {self.day} after a close of {self.before:.6g}: a split {self.ratio} is suspected. "
            f"If it was one (of this or another ratio): {split}. If the move is real: {real}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a person said of a symbol's day: a split `ratio`, or None where the move is real. `sources`: whose bars were adjusted."""

    symbol: str
    day: date
    ratio: str | None
    sources: Sequence[str]
    answered_by: str
    answered_at: datetime


def questions_open(connection: Connection, symbols: Collection[str] | None = None, at: datetime | None = None) -> list[Question]:
    """The open questions by symbol and day, of all symbols or of these; now, or as they stood at a moment."""
    table = PriceQuestion
    query = select(*[getattr(table, name) for name in Question.__dataclass_fields__]).order_by(
        table.symbol, table.day, table.source
    )
    if at is None:
        query = query.where(table.settled_at.is_(None))
    else:
        query = query.where(table.asked_at <= at, or_(table.settled_at.is_(None), table.settled_at > at))
    if symbols is not None:
        query = query.where(table.symbol.in_(symbols))
    return [Question(**row) for row in connection.execute(query).mappings()]


def write_questions(
    connection: Connection, source: str, symbols: Collection[str], asked: Iterable[Question], now: datetime
) -> None:
    """The questions on a source's `symbols` are these: what is new is asked, what is open and not among them is settled."""
    wanted = {(one.symbol, one.day): one for one in asked}
    known = {(one.symbol, one.day): one for one in questions_open(connection, symbols) if one.source == source}
    table = PriceQuestion
    for symbol, day in known.keys() - wanted.keys():
        mine = (table.symbol == symbol, table.source == source, table.day == day, table.settled_at.is_(None))
        connection.execute(update(table).where(*mine).values(settled_at=now))
    for name in wanted.keys() & known.keys():
        if wanted[name] != known[name]:
            mine = (table.symbol == name[0], table.source == source, table.day == name[1], table.settled_at.is_(None))
            connection.execute(update(table).where(*mine).values(asdict(wanted[name])))
    fresh = [asdict(one) | {"asked_at": now, "settled_at": None} for name, one in wanted.items() if name not in known]
    if fresh:
        statement = insert(table)
        again = {name: statement.excluded[name] for name in ("ratio", "before", "after", "closes_at", "settled_at")}
        key = ["symbol", "source", "day", "asked_at"]
        connection.execute(statement.on_conflict_do_update(index_elements=key, set_=again), fresh)


def answers(connection: Connection, symbols: Collection[str]) -> list[Answer]:
    """What people said of these symbols, by symbol and day."""
    table = PriceAnswer
    query = select(*[getattr(table, name) for name in Answer.__dataclass_fields__]).where(table.symbol.in_(symbols))
    rows = connection.execute(query.order_by(table.symbol, table.day)).mappings()
    return [Answer(**row) for row in rows]


def write_answer(connection: Connection, answer: Answer) -> None:
    """Insert or replace what is said of a symbol's day."""
    statement = insert(PriceAnswer).values({**asdict(answer), "sources": list(answer.sources)})
    changed = {name: statement.excluded[name] for name in ("ratio", "sources", "answered_by", "answered_at")}
    connection.execute(statement.on_conflict_do_update(index_elements=["symbol", "day"], set_=changed))


def delete_answer(connection: Connection, symbol: str, day: date) -> None:
    """Nothing is said of a symbol's day any more; what was said is in the audit trail."""
    connection.execute(delete(PriceAnswer).where(PriceAnswer.symbol == symbol, PriceAnswer.day == day))


def waiting_bars(connection: Connection, boundary: str, symbols: Collection[str]) -> list[tuple[str, str, Mapping[str, Any]]]:
    """(id in quarantine, source, payload) of the bars of these symbols that wait for an answer, oldest first."""
    query = select(Quarantine.id, Quarantine.source, Quarantine.payload).where(
        Quarantine.released_at.is_(None),
        Quarantine.boundary == boundary,
        Quarantine.rule == RULE,
        Quarantine.payload[READ_AS]["symbol"].astext.in_(symbols),
    )
    return [(row.id, row.source, row.payload) for row in connection.execute(query.order_by(Quarantine.fetched_at, Quarantine.id))]
