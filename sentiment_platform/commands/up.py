"""`up`: the whole platform on this machine until Ctrl-C, and what of it starts by itself."""

import os
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from sentiment_platform.clock import utc_now
from sentiment_platform.commands.console import note, say, show_table, styled
from sentiment_platform.commands.parameters import PORT
from sentiment_platform.errors import PlatformError
from sentiment_platform.local.processes.ports import LOOPBACK
from sentiment_platform.running.run_signals import end_like_ctrl_c

if TYPE_CHECKING:
    from sentiment_platform.running.automation import Automation
    from sentiment_platform.settings import Settings

ENV_LOCAL = Path(".env.local")
DAGSTER_PORT = 3000
SERVING_PORT = 8000
SWITCH_ON = "sentiment-platform up --automation on"


@click.command()
@click.option(
    "--stack-only",
    is_flag=True,
    help="PostgreSQL, Redis and GitHub server alone, for a plain `dagster dev` or `dg dev`.",
)
@click.option("--port", type=PORT, help=f"Port of the Dagster UI. Without it {DAGSTER_PORT}, or a free one.")
@click.option(
    "--automation",
    type=click.Choice(["on", "off"]),
    help="Turn every schedule and sensor on or off before anything starts. Without it each stays as it was.",
)
@click.option("--host", default=LOOPBACK, help="Address that the Dagster UI listens on. It asks nobody for a key.")
@click.option(
    "--serving/--no-serving", "serving", default=True, help="Start serving too, or leave it to another process or host."
)
def up(stack_only: bool, port: int | None, automation: str | None, host: str, serving: bool) -> None:
    """The whole platform on this machine: stack, Dagster UI and daemon, serving. What ends by itself is started again; Ctrl-C stops all.

    Where nothing is deployed yet, the versions that the platform ships are. Says which schedules and sensors are on, and when they are
    due. Serving listens on PORT; without it on 8000, or a free port.

    \b
    Examples:
      sentiment-platform up
      sentiment-platform up --automation on
      sentiment-platform up --stack-only
      sentiment-platform up --no-serving
    """
    from sentiment_platform.local.session import session
    from sentiment_platform.local.shell_file import append_variables, withdraw
    from sentiment_platform.news.sources.configured import configured_sources, nothing_on
    from sentiment_platform.running.headless import dagster_instance
    from sentiment_platform.running.pools import know_every_pool

    end_like_ctrl_c()
    # Before servers are started for nothing.
    ports = None if stack_only else chosen_ports(port, serving=serving)
    with session(log=say, join=False, shell_file=ENV_LOCAL if stack_only else None) as settings:
        if reason := nothing_on(configured_sources(settings, os.environ)):
            note(styled(reason, "yellow"))
        if ports is None:
            with dagster_instance() as instance:
                know_every_pool(instance)
            append_variables(ENV_LOCAL, _first_day(settings))
            say("In another terminal: ", styled("set -a; . ./.env.local; set +a; dagster dev", "bold"), "   (or: dg dev)")
            _wait_forever()
            return
        # Ports and secrets outlive a stack: with a left file a `dagster dev` would run every tick a second time.
        withdraw(ENV_LOCAL, settings.state_dir.resolve())
        _run_everything(settings, ports, automation, host=host, serving=serving)


class Ports(NamedTuple):
    """Where the Dagster UI and serving listen on this machine."""

    dagster: int
    serving: int


def chosen_ports(named: int | None, *, serving: bool = True) -> Ports:
    """The ports of `--port` and PORT, which must be free; what is not named gets its usual one, or a free one.

    Args:
        serving: False where serving runs elsewhere; PORT is not looked at then.

    Raises:
        ConflictError: a named port is taken.
    """
    from sentiment_platform.local.processes.ports import chosen_port
    from sentiment_platform.settings import Settings

    dagster = chosen_port(named, DAGSTER_PORT, "--port")
    named_serving = Settings.from_environment().port if serving and os.environ.get("PORT") else None
    return Ports(dagster, chosen_port(named_serving, SERVING_PORT, "PORT", besides=dagster))


