"""A small server that speaks GitHub's REST protocol for releases, assets, refs and the rate limit, on loopback.

PyGithub and plain HTTP clients work against it unchanged. What belongs here: that protocol, its persistence, scripted
faults and the request log for tests. What does not: anything that knows models, manifests or deployments.
Source of the behaviour: https://docs.github.com/en/rest/releases and https://docs.github.com/en/rest/git/refs
"""

from sentiment_platform.github_server.faults import Fault, FaultPlan, secondary_rate_limit
from sentiment_platform.github_server.request_log import RequestLog, RequestRecord
from sentiment_platform.github_server.server import GithubServer

__all__ = ["Fault", "FaultPlan", "GithubServer", "RequestLog", "RequestRecord", "secondary_rate_limit"]
