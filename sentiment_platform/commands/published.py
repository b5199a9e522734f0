"""What is said after a publication: what was published, and where SENTIMENT_SERVING_URL names serving, whether it runs there."""

import time
from typing import TYPE_CHECKING

from sentiment_platform.commands.console import joined, note, say, styled
from sentiment_platform.errors import PermanentError

if TYPE_CHECKING:
    from sentiment_platform.promotion.next_revision import Promoted
    from sentiment_platform.settings import Settings

LONGEST_WAIT_S = 90.0
_LOOK_EVERY_S = 0.5


def tell_published(promoted: "Promoted", settings: "Settings") -> None:
    """Say what was published, and wait for serving's verdict: one look of its, and a while to load.

    Raises:
        PermanentError: serving refuses it; what ran before goes on.
    """
    document = promoted.document
    versions = ", ".join(document.versions().values())
    say(joined(styled(promoted.tag, "green"), f" published: {versions}, default {document.default_family}. {promoted.url}"))
    if settings.serving_url:
        _tell_verdict(promoted.revision, settings.serving_url, min(settings.poll_s * 1.1 + 20.0, LONGEST_WAIT_S))


def _tell_verdict(revision: int, url: str, wait_s: float) -> None:
    from sentiment_platform.alerts.serving_watch import ServingStatus, ask_serving
    from sentiment_platform.fetching.addresses import shown

    ends, status = time.monotonic() + wait_s, ask_serving(url)
    while isinstance(status, ServingStatus):
        live, offer = status.deployment.revision if status.deployment else 0, status.candidate
        if live >= revision:
            say(f"Serving at {shown(url)} runs revision {live}.")
            return
        if offer is not None and offer.outcome == "refused" and offer.revision in (revision, None):
            raise PermanentError(
                f"It is published, but serving at {shown(url)} refuses it and runs {f'revision {live}' if live else 'nothing'}: "
                f"{offer.message or offer.reason}",
                remedy="`sentiment-platform models rollback` publishes what ran before.",
            )
        if time.monotonic() > ends:
            note(f"Serving at {shown(url)} has not taken it within {wait_s:.0f} s; GET /models/status says what it does.")
            return
        time.sleep(_LOOK_EVERY_S)
        status = ask_serving(url)
    note(f"Serving at {shown(url)} does not answer ({status}), so nobody knows whether it runs this.")
