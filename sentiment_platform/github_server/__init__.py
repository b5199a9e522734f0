"""A small server that speaks GitHub's REST protocol for releases, assets, refs and the rate limit, on loopback.

PyGithub and plain HTTP clients work against it unchanged. What belongs here: that protocol and its persistence. What does not:
anything that knows models, manifests or deployments, and anything that makes it fail on purpose (that is the tests').
Source of the behaviour: https://docs.github.com/en/rest/releases and https://docs.github.com/en/rest/git/refs
"""

from sentiment_platform.github_server.server import GithubServer

__all__ = ["GithubServer"]
