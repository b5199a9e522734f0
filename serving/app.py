"""The HTTP application. Nothing happens at import; `create_app` wires, starting the application opens."""

import contextlib
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

from litestar import Litestar, Response
from litestar.di import Provide
from litestar.exceptions import HTTPException

from sentiment_platform.errors import ConflictError, TransientError
from sentiment_platform.settings import Settings
from serving.contract.problems import handle_conflict, handle_not_set_up, handle_transient, handle_unexpected
from serving.dashboard.built_pages import BUILT, PAGE, read_built
from serving.edge import openapi
from serving.edge.door import Door
from serving.edge.envelope import Envelope, allowed_origins, head_as_get
from serving.edge.guard import Guard
from serving.edge.strict_request import StrictRequest
from serving.handlers import (
    about,
    audit,
    collection,
    drift,
    events,
    experiments,
    features,
    feedback,
    flags,
    health,
    lineage,
    models,
    monitoring,
    news,
    pages,
    predict,
    runs,
    selections,
    service,
    versions,
)
from serving.handlers.about import platform_version
from serving.handlers.direct_predictions import DirectPredictions
from serving.handlers.query_names import refuse_unknown_names
from serving.handlers.refused_bodies import refused_bodies
from serving.links.database import NoDatabase
from serving.services import Services


def create_app(settings: Settings | None = None, *, dashboard: Path = BUILT) -> Litestar:
    """The application over `settings` (default: the environment's), with the build of the dashboard in the folder `dashboard`.

    Raises:
        SettingsError: a setting cannot be used.
    """
    settings = settings or Settings.from_environment()
    origins = allowed_origins(settings.cors_origins)
    services = Services(settings)

    @contextlib.asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncGenerator[None]:
        services.start()
        try:
            yield
        finally:
            await services.stop()

    built = read_built(dashboard)
    handlers: dict[int | type[Exception], Callable[[Any, Any], Response[bytes]]] = {
        HTTPException: refused_bodies(settings.max_text_characters, services.clock),
        NoDatabase: handle_not_set_up,
        ConflictError: handle_conflict,
        TransientError: handle_transient,
        Exception: handle_unexpected,
    }

    def refused(error: Exception) -> Response[bytes]:
        """Of what never reached a route of Litestar, by its handlers."""
        return next(handlers[kind] for kind in type(error).__mro__ if kind in handlers)(None, error)

    app = Litestar(
        route_handlers=[
            *predict.routes(),
            *models.routes(),
            *versions.routes(),
            *selections.routes(),
            *experiments.routes(),
            *flags.routes(),
            *lineage.routes(),
            *feedback.routes(),
            *features.routes(),
            *news.routes(),
            *drift.routes(),
            *monitoring.routes(),
            *service.routes(),
            *collection.routes(),
            *runs.routes(),
            *audit.routes(),
            *events.routes(),
            *health.routes(),
            *about.routes(),
            *pages.routes(built),
            openapi.to_the_page,
        ],
        middleware=[services.access.around],
        before_request=refuse_unknown_names,
        dependencies={"services": Provide(lambda: services, sync_to_thread=False)},
        exception_handlers=handlers,
        openapi_config=openapi.config(platform_version()),
        lifespan=[lifespan],
        request_class=StrictRequest,
        request_max_body_size=settings.max_body_bytes,
        logging_config=None,
    )
    app.state.services = services
    services.access.protect(app, [name for name in built if name != PAGE])
    # Around routing as well: Litestar's own middleware does not see unknown paths and methods.
    guarded = Guard(
        DirectPredictions(head_as_get(app.asgi_handler), services, refused),
        max_body_bytes=settings.max_body_bytes,
        metrics=services.metrics,
        untimed=frozenset(pages.PATHS),
        draining=lambda: services.draining,
    )
    routes = (path for route in predict.routes() for path in route.paths)
    door = app.state.door = Door(
        guarded, services.loop_share, services.metrics, routes, draining=lambda: services.draining, full=services.is_full
    )
    app.asgi_handler = Envelope(door, origins=origins)
    return app
