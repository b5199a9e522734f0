"""The parts that the routes share, and paging.

One `Service` is one running server over one state folder.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from sentiment_platform.github_server.disk import RepositoryFolder
from sentiment_platform.github_server.documents import Documents
from sentiment_platform.github_server.git_documents import GitDocuments
from sentiment_platform.github_server.messages import Reply, Request, json_reply
from sentiment_platform.github_server.refs import Refs
from sentiment_platform.github_server.releases import Releases
from sentiment_platform.github_server.uploads import DownloadLinks, Uploads


@dataclass(frozen=True, kw_only=True)
class Service:
    folder: RepositoryFolder
    documents: Documents
    git_documents: GitDocuments
    refs: Refs
    releases: Releases
    uploads: Uploads
    links: DownloadLinks
    #: `http://127.0.0.1:PORT`
    base_url: str
    full_name: str
    repository_id: int


def open_service(folder: RepositoryFolder, base_url: str, *, immutable: bool) -> Service:
    with folder.reading() as state:
        documents = Documents(base_url, state)
        full_name, number = state.full_name, state.id
    return Service(
        folder=folder,
        documents=documents,
        git_documents=GitDocuments(documents, full_name.partition("/")[0]),
        refs=Refs(folder),
        releases=Releases(folder, immutable=immutable),
        uploads=Uploads(folder),
        links=DownloadLinks(),
        base_url=base_url,
        full_name=full_name,
        repository_id=number,
    )


def page(service: Service, request: Request, rest: str, items: list[dict[str, object]]) -> Reply:
    """One page of a list with its `Link` header: 30 entries unless `per_page` says otherwise, at most 100.

    Source: https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
    """
    size = request.number("per_page", 30, 100)
    number = request.number("page", 1, 10**9)
    last = max((len(items) + size - 1) // size, 1)

    def link(relation: str, target: int) -> str:
        query = urlencode({**request.query, "page": target})
        return f'<{service.documents.by_number}{rest}?{query}>; rel="{relation}"'

    links: list[str] = []
    if number > 1:
        links.append(link("prev", min(number - 1, last)))
    if number < last:
        links += [link("next", number + 1), link("last", last)]
    if number > 1:
        links.append(link("first", 1))
    shown = items[(number - 1) * size : number * size]
    return json_reply(shown, headers={"Link": ", ".join(links)} if links else {})
