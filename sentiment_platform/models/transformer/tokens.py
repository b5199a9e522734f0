"""Text to token ids, one way for training and serving, and the grouping of token lists into batches of similar length.

Numpy and the `tokenizers` library only; nothing here knows torch or onnxruntime.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from sentiment_platform.errors import PermanentError
from sentiment_platform.models.family import Integers

if TYPE_CHECKING:
    from tokenizers import Tokenizer


POOL = 8
"""Batches whose texts are drawn together before they are sorted by length. Sorted as a whole, a text meets the same others in each pass."""


@dataclass(frozen=True)
class TokenBatch:
    """Token ids and their mask, each (n, longest) int64; padding has mask 0."""

    input_ids: Integers
    attention_mask: Integers


def tokenizer_from_json(text: str, max_length: int) -> "Tokenizer":
    """The tokenizer of a `tokenizer.json`, cutting at `max_length` tokens (special ones included) and never padding.

    Raises:
        PermanentError: not a tokenizer.
    """
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_str(text)
    except Exception as error:  # the library raises bare Exception for every kind of bad content
        raise PermanentError(f"tokenizer.json cannot be read: {error}", remedy="Publish the model again.") from error
    tokenizer.enable_truncation(max_length)
    tokenizer.no_padding()
    return tokenizer


class _Padding(msgspec.Struct, frozen=True):
    pad_id: int


class _Token(msgspec.Struct, frozen=True):
    id: int
    content: str


class _Padded(msgspec.Struct, frozen=True):
    padding: _Padding | None = None
    added_tokens: tuple[_Token, ...] = ()


def pad_id_of(text: str) -> int:
    """Id of the padding token of a `tokenizer.json`: what it says that it pads with, else its special token of that name.

    0 where it names none; the mask hides it anyway, but an encoder may count positions by it.
    """
    read = msgspec.json.decode(text, type=_Padded)
    if read.padding:
        return read.padding.pad_id
    return next((token.id for token in read.added_tokens if token.content in ("[PAD]", "<pad>")), 0)


def tokenizer_text(text: str, max_length: int, pad_id: int) -> str:
    """A `tokenizer.json` that cuts at `max_length` tokens and says that it pads with `pad_id`."""
    tokenizer = tokenizer_from_json(text, max_length)
    tokenizer.enable_padding(pad_id=pad_id, pad_token=tokenizer.id_to_token(pad_id) or "[PAD]")
    return tokenizer.to_str(pretty=False)


def encode(tokenizer: "Tokenizer", texts: Sequence[str]) -> list[list[int]]:
    """Token ids of each text, special tokens included."""
    return [encoding.ids for encoding in tokenizer.encode_batch_fast(list(texts))]


def padded(tokens: Sequence[Sequence[int]], pad_id: int) -> TokenBatch:
    """One rectangular batch, as wide as its longest row."""
    width = max(len(row) for row in tokens)
    input_ids = np.full((len(tokens), width), pad_id, dtype=np.int64)
    mask = np.zeros((len(tokens), width), dtype=np.int64)
    for index, row in enumerate(tokens):
        input_ids[index, : len(row)] = row
        mask[index, : len(row)] = 1
    return TokenBatch(input_ids, mask)


def length_buckets(lengths: Integers, batch_size: int, generator: np.random.Generator | None) -> list[Integers]:
    """Row indices grouped into batches of similar length, so that little is padded.

    With a generator, rows are dealt into pools of `POOL` batches, sorted within a pool only, and the order of all batches is shuffled;
    without one the result is in order of length.
    """
    if generator is None:
        return _cut(np.argsort(lengths, kind="stable"), batch_size)
    dealt = _cut(generator.permutation(len(lengths)), POOL * batch_size)
    batches = [batch for pool in dealt for batch in _cut(pool[np.argsort(lengths[pool], kind="stable")], batch_size)]
    generator.shuffle(batches)
    return batches


def _cut(rows: Integers, size: int) -> list[Integers]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]
