"""The dashboard as it is built and written: weight, the lock, and what its source may not do. No browser is needed."""

import json
import re
from pathlib import Path

import pytest

from sentiment_platform_tests.dashboard.first_load import first_load
from sentiment_platform_tests.dashboard.page_table import DASHBOARD
from sentiment_platform_tests.source_code import files
from serving.dashboard.built_pages import BuiltFile, read_built

FIRST_LOAD_BYTES = 250_000
LONGEST_FILE = 250
LOCK = DASHBOARD / "package-lock.json"
SHOWS = re.compile(r"src/(pages|parts|charts|shell)/")
# What makes markup or code of text; the policy of the pages refuses it too, but only where it runs.
FORBIDDEN = r"dangerouslySetInnerHTML|\b(inner|outer)HTML\b|insertAdjacentHTML|document\.write|\beval\(|new Function\b|\bsrcdoc\b"


def source() -> dict[str, str]:
    paths = files(DASHBOARD / "src", ".ts", ".tsx", ".css")
    return {path.relative_to(DASHBOARD).as_posix(): path.read_text() for path in paths}


def forbidden(code: str) -> list[str]:
    return [found[0] for found in re.finditer(FORBIDDEN, code)]


def neighbours(name: str, code: str) -> list[str]:
    """What a file of a page takes from another page: what two pages need stands in `parts`, `charts` or `api`."""
    page = re.match(r"src/pages/(\w[\w-]*)/", name)
    taken = re.findall(r'from "(?:\.\./)+(?:pages/)?([\w-]+)(?:/[\w/-]+)?"', code) if page else []
    others = {path.name for path in (DASHBOARD / "src" / "pages").iterdir() if path.is_dir()} - {page[1]} if page else set()
    return sorted(set(taken) & others)


def test_the_first_page_weighs_less_than_250_kb_as_it_is_sent(built: Path) -> None:
    sizes = first_load(read_built(built))
    assert {name.rpartition(".")[2] for name in sizes} >= {"html", "js", "css"}
    assert sum(sizes.values()) <= FIRST_LOAD_BYTES, sizes


def test_the_weight_counts_what_is_imported_at_once_and_not_what_is_asked_for_later() -> None:
    texts = {
        "index.html": '<script type="module" src="/assets/a.js"></script><link rel="stylesheet" href="/assets/a.css">',
        "assets/a.js": 'import{x as y}from"./b.js";import"./c.js";const later=()=>import("./later.js");',
        "assets/b.js": 'import{a}from"./a.js"',
        "assets/c.js": "const important = 1",
        "assets/later.js": "1",
        "assets/a.css": "@font-face{src:url(/assets/f.woff2)}",
        "assets/f.woff2": "font",
    }
    sizes = first_load({name: BuiltFile("", text.encode(), None) for name, text in texts.items()})
    assert sizes.keys() == texts.keys() - {"assets/later.js"}


@pytest.mark.skipif(not LOCK.exists(), reason="there is no lock yet")
def test_the_lock_names_no_registry_and_has_a_digest_for_each_package() -> None:
    packages = {name: entry for name, entry in json.loads(LOCK.read_text())["packages"].items() if name}
    assert [name for name, entry in packages.items() if "resolved" in entry or "integrity" not in entry] == []
    assert len(packages) > 50
    assert "://" not in (DASHBOARD / ".npmrc").read_text()


def test_no_source_makes_markup_or_code_of_text() -> None:
    assert {name: found for name, code in source().items() if (found := forbidden(code))} == {}
    assert forbidden("node.innerHTML = `<b>${title}</b>`; <p dangerouslySetInnerHTML={{ __html: title }} />") == [
        "innerHTML",
        "dangerouslySetInnerHTML",
    ]


def test_a_field_that_an_older_api_leaves_out_is_taken_for_one_that_is_null() -> None:
    strict = {name: re.findall(r".*[!=]== null\b.*", code) for name, code in source().items() if SHOWS.match(name)}
    assert {name: found for name, found in strict.items() if found} == {}, "write `== null`: it is true of both"


def test_no_page_takes_anything_of_another_page() -> None:
    assert {name: found for name, code in source().items() if (found := neighbours(name, code))} == {}


def test_no_file_is_long() -> None:
    lengths = {name: code.count("\n") for name, code in source().items() if name != "src/api/schema.d.ts"}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}
