"""Body of every error: the problem document that clients read. How errors become one: `problems`."""

import msgspec


class ProblemDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RFC 9457; `code` is a stable word for programs, `detail` a sentence for people, `errors` what is wrong where."""

    status: int
    title: str
    code: str
    detail: str
    request_id: str
    errors: list[str] = []
