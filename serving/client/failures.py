"""What a client raises: a problem that the API states, an answer that is none of the API's, no answer at all."""

import httpx
import msgspec

from serving.contract.problem_bodies import ProblemDocument


class ClientError(Exception):
    """Base of what a client raises on purpose."""


class Unreachable(ClientError):
    """No complete answer came in time; the cause says why. Predictions may be asked again, feedback may have been taken."""


class UnexpectedAnswer(ClientError):
    """Something else answered, such as a proxy, or a version of the API that this client does not know."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class ApiProblem(ClientError):
    """The API refused, and says why.

    Attributes:
        status: of HTTP.
        code: a stable word for programs.
        detail: a sentence for people, which ends with what to do.
        errors: every fault by field and item, for a request of the wrong form.
        request_id: names the request in the log of the process.
        retry_after_s: seconds to wait before the next try; None where another try does not help.
    """

    def __init__(self, problem: ProblemDocument, retry_after_s: int | None) -> None:
        faults = " ".join(f"{error.field}: {error.message}" for error in problem.errors)
        super().__init__(f"{problem.status} {problem.code}: {problem.detail} {faults}".strip())
        self.status = problem.status
        self.code = problem.code
        self.detail = problem.detail
        self.errors = problem.errors
        self.request_id = problem.request_id
        self.retry_after_s = retry_after_s


def failure_of(reply: httpx.Response) -> ClientError:
    """What a reply that is no answer says."""
    if not reply.headers.get("content-type", "").startswith("application/problem+json"):
        return UnexpectedAnswer(reply.status_code, f"{reply.text[:200]!r} is no answer of this API.")
    try:
        problem = msgspec.json.decode(reply.content, type=ProblemDocument)
    except msgspec.MsgspecError as error:
        return UnexpectedAnswer(reply.status_code, f"the problem cannot be read: {error}.")
    after = reply.headers.get("retry-after", "")
    return ApiProblem(problem, int(after) if after.isdecimal() else None)
