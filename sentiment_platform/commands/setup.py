"""`setup`: what a fork needs before its workflows can run, checked and written out as lines for a shell."""

import os
import sys

import click

from sentiment_platform.commands.console import note, print_json, say, styled
from sentiment_platform.commands.parameters import json_option

_COLOURS = {"ok": "green", "later": "yellow", "missing": "red"}


@click.command()
@json_option
def setup(as_json: bool) -> None:
    """Prepare a fork: make its keys, check what its workflows need, print the lines that hand it over.

    Settings come from the shell or from .env, as everywhere: DATABASE_URL, REDIS_URL, SENTIMENT_REGISTRY_REPOSITORY (your fork) and a
    source of news. Every secret is written to a file below the state folder, mode 0600, and `gh` reads it from there: none is printed.
    Run it as often as you like; keys are made once.

    Exits with 1 while something is missing. As JSON: {"checks": [{"subject", "state", "words"}], "commands": [...]}.

    \b
    Examples:
      sentiment-platform setup
      sentiment-platform setup --json
    """
    from sentiment_platform.commands.fork import checks, commands, with_keys
    from sentiment_platform.settings import Settings

    settings = with_keys(Settings.from_environment())
    looked = list(checks(settings, os.environ))
    missing = [check.subject for check in looked if check.state == "missing"]
    lines = commands(settings, os.environ, ready=not missing)
    if as_json:
        print_json({"checks": looked, "commands": lines})
    else:
        for check in looked:
            say(styled(f"{check.state:8}", _COLOURS[check.state]), f"{check.subject}: {check.words}")
        if lines:
            say("")
            for line in lines:
                say(line)
        if missing:
            note(f"Missing: {', '.join(missing)}. Set that right, in the shell or in .env, and run this again.", style="red")
        else:
            note("These lines hand it all to GitHub, and start the pipeline.")
    if missing:
        sys.exit(1)
