"""Which version is watched: the champion of the default family in the newest deployment."""

from sqlalchemy import Connection

from sentiment_platform.store.deployments import latest_deployment
from sentiment_platform.store.versions import RegisteredVersion, get_version


def watched_version(connection: Connection) -> RegisteredVersion | str:
    """The version that answers POST /predict, or in words why there is none to watch."""
    deployed = latest_deployment(connection)
    if deployed is None:
        return "Nothing is deployed yet."
    tag = deployed.default_version
    return get_version(connection, tag) or f"{tag} is deployed, but was registered in another database."
