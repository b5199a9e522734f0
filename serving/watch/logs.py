"""How serving logs: one line an event, as text or as JSON, each with the id of the request in whose course it was written."""

import logging
import sys
from datetime import UTC, datetime

import msgspec

from sentiment_platform.errors import SettingsError
from serving.contract.request_context import request_id

FORMATS = ("text", "json")
_LEFT = (ConnectionResetError, BrokenPipeError)


class _OfRequests(logging.Filter):
    """Adds the request's id; of a client that left it keeps the sentence alone, for it is no defect of ours."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        if record.exc_info and isinstance(record.exc_info[1], _LEFT):
            record.msg, record.args = f"{record.getMessage()}: the other side left", ()
            record.exc_info = None
            record.levelno, record.levelname = logging.INFO, "INFO"
        return True


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": getattr(record, "request_id", "-"),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


def configure_logs(form: str) -> None:
    """Write the log to stderr in `form`.

    Raises:
        SettingsError: it is none of `FORMATS`.
    """
    if form not in FORMATS:
        raise SettingsError(f"SENTIMENT_LOG_FORMAT: {form!r} is no format.", remedy=f"Use {' or '.join(FORMATS)}.")
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_OfRequests())
    text = logging.Formatter("%(asctime)s %(levelname)s %(name)s [%(request_id)s]: %(message)s")
    handler.setFormatter(_Json() if form == "json" else text)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)
