"""Access to the registry that calls back after each side effect on GitHub, so that a test can die or interfere there."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.registry.releases import ReleaseRegistry


class Died(Exception):
    """The process ended here."""


@dataclass(frozen=True)
class SteppedAccess(RegistryAccess):
    """A `RegistryAccess` whose writers report their steps to `step`."""

    step: Callable[[str], None] = lambda _: None

    def writer(self, clock: Callable[[], datetime]) -> ReleaseRegistry:
        return ReleaseRegistry(
            self.settings.require("registry_repository"),
            url=self.settings.registry_url,
            token=self.settings.registry_token,
            public_keys=self.public_keys,
            clock=clock,
            seconds_between_requests=0,
            seconds_between_writes=0,
            step=self.step,
        )


def dies_after(name: str) -> Callable[[str], None]:
    """A step that raises `Died` the first time that `name` has happened."""
    left = [name]

    def step(happened: str) -> None:
        if left and happened == left[0]:
            left.clear()
            raise Died(happened)

    return step
