"""The routes of releases and assets: list, read, create, edit, delete, upload, download.

Source: https://docs.github.com/en/rest/releases/releases and https://docs.github.com/en/rest/releases/assets
"""

import re
from urllib.parse import quote, urlencode

from sentiment_platform.github_server.messages import (
    CreateRelease,
    EditAsset,
    EditRelease,
    Reply,
    Request,
    json_reply,
)
from sentiment_platform.github_server.records import Asset, Refused, not_found
from sentiment_platform.github_server.service import Service, page

STORAGE = "/api/_storage"


def _list(service: Service, request: Request, _match: re.Match[str]) -> Reply:
    releases = service.releases.listed(drafts=request.access == "write")
    return page(service, request, "/releases", [service.documents.release(r) for r in releases])


def _latest(service: Service, _request: Request, _match: re.Match[str]) -> Reply:
    return json_reply(service.documents.release(service.releases.latest()))


def _by_tag(service: Service, _request: Request, match: re.Match[str]) -> Reply:
    return json_reply(service.documents.release(service.releases.by_tag(match[1])))


def _get(service: Service, request: Request, match: re.Match[str]) -> Reply:
    return json_reply(service.documents.release(service.releases.get(int(match[1]), drafts=request.access == "write")))


def _create(service: Service, request: Request, _match: re.Match[str]) -> Reply:
    document = service.documents.release(service.releases.create(request.body(CreateRelease)))
    return json_reply(document, 201, {"Location": document["url"]})


def _edit(service: Service, request: Request, match: re.Match[str]) -> Reply:
    return json_reply(service.documents.release(service.releases.edit(int(match[1]), request.body(EditRelease))))


def _delete(service: Service, _request: Request, match: re.Match[str]) -> Reply:
    service.releases.delete(int(match[1]))
    return Reply(status=204)


def _assets(service: Service, request: Request, match: re.Match[str]) -> Reply:
    release = service.releases.get(int(match[1]), drafts=request.access == "write")
    documents = [service.documents.asset(release, asset) for asset in release.assets]
    return page(service, request, f"/releases/{release.id}/assets", documents)


def _asset(service: Service, request: Request, match: re.Match[str]) -> Reply:
    release, asset = service.uploads.get(int(match[1]), drafts=request.access == "write")
    if "application/octet-stream" in request.accept:
        return _redirect(service, asset)
    return json_reply(service.documents.asset(release, asset))


def _edit_asset(service: Service, request: Request, match: re.Match[str]) -> Reply:
    wanted = request.body(EditAsset)
    return json_reply(service.documents.asset(*service.uploads.edit(int(match[1]), wanted.name, wanted.label)))


def _delete_asset(service: Service, _request: Request, match: re.Match[str]) -> Reply:
    service.uploads.delete(int(match[1]))
    return Reply(status=204)


def upload(service: Service, request: Request, match: re.Match[str]) -> Reply:
    """Receive one asset; an empty body or one of unknown length is refused, as on GitHub."""
    if request.content_length <= 0:
        raise Refused(400, "Bad Content-Length")
    content_type = request.content_type or "application/octet-stream"
    release, asset = service.uploads.begin(int(match[1]), request.query.get("name", ""), request.query.get("label"), content_type)
    release, asset = service.uploads.receive(asset, request.chunks())
    return json_reply(service.documents.asset(release, asset), 201)


def browser_download(service: Service, _request: Request, match: re.Match[str]) -> Reply:
    """The link that people click: no quota, no token, published releases only."""
    release = service.releases.by_tag(match[1])
    asset = next((a for a in release.assets if a.name == match[2]), None)
    if asset is None:
        raise not_found()
    return _redirect(service, asset)


def _redirect(service: Service, asset: Asset) -> Reply:
    if asset.state != "uploaded":
        raise not_found()
    signature = service.links.issue(asset.id, service.folder.now())
    location = f"{service.base_url}{STORAGE}/{asset.id}/{quote(asset.name)}?{urlencode({'sig': signature})}"
    return Reply(status=302, headers={"Location": location}, content_type="text/html;charset=utf-8")


def release_page(service: Service, match: re.Match[str]) -> Reply:
    """Where GitHub has a page of a release, or of the repository: here its document, so that a link that people are shown leads somewhere."""
    tag = f"/releases/tags/{quote(match[1])}" if match[1] else ""
    return Reply(status=302, headers={"Location": f"{service.documents.repo}{tag}"}, content_type="text/html;charset=utf-8")


def stored_file(service: Service, request: Request, match: re.Match[str]) -> Reply:
    """The bytes behind a signed link; whoever holds the link needs no token."""
    asset_id, signature = int(match[1]), request.query.get("sig", "")
    if not service.links.opens(signature, asset_id, service.folder.now()):
        raise Refused(403, "This link has expired or was used.")
    _, asset = service.uploads.get(asset_id, drafts=True)

    def sent() -> None:
        service.links.use_up(signature)
        service.uploads.count_download(asset_id)

    return Reply(
        status=200,
        file=service.uploads.blob(asset_id),
        headers={
            "ETag": f'"{asset.digest}"',
            "Content-Disposition": f"attachment; filename={quote(asset.name)}",
        },
        content_type="application/octet-stream",
        on_sent=sent,
    )


ROUTES = (
    ("GET", r"/releases", _list),
    ("POST", r"/releases", _create),
    ("GET", r"/releases/latest", _latest),
    ("GET", r"/releases/tags/(.+)", _by_tag),
    ("GET", r"/releases/(\d+)", _get),
    ("PATCH", r"/releases/(\d+)", _edit),
    ("DELETE", r"/releases/(\d+)", _delete),
    ("GET", r"/releases/(\d+)/assets", _assets),
    ("GET", r"/releases/assets/(\d+)", _asset),
    ("PATCH", r"/releases/assets/(\d+)", _edit_asset),
    ("DELETE", r"/releases/assets/(\d+)", _delete_asset),
)
