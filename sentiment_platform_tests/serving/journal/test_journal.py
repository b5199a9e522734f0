"""Claims about the journal: what it keeps, what it survives, and that nothing in it vanishes silently."""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from sentiment_platform.errors import ConflictError
from sentiment_platform_tests.serving.feedback import record
from serving.journal.journal import Journal, JournalUnavailable, read_segment


def test_records_come_back_in_order_and_across_processes(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for number in range(5):
        journal.append(record(number))
    journal.sync()
    journal.close()
    again = Journal(tmp_path)
    assert again.backlog_records == 5
    again.append(record(5))
    (segment,) = again.sealed()
    assert read_segment(segment).records == [record(number) for number in range(5)]
    again.discard(segment)
    (segment,) = again.sealed()
    assert read_segment(segment).records == [record(5)]
    again.discard(segment)
    assert (again.backlog_records, again.size_bytes, again.sealed()) == (0, 0, [])


def test_a_torn_tail_and_a_flipped_bit_cost_only_their_own_lines(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for number in range(4):
        journal.append(record(number))
    journal.close()
    (path,) = tmp_path.glob("*.journal")
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b"neutral", b"neutraL")
    path.write_bytes(b"".join(lines)[:-10])
    segment = read_segment(path)
    assert segment.records == [record(0), record(2)]
    assert len(segment.damaged) == 2


def test_a_full_journal_refuses_and_takes_again_once_it_was_emptied(tmp_path: Path) -> None:
    probe = Journal(tmp_path / "probe")
    probe.append(record(0))
    line_bytes = probe.size_bytes
    probe.close()
    taken = 5
    journal = Journal(tmp_path, max_bytes=taken * line_bytes, segment_bytes=2 * line_bytes)
    for number in range(taken):
        journal.append(record(number))
    with pytest.raises(JournalUnavailable, match="full"):
        journal.append(record(taken))
    segments = journal.sealed()
    assert len(segments) > 1
    kept = [item for path in sorted(tmp_path.glob("*.journal")) for item in read_segment(path).records]
    assert kept == [record(number) for number in range(taken)], "what was taken is there, what was refused is not"
    for segment in segments:
        journal.discard(segment)
    journal.append(record(99))


def test_a_failing_disk_is_an_error_and_later_records_are_whole(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(record(0))
    # The descriptor now refuses writing, as a disk that fails would.
    broken = os.open("/dev/full", os.O_WRONLY)
    os.dup2(broken, journal._file)  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(JournalUnavailable, match="cannot be written"):
        journal.append(record(1))
    journal.append(record(2))
    os.close(broken)
    kept = [item for path in sorted(tmp_path.glob("*.journal")) for item in read_segment(path).records]
    assert kept == [record(0), record(2)]


def test_two_processes_never_write_one_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with pytest.raises(ConflictError, match="SENTIMENT_STATE_DIR"):
        Journal(tmp_path)
    journal.close()
    Journal(tmp_path).close()


def _append_and_die(folder: Path) -> None:
    journal = Journal(folder)
    for number in range(1000):
        journal.append(record(number))
    os.kill(os.getpid(), signal.SIGKILL)


def test_every_appended_record_survives_kill_9(tmp_path: Path) -> None:
    child = multiprocessing.get_context("spawn").Process(target=_append_and_die, args=(tmp_path,))
    child.start()
    child.join(30)
    assert child.exitcode == -signal.SIGKILL
    journal = Journal(tmp_path)
    kept = [item for path in journal.sealed() for item in read_segment(path).records]
    assert kept == [record(number) for number in range(1000)]
    journal.close()
