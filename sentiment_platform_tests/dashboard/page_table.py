"""The pages as the dashboard's own table names them; a page that is added there is tested everywhere from then on."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DASHBOARD = ROOT / "serving" / "dashboard"
TABLE = DASHBOARD / "src" / "pages" / "index.ts"


def paths() -> list[str]:
    """The address of each page that has one without parameters, in the order of the table."""
    source = re.sub(r"//.*", "", TABLE.read_text()) if TABLE.exists() else ""
    return re.findall(r'path: "(/[^":]*)"', source)


def named(path: str) -> str:
    """A page's address as a part of a file name."""
    return path.removeprefix("/app/").strip("/").replace("/", "-") or "live"
