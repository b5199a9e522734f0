"""The command line: joins the commands. Each stands in `commands/`, one file a subject."""

import warnings

import click

from sentiment_platform.commands.alerts import alerts
from sentiment_platform.commands.ask import doctor, explain, predict
from sentiment_platform.commands.data import news
from sentiment_platform.commands.database import db
from sentiment_platform.commands.demo import demo
from sentiment_platform.commands.experiments import experiments
from sentiment_platform.commands.flags import flags
from sentiment_platform.commands.headlines import show
from sentiment_platform.commands.keys import keys
from sentiment_platform.commands.labels import labels
from sentiment_platform.commands.market import market
from sentiment_platform.commands.models import models
from sentiment_platform.commands.operate import run_job_command, serve
from sentiment_platform.commands.program import Program, verbose_option
from sentiment_platform.commands.promotion import promote, rollback
from sentiment_platform.commands.registry import restore, sync
from sentiment_platform.commands.replay import replay
from sentiment_platform.commands.search import search
from sentiment_platform.commands.setup import setup
from sentiment_platform.commands.sources import sources
from sentiment_platform.commands.tick import tick
from sentiment_platform.commands.trying import try_command
from sentiment_platform.commands.up import up
from sentiment_platform.commands.work import worker
from sentiment_platform.env_file import load_env_file
from sentiment_platform.text.example import EXAMPLE_TEXT

HELP = f"""Financial news in, the best-evidenced sentiment model out.

Without DATABASE_URL, REDIS_URL and SENTIMENT_REGISTRY_REPOSITORY every command uses its own local PostgreSQL, Redis and GitHub
server under .sentiment; with them, the real ones. What the shell does not set is read from .env (see .env.example).

\b
First steps:
  sentiment-platform demo     the whole loop once, with a summary
  sentiment-platform up       everything, until Ctrl-C
  sentiment-platform predict "{EXAMPLE_TEXT}"

\b
Exit status: 0 it worked; 1 it failed; 2 it was asked for wrongly; 130 or 143 a signal ended it.
"""


@click.group(
    "sentiment-platform",
    cls=Program,
    help=HELP,
    params=[verbose_option()],
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 110},
)
@click.version_option(package_name="sentiment-platform")
def main() -> None:
    """The program; its help is `HELP`."""
    # Single-run backfills are beta in Dagster 1.13; that is our business, not the user's.
    warnings.filterwarnings("ignore", message=".*is currently in beta")
    load_env_file()


models.add_command(search)
models.add_command(replay)
models.add_command(promote)
models.add_command(rollback)
models.add_command(restore)
models.add_command(sync)
news.add_command(sources)
news.add_command(show)
news.add_command(try_command)
for command in (
    demo,
    up,
    serve,
    run_job_command,
    tick,
    worker,
    predict,
    explain,
    doctor,
    setup,
    news,
    market,
    labels,
    models,
    experiments,
    flags,
    alerts,
    keys,
    db,
):
    main.add_command(command)
