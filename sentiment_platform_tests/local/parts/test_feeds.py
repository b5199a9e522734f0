"""The feed server: validators, content types, compression, and nothing but the folder's feeds."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sentiment_platform.errors import PermanentError
from sentiment_platform.local.parts.feeds import FeedServer, feeds_setting

RSS = b'<?xml version="1.0"?><rss version="2.0"><channel><title>t</title>' + b"<item/>" * 300 + b"</channel></rss>"
ATOM = b'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>t</title></feed>'
SITEMAP = b'<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"></urlset>'


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FeedServer]:
    folder = tmp_path / "feeds"
    folder.mkdir()
    (folder / "Wire.xml").write_bytes(RSS)
    (folder / "blog.atom").write_bytes(ATOM)
    (folder / "map.xml").write_bytes(SITEMAP)
    (folder / "notes.txt").write_text("not a feed")
    (tmp_path / "secret.xml").write_text("outside")
    with FeedServer(folder) as server:
        yield server


@pytest.fixture
def client(server: FeedServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        yield client


def test_each_kind_of_feed_has_its_content_type(client: httpx.Client) -> None:
    types = {name: client.get(f"/{name}").headers["content-type"] for name in ("Wire.xml", "blog.atom", "map.xml")}
    assert types == {"Wire.xml": "application/rss+xml", "blog.atom": "application/atom+xml", "map.xml": "application/xml"}


def test_either_validator_gives_304_until_the_feed_changes(client: httpx.Client, server: FeedServer) -> None:
    first = client.get("/Wire.xml")
    assert first.content == RSS
    by_etag = client.get("/Wire.xml", headers={"If-None-Match": first.headers["etag"]})
    by_date = client.get("/Wire.xml", headers={"If-Modified-Since": first.headers["last-modified"]})
    assert (by_etag.status_code, by_etag.content, by_date.status_code) == (304, b"", 304)
    assert by_etag.headers["etag"] == first.headers["etag"]
    path = server.directory / "Wire.xml"
    path.write_bytes(RSS + b"<!-- new -->")
    os.utime(path, (time.time() + 10, time.time() + 10))
    assert client.get("/Wire.xml", headers={"If-None-Match": first.headers["etag"]}).status_code == 200
    assert client.get("/Wire.xml", headers={"If-Modified-Since": first.headers["last-modified"]}).status_code == 200


def test_the_etag_wins_over_the_date_and_nonsense_validators_are_ignored(client: httpx.Client) -> None:
    date = client.get("/Wire.xml").headers["last-modified"]
    assert client.get("/Wire.xml", headers={"If-None-Match": '"other"', "If-Modified-Since": date}).status_code == 200
    assert client.get("/Wire.xml", headers={"If-Modified-Since": "yesterday"}).status_code == 200


def test_compression_is_used_where_the_client_takes_it(client: httpx.Client) -> None:
    packed = client.get("/Wire.xml", headers={"Accept-Encoding": "gzip"})
    plain = client.get("/Wire.xml", headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(RSS) / 4
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content == RSS
    assert client.head("/Wire.xml").headers["content-length"] == packed.headers["content-length"]


@pytest.mark.parametrize("path", ["/notes.txt", "/../secret.xml", "/%2e%2e/secret.xml", "//etc/passwd", "/", "/nothing.xml"])
def test_nothing_but_the_feeds_of_the_folder_is_served(server: FeedServer, path: str) -> None:
    with httpx.Client(trust_env=False) as client:
        answer = client.send(httpx.Request("GET", server.url, extensions={"target": path.encode()}))
    assert answer.status_code == 404
    assert b"outside" not in answer.content


def test_the_setting_names_each_feed_after_its_file(server: FeedServer) -> None:
    assert feeds_setting(server.directory, 8080) == (
        "wire=http://127.0.0.1:8080/Wire.xml,blog=http://127.0.0.1:8080/blog.atom,map=http://127.0.0.1:8080/map.xml"
    )


def test_a_taken_port_and_a_missing_folder_are_named(server: FeedServer, tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match=f"Cannot listen on 127.0.0.1:{server.port}"):
        FeedServer(server.directory, server.port).start()
    with pytest.raises(PermanentError, match="is not a folder of feeds"):
        FeedServer(tmp_path / "missing")


def test_the_command_serves_until_it_is_told_to_stop(server: FeedServer, tmp_path: Path) -> None:
    port_file = tmp_path / "port"
    command = [sys.executable, "-m", "sentiment_platform.local.parts.feeds", "--directory", str(server.directory)]
    with subprocess.Popen([*command, "--port-file", str(port_file)]) as process:
        deadline = time.monotonic() + 20
        while not port_file.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        answer = httpx.get(f"http://127.0.0.1:{port_file.read_text().strip()}/blog.atom", trust_env=False)
        assert answer.content == ATOM
        process.terminate()
        assert process.wait(10) == 0


@pytest.mark.shared_data
def test_recorded_feeds_are_served_byte_for_byte(shared_data: Path) -> None:
    with FeedServer(shared_data / "feeds" / "real") as server, httpx.Client(base_url=server.url, trust_env=False) as client:
        answers = {path.name: client.get(f"/{path.name}") for path in server.directory.glob("*.xml")}
        assert len(answers) == 5
        for name, answer in answers.items():
            assert answer.content == (server.directory / name).read_bytes()
        assert answers["bloomberg.xml"].headers["content-type"] == "application/xml"
        assert answers["cnbc.xml"].headers["content-type"] == "application/rss+xml"
