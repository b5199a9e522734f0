"""Documents and code say the same, both ways: what a document names exists, and every command, setting and route is named.

Looked at are code spans, code blocks and links of every Markdown file, and names in docstrings. What exists is asked of the code itself: the command tree, the
settings, the application's routes, the graph's definitions, the Makefile, the files.
"""

import ast
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import click
import msgspec
import pytest

from sentiment_platform.cli import main
from sentiment_platform.features.compute import stock_engine
from sentiment_platform.models.families import FAMILIES
from sentiment_platform.settings import Settings, documentation
from sentiment_platform.text.example import EXAMPLE_LABEL, EXAMPLE_TEXT
from sentiment_platform_tests.source_code import files
from serving.app import create_app
from serving.contract.prediction_bodies import Answer

ROOT = Path(__file__).parents[1]
PACKAGES = ("sentiment_platform", "serving", "sentiment_platform_tests")
PROGRAM = "sentiment-platform"
# Parts of the page, which a document names.
PARTS_OF_THE_PAGE = "/schema/"
FILE = re.compile(r"[\w.*/-]+\.(py|md|toml|txt|csv|ya?ml|svg|png|xml|json|html|example)|[\w.-]+(/[\w.-]+)*/")


@dataclass(frozen=True)
class Document:
    """A Markdown file in parts: inline code, lines of code blocks, targets of links, anchors of headings."""

    spans: tuple[str, ...]
    lines: tuple[str, ...]
    links: tuple[str, ...]
    anchors: frozenset[str]

    @staticmethod
    def parse(text: str) -> "Document":
        prose: list[str] = []
        lines: list[str] = []
        fenced = in_block = False
        blank = True
        for line in text.splitlines():
            if line.lstrip().startswith("```"):
                fenced = not fenced
                continue
            in_block = line.startswith("    ") and (blank or in_block)
            (lines if fenced or in_block else prose).append(line)
            blank = not line.strip() or line.startswith("<!--")
        joined = "\n".join(prose)
        headings = re.findall(r"^#+ (.+)$", joined, re.MULTILINE)
        return Document(
            tuple(" ".join(span.split()) for span in re.findall(r"`([^`]+)`", joined)),
            tuple(lines),
            tuple(re.findall(r"\]\(([^)\s]+)\)", joined)),
            frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings),
        )

    @property
    def code(self) -> tuple[str, ...]:
        return self.spans + self.lines


def texts() -> dict[str, str]:
    """Path from the root -> text of every document."""
    paths = [
        *ROOT.glob("*.md"),
        *(ROOT / ".github").rglob("*.md"),
        *(p for name in PACKAGES for p in files(ROOT / name, ".md")),
    ]
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in sorted(paths)}


@lru_cache
def source() -> str:
    """Everything that is no document and not this file, in one text."""
    paths = [path for name in PACKAGES for path in files(ROOT / name, ".py", ".toml", ".ts", ".tsx", "package.json")]
    paths += [
        ROOT / "Makefile",
        ROOT / "Dockerfile",
        ROOT / "compose.yaml",
        ROOT / "render.yaml",
        ROOT / "Caddyfile",
        ROOT / "pyproject.toml",
        *(ROOT / ".github" / "workflows").iterdir(),
    ]
    return "\n".join(path.read_text("utf-8") for path in paths if path != Path(__file__))


@lru_cache
def source_words() -> frozenset[str]:
    return frozenset(re.findall(r"\w+", source()))


def commands(command: click.Command = main, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """(words after the program's name, command) of every command that is no group."""
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from commands(inner, (*path, name))
    else:
        yield path, command


def options(command: click.Command) -> set[str]:
    return {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)} | {"--help", "-h"}


@lru_cache
def routes() -> frozenset[tuple[str, str]]:
    """(method, path) of every route of serving, parameters without their types."""
    # What else a build of the dashboard holds differs from one to the next.
    app = create_app(Settings.from_environment({}), dashboard=Path("no build"))
    every = {(method, re.sub(r":\w+}", "}", route.path)) for route in app.routes for method in getattr(route, "methods", ())}
    return frozenset((method, path) for method, path in every if method != "OPTIONS")


