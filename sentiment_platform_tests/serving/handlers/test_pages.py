"""Claims about the dashboard's files over HTTP: what browsers and programs get at `/`, what is kept, compressed, counted, refused."""

import gzip
import re
from pathlib import Path

import anyio.from_thread
import httpx
import pytest

from sentiment_platform.settings import Settings
from sentiment_platform_tests.serving.running import metric
from serving.app import create_app
from serving.dashboard.built_pages import read_built

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Encoding": "gzip, deflate, br, zstd"}
PAGE = '<!doctype html><html lang="en"><title>Sentiment</title><script type="module" src="/assets/index-1a2b.js"></script></html>'
SCRIPT = "export const answer = 42; // " + "long enough to be worth compressing " * 40


class Pages:
    """The application without its lifespan: pages need nothing that it starts."""

    def __init__(self, settings: Settings, dashboard: Path) -> None:
        self.app = create_app(settings, dashboard=dashboard)

    def ask(self, path: str, method: str = "GET", **headers: str) -> httpx.Response:
        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://local") as client:
                client.headers.clear()
                return await client.request(method, path, headers={name.replace("_", "-"): v for name, v in headers.items()})

        with anyio.from_thread.start_blocking_portal() as portal:
            return portal.call(asked)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small build as Vite leaves one."""
    folder = tmp_path_factory.mktemp("pages") / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(PAGE)
    (folder / "icon.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (folder / "assets" / "index-1a2b.js").write_text(SCRIPT)
    (folder / "assets" / "index-1a2b.css").write_text("body{margin:0}")
    (folder / "assets" / "picture-3c4d.png").write_bytes(b"\x89PNG" + bytes(2000))
    return folder


@pytest.fixture(scope="module")
def pages(built: Path) -> Pages:
    return Pages(Settings.from_environment({}), built)


def test_a_browser_gets_the_page_at_the_root_and_at_every_deep_link(pages: Pages) -> None:
    for path in ("/", "/app", "/app/models", "/app/models/compare?a=v1.0.0-vader&b=v1.0.1-vader"):
        reply = pages.ask(path, **BROWSER)
        assert (reply.status_code, reply.text) == (200, PAGE), path
        assert reply.headers["content-type"] == "text/html; charset=utf-8"
        assert reply.headers["cache-control"] == "no-cache"
        assert "Accept" in reply.headers["vary"]


@pytest.mark.parametrize("accept", ["*/*", "application/json", ""])
def test_a_program_that_asks_for_the_root_is_led_to_the_api(pages: Pages, accept: str) -> None:
    reply = pages.ask("/", accept=accept)
    assert (reply.status_code, reply.headers["location"], reply.headers["vary"]) == (307, "/schema", "Accept")


def test_the_page_is_sent_once_and_asked_about_afterwards(pages: Pages, tmp_path: Path) -> None:
    for encoding in ("gzip", "identity"):
        first = pages.ask("/app/try", accept_encoding=encoding)
        again = pages.ask("/app/try", accept_encoding=encoding, if_none_match=first.headers["etag"])
        assert (again.status_code, again.content) == (304, b"")
    (tmp_path / "index.html").write_text(PAGE.replace("1a2b", "9f8e"))
    changed = Pages(Settings.from_environment({}), tmp_path).ask("/app/try", if_none_match=first.headers["etag"])
    assert (changed.status_code, "9f8e" in changed.text) == (200, True), "a new build is seen"


def test_files_with_a_digest_in_their_name_are_kept_for_a_year_and_others_asked_about(pages: Pages) -> None:
    for path in ("/assets/index-1a2b.js", "/assets/index-1a2b.css", "/assets/picture-3c4d.png"):
        assert pages.ask(path).headers["cache-control"] == "public, max-age=31536000, immutable"
    icon = pages.ask("/icon.svg")
    assert (icon.headers["content-type"], icon.headers["cache-control"]) == ("image/svg+xml", "no-cache")
    assert pages.ask("/icon.svg", if_none_match=icon.headers["etag"]).status_code == 304


def test_what_shrinks_is_sent_compressed_to_whoever_reads_gzip(pages: Pages) -> None:
    packed = pages.ask("/assets/index-1a2b.js", **BROWSER)
    assert (packed.headers["content-encoding"], packed.text) == ("gzip", SCRIPT)
    assert int(packed.headers["content-length"]) < len(SCRIPT) / 5
    assert packed.headers["content-type"] == "text/javascript; charset=utf-8"
    for refusing in ("identity", "", "gzip;q=0", "br, gzip ; q=0.0", "xgzip"):
        plain = pages.ask("/assets/index-1a2b.js", accept_encoding=refusing)
        assert ("content-encoding" in plain.headers, plain.text) == (False, SCRIPT), refusing
    assert "content-encoding" in pages.ask("/assets/index-1a2b.js", accept_encoding="br;q=1, gzip;q=0.5").headers
    for small in ("/assets/index-1a2b.css", "/assets/picture-3c4d.png"):
        assert "content-encoding" not in pages.ask(small, **BROWSER).headers
        assert "Accept-Encoding" in pages.ask(small, **BROWSER).headers["vary"]


def test_head_answers_as_get_does_without_the_body(pages: Pages) -> None:
    for path in ("/", "/app/models", "/assets/index-1a2b.js", "/icon.svg", "/assets/nothing.js"):
        shown, asked = (pages.ask(path, method, X_Request_ID="1", **BROWSER) for method in ("GET", "HEAD"))
        assert (asked.status_code, asked.content) == (shown.status_code, b"")
        assert asked.headers == shown.headers


def test_the_page_runs_nothing_but_its_own_files_and_the_api_keeps_its_stricter_policy(pages: Pages) -> None:
    for path in ("/", "/app/data", "/assets/index-1a2b.js"):
        policy = pages.ask(path, **BROWSER).headers["content-security-policy"]
        rules = dict(rule.split(" ", 1) for rule in re.split(r"; ?", policy))
        assert rules["default-src"] == "'none'"
        assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
        assert rules["require-trusted-types-for"] == "'script'"
        assert rules["trusted-types"] == rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == "'none'"
        assert "unsafe" not in policy
    assert pages.ask("/nowhere").headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_a_file_that_the_build_does_not_have_is_a_problem_and_never_the_page(pages: Pages) -> None:
    for path in ("/assets/index-0000.js", "/assets/../index.html", "/assets/..%2findex.html", "/assets/%2e%2e/%2e%2e/app.py"):
        reply = pages.ask(path, **BROWSER)
        assert reply.status_code == 404
        assert reply.headers["content-type"] == "application/problem+json"
    assert "load the page again" in pages.ask("/assets/index-0000.js").json()["detail"]


def test_files_are_counted_but_are_no_times_to_answer(built: Path) -> None:
    pages = Pages(Settings.from_environment({}), built)
    for path in ("/", "/app/models", "/app/drift", "/assets/index-1a2b.js", "/features/v99"):
        pages.ask(path, **BROWSER)
    text = pages.app.state.services.metrics.render().decode()
    assert metric(text, "serving_requests_total", route="/app/{page}", status="200") == 2
    assert metric(text, "serving_requests_total", route="/assets/{name}", status="200") == 1
    for route in ("/", "/app/{page}", "/assets/{name}"):
        assert metric(text, "serving_request_seconds_count", route=route) == 0
    assert metric(text, "serving_request_seconds_count", route="/features/{version}") == 1, "the control"


@pytest.mark.parametrize("without", ["no folder", "no page"])
def test_without_a_build_the_pages_name_the_command_and_the_root_leads_to_the_api(tmp_path: Path, without: str) -> None:
    if without == "no page":
        (tmp_path / "assets").mkdir()
    pages = Pages(Settings.from_environment({}), tmp_path if without == "no page" else tmp_path / "missing")
    reply = pages.ask("/app/models", **BROWSER)
    assert (reply.status_code, reply.headers["content-type"]) == (404, "application/problem+json")
    assert reply.json()["code"] == "dashboard_not_built"
    assert "`make dashboard`" in reply.json()["detail"]
    assert pages.ask("/", **BROWSER).headers["location"] == "/schema"


def test_what_is_sent_compressed_is_the_file(built: Path) -> None:
    for file in read_built(built).values():
        assert file.compressed is None or gzip.decompress(file.compressed) == file.content
