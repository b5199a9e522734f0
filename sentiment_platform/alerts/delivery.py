"""Delivery of incidents to a webhook: signed, at least once, with an id by which the receiver knows a repetition.

One message when an incident opens, one when it is resolved, reminders in between. What an incident is and which message is due:
`store.incidents`.
The signature is the HMAC of RFC 2104 over time and body, so that a recorded request cannot be replayed later.
"""

import hmac
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import httpx
from sqlalchemy import Engine

from sentiment_platform.clock import Clock
from sentiment_platform.settings import Settings
from sentiment_platform.store.incidents import Message, claim_message, mark_failed, mark_sent
from sentiment_platform.times.reading import read_time

SIGNATURE, IDEMPOTENCY_KEY = "X-Sentiment-Signature", "Idempotency-Key"
ATTEMPTS = 3
LONGEST_PAUSE_S = 5.0
LONGEST_WAIT = timedelta(hours=1)
SOONEST_RETRY = timedelta(minutes=1)
LARGEST_BATCH = 50
TIME_OUT_S = 5.0
Sleep = Callable[[float], None]


@dataclass(frozen=True)
class Delivery:
    """What one round has sent: ids of messages, and why it stopped before the rest; empty when nothing is left."""

    sent: tuple[str, ...]
    error: str = ""


class _Refused(Exception):
    def __init__(self, why: str, *, again: bool, after_s: float | None = None) -> None:
        super().__init__(why)
        self.again = again
        self.after_s = after_s


@dataclass(frozen=True)
class Webhook:
    """Where messages go. `runbook` is the page whose anchors are the categories."""

    url: str
    secret: str
    runbook: str

    @staticmethod
    def of(settings: Settings) -> "Webhook | None":
        """The one of the settings, or None; SettingsError when it has no secret to sign with."""
        if not settings.alert_webhook:
            return None
        return Webhook(settings.alert_webhook, settings.require("alert_secret"), settings.runbook_url)

    def body(self, message: Message) -> bytes:
        """The JSON document that is sent."""
        names = ("id", "fingerprint", "severity", "source", "summary", "detail", "opened_at", "resolved_at")
        told = {name: getattr(message.incident, name) for name in names}
        shown = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in told.items()}
        if message.event == "open":
            shown["resolved_at"] = None
        category = message.incident.category
        runbook = f"{self.runbook}#{category.replace('_', '-')}"
        content = {"id": message.id, "event": message.event, "incident": {**shown, "class": category}, "runbook": runbook}
        return json.dumps(content, sort_keys=True).encode()


def signature(secret: str, body: bytes, now: datetime) -> str:
    """`t=<Unix seconds>,v1=<hexadecimal HMAC-SHA256 of "<t>.<body>">`."""
    stamp = int(now.timestamp())
    return f"t={stamp},v1={hmac.new(secret.encode(), f'{stamp}.'.encode() + body, sha256).hexdigest()}"


def deliver(engine: Engine, webhook: Webhook | None, clock: Clock, sleep: Sleep = time.sleep) -> Delivery:
    """Send what is due, oldest first; the first message that fails ends the round, because the others would meet the same sink.

    Nobody waits long: `ATTEMPTS` a message with short pauses, then it is due again after what the sink asked for in Retry-After.
    """
    if webhook is None:
        return Delivery((), "No SENTIMENT_ALERT_WEBHOOK is set: incidents are recorded and not sent.")
    sent: list[str] = []
    with httpx.Client(timeout=TIME_OUT_S, follow_redirects=False, trust_env=False) as client:
        while len(sent) < LARGEST_BATCH:
            with engine.begin() as connection:
                message = claim_message(connection, clock())
            if message is None:
                break
            refused = _send(client, webhook, message, clock, sleep)
            with engine.begin() as connection:
                if refused is not None:
                    wait = min(max(timedelta(seconds=refused.after_s or 0), SOONEST_RETRY), LONGEST_WAIT)
                    mark_failed(connection, message, str(refused), clock() + wait)
                    return Delivery(tuple(sent), str(refused))
                mark_sent(connection, message, clock())
            sent.append(message.id)
    return Delivery(tuple(sent))


def _send(client: httpx.Client, webhook: Webhook, message: Message, clock: Clock, sleep: Sleep) -> _Refused | None:
    """None once it is accepted; otherwise how the last attempt ended."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _post(client, webhook, message, clock)
        except _Refused as refused:
            pause_s = refused.after_s or 2.0 ** (attempt - 1) * random.uniform(0.5, 1.0)  # noqa: S311  spreads load
            if not refused.again or attempt == ATTEMPTS or pause_s > LONGEST_PAUSE_S:
                return refused
            sleep(pause_s)
        else:
            return None
    return None


def _post(client: httpx.Client, webhook: Webhook, message: Message, clock: Clock) -> None:
    body = webhook.body(message)
    headers = {
        "Content-Type": "application/json",
        IDEMPOTENCY_KEY: message.id,
        SIGNATURE: signature(webhook.secret, body, clock()),
    }
    try:
        status, after = _answer(client, webhook.url, body, headers)
    except httpx.HTTPError as error:
        raise _Refused(f"the sink cannot be reached: {type(error).__name__}", again=True) from error
    if not 200 <= status < 300:
        again = status in (408, 425, 429) or status >= 500
        raise _Refused(f"the sink answers {status}", again=again, after_s=_seconds(after, clock()))


def _answer(client: httpx.Client, url: str, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
    # Only status and headers are of interest: a sink that answers with gigabytes is not read.
    with client.stream("POST", url, content=body, headers=headers) as answer:
        return answer.status_code, answer.headers.get("Retry-After", "")


def _seconds(retry_after: str, now: datetime) -> float | None:
    """RFC 9110, 10.2.3: seconds or a date."""
    if retry_after.isdecimal():
        return float(retry_after)
    read = read_time(retry_after)
    return max(0.0, (read.at - now).total_seconds()) if read else None
