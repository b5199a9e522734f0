"""The local Redis: password, memory bound, no files, restarts."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis

from sentiment_platform.local.parts.redis import LocalRedis


@pytest.fixture(scope="module")
def server(servers_dir: Path) -> Iterator[LocalRedis]:
    state = servers_dir / "redis-tests"
    state.mkdir(mode=0o711)
    server = LocalRedis(state)
    server.start()
    yield server
    server.stop()


def test_it_is_redis_8_without_the_module_of_the_wheel(server: LocalRedis) -> None:
    with redis.Redis.from_url(server.url) as client:
        assert client.info("server")["redis_version"].startswith("8.")
        # Redis 8 has its vector sets built in (a module without a file); nothing else is loaded.
        assert [module[b"path"] for module in client.module_list()] == [b""]


def test_no_or_a_wrong_password_is_refused(server: LocalRedis) -> None:
    bare = "redis://" + server.url.rpartition("@")[2]
    with redis.Redis.from_url(bare) as client, pytest.raises(redis.AuthenticationError):
        client.ping()
    with redis.Redis.from_url(bare, password="wrong") as client, pytest.raises(redis.AuthenticationError):
        client.ping()


def test_the_password_is_in_no_process_list_and_the_server_is_not_root(server: LocalRedis) -> None:
    assert server.pid is not None
    process = psutil.Process(server.pid)
    password = (server.state_dir / "secrets" / "redis").read_text()
    parent = process.parent()
    assert parent is not None
    assert password not in " ".join(process.cmdline() + parent.cmdline())
    assert password not in str(process.environ())
    assert process.uids().effective != 0


def test_memory_is_bounded_and_a_full_cache_evicts_instead_of_refusing(server: LocalRedis) -> None:
    with redis.Redis.from_url(server.url) as client:
        assert client.config_get("maxmemory") == {"maxmemory": str(128 * 2**20)}
        client.config_set("maxmemory", "4mb")
        for number in range(200):
            client.set(f"key:{number}", b"x" * 100_000)
        assert 0 < client.dbsize() < 200
        client.config_set("maxmemory", "128mb")


def test_killed_with_9_it_starts_again_empty_on_the_same_url(server: LocalRedis) -> None:
    with redis.Redis.from_url(server.url) as client:
        client.set("gone", 1)
    url = server.url
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    server.start()
    assert server.url == url
    with redis.Redis.from_url(server.url) as client:
        assert client.dbsize() == 0
