"""What the states of versions are derived from, as the database knows it."""

from collections.abc import Collection

import msgspec
from sqlalchemy import Connection

from sentiment_platform.registry.lifecycle import Documents
from sentiment_platform.store.deployments import last_revisions, latest_deployment
from sentiment_platform.store.gate_evidence import newest_gate_evidence


class _Weighed(msgspec.Struct, frozen=True):
    """What evidence of any release says of its contenders."""

    newest: dict[str, str] = {}


def read_documents(connection: Connection, gone: Collection[str] = ()) -> Documents:
    """What the database knows; `gone`: what the caller has seen of the releases."""
    evidence = newest_gate_evidence(connection)
    weighed = msgspec.convert(evidence.document.get("contenders") or {}, _Weighed).newest.values() if evidence else ()
    return Documents(
        deployment=latest_deployment(connection),
        were_champions=set(last_revisions(connection)),
        weighed=set(weighed),
        gone=set(gone),
    )
