"""What the settings promise, and that `.env.example` describes all of them and nothing else.

`python -m sentiment_platform_tests.test_settings > .env.example` writes the file anew.
"""

import ast
import re
import sys
from pathlib import Path

import pytest

from sentiment_platform.env_file import env_file_variables
from sentiment_platform.errors import SettingsError
from sentiment_platform.settings import Settings, documentation
from sentiment_platform_tests.source_code import files

ROOT = Path(__file__).parents[1]
HEADER = """\
# Every variable that the platform reads, with its default. Nothing has to be set on a laptop: each server without a URL is started locally.
#
# Copy to .env in the folder that you work in, and take away the `#` before what differs. Every command reads it there, and so does
# serving. A variable of the shell wins over .env, and .env over what a running local stack says. An empty value means "not set".
# The keys of news sources (TIINGO_API_KEY=...) may stand in .env as well.
"""


def environment_template() -> str:
    """The text of `.env.example`."""
    blocks = [f"# {meaning}\n#{variable}={default}\n" for variable, default, meaning in documentation()]
    return "\n".join([HEADER, *blocks])


def test_the_environment_template_names_every_setting_with_its_default_and_meaning() -> None:
    assert (ROOT / ".env.example").read_text() == environment_template(), (
        "python -m sentiment_platform_tests.test_settings > .env.example"
    )


def test_the_environment_template_read_back_gives_the_defaults(tmp_path: Path) -> None:
    template = (ROOT / ".env.example").read_text()
    everything = tmp_path / ".env"
    everything.write_text(re.sub(r"(?m)^#(?=[A-Z])", "", template))
    assert Settings.from_environment(env_file_variables(everything)) == Settings.from_environment({})
    assert list(env_file_variables(everything)) == [variable for variable, _, _ in documentation()]
    # A copy with nothing changed sets nothing: `up --stack-only` and the demo have values of their own.
    assert env_file_variables(ROOT / ".env.example") == {}


def test_every_setting_has_a_meaning_in_one_line_and_a_variable_of_its_own() -> None:
    entries = documentation()
    assert len({variable for variable, _, _ in entries}) == len(entries)
    for variable, _, meaning in entries:
        assert re.fullmatch(r"[A-Z][A-Z0-9_]+", variable)
        assert len(meaning) > 20, variable
        assert meaning.endswith("."), variable
        assert "\n" not in meaning, variable


def test_every_variable_that_the_code_names_in_a_call_to_the_environment_is_a_setting() -> None:
    """Reads such as `os.environ["NAME"]` or `environ.get("NAME")` outside settings.py must name a documented variable."""
    known = {variable for variable, _, _ in documentation()}
    # Not settings: what the operating system, terminals, Dagster, GitHub Actions and the tokenizers library define.
    known |= {"PATH", "HOME", "TERM", "NO_COLOR", "DAGSTER_HOME", "DAGSTER_POSTGRES_URL", "GITHUB_SHA", "TOKENIZERS_PARALLELISM"}
    unknown = [
        f"{path.relative_to(ROOT)}: {name}"
        for package in ("sentiment_platform", "serving")
        for path in files(ROOT / package, ".py")
        for name in _environment_names(ast.parse(path.read_text()))
        if name not in known
    ]
    assert unknown == []


def _environment_names(tree: ast.AST) -> list[str]:
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("environ"):
            key = node.slice
        elif isinstance(node, ast.Call) and node.args and re.search(r"(environ\.get|getenv)$", ast.unparse(node.func)):
            key = node.args[0]
        else:
            continue
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            found.append(key.value)
    return found


def test_a_read_of_the_environment_is_seen_in_each_of_its_forms() -> None:
    sample = "a = os.environ['ONE']\nb = os.environ.get('TWO', '')\nc = os.getenv('THREE')\nd = table['FOUR']\n"
    assert sorted(_environment_names(ast.parse(sample))) == ["ONE", "THREE", "TWO"]


def test_a_value_of_the_wrong_type_is_refused_with_its_variable_and_meaning() -> None:
    with pytest.raises(SettingsError, match=r"PORT: 'eight' is no whole number.*Port that serving listens on"):
        Settings.from_environment({"PORT": "eight"})


def test_an_unknown_environment_is_refused() -> None:
    with pytest.raises(SettingsError, match="development"):
        Settings.from_environment({"SENTIMENT_ENV": "staging"})


def test_a_pooled_host_is_refused_for_dagster_and_allowed_for_everything_else() -> None:
    pooled = "postgresql://app:secret@ep-1-pooler.example.org/platform"
    settings = Settings.from_environment({"DATABASE_URL": pooled})
    assert settings.require("database_url") == pooled
    with pytest.raises(SettingsError, match="DATABASE_DIRECT_URL"):
        settings.direct_database_url()
    with pytest.raises(SettingsError, match="pooler"):
        Settings.from_environment({"DATABASE_DIRECT_URL": pooled})


@pytest.mark.parametrize(
    "place",
    [
        "ep-1-pooler.eu.aws.example:5432/app",
        "aws-0-eu-west-1.pooler.supabase.com:6543/postgres",
        "db.abcdefgh.supabase.co:6543/postgres",
        "cluster-do-user-1.b.db.ondigitalocean.example:25061/pool",
        "127.0.0.1:6432/app",
        "pgbouncer/app",
        "db.example.org/app?port=6432",
        "db.example.org/app?pgbouncer=true",
        "/app?host=db.example.org&port=6543",
    ],
)
def test_a_transaction_mode_pooler_is_known_by_its_host_its_port_or_its_parameter(place: str) -> None:
    with pytest.raises(SettingsError, match="names a transaction-mode pooler") as refused:
        Settings.from_environment({"DATABASE_DIRECT_URL": f"postgresql://app:secret@{place}"})
    assert "secret" not in str(refused.value)
    with pytest.raises(SettingsError, match="DATABASE_DIRECT_URL is not set"):
        Settings.from_environment({"DATABASE_URL": f"postgresql://app:secret@{place}"}).direct_database_url()


@pytest.mark.parametrize(
    "place",
    [
        "ep-1.eu.aws.example/app",
        "aws-0-eu-west-1.pooler.supabase.com:5432/postgres",
        "cluster-do-user-1.b.db.ondigitalocean.example:25060/app",
        "127.0.0.1:54321/app",
        "/app?host=/var/run/postgresql",
    ],
)
def test_a_server_itself_and_a_pooler_in_session_mode_are_taken(place: str) -> None:
    url = f"postgresql://app:secret@{place}"
    assert Settings.from_environment({"DATABASE_URL": url}).direct_database_url() == url


def test_a_described_secret_is_masked_and_its_absence_is_visible() -> None:
    shown = Settings.from_environment({"SENTIMENT_REGISTRY_TOKEN": "token-that-nobody-sees", "DATABASE_URL": "secret"}).describe()
    assert "token-that-nobody-sees" not in str(shown)
    assert shown["SENTIMENT_REGISTRY_TOKEN"] == "********"
    assert shown["SENTIMENT_SIGNING_KEYS"] == ""
    assert "secret" not in shown["DATABASE_URL"]


def test_settings_are_read_when_asked_and_not_when_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "8123")
    assert Settings.from_environment().port == 8123
    monkeypatch.setenv("PORT", "8124")
    assert Settings.from_environment().port == 8124


if __name__ == "__main__":
    sys.stdout.write(environment_template())
