"""Values of the formats that the OpenAPI document names, and of what exists in the process under test; loaded by schemathesis as its hooks.

`FUZZ_KNOWN` in the environment is JSON: name of a parameter or field -> values that exist. Half of the well-formed ones become one of these.
"""

import json
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

import schemathesis
from hypothesis import strategies as st

from sentiment_platform.entities import outlet_name
from sentiment_platform.features.schema import SCHEMAS
from sentiment_platform.models.families import FAMILIES
from sentiment_platform_tests.symbols.spellings import SPELLINGS

KNOWN: dict[str, list[str]] = json.loads(os.environ.get("FUZZ_KNOWN", "{}"))
WORDS = st.characters(categories=["L", "N", "P", "Zs", "Sc"])
NOW = datetime.now(UTC).replace(microsecond=0)
FORMS = {
    "prediction_id": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "version": r"v\d{1,6}\.\d{1,6}\.\d{1,6}-[a-z]{1,30}",
    "report_id": r"[0-9a-f]{32}",
    "incident_id": r"[0-9a-f]{32}",
    "family": r"[a-z]{1,30}",
    "name": r".{1,40}",
}
"""What does not have its form stays: it is to be refused."""
DEADLINE = "X-Request-Deadline-Ms"
ENOUGH_MS = 5_000
NETWORK = os.environ.get("FUZZ_NETWORK", "192.0.2")
"""Of the addresses that one run asks from."""


schemathesis.openapi.format("symbol", st.sampled_from([text for text, known in SPELLINGS.items() if len(known) == 1]))
schemathesis.openapi.format("outlet", st.text(WORDS, min_size=1, max_size=100).filter(lambda text: bool(outlet_name(text))))
schemathesis.openapi.format("feature-schema", st.sampled_from(list(SCHEMAS)))
schemathesis.openapi.format("family", st.sampled_from(list(FAMILIES)))
schemathesis.openapi.format("news-text", st.text(WORDS, min_size=1, max_size=200).filter(lambda text: bool(text.strip())))
schemathesis.openapi.format(
    "date-time", st.datetimes(datetime(1990, 1, 2), NOW.replace(tzinfo=None), timezones=st.just(UTC)).map(datetime.isoformat)
)


def some_known(given: Any) -> Any:
    """`given` with values that exist in the place of half of those that have their form, and whole numbers written as such."""
    if not isinstance(given, Mapping):
        return given
    return {name: _known(name, value) for name, value in given.items()}


def _known(name: str, value: Any) -> Any:
    formed = name in KNOWN and isinstance(value, str) and re.fullmatch(FORMS[name], value)
    if formed and (chosen := crc32(value.encode())) % 2:
        return KNOWN[name][chosen // 2 % len(KNOWN[name])]
    # To a schema 2.0 is a whole number; no client writes it so, and serving reads JSON strictly.
    return int(value) if name == "expected_revision" and isinstance(value, float) and value.is_integer() else value


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: Any) -> Any:
    return some_known(path_parameters)


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    return some_known(body)


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Each operation is asked from an address of its own: an address has twenty wrong keys, and each operation that needs one is asked with some.

    No switch is turned off under everybody else's requests: such a body only asks how it would stand."""
    body = case.body
    if isinstance(body, Mapping) and body.get("enabled") is False and isinstance(body.get("dry_run", False), bool):
        case.body = {**body, "dry_run": True}
    case.headers = {**(case.headers or {}), "X-Forwarded-For": f"{NETWORK}.{crc32(case.operation.label.encode()) % 250}"}
    # A deadline that no model meets is answered with 503, as documented; which one that is depends on the machine, not on the schema.
    wanted = case.headers.get(DEADLINE)
    if isinstance(wanted, str) and re.fullmatch("[1-9][0-9]{0,3}", wanted) and int(wanted) < ENOUGH_MS:
        case.headers[DEADLINE] = str(ENOUGH_MS + int(wanted))
