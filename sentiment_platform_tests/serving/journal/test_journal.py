"""Claims about the journal: what it keeps, what it survives, and that nothing in it vanishes silently."""

import contextlib
import multiprocessing
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sentiment_platform.errors import ConflictError
from sentiment_platform_tests.serving.feedback import record
from serving.journal.folders import left_behind, open_journal
from serving.journal.journal import KEPT_SHARE, Journal, JournalUnavailable
from serving.journal.journal_records import RollbackRecord, ShadowRecord
from serving.journal.segments import read_segment


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
    journal = Journal(tmp_path, max_bytes=int(taken * line_bytes / KEPT_SHARE), segment_bytes=2 * line_bytes)
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
    broken, whole = os.open("/dev/full", os.O_WRONLY), os.dup(journal._kept._file)  # pyright: ignore[reportPrivateUsage]
    os.dup2(broken, journal._kept._file)  # pyright: ignore[reportPrivateUsage]
    for number in range(1, 4):
        with pytest.raises(JournalUnavailable, match="cannot be written"):
            journal.append(record(number))
    os.dup2(whole, journal._kept._file)  # pyright: ignore[reportPrivateUsage]
    journal.close()
    os.close(broken)
    os.close(whole)
    assert len(list(tmp_path.glob("*.journal"))) == 1, "a record that the disk does not take costs no file"
    again = Journal(tmp_path)
    again.append(record(9))
    kept = [item for path in sorted(tmp_path.glob("*.journal")) for item in read_segment(path).records]
    assert kept == [record(0), record(9)]
    again.close()


def answered(number: int) -> ShadowRecord:
    """What the journal keeps beside predictions, and gives up as it does them."""
    return ShadowRecord(
        id=f"{number:04d}",
        prediction_id="p",
        experiment="trial",
        phase=1,
        model_version="v1.1.0-vader",
        manifest_digest="ab" * 32,
        answered_at=datetime(2026, 3, 2, tzinfo=UTC),
        probabilities=None,
        latency_ms=1.0,
    )


def rollback(number: int) -> RollbackRecord:
    return RollbackRecord(
        id=f"rollback-{number}",
        decided_at=datetime(2026, 3, 2, tzinfo=UTC),
        actor="ines",
        reason="it answers worse",
        leaves=2,
        restores=1,
        requests={"vader": f"request-{number}"},
        versions={"vader": "v1.0.0-vader"},
        default_family="vader",
        before={"vader": "v1.0.1-vader"},
        default_family_before="vader",
    )


def on_disk(folder: Path) -> list[str]:
    return sorted(item.id for path in folder.glob("*.journal") for item in read_segment(path).records)


def test_giving_up_predictions_is_one_line_of_the_log_and_room_again_another(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    dropped: list[int] = []
    journal = Journal(tmp_path, max_bytes=20_000, on_drop=dropped.append)

    def lines(words: str) -> int:
        return sum(words in line.getMessage() for line in caplog.records)

    journal.append(answered(0))
    assert lines("") == 0, "the control"
    for number in range(200):
        journal.append(answered(number))
    assert len(dropped) > 1
    assert (lines("are given up"), lines("room again")) == (1, 0)
    for segment in journal.sealed():
        journal.discard(segment)
    assert lines(f"room again; {sum(dropped)} predictions were given up") == 1
    for number in range(200):
        journal.append(answered(number))
    assert lines("are given up") == 2, "it happened again"
    journal.close()


def test_a_full_journal_gives_up_its_oldest_predictions_counted_and_keeps_feedback_and_acts(tmp_path: Path) -> None:
    dropped: list[int] = []
    journal = Journal(tmp_path, max_bytes=20_000, on_drop=dropped.append)
    journal.append(record(0))
    journal.append(rollback(1))
    assert 0 < journal.used < 0.2, "the control"
    for number in range(200):
        journal.append(answered(number))
    assert journal.size_bytes <= 20_000
    assert 0.9 < journal.used <= 1, "of the room of predictions, though three quarters of all of it are taken"
    kept = [answered(number).id for number in range(sum(dropped), 200)]
    assert 20 < len(kept) < 200
    assert on_disk(tmp_path) == sorted([record(0).id, "rollback-1", *kept]), "the newest are there, and how many are not is known"
    # The negative control: feedback is never given up; what cannot be taken is refused, and an act still finds room.
    said = 1
    with contextlib.suppress(JournalUnavailable):
        while said < 1000:
            journal.append(record(said))
            said += 1
    with pytest.raises(JournalUnavailable, match="SENTIMENT_JOURNAL_BYTES"):
        journal.append(record(said))
    journal.append(rollback(2))
    assert len(on_disk(tmp_path)) == said + 2 + len(kept)
    # What is being shipped is not given up meanwhile.
    first = journal.sealed()[0]
    with journal.in_hand(first):
        for number in range(200, 400):
            journal.append(answered(number))
        assert first.exists()
    journal.close()
    again = Journal(tmp_path)
    assert [one.id for one in again.rollbacks_left()] == ["rollback-1", "rollback-2"]
    assert again.backlog_records == len(on_disk(tmp_path))
    again.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 128 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if (
        shutil.which("mount") is None
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", folder], check=False).returncode
    ):
        pytest.skip("a file system cannot be mounted here")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_costs_the_oldest_predictions_and_no_file_and_no_acknowledged_feedback(small_disk: Path) -> None:
    dropped: list[int] = []
    journal = Journal(small_disk / "journal", segment_bytes=16_384, on_drop=dropped.append)
    for number in range(1000):
        journal.append(answered(number))
    assert sum(dropped) > 0
    for number in range(20):
        journal.append(record(number))
        journal.sync()
    taken, files = 20, len(list(small_disk.rglob("*.journal")))
    with contextlib.suppress(JournalUnavailable):
        for number in range(20, 2000):
            journal.append(record(number))
            taken = number + 1
    assert 20 < taken < 2000
    for _ in range(50):
        with pytest.raises(JournalUnavailable, match="Free space"):
            journal.append(record(taken))
    assert len(list(small_disk.rglob("*.journal"))) <= files + 1
    assert [one for one in on_disk(small_disk / "journal") if not one.isdigit()] == sorted(record(n).id for n in range(taken))
    for segment in journal.sealed():
        journal.discard(segment)
    journal.append(record(taken))
    journal.close()


def test_two_processes_never_write_one_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with pytest.raises(ConflictError, match="SENTIMENT_STATE_DIR"):
        Journal(tmp_path)
    journal.close()
    Journal(tmp_path).close()


def test_each_process_of_a_state_folder_has_a_journal_of_its_own_and_what_is_left_is_found(tmp_path: Path) -> None:
    one, two = open_journal(tmp_path), open_journal(tmp_path)
    assert [journal.folder.name for journal in (one, two)] == ["journal", "journal-2"]
    two.append(record(2))
    with left_behind(tmp_path) as journals:
        assert journals == [], "its process lives"
    two.close()
    with left_behind(tmp_path) as journals:
        assert [journal.backlog_records for journal in journals] == [1]
        assert open_journal(tmp_path).folder.name == "journal-3", "while a neighbour ships it"
    again = open_journal(tmp_path)
    assert (again.folder.name, again.backlog_records) == ("journal-2", 1), "what was not shipped waits there"


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
