"""Production refuses each weak value by its variable, with what to do, all of them at once; strong values pass."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import pytest

from sentiment_platform.errors import SettingsError
from sentiment_platform.registry.signing import generate_private_key, public_key_of
from sentiment_platform.setting_values.production import NEEDED, RULES, refusals
from sentiment_platform.settings import Settings, documentation

MODEL, OPERATOR, OTHER = (generate_private_key() for _ in range(3))
PUBLIC = f"model={public_key_of(MODEL)},operator={public_key_of(OPERATOR)}"
PASSWORD = "k3Yw-8sLq_0vRt7B"
DATABASE = f"postgresql://app:{PASSWORD}@db.example.org/platform"
STRONG = {
    "SENTIMENT_ENV": "production",
    "DATABASE_URL": f"{DATABASE}?sslmode=require",
    "DATABASE_DIRECT_URL": f"{DATABASE}?sslmode=verify-full",
    "REDIS_URL": f"rediss://:{PASSWORD}@cache.example.org:6380/0",
    "SENTIMENT_REGISTRY_REPOSITORY": "example/registry",
    "SENTIMENT_REGISTRY_TOKEN": "ghs_9fK2mQx7Lw0ZbT5cVn3rYd8s",
    "SENTIMENT_PUBLIC_KEYS": PUBLIC,
    "SENTIMENT_SIGNING_KEYS": f"model={MODEL},operator={OPERATOR}",
    "HOST": "0.0.0.0",
    "PORT": "10000",
    "SENTIMENT_SERVING_URL": "https://api.example.org",
    "SENTIMENT_CORS_ORIGINS": "https://app.example.org,https://other.example.org:8443",
    "SENTIMENT_KEY_PEPPER": "w8Yd_2kQe-Jr5TzXb7Lm3NpV",
    "SENTIMENT_TRUSTED_PROXIES": "10.0.0.0/8, 2001:db8::/32,192.0.2.7",
    "SENTIMENT_ADDRESS_LIMIT": "20/400",
    "SENTIMENT_ADMIN_KEY": "mZ4-kq9XcT2_wRv7LpNd0sYb",
    "SENTIMENT_ALERT_WEBHOOK": "https://hooks.example.org/in",
    "SENTIMENT_ALERT_SECRET": "Qe8_rT1-vBn5XsKw3LzPc7Ya",
}
# Variable, value, words of the refusal.
WEAK = [
    ("DATABASE_URL", f"{DATABASE}?sslmode=disable", "sslmode lets"),
    ("DATABASE_URL", f"{DATABASE}?sslmode=prefer", "sslmode lets"),
    ("DATABASE_URL", f"{DATABASE}?sslmode=require&sslmode=disable", "sslmode lets"),
    ("DATABASE_URL", DATABASE, "no sslmode"),
    ("DATABASE_URL", "postgresql://app@db.example.org/platform?sslmode=require", "no password"),
    ("DATABASE_URL", "postgresql://app:postgres@db.example.org/platform?sslmode=require", "fewer than 12"),
    ("DATABASE_URL", "postgresql://longadminname:LongAdminName@db.example.org/p?sslmode=require", "name of its user"),
    ("DATABASE_URL", "postgresql://app:correct%20horse@db.example.org/platform?sslmode=require", "space"),
    ("DATABASE_URL", "sqlite:///platform.db", "no URL"),
    ("DATABASE_URL", "mysql://app:k3Yw-8sLq_0vRt7B@db.example.org/platform", "postgresql://"),
    ("DATABASE_URL", f"postgresql://app:{PASSWORD}@db.example.org:99999/platform?sslmode=require", "1 and 65535"),
    ("DATABASE_URL", f"postgresql://app:{PASSWORD}@db.example.org?sslmode=require", "nothing after the host"),
    ("DATABASE_URL", "postgresql://[db.example.org/platform", "no URL"),
    ("DATABASE_DIRECT_URL", DATABASE, "no sslmode"),
    ("REDIS_URL", f"redis://:{PASSWORD}@cache.example.org:6379/0", "unencrypted"),
    ("REDIS_URL", f"rediss://:{PASSWORD}@cache.example.org:6380/0?ssl_cert_reqs=none", "ssl_cert_reqs"),
    ("REDIS_URL", "rediss://cache.example.org:6380/0", "no password"),
    ("REDIS_URL", "rediss://:changeme-changeme@cache.example.org:6380/0", "everybody tries"),
    ("REDIS_URL", "http://cache.example.org", "rediss://"),
    ("REDIS_URL", "cache.example.org:6379", "no URL"),
    ("SENTIMENT_BROKER_URL", f"redis://:{PASSWORD}@queue.example.org:6379/0", "unencrypted"),
    ("SENTIMENT_BROKER_URL", "rediss://queue.example.org:6380/0", "no password"),
    ("SENTIMENT_EXECUTOR", "ray", "no such executor"),
    ("SENTIMENT_EXECUTOR", "celery", "nothing would bring steps"),
    ("SENTIMENT_JOURNAL_BYTES", "1024", "1048576"),
    ("SENTIMENT_TRUSTED_NETWORK", "*", "no name of one host"),
    ("SENTIMENT_TRUSTED_NETWORK", "http://serving:8000", "no name of one host"),
    ("SENTIMENT_REGISTRY_REPOSITORY", "registry", "no repository"),
    ("SENTIMENT_REGISTRY_REPOSITORY", "https://github.com/example/registry", "no repository"),
    ("SENTIMENT_REGISTRY_URL", "http://github.example.org/api/v3", "unencrypted"),
    ("SENTIMENT_REGISTRY_URL", "ftp://github.example.org/api/v3", "https://"),
    ("SENTIMENT_REGISTRY_URL", "https://somebody:token@github.example.org/api/v3", "logged"),
    ("SENTIMENT_REGISTRY_TOKEN", "tk-9Q", "fewer than 20"),
    ("SENTIMENT_REGISTRY_TOKEN", "ghp_your-token-goes-here", "everybody tries"),
    ("SENTIMENT_PUBLIC_KEYS", "model=AAAA,operator=BBBB", "32 bytes"),
    ("SENTIMENT_PUBLIC_KEYS", "garbage", "no known role"),
    ("SENTIMENT_PUBLIC_KEYS", f"model={'A' * 43}=,operator={public_key_of(OPERATOR)}", "one byte"),
    ("SENTIMENT_PUBLIC_KEYS", f"model={public_key_of(MODEL)}", "no operator key"),
    ("SENTIMENT_PUBLIC_KEYS", f"model={public_key_of(MODEL)},operator={public_key_of(MODEL)}", "twice"),
    ("SENTIMENT_SIGNING_KEYS", "model=not-base64", "32 bytes"),
    ("SENTIMENT_SIGNING_KEYS", f"model={OTHER}", "not trusted"),
    ("SENTIMENT_SIGNING_KEYS", f"model={OPERATOR}", "not trusted"),
    ("SENTIMENT_ALLOW_PRIVATE_HOSTS", "yes", "your own network"),
    ("PORT", "0", "65535"),
    ("PORT", "eight", "no whole number"),
    ("SENTIMENT_SERVING_URL", "http://api.example.org", "unencrypted"),
    ("SENTIMENT_SERVING_URL", "api.example.org", "no URL"),
    ("SENTIMENT_DAGSTER_URL", "javascript:alert(1)", "no URL"),
    ("SENTIMENT_POLL_S", "0.5", "3600"),
    ("SENTIMENT_DEADLINE_MS", "5", "60000"),
    ("SENTIMENT_MAX_TEXT_CHARACTERS", "99", "100000"),
    ("SENTIMENT_MAX_BODY_BYTES", "99999999999", "16777"),
    ("SENTIMENT_DRAIN_S", "61", "60"),
    ("SENTIMENT_CORS_ORIGINS", "*", "no origin"),
    ("SENTIMENT_CORS_ORIGINS", "https://app.example.org/", "no origin"),
    ("SENTIMENT_CORS_ORIGINS", "http://app.example.org", "can change"),
    ("SENTIMENT_ADMIN_KEY", "a", "fewer than 24"),
    ("SENTIMENT_ADMIN_KEY", "a" * 64, "repeats"),
    ("SENTIMENT_ADMIN_KEY", "Kx7" * 12, "repeats"),
    ("SENTIMENT_ADMIN_KEY", "abcdefghijklmnopqrstuvwxyz012345", "counts"),
    ("SENTIMENT_ADMIN_KEY", "<put a long random key here>", "space"),
    ("SENTIMENT_ADMIN_KEY", "your-admin-key-of-the-platform", "everybody tries"),
    ("SENTIMENT_PUBLIC_READS", "maybe", "neither"),
    ("SENTIMENT_ADDRESS_LIMIT", "many", "no limit"),
    ("SENTIMENT_KEY_LIMIT", "-1/5", "no limit"),
    ("SENTIMENT_LIMITS_WITHOUT_REDIS", "open", "no such choice"),
    ("SENTIMENT_TRUSTED_PROXIES", "0.0.0.0/0", "any address"),
    ("SENTIMENT_TRUSTED_PROXIES", "::/0", "any address"),
    ("SENTIMENT_TRUSTED_PROXIES", "10.0.0.1/8", "no network"),
    ("SENTIMENT_KEY_PEPPER", "pepper", "fewer than 24"),
    ("SENTIMENT_KEY_PEPPER", "changeme-changeme-changeme", "everybody tries"),
    ("SENTIMENT_ANONYMOUS_FEEDBACK", "learn", "teach the models"),
    ("SENTIMENT_ALERT_WEBHOOK", "http://hooks.example.org/in", "unencrypted"),
    ("SENTIMENT_ALERT_WEBHOOK", "hooks", "no URL"),
    ("SENTIMENT_ALERT_SECRET", "shhh", "fewer than 24"),
    ("SENTIMENT_ENV", "staging", "unknown"),
]

# Variable: words of the refusal, in development; values that no environment takes; values that development does.
NUMBERS = {
    "PORT": ("between 0 and 65535", ("-1", "65536"), ("0", "65535")),
    "SENTIMENT_VISIBILITY_S": ("between 0 and 172800 seconds", ("-1", "172801"), ("0", "6")),
    "SENTIMENT_POLL_S": ("between 0.01 and 86400 seconds", ("-1", "0", "86401"), ("0.05", "86400")),
    "SENTIMENT_MAX_TEXT_CHARACTERS": ("between 1 and 1073741824 characters", ("-1", "0", "1" + "0" * 400), ("1",)),
    "SENTIMENT_MAX_BODY_BYTES": ("between 1 and 1099511627776 bytes", ("-1", "0", "1099511627777"), ("1",)),
    "SENTIMENT_JOURNAL_BYTES": ("between 1 and 1099511627776 bytes", ("-1", "0", "1099511627777"), ("1024",)),
    "SENTIMENT_DEADLINE_MS": ("between 1 and 86400000 milliseconds", ("-1", "0", "86400001"), ("1",)),
    "SENTIMENT_DRAIN_S": ("between 0 and 86400 seconds", ("-0.1", "86401", "1e300"), ("0", "61")),
    "SENTIMENT_CASCADE_CONFIDENCE": ("between 0 and 1", ("-0.01", "1.01"), ("0", "1")),
    "SENTIMENT_CANARY_SHARE": ("between 0 and 1", ("-0.01", "2"), ("0", "1")),
}
NOT_FINITE = ("nan", "inf", "-inf", "1e999")
NUMERIC = {item.metadata["variable"]: item.type for item in fields(Settings) if item.type in (int, float)}
MEANINGLESS = [
    (variable, value)
    for variable, (_, values, _) in NUMBERS.items()
    for value in (*values, *(NOT_FINITE if NUMERIC[variable] is float else ()))
]


def refused(environ: Mapping[str, str]) -> str:
    """The message, "" where nothing is refused."""
    try:
        Settings.from_environment(environ)
    except SettingsError as error:
        return str(error)
    return ""


def test_strong_values_pass() -> None:
    settings = Settings.from_environment(STRONG)
    assert (settings.environment, settings.port) == ("production", 10000)


@pytest.mark.parametrize(("variable", "value", "why"), WEAK, ids=[f"{variable} {why}" for variable, _, why in WEAK])
def test_a_weak_value_is_refused_by_its_name_with_the_remedy_and_alone(variable: str, value: str, why: str) -> None:
    message = refused({**STRONG, variable: value})
    lines = [line.strip() for line in message.splitlines() if line.startswith("  ")]
    # Changing what is trusted makes what is signed with untrusted; no other value depends on another.
    ours = [line for line in lines if line.startswith(f"{variable}: ")]
    assert len(ours) == 1
    assert why in ours[0]
    assert len(ours[0].split(". ", 1)[1]) > 10, "what to do"
    assert {line.partition(":")[0] for line in lines} - {variable} <= {"SENTIMENT_SIGNING_KEYS"}


def test_every_numeric_setting_has_a_range() -> None:
    assert set(NUMBERS) == set(NUMERIC)
    assert len(NUMERIC) > 5


@pytest.mark.parametrize(("variable", "value"), MEANINGLESS)
def test_a_number_that_means_nothing_is_refused_in_development_and_in_production_and_alone(variable: str, value: str) -> None:
    for environment in ({}, STRONG):
        lines = [line for line in refused({**environment, variable: value}).splitlines() if line.startswith("  ")]
        assert len(lines) == 1
        assert lines[0].startswith(f"  {variable}: {value} is not between "), "the setting and the value"
        assert lines[0].count("Unset it for") == 1, "what to do"
        assert environment or NUMBERS[variable][0] in lines[0], "the range"


@pytest.mark.parametrize(("variable", "value"), [(name, value) for name, (_, _, taken) in NUMBERS.items() for value in taken])
def test_development_takes_the_ends_of_a_range(variable: str, value: str) -> None:
    assert refused({variable: value}) == ""


@pytest.mark.parametrize("variable", NEEDED)
def test_production_without_a_value_it_needs_is_refused_by_name(variable: str) -> None:
    assert f"{variable}: it is not set" in refused({**STRONG, variable: "  "})


def test_a_webhook_without_a_secret_is_refused() -> None:
    assert "not be signed" in refused({**STRONG, "SENTIMENT_ALERT_SECRET": ""})


@pytest.mark.parametrize("value", ["redis://127.0.0.1:6379/0", "redis://localhost:6379/0", "redis://cache:6379/0"])
def test_a_server_nearby_needs_a_password_and_no_tls(value: str) -> None:
    near = {**STRONG, "SENTIMENT_TRUSTED_NETWORK": "db, cache"}
    assert "REDIS_URL: it has no password" in refused({**near, "REDIS_URL": value})
    assert refused({**near, "REDIS_URL": value.replace("//", f"//:{PASSWORD}@")}) == ""
    assert refused({**near, "DATABASE_URL": f"postgresql://app:{PASSWORD}@db/platform"}) == ""
    assert "unencrypted" in refused({**STRONG, "REDIS_URL": f"redis://:{PASSWORD}@cache:6379/0"}), "nobody said that it is near"


def test_a_trusted_network_does_not_open_the_registry() -> None:
    http = {**STRONG, "SENTIMENT_REGISTRY_URL": "http://registry:8080/api/v3", "SENTIMENT_TRUSTED_NETWORK": "registry"}
    assert "SENTIMENT_REGISTRY_URL: what is sent there" in refused(http)


def test_everything_weak_is_refused_at_once_and_no_secret_is_shown() -> None:
    weakest = {
        variable: value for variable, value, _ in reversed(WEAK) if variable not in ("SENTIMENT_ENV", "SENTIMENT_TRUSTED_NETWORK")
    }
    message = refused({**STRONG, **weakest})
    assert {line.strip().partition(":")[0] for line in message.splitlines() if line.startswith("  ")} >= set(weakest)
    secret = [item.metadata["variable"] for item in fields(Settings) if item.metadata["secret"]]
    assert len(set(secret) & set(weakest)) > 5
    assert [name for name in secret if len(weakest.get(name, "")) > 3 and weakest[name] in message] == []


def test_both_faults_of_one_value_are_told() -> None:
    message = refused({**STRONG, "DATABASE_URL": "postgresql://app@db.example.org/platform?sslmode=disable"})
    assert message.count("DATABASE_URL: ") == 2


def test_development_runs_with_every_weak_value_that_can_be_read() -> None:
    for variable, value, _ in WEAK:
        if variable not in ("SENTIMENT_ENV", "PORT") or value.isdigit():
            assert refused({**STRONG, "SENTIMENT_ENV": "development", variable: value}) == "", variable


def test_a_misspelt_variable_is_refused_and_what_hosts_set_is_not() -> None:
    keyless = {name: value for name, value in STRONG.items() if name != "SENTIMENT_ADMIN_KEY"}
    assert "SENTIMENT_ADMNI_KEY: there is no such setting. Write SENTIMENT_ADMIN_KEY." in refused(
        {**keyless, "SENTIMENT_ADMNI_KEY": "x"}
    )
    assert refused({**keyless, "SENTIMENT_ADMNI_KEY": " "}) == "", "an empty value means not set"
    assert refused({**STRONG, "SENTIMENT_SERVING_PORT": "tcp://10.0.0.1:80", "SENTIMENT_SERVING_PORT_80_TCP": "x"}) == ""
    assert refused({**STRONG, "SENTIMENT_OF_A_NEWER_COPY": "1"}) == "", "a newer copy's variables do not stop an older one"


def test_every_rule_has_a_value_here_that_it_refuses_and_every_variable_is_a_setting() -> None:
    idle = set(range(len(RULES)))
    for variable, value in [*((variable, value) for variable, value, _ in WEAK), *MEANINGLESS, ("SENTIMENT_ALERT_SECRET", "")]:
        values = {**STRONG, variable: value}
        idle -= {
            number
            for number, rule in enumerate(RULES)
            if any(values.get(name) and rule.judge(values[name], values) for name in rule.variables)
        }
    assert [RULES[number] for number in idle] == []
    known = {variable for variable, _, _ in documentation()}
    assert {name for rule in RULES for name in rule.variables} <= known
    assert list(refusals({**STRONG, "SENTIMENT_ALLOW_PRIVATE_HOSTS": "no"})) == []


@pytest.mark.parametrize("command", [["python", "-m", "serving"], ["sentiment-platform", "doctor"]])
def test_serving_and_the_command_line_refuse_alike_and_without_a_traceback(
    command: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    weak = {**STRONG, "SENTIMENT_ADMIN_KEY": "a", "PORT": "99999", "DATABASE_URL": DATABASE}
    folder = tmp_path_factory.mktemp("nowhere")
    ended = subprocess.run(
        [Path(sys.executable).with_name(command[0]), *command[1:]],
        env=weak,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    lines = [line.strip().partition(":")[0] for line in ended.stderr.splitlines() if line.startswith("  ")]
    assert lines == ["DATABASE_URL", "PORT", "SENTIMENT_ADMIN_KEY"], ended.stderr
    assert "Traceback" not in ended.stderr
    assert PASSWORD not in ended.stderr
