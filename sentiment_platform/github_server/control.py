"""The control path, for tests that script a server in another process. GitHub has nothing like it.

GET, POST, DELETE /_control/faults      list, add one, forget all
GET, DELETE       /_control/requests    the request log, oldest first
"""

import re

import msgspec

from sentiment_platform.github_server.faults import Fault, FaultPlan
from sentiment_platform.github_server.messages import Reply, Request, json_reply
from sentiment_platform.github_server.records import Refused, not_found
from sentiment_platform.github_server.request_log import RequestLog

CONTROL = "/_control/"


def control(faults: FaultPlan, log: RequestLog, request: Request) -> Reply:
    """Answer one control request; only the writing token may ask."""
    if request.access != "write":
        raise Refused(401, "Requires authentication")
    match request.method, request.path:
        case "GET", "/_control/faults":
            return json_reply(faults.all())
        case "POST", "/_control/faults":
            _add(faults, b"".join(request.chunks()))
            return Reply(204)
        case "DELETE", "/_control/faults":
            faults.clear()
            return Reply(204)
        case "GET", "/_control/requests":
            return json_reply(log.all())
        case "DELETE", "/_control/requests":
            log.clear()
            return Reply(204)
        case _:
            raise not_found()


def _add(faults: FaultPlan, text: bytes) -> None:
    try:
        faults.add(msgspec.json.decode(text, type=Fault))
    except (msgspec.MsgspecError, re.error) as error:
        raise Refused(422, f"Not a fault: {error}") from error
