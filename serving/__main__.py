"""`python -m serving`: the process, configured by the environment. `openapi` and `access` print the API's description instead."""

import sys

from sentiment_platform.errors import PlatformError
from serving import run


def main(arguments: list[str]) -> None:
    """Serve, or print the document or the table of access.

    Raises:
        SystemExit: with the reason.
    """
    if arguments == ["openapi"]:
        from sentiment_platform.settings import Settings
        from serving.app import create_app
        from serving.edge.openapi_document import openapi_text

        sys.stdout.buffer.write(openapi_text(create_app(Settings.from_environment({}))))
    elif arguments == ["access"]:
        from serving.edge.policy import access_table

        sys.stdout.write(access_table())
    elif arguments:
        known = "`openapi` prints the OpenAPI document, `access` who may call what, nothing serves"
        sys.exit(f"serving does not know {' '.join(arguments)!r}; {known}.")
    else:
        run()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except PlatformError as error:
        sys.exit(str(error))
