"""What the server remembers about its one repository, and the refusals that GitHub answers with.

Plain records only: the rules live in `refs`, `releases` and `uploads`, the wire format in `documents`.
"""

from datetime import datetime
from typing import Literal

import msgspec

from sentiment_platform.errors import PermanentError

AssetState = Literal["starter", "uploaded"]
MakeLatest = Literal["true", "false", "legacy"]
DOCUMENTATION_URL = "https://docs.github.com/rest"


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a release; a `starter` holds the name of an upload that never finished and has no bytes."""

    id: int
    name: str
    label: str | None
    content_type: str
    state: AssetState
    size: int
    digest: str | None
    download_count: int
    created_at: datetime
    updated_at: datetime


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """One release; `created_at` is the date of the tagged commit once it is published, as on GitHub."""

    id: int
    tag_name: str
    target_commitish: str
    name: str | None
    body: str | None
    draft: bool
    prerelease: bool
    immutable: bool
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None
    assets: tuple[Asset, ...] = ()


class TagObject(msgspec.Struct, frozen=True):
    """An annotated tag; it names a commit but is no ref until one is made for it."""

    sha: str
    tag: str
    message: str
    object_sha: str
    tagged_at: datetime


class RepositoryState(msgspec.Struct, kw_only=True):
    """Everything that survives a restart except the bytes of the assets."""

    full_name: str
    id: int
    created_at: datetime
    default_branch: str
    commits: dict[str, datetime]
    refs: dict[str, str]
    tag_objects: dict[str, TagObject] = {}
    releases: dict[int, Release] = {}
    latest_release_id: int | None = None
    next_id: int = 1
    retired_tags: set[str] = set()

    def take_id(self) -> int:
        taken = self.next_id
        self.next_id += 1
        return taken


class FieldProblem(msgspec.Struct, frozen=True, omit_defaults=True):
    """One entry of the `errors` list of a 422, https://docs.github.com/en/rest/using-the-rest-api/troubleshooting-the-rest-api"""

    resource: str
    code: Literal["missing_field", "invalid", "already_exists", "custom"]
    field: str
    message: str | None = None


class Refused(PermanentError):
    """A request that GitHub answers with a client error; carries exactly what the reply says."""

    def __init__(self, status: int, message: str, problems: tuple[FieldProblem, ...] = ()) -> None:
        super().__init__(message, remedy=f"See {DOCUMENTATION_URL}")
        self.status = status
        self.problems = problems


def not_found() -> Refused:
    return Refused(404, "Not Found")


def invalid(resource: str, code: Literal["missing_field", "invalid", "already_exists"], field: str) -> Refused:
    return Refused(422, "Validation Failed", (FieldProblem(resource, code, field),))


def immutable_violation(message: str) -> Refused:
    return Refused(422, message)