def of_any_family(path: str) -> str:
    """The path of a route that each family has, as a document may write it for all of them: the name is `{family}`."""
    return re.sub(rf"/({'|'.join(FAMILIES)})$", "/{family}", path)


@lru_cache
def jobs() -> frozenset[str]:
    from sentiment_platform.definitions import defs

    return frozenset(job.name for job in defs.resolve_all_job_defs())


def wrong_command(code: str) -> str | None:
    """What is wrong with a use of the program in one line of code."""
    for use in re.findall(rf"(?<!-t )\b{PROGRAM} ([^|;#&]+)", code):
        try:
            words = shlex.split(use)
        except ValueError:
            words = use.split()
        command: click.Command = main
        while words and isinstance(command, click.Group) and not words[0].startswith("-") and words[0].islower():
            if words[0] not in command.commands:
                return f"there is no command {words[0]!r}"
            command = command.commands[words.pop(0)]
        unknown = {word.partition("=")[0] for word in words if word.startswith("--")} - options(command) - {"--version"}
        if unknown:
            return f"`{command.name}` has no option {', '.join(sorted(unknown))}"
    return None


def wrong_variables(document: Document) -> Iterator[str]:
    """Environment variables that no code reads; one that an example of the document itself introduces is none."""
    code = "\n".join(document.code)
    own = set(re.findall(r'variable = "(\w+)"', code))
    metavars = {(p.metavar or p.name or "").upper().removesuffix("...") for _, command in commands() for p in command.params}
    for name in set(re.findall(r"(?<![\w{])[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?!\w)", code)) - own - metavars:
        if name not in source_words():
            yield f"{name} is no variable"


@lru_cache
def pages_of_the_dashboard() -> frozenset[str]:
    """The addresses of its table of pages, and of all of them together."""
    table = ROOT / "serving" / "dashboard" / "src" / "pages" / "index.ts"
    named = re.findall(r'path: "(/[^"]*)"', table.read_text()) if table.exists() else []
    return frozenset({*named, "/app/...", "/assets/..."})


def wrong_route(code: str) -> str | None:
    named = re.findall(r"\b(GET|POST|PUT|DELETE) (/[\w/{}.-]*)", code)
    named += [
        ("", path) for path in re.findall(r"^(/[a-z][\w/{}.-]*)$|127\.0\.0\.1:8000(/[\w/]+)", code) for path in path if path
    ]
    for method, path in named:
        if path.partition("?")[0] in pages_of_the_dashboard():
            continue
        if not any(path in (known, of_any_family(known)) and method in ("", verb) for verb, known in routes()):
            return f"there is no route {method} {path}".replace("  ", " ")
    return None


@lru_cache
def targets() -> frozenset[str]:
    return frozenset(re.findall(r"^([a-z-]+)[a-z -]*:", (ROOT / "Makefile").read_text(), re.MULTILINE))


def wrong_target(code: str) -> str | None:
    unknown = set(re.findall(r"^(?:.*[;&] )?make ([a-z][\w-]*)", code)) - targets()
    return f"make has no target {', '.join(unknown)}" if unknown else None


def wrong_file(where: str, span: str) -> str | None:
    """A path is read from the document's folder, the root or the package; a bare name may lie anywhere below the document."""
    if not FILE.fullmatch(span) or span.startswith("/"):
        return None
    folder = (ROOT / where).parent
    near = any((base / span).exists() for base in (folder, ROOT, ROOT / "sentiment_platform", ROOT / "serving"))
    room = folder if folder.is_relative_to(ROOT / "sentiment_platform") else ROOT / "sentiment_platform"
    below = "/" not in span.rstrip("/") and any(room.rglob(span.rstrip("/")))
    return None if near or below or f'"{span}"' in source() else f"there is no file {span}"


