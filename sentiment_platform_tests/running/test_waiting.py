"""One run in the place of those that wait: it carries every reason, and nothing waits any more."""

import dagster as dg
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

from sentiment_platform.running.waiting import take_over, waiting_runs


@dg.job
def train_job() -> None: ...


@dg.job
def other_job() -> None: ...


def enqueue(instance: dg.DagsterInstance, job: dg.JobDefinition, tags: dict[str, str]) -> dg.DagsterRun:
    place = RemoteJobOrigin(RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("here"), "repository"), job.name)
    return instance.create_run_for_job(job, tags=tags, status=dg.DagsterRunStatus.QUEUED, remote_job_origin=place)


def test_one_run_answers_all_that_wait_with_every_reason_and_the_newest_of_the_other_tags() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        asked = [
            {"trigger": "weekly", "dagster/schedule_name": "weekly"},
            {"trigger": "data_drift", "reason": "The length drifted.", "decision": "d-1"},
            {"trigger": "data_drift", "reason": "The tone drifted.", "decision": "d-2"},
        ]
        for tags in asked:
            enqueue(instance, train_job, tags)
        other = enqueue(instance, other_job, {})
        instance.create_run_for_job(train_job, status=dg.DagsterRunStatus.SUCCESS, tags={"trigger": "long over"})
        waiting = waiting_runs(instance, "train_job")
        assert [run.tags["trigger"] for run in waiting] == ["weekly", "data_drift", "data_drift"]
        tags = take_over(instance, waiting)
        assert tags == {"trigger": "weekly,data_drift", "reason": "The length drifted. The tone drifted.", "decision": "d-2"}
        assert [run.run_id for run in waiting_runs(instance)] == [other.run_id]
        assert {run.status for run in instance.get_runs() if run.run_id in {one.run_id for one in waiting}} == {
            dg.DagsterRunStatus.CANCELED
        }
