"""`python -m serving`: the process, configured by the environment."""

import sys

from sentiment_platform.errors import PlatformError
from serving import run

if __name__ == "__main__":
    try:
        run()
    except PlatformError as error:
        sys.exit(str(error))