def wrong_name(span: str) -> str | None:
    if re.fullmatch(r"[a-z]+_job", span):
        return None if span in jobs() else f"there is no job {span}"
    if re.fullmatch(r"[a-z0-9]+(_[a-z0-9]+)+", span) and span not in source_words():
        return f"no asset, check, setting or function is called {span}"
    return None


def wrong_link(where: str, link: str, documents: Mapping[str, Document]) -> str | None:
    if "://" in link:
        return None
    path, _, anchor = link.partition("#")
    target = ((ROOT / where).parent / path).resolve() if path else ROOT / where
    if not target.exists():
        return f"the link {link} leads nowhere"
    page = documents.get(target.relative_to(ROOT).as_posix())
    return f"{path} has no heading #{anchor}" if anchor and page and anchor not in page.anchors else None


def faults(pages: Mapping[str, str]) -> list[str]:
    """Everything that a document names and that does not exist."""
    documents = {where: Document.parse(text) for where, text in pages.items()}
    groups = [name for name, command in main.commands.items() if isinstance(command, click.Group)]
    told: list[str] = []
    for where, document in documents.items():
        problems = [*wrong_variables(document)]
        for code in document.code:
            short = code.split(maxsplit=1)[0] in groups and " " in code and code in document.spans if code.strip() else False
            problems += [wrong_command(f"{PROGRAM} {code}" if short else code), wrong_target(code.strip())]
            # The server that stands in for GitHub has routes of GitHub's.
            problems += [wrong_route(code.strip())] if "github_server" not in where else []
        for span in document.spans:
            problems += [wrong_file(where, span), wrong_name(span)]
        problems += [wrong_link(where, link, documents) for link in document.links]
        told += [f"{where}: {problem}" for problem in problems if problem]
    return sorted(set(told))


def unnamed(pages: Mapping[str, str], template: str) -> list[str]:
    """Commands, settings and routes that no document names; `template` is the text of `.env.example`."""
    everything = "\n".join(code for text in pages.values() for code in Document.parse(text).code)
    missing = [" ".join(path) for path, _ in commands() if not re.search(rf"{PROGRAM} {' '.join(path)}\b", everything)]
    missing += [name for name, _, _ in documentation() if not re.search(rf"\b{name}\b", everything + template)]
    for method, path in sorted((method, path) for method, path in routes() if not path.startswith(PARTS_OF_THE_PAGE)):
        spellings = "|".join(map(re.escape, (path, of_any_family(path))))
        missing += [] if re.search(rf"\b{method} ({spellings})(?![\w/{{])", everything) else [f"{method} {path}"]
    return missing


def template() -> str:
    return (ROOT / ".env.example").read_text()


def test_everything_that_a_document_names_exists() -> None:
    assert faults(texts()) == []


def test_every_command_setting_and_route_is_named_in_a_document() -> None:
    assert unnamed(texts(), template()) == []


@pytest.mark.parametrize(
    "planted",
    [
        "`sentiment-platform forget`",
        "`sentiment-platform news forget --all`",
        "`news forget everything`",
        "`sentiment-platform up --everything`",
        "    sentiment-platform models forget",
        "`SENTIMENT_MADE_UP`",
        "    export MADE_UP_KEY=1",
        "`made_up_job`",
        "`made_up_asset`",
        "`GET /made/up`",
        "`DELETE /predict`",
        "`GET /predict/{family}`",
        "`POST /feedback/{family}`",
        "`/made`",
        "    curl http://127.0.0.1:8000/made/up",
        "`make everything`",
        "`news/made_up.py`",
        "`made_up/`",
        "[a page](made_up.md)",
        "[a heading](sentiment_platform/README.md#made-up)",
    ],
)
def test_a_made_up_name_is_seen(planted: str) -> None:
    pages = {where: text for where, text in texts().items() if where in ("README.md", "sentiment_platform/README.md")}
    before = faults(pages)
    after = faults({**pages, "README.md": f"{pages['README.md']}\n\n{planted}\n"})
    assert len(after) == len(before) + 1


