"""What is live at one moment. A request takes the snapshot once and answers from it, whatever is swapped in meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sentiment_platform.registry.deployment import Deployment
from serving.live.loading import LoadedVersion
from serving.live.selections import Selection

Content = tuple[dict[str, str], str]
"""Family -> version, and the default family."""


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The deployment in force, the selections on top of it, and for each family its model and since when that answers here."""

    deployment: Deployment
    models: Mapping[str, LoadedVersion]
    since: Mapping[str, datetime]
    default_family: str
    selections: tuple[Selection, ...] = ()

    @property
    def versions(self) -> dict[str, str]:
        """family -> version."""
        return {family: model.version for family, model in self.models.items()}

    @property
    def content(self) -> Content:
        """What answers."""
        return self.versions, self.default_family

    def is_changed_by(self, document: Deployment) -> bool:
        """Whether its champions and default family would answer otherwise than what does now."""
        return bool(document.versions().items() - self.versions.items()) or document.default_family != self.default_family
