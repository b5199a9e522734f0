"""A running local GitHub server and clients for it, for every test that needs a registry.

Clients never wait and never retry, so that a test sees each answer as it is.
"""

import io
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from github import Auth, Github
from github.Repository import Repository

from sentiment_platform_tests.github_server.scripted import ScriptedServer

REPOSITORY = "newsroom/models"
TOKEN = "writing-token"
READ_TOKEN = "reading-token"


class HandClock:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, by: timedelta) -> None:
        self.moment += by


@contextmanager
def repository_client(url: str, token: str | None = TOKEN, per_page: int = 30) -> Generator[Repository]:
    """The repository through the real PyGithub."""
    auth = Auth.Token(token) if token else None
    client = Github(
        auth=auth,
        base_url=url,
        retry=None,
        timeout=10,
        per_page=per_page,
        seconds_between_requests=0,
        seconds_between_writes=0,
    )
    try:
        yield client.get_repo(REPOSITORY)
    finally:
        client.close()


@contextmanager
def plain_client(url: str, token: str | None = TOKEN) -> Generator[httpx.Client]:
    """Plain HTTP with the repository as base."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with httpx.Client(base_url=f"{url}/repos/{REPOSITORY}", headers=headers, timeout=10) as client:
        yield client


def server_in(folder: Path, **options: Any) -> ScriptedServer:
    return ScriptedServer(folder, REPOSITORY, TOKEN, read_token=READ_TOKEN, **options)


def publish(repository: Repository, tag: str, make_latest: str = "true", **assets: bytes) -> None:
    """Draft, upload, publish: the way a registry does it."""
    draft = repository.create_git_release(tag, tag, "", draft=True, make_latest=make_latest)
    for name, content in assets.items():
        draft.upload_asset_from_memory(io.BytesIO(content), len(content), name)
    draft.update_release(tag, "", draft=False, make_latest=make_latest)