@pytest.mark.parametrize("removed", [f"{PROGRAM} news replay", "SENTIMENT_DEADLINE_MS", "GET /health/live"])
def test_a_name_that_is_missing_is_seen(removed: str) -> None:
    pages = {where: text.replace(removed, "nothing") for where, text in texts().items()}
    assert unnamed(pages, template().replace(removed, "nothing")) == [removed.removeprefix(f"{PROGRAM} ")]


def test_the_help_of_run_names_every_job() -> None:
    run = dict(commands())["run",]
    assert set(re.findall(r"\b[a-z_]+_job\b", run.help or "")) == {job for job in jobs() if not job.startswith("__")}


def docstrings(tree: ast.AST) -> list[ast.Constant]:
    """Texts that stand alone: docstrings, and what explains an attribute below it."""
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    ]


@cache
def words_of(tree: ast.AST) -> set[str]:
    """Identifiers, and words of texts that are no docstrings."""
    explaining = {id(text) for text in docstrings(tree)}
    words: set[str] = set()
    for node in ast.walk(tree):
        for value in vars(node).values():
            if isinstance(value, str) and id(node) not in explaining:
                words |= set(re.findall(r"\w+", value))
    return words


def stale_names(trees: Mapping[str, ast.AST]) -> list[str]:
    """Names with an underscore or a dot that a docstring quotes and that no code has: mostly modules under an older name."""
    known = {part for where in trees for part in where.removesuffix(".py").split("/")}
    known |= {word for tree in trees.values() for word in words_of(tree)}
    known |= set(re.findall(r"\w+", (ROOT / "dagster.yaml").read_text() + (ROOT / "pyproject.toml").read_text()))
    return [
        f"{where}: {name}"
        for where, tree in trees.items()
        for text in docstrings(tree)
        for name in re.findall(r"`([a-z]+(?:[._][a-z]+)+)`", str(text.value))
        if not set(name.removesuffix(".py").split(".")) <= known
    ]


@lru_cache
def product() -> Mapping[str, ast.AST]:
    paths = [path for name in ("sentiment_platform", "serving") for path in files(ROOT / name, ".py")]
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8")) for path in paths}


def test_every_name_in_a_docstring_exists() -> None:
    assert stale_names(product()) == []


def test_an_older_name_in_a_docstring_is_seen() -> None:
    planted = ast.parse('"""How it is stored: `store.news_of_old`; who asks: `news.collect`."""')
    assert stale_names({**product(), "planted.py": planted}) == ["planted.py: store.news_of_old"]


def test_every_page_says_first_who_reads_it() -> None:
    assert [where for where, text in texts().items() if not text.split("\n\n")[1].startswith("*For who")] == []


def test_the_answer_in_readme_has_the_form_that_serving_gives() -> None:
    block = re.search(r"<!-- answer -->\n((?:    .+\n)+)", (ROOT / "README.md").read_text())
    assert block
    answer = msgspec.json.decode(block[1], type=Answer)
    written = msgspec.json.decode(block[1])
    assert msgspec.json.decode(msgspec.json.encode(answer)).keys() == written.keys()
    assert written["prediction"].keys() == msgspec.to_builtins(answer.prediction).keys()


def test_readme_asks_the_one_example_and_shows_the_right_answer() -> None:
    readme = (ROOT / "README.md").read_text()
    block = re.search(r"<!-- answer -->\n((?:    .+\n)+)", readme)
    assert block
    assert readme.count(f'"{EXAMPLE_TEXT}"') == 3
    assert msgspec.json.decode(block[1], type=Answer).prediction.label == EXAMPLE_LABEL


def test_the_example_teaches_something_the_stock_lexicon_calls_it_wrong() -> None:
    assert stock_engine().score(EXAMPLE_TEXT).compound >= 0.05
    assert EXAMPLE_LABEL == "negative"
