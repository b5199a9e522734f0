"""GET /about: what a page has to know of this platform before it asks anything else."""

from importlib.metadata import PackageNotFoundError, version

from litestar import get
from litestar.di import NamedDependency
from litestar.handlers import HTTPRouteHandler

from sentiment_platform.models.families import FAMILIES
from sentiment_platform.text.sentiment import LABELS
from serving.contract.about_bodies import About, KnownFamily, Limits
from serving.contract.prediction_bodies import MAX_BATCH
from serving.services import Services


@get("/about", tags=["health"], summary="What this platform is and allows")
async def about(services: NamedDependency[Services]) -> About:
    """Families, labels and limits, and where the Dagster UI and the runbook are."""
    settings = services.settings
    return About(
        version=platform_version(),
        families=[
            KnownFamily(name, entry.description) for name, entry in sorted(FAMILIES.items(), key=lambda item: item[1].cost)
        ],
        labels=list(LABELS),
        limits=Limits(
            text_characters=settings.max_text_characters,
            body_bytes=settings.max_body_bytes,
            batch_items=MAX_BATCH,
            deadline_ms=settings.deadline_ms,
        ),
        dagster_url=_address(settings.dagster_url),
        runbook_url=_address(settings.runbook_url),
    )


def platform_version() -> str:
    """The version of the installed package."""
    try:
        return version("sentiment-platform")
    except PackageNotFoundError:
        return "0"


def _address(setting: str) -> str | None:
    """Only what a browser can go to: a path of the repository is no link."""
    return setting.rstrip("/") if setting.startswith(("https://", "http://")) else None


def routes() -> list[HTTPRouteHandler]:
    """The route."""
    return [about]
