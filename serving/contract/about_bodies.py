"""Body of GET /about: what a page has to know of this platform before it asks anything else."""

from typing import Annotated

from msgspec import Meta, Struct

from sentiment_platform.text.sentiment import Label


class KnownFamily(Struct, frozen=True):
    """A model family of this build, deployed or not."""

    name: str
    description: str


class Limits(Struct, frozen=True, kw_only=True):
    """What one request may be, and how long its answer may take."""

    text_characters: int
    body_bytes: int
    batch_items: int
    deadline_ms: int


class About(Struct, frozen=True, kw_only=True):
    """The same for as long as the process runs."""

    version: Annotated[str, Meta(description="Of the platform; `0` where it is not installed as a package.")]
    families: Annotated[list[KnownFamily], Meta(description="The cheapest first.")]
    labels: Annotated[list[Label], Meta(description="In the order of every list of probabilities and of every confusion matrix.")]
    limits: Limits
    dagster_url: Annotated[str, Meta(description="A run is at `{dagster_url}/runs/{run_id}`; null: there are no links.")] | None
    runbook_url: Annotated[str, Meta(description="What to do when an alert comes, a page; null where it has no address.")] | None
