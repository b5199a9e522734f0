"""How deep a body is nested, counted without looking at each byte."""

import json

from hypothesis import given
from hypothesis import strategies as st

from serving.edge.guard import MAX_DEPTH, nesting

JSON = st.recursive(
    st.none() | st.text(st.sampled_from('[]{}"\\a'), max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.sampled_from('[{"'), max_size=3), inner, max_size=4),
    max_leaves=12,
)


def depth_of(value: object) -> int:
    if isinstance(value, list):
        return 1 + max([0, *map(depth_of, value)])
    return 1 + max([0, *map(depth_of, value.values())]) if isinstance(value, dict) else 0


@given(JSON, st.integers(0, MAX_DEPTH + 5))
def test_it_is_that_of_the_decoded_value(inner: object, around: int) -> None:
    value = inner
    for level in range(around):
        value = [value] if level % 2 else {"in": value}
    # Few brackets are not counted at all, so they stand beside many.
    body = json.dumps([value, *([] for _ in range(MAX_DEPTH))]).encode()
    assert nesting(body) == min(max(depth_of(value), 1) + 1, MAX_DEPTH + 1)


def test_what_never_closes_is_as_deep_as_it_is_long_and_what_was_never_open_is_left_to_the_decoder() -> None:
    assert nesting(b"[" * 60_000) == MAX_DEPTH + 1
    assert nesting(b'{"a":[' * 20) == MAX_DEPTH + 1
    assert nesting(b"[]" * 30_000) == 1
    assert nesting(b"][" * 30_000) <= 2
    assert nesting(b"]" * 60_000) == 0
