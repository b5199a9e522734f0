"""The writer's connection to GitHub: PyGithub with one layer of bounded retries, and its errors in the words of the house.

PyGithub's own retry sleeps up to an hour inside the caller when the rate limit is used up; it is switched off here.
Only steps that look before they act are retried (`steady`), because a failed answer may belong to a request that was done.
"""

import random
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from sentiment_platform.clock import Clock
from sentiment_platform.errors import PermanentError, TransientError
from sentiment_platform.registry.reply_status import NotFoundError, RateLimitedError

if TYPE_CHECKING:
    from github import Github
    from github.GithubException import GithubException
    from github.Repository import Repository

T = TypeVar("T")


class UnprocessableError(PermanentError):
    """GitHub answered 422: the name, tag or ref is taken, or the request makes no sense."""

    @property
    def tag_is_spent(self) -> bool:
        """Whether the tag belonged to an immutable release that was deleted: it can never be used again."""
        return "immutable release" in self.message


class Connection:
    """One repository, for writing. Not for several threads at once: each takes its own.

    Args:
        attempts: tries of one step, the first included.
        max_wait_s: longest sleep between the tries of one step, all together.
    """

    def __init__(
        self,
        repository: str,
        *,
        url: str,
        token: str,
        clock: Clock,
        seconds_between_requests: float,
        seconds_between_writes: float,
        timeout_s: float = 30.0,
        attempts: int = 4,
        max_wait_s: float = 60.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._name = repository
        self._options = (url, token, timeout_s, seconds_between_requests, seconds_between_writes)
        self._clock = clock
        self._attempts = attempts
        self._max_wait_s = max_wait_s
        self._sleep = sleep
        self._github: Github | None = None
        self._repository: Repository | None = None

    def close(self) -> None:
        if self._github is not None:
            self._github.close()

    @property
    def repository(self) -> "Repository":
        """PyGithub's object; calls on it belong inside `errors()` or a step of `steady`."""
        if self._repository is None:
            self._repository = self._client().get_repo(self._name)
        return self._repository

    def _client(self) -> "Github":
        if self._github is None:
            from github import Auth, Github

            url, token, timeout_s, between_requests, between_writes = self._options
            self._github = Github(
                base_url=url,
                auth=Auth.Token(token),
                timeout=int(timeout_s),
                retry=None,
                per_page=100,
                seconds_between_requests=between_requests,
                seconds_between_writes=between_writes,
            )
        return self._github

    def steady(self, step: Callable[[], T]) -> T:
        """Run `step`, again on a transient error, with capped jittered backoff; `step` must look before it acts.

        Raises:
            TransientError: still failing after `attempts` tries or `max_wait_s` seconds of waiting.
        """
        waited_s = 0.0
        for attempt in range(1, self._attempts + 1):
            try:
                with self.errors():
                    return step()
            except TransientError as error:
                asked_s = error.retry_after_s if isinstance(error, RateLimitedError) else 0.0
                if asked_s is None or attempt == self._attempts:
                    raise
                # Jitter keeps two writers from meeting again; it is no secret.
                wait_s = max(asked_s, min(8.0, 0.25 * 2**attempt) * random.uniform(0.5, 1.0))  # noqa: S311
                waited_s += wait_s
                if waited_s > self._max_wait_s:
                    raise
                self._sleep(wait_s)
        raise AssertionError("the last attempt returns or raises")

    @contextmanager
    def errors(self) -> Generator[None]:
        """Translate what PyGithub and requests raise.

        Raises:
            NotFoundError (404), UnprocessableError (422), RateLimitedError, TransientError (5xx, connection), PermanentError.
        """
        from github.GithubException import GithubException
        from requests.exceptions import RequestException

        try:
            yield
        except GithubException as error:
            raise self._translated(error) from error
        except (RequestException, ConnectionError) as error:
            raise TransientError(
                f"GitHub cannot be reached: {type(error).__name__}.", remedy="Run it again; nothing half-made is visible."
            ) from error

    def _translated(self, error: "GithubException") -> PermanentError | TransientError:
        status, headers = error.status, error.headers or {}
        said = f"GitHub answered {status}: {error.message or error.data}{_problems(error.data)}"[:300]
        if status == 429 or (status == 403 and ("rate limit" in said.lower() or "retry-after" in headers)):
            return RateLimitedError(
                f"{said}.",
                remedy="Run it again later; publishing continues where it stopped.",
                retry_after_s=self._retry_after_s(headers),
            )
        if status == 404:
            return NotFoundError(f"{said}.", remedy="Check SENTIMENT_REGISTRY_REPOSITORY and the token's access.")
        if status == 422:
            return UnprocessableError(f"{said}.", remedy="Somebody else was first, or the repository's rules forbid it.")
        if status >= 500 or status in (202, 408):
            return TransientError(f"{said}.", remedy="Run it again; nothing half-made is visible.")
        return PermanentError(f"{said}.", remedy="Publishing needs SENTIMENT_REGISTRY_TOKEN with `contents: write`.")

    def _retry_after_s(self, headers: dict[str, str]) -> float | None:
        after, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
        if after.isdigit():
            return float(after)
        if headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
            return max(0.0, float(reset) - self._clock().timestamp())
        return None


def _problems(body: object) -> str:
    """The words of a 422's list of problems; its message says `Validation Failed` alone."""
    entries: object = body.get("errors") if isinstance(body, dict) else None
    words = (
        [str(one["message"]) for one in entries if isinstance(one, dict) and one.get("message")]
        if isinstance(entries, list)
        else []
    )
    return f" ({'; '.join(words)})" if words else ""