def _run_everything(settings: "Settings", ports: Ports, automation: str | None, *, host: str, serving: bool) -> None:
    from sentiment_platform.local.dagster_processes import start_dagster
    from sentiment_platform.local.processes.children import Children
    from sentiment_platform.local.processes.ports import still_free
    from sentiment_platform.local.ticking import refuse_a_second_daemon
    from sentiment_platform.running.automation import automations, switch
    from sentiment_platform.running.headless import dagster_instance
    from sentiment_platform.running.pools import know_every_pool

    refuse_a_second_daemon(settings.state_dir.resolve())
    serving_url, dagster_url = f"http://127.0.0.1:{ports.serving}", f"http://127.0.0.1:{ports.dagster}"
    with dagster_instance() as instance, Children(settings.state_dir, say) as children:
        know_every_pool(instance)
        if automation is not None:
            switch(instance, on=automation == "on")
        pages = {"SENTIMENT_DAGSTER_URL": settings.dagster_url or dagster_url}
        if serving:
            environment = {"PORT": str(ports.serving), "SENTIMENT_POLL_S": "5", **pages}
            free = partial(still_free, ports.serving, "serving")
            children.start("serving", ["python", "-m", "serving"], environment, before_restart=free)
        _let_something_answer(settings)
        watched = {"SENTIMENT_SERVING_URL": settings.serving_url or (serving_url if serving else ""), **_first_day(settings)}
        start_dagster(children, watched, settings, host=host, port=ports.dagster, say=say)
        _say_what_starts(automations(instance, utc_now()))
        say(f"Dagster UI   {dagster_url}")
        if serving:
            say(f"Dashboard    {serving_url}")
            say(f"API          {serving_url}/schema")
        say("The daemon is part of this: for `dagster dev` or `dg dev`, which bring their own, use --stack-only.")
        children.watch()


def _let_something_answer(settings: "Settings") -> None:
    """Deploy the platform's starters where the registry of this machine has no deployment; `up` goes on where that fails."""
    from sentiment_platform.registry.access import RegistryAccess
    from sentiment_platform.starters.bootstrap import bootstrap
    from sentiment_platform.store.engine import create_platform_engine

    access = RegistryAccess(settings)
    if not access.is_local:
        return
    engine = create_platform_engine(settings.database_url)
    try:
        outcome = bootstrap(engine, access, run_id="up", now=utc_now)
    except PlatformError as error:
        note(styled(f"The platform's starters were not deployed: {error}", "yellow"))
        return
    finally:
        engine.dispose()
    if outcome.deployed_now and outcome.running:
        say(f"{outcome.running.tag}: {outcome.reason}")
    for reason in outcome.left_out.values():
        note(styled(reason, "yellow"))


def _first_day(settings: "Settings") -> dict[str, str]:
    from sentiment_platform.local.first_day import first_day_shown
    from sentiment_platform.store.engine import create_platform_engine

    engine = create_platform_engine(settings.database_url)
    try:
        return first_day_shown(engine, utc_now())
    finally:
        engine.dispose()


def _say_what_starts(known: "list[Automation]") -> None:
    on, off = [one for one in known if one.on], [one.name for one in known if not one.on]
    if not on:
        say(f"\nNothing starts by itself: all {len(known)} schedules and sensors are off.")
        say(f"Turn them on: {SWITCH_ON}; or one by one in the Dagster UI, under Automation.\n")
        return
    say("")
    rows = [(f"{one.next_at:%a %H:%M}" if one.next_at else f"looks every {one.every_s} s", one.job, one.name) for one in on]
    show_table(("when (UTC)", "starts", "schedule or sensor"), rows, title="What starts by itself")
    if off:
        say(f"Off: {', '.join(off)}.")
    say("Turn them off: sentiment-platform up --automation off; or one by one in the Dagster UI, under Automation.\n")


def _wait_forever() -> None:
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        say("Stopping.")
