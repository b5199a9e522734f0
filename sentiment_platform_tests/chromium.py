"""Where the browser of the tests is, and how it is started."""

import shutil

import pytest
from playwright.sync_api import expect

LOOK_LIMIT_MS = 30_000
"""How long an expectation waits for what it looks for: Playwright's own 5 s are too short for a page on a machine that runs all tests."""
# Without the background services Chromium looks for hosts that a closed machine does not have.
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def program() -> str | None:
    """Where it is; None where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def chromium() -> str:
    """Where it is; the test is skipped where there is none."""
    found = program()
    if found is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    expect.set_options(timeout=LOOK_LIMIT_MS)
    return found
