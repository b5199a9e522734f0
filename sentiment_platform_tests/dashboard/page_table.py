"""The pages as the dashboard's own table names them; a page that is added there is tested everywhere from then on."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DASHBOARD = ROOT / "serving" / "dashboard"
TABLE = DASHBOARD / "src" / "pages" / "index.ts"


# Where a page shows what it is for: each version, text and day is one that a finished demo has.
IN_USE = {
    "/app/try": "?text=Profit+up+8%25+despite+higher+costs",
    "/app/models/compare": "?a=v1.0.0-finbert&b=v1.1.0-finbert",
    "/app/models/:version": "v1.1.0-finbert",
}


def paths() -> list[str]:
    """The path of each page, in the order of the table; `:version` stands for any."""
    source = re.sub(r"//.*", "", TABLE.read_text()) if TABLE.exists() else ""
    return re.findall(r'path: "(/[^"]*)"', source)


def in_use(path: str) -> str:
    """Its address with something to show."""
    return path.partition(":")[0] + IN_USE.get(path, "")


def named(path: str) -> str:
    """A page's path as a part of a file name."""
    return path.removeprefix("/app/").strip("/").replace("/:", "-").replace("/", "-") or "live"
