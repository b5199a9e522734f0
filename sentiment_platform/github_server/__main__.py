"""`python -m sentiment_platform.github_server`: the server in the foreground, until SIGTERM or SIGINT.

Its tokens come by standard input: a command line is shown to every user of the machine.
"""

import signal
import sys
import threading
from pathlib import Path

import click

from sentiment_platform.errors import PlatformError
from sentiment_platform.github_server.server import GithubServer


@click.command()
@click.option("--state", type=click.Path(path_type=Path, file_okay=False), required=True, help="State folder.")
@click.option("--repository", required=True, help="owner/name")
@click.option("--port", type=int, default=0, show_default=True, help="0 for any free one.")
@click.option("--port-file", type=click.Path(path_type=Path), default=None, help="Where to write the port once it listens.")
@click.option("--immutable", is_flag=True, help="Published releases can no longer be edited.")
def main(
    state: Path,
    repository: str,
    port: int,
    port_file: Path | None,
    immutable: bool,
) -> None:
    """Run the local GitHub server in the foreground.

    Standard input holds a line with the token that may read and write, then, if there is one, a line with that which may only read.
    """
    token, read_token = (sys.stdin.readline().strip() for _ in range(2))
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    server = GithubServer(state, repository, token, port, read_token=read_token or None, immutable=immutable)
    try:
        server.start()
    except PlatformError as error:
        raise click.ClickException(str(error)) from error
    try:
        if port_file is not None:
            fresh = port_file.with_suffix(".new")
            fresh.write_text(f"{server.port}\n")
            fresh.replace(port_file)
        click.echo(f"{repository} at {server.url}")
        stopped.wait()
    finally:
        server.stop()


if __name__ == "__main__":
    main()
