"""What the segments of the journal hold, read back: records in order, and the lines that are damaged."""

from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import msgspec

from serving.journal.journal_records import FeedbackRecord, PredictionRecord, RollbackRecord, ShadowRecord

Record = PredictionRecord | FeedbackRecord | ShadowRecord | RollbackRecord
_decoder = msgspec.json.Decoder(Record)
_ROLLBACK = b'{"type":"rollback"'


@dataclass(frozen=True)
class Segment:
    """What a segment holds: records in order, and the lines whose checksum or form is wrong (a torn tail, a damaged disk)."""

    records: list[Record]
    damaged: list[bytes]


def read_segment(path: Path) -> Segment:
    """Read a segment; damaged lines are returned apart and stop nothing."""
    segment = Segment([], [])
    for line in path.read_bytes().split(b"\n"):
        if not line:
            continue
        record = _decoded(line)
        if record is None:
            segment.damaged.append(line)
        else:
            segment.records.append(record)
    return segment


def _decoded(line: bytes) -> Record | None:
    checksum, _, content = line.partition(b" ")
    try:
        return _decoder.decode(content) if int(checksum, 16) == crc32(content) else None
    except (ValueError, msgspec.MsgspecError):
        return None


def rollbacks_in(path: Path) -> list[RollbackRecord]:
    """The rollbacks among the records of a segment; the other lines are not decoded, so that a long journal holds up no start."""
    lines = [line for line in path.read_bytes().split(b"\n") if line.partition(b" ")[2].startswith(_ROLLBACK)]
    return [record for line in lines if isinstance(record := _decoded(line), RollbackRecord)]
