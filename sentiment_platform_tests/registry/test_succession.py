"""Claims about going back: a table of histories, each with what a rollback goes back to."""

import random
from collections.abc import Iterator

import msgspec
import pytest

from sentiment_platform.registry.deployment import Deployment, Evidence
from sentiment_platform.registry.succession import rollback_target
from sentiment_platform_tests.registry.examples import deployment_of, manifest_of

MINOR = {"A": 0, "B": 1, "C": 2, "D": 3}


@pytest.mark.parametrize(
    ("history", "target"),
    [
        ("A1", None),
        ("A1 B2", 1),
        ("A1 A2", None),
        ("A1 B2 C3", 2),
        ("A1 B2 C3 B4<2", 1),
        ("A1 B2 C3 B4<2 A5<1", None),
        # A content that was left is not gone back to under an older number either.
        ("A1 B2 C3 A4 B5<2", None),
        ("A1 B2 A3 B4<2", None),
        ("D1 A2 B3 A4 B5<3", 1),
        # Chosen again after it was left, it is.
        ("A1 B2 A3<1 B4 C5", 4),
        ("A1 B2 A3<1 B4 C5 B6<4", 3),
        ("A1 B2 A3<1 B4 C5 B6<4 A7<3", None),
        # Brought back by `--to` after it was left, too; and a rollback leaves all that it steps over.
        ("A1 B2 A3<1 B4<2 C5", 4),
        ("A1 B2 C3 A4<1", None),
        ("A1 B2 C3 A4<1 D5", 4),
        # Numbers that were left out, and a rollback that does not say what it restored.
        ("A1 B4 C7", 4),
        ("A1 B4 C7 B9<4", 1),
        ("A1 B2 A3<?", None),
        ("C1 A2 B5 A6<?", 1),
    ],
)
def test_a_rollback_goes_back_to_the_newest_other_content_whose_last_word_is_not_that_it_was_left(
    history: str, target: int | None
) -> None:
    newest_first = documents(history)[::-1]
    gone_back_to = rollback_target(newest_first, lambda one: one.models() != newest_first[0].models())
    assert (gone_back_to.revision if gone_back_to else None) == target


def test_in_random_histories_the_last_word_on_each_content_decides() -> None:
    rng = random.Random(7)
    for _ in range(100):
        words: list[str] = []
        left: dict[str, bool] = {}
        for revision in range(1, 13):
            content, restored = rng.choice("ABCD"), rng.randrange(1, revision) if revision > 1 and rng.random() < 0.4 else None
            if restored is not None:
                content = words[restored - 1][0]
                left |= {word[0]: True for word in words[restored:]}
            left[content] = False
            words.append(f"{content}{revision}" + (f"<{restored}" if restored else ""))
        newest_first = documents(" ".join(words))[::-1]
        gone_back_to = rollback_target(newest_first, lambda one, now=newest_first[0]: one.models() != now.models())
        allowed = [place for place, word in enumerate(words, 1) if word[0] != words[-1][0] and not left[word[0]]]
        assert (gone_back_to.revision if gone_back_to else None) == max(allowed, default=None), words


def test_no_more_deployments_are_read_than_the_answer_needs() -> None:
    read: list[int] = []

    def reading() -> Iterator[Deployment]:
        for document in documents("A1 B2 C3 D4")[::-1]:
            read.append(document.revision)
            yield document

    target = rollback_target(reading(), lambda one: one.revision != 4)
    assert (target.revision if target else None, read) == (3, [4, 3])


def documents(history: str) -> list[Deployment]:
    """`B4<2` is revision 4 with content B, a rollback that restored revision 2 (`<?`: that does not say which)."""
    written: list[Deployment] = []
    for word in history.split():
        chosen, rollback, restored = word.partition("<")
        document = deployment_of(manifest_of(f"v1.{MINOR[chosen[0]]}.0-vader"), previous=written[-1] if written else None)
        figures = {"restores": int(restored)} if restored.isdigit() else {}
        written.append(
            msgspec.structs.replace(
                document,
                revision=int(chosen[1:]),
                rule="rollback" if rollback else "manual",
                evidence=Evidence((), (), figures, "said"),
            )
        )
    return written
