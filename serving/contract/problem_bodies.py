"""Body of every error: the problem document that clients read. How errors become one: `problems`."""

from typing import Annotated

import msgspec

from serving.contract.problem_codes import CODES

ProblemCode = Annotated[
    str,
    msgspec.Meta(
        description="A stable word for programs. New ones may be added: take one that you do not know by its status.",
        extra_json_schema={"enum": list(CODES)},
    ),
]


class FieldError(msgspec.Struct, frozen=True):
    """One fault of a request.

    Attributes:
        field: where it is, such as `text`, `items[3].ticker` or `limit`; `body` for the body as a whole.
        item: number of the item of a batch, from 0; null where it is no item's.
        message: what is wrong there.
    """

    field: str
    item: int | None
    message: str


class ProblemDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RFC 9457; `code` is a stable word for programs, `detail` a sentence for people, `errors` every fault, by field and item."""

    status: int
    title: str
    code: ProblemCode
    detail: str
    request_id: str
    errors: list[FieldError] = []
