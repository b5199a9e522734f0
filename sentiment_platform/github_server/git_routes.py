"""The routes of refs, tags, branches and commits.

Source: https://docs.github.com/en/rest/git/refs, https://docs.github.com/en/rest/git/tags
"""

import re

from sentiment_platform.github_server.documents import Document
from sentiment_platform.github_server.messages import (
    CreateRef,
    CreateTagObject,
    EditRef,
    Reply,
    Request,
    json_reply,
)
from sentiment_platform.github_server.records import not_found
from sentiment_platform.github_server.refs import resolve_commit
from sentiment_platform.github_server.service import Service, page


def _ref_document(service: Service, ref: str, sha: str) -> Document:
    with service.folder.reading() as state:
        annotated = sha in state.tag_objects
    return service.git_documents.ref(ref, sha, annotated=annotated)


def _get_ref(service: Service, _request: Request, match: re.Match[str]) -> Reply:
    ref = f"refs/{match[1]}"
    return json_reply(_ref_document(service, ref, service.refs.get(ref)))


def _matching_refs(service: Service, _request: Request, match: re.Match[str]) -> Reply:
    refs = service.refs.matching(f"refs/{match[1]}")
    return json_reply([_ref_document(service, ref, sha) for ref, sha in refs])


def _all_refs(service: Service, request: Request, _match: re.Match[str]) -> Reply:
    documents = [_ref_document(service, ref, sha) for ref, sha in service.refs.matching("refs/")]
    return page(service, request, "/git/refs", documents)


def _create_ref(service: Service, request: Request, _match: re.Match[str]) -> Reply:
    wanted = request.body(CreateRef)
    service.refs.create(wanted.ref, wanted.sha)
    document = _ref_document(service, wanted.ref, wanted.sha)
    return json_reply(document, 201, {"Location": document["url"]})


def _move_ref(service: Service, request: Request, match: re.Match[str]) -> Reply:
    ref, wanted = f"refs/{match[1]}", request.body(EditRef)
    service.refs.move(ref, wanted.sha)
    return json_reply(_ref_document(service, ref, wanted.sha))


def _delete_ref(service: Service, _request: Request, match: re.Match[str]) -> Reply:
    service.refs.delete(f"refs/{match[1]}")
    return Reply(status=204)


def _create_tag_object(service: Service, request: Request, _match: re.Match[str]) -> Reply:
    wanted = request.body(CreateTagObject)
    created = service.refs.create_tag_object(wanted.tag, wanted.message, wanted.object)
    document = service.git_documents.tag_object(created)
    return json_reply(document, 201, {"Location": document["url"]})


def _get_tag_object(service: Service, _request: Request, match: re.Match[str]) -> Reply:
    with service.folder.reading() as state:
        tag_object = state.tag_objects.get(match[1])
    if tag_object is None:
        raise not_found()
    return json_reply(service.git_documents.tag_object(tag_object))


def _tags(service: Service, request: Request, _match: re.Match[str]) -> Reply:
    with service.folder.reading() as state:
        named = [(ref, resolve_commit(state, ref)) for ref in sorted(state.refs) if ref.startswith("refs/tags/")]
    documents = [service.git_documents.tag(ref.removeprefix("refs/tags/"), sha) for ref, sha in named if sha]
    return page(service, request, "/tags", documents[::-1])


def _branch(service: Service, _request: Request, match: re.Match[str]) -> Reply:
    sha = service.refs.get(f"refs/heads/{match[1]}")
    with service.folder.reading() as state:
        return json_reply(service.git_documents.branch(match[1], sha, state.commits[sha]))


def _branches(service: Service, request: Request, _match: re.Match[str]) -> Reply:
    heads = service.refs.matching("refs/heads/")
    with service.folder.reading() as state:
        documents = [service.git_documents.branch(ref.removeprefix("refs/heads/"), sha, state.commits[sha]) for ref, sha in heads]
    return page(service, request, "/branches", documents)


def _commit(service: Service, _request: Request, match: re.Match[str]) -> Reply:
    with service.folder.reading() as state:
        sha = resolve_commit(state, match[1])
        if sha is None:
            raise not_found()
        return json_reply(service.git_documents.commit(sha, state.commits[sha]))


def _commits(service: Service, request: Request, _match: re.Match[str]) -> Reply:
    with service.folder.reading() as state:
        documents = [service.git_documents.commit(sha, date) for sha, date in state.commits.items()]
    return page(service, request, "/commits", documents[::-1])


def _git_commit(service: Service, _request: Request, match: re.Match[str]) -> Reply:
    with service.folder.reading() as state:
        if match[1] not in state.commits:
            raise not_found()
        return json_reply(service.git_documents.git_commit(match[1], state.commits[match[1]]))


ROUTES = (
    ("GET", r"/git/refs", _all_refs),
    ("POST", r"/git/refs", _create_ref),
    ("GET", r"/git/refs?/(.+)", _get_ref),
    ("PATCH", r"/git/refs/(.+)", _move_ref),
    ("DELETE", r"/git/refs/(.+)", _delete_ref),
    ("GET", r"/git/matching-refs/(.+)", _matching_refs),
    ("POST", r"/git/tags", _create_tag_object),
    ("GET", r"/git/tags/([0-9a-f]+)", _get_tag_object),
    ("GET", r"/git/commits/([0-9a-f]+)", _git_commit),
    ("GET", r"/tags", _tags),
    ("GET", r"/branches", _branches),
    ("GET", r"/branches/(.+)", _branch),
    ("GET", r"/commits", _commits),
    ("GET", r"/commits/(.+)", _commit),
)
