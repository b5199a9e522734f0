"""The model registry as a resource."""

import dagster as dg

from sentiment_platform.registry.access import RegistryAccess
from sentiment_platform.store.resources import PlatformResource


class RegistryResource(dg.ConfigurableResource["RegistryResource"]):
    """Releases of the repository that the settings name."""

    platform: dg.ResourceDependency[PlatformResource]

    def access(self) -> RegistryAccess:
        """Plain access to readers, writers, keys and cache."""
        return RegistryAccess(self.platform.settings())
