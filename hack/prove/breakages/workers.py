"""What is taken out of workers in pods: the command, the Jobs, and what stands in their way."""

from __future__ import annotations

from prove.breakage import Breakage

WORKERS = "Workers"
_JOB = "operator/cirahub_operator/runners/job.py"
_CREW = "tests/jobs/test_crew.py::"
_HUBS = "tests/operator/test_workers.py::"
_COMMAND = "tests/shards/test_command.py::"

BREAKAGES: tuple[Breakage, ...] = (
    Breakage(
        guards=WORKERS,
        what="Jobs of a pass that is over stay",
        file=_JOB,
        old="or nothing began.\n            await self._tidy(made)\n",
        new="or nothing began.\n",
        tests=f"{_CREW}test_jobs_are_gone_when_the_shards_are_settled",
        own_cluster=True,
    ),
    Breakage(
        guards=WORKERS,
        what="what a dead operator left stays",
        file=_JOB,
        old="            await self._patiently(self._sweep)\n",
        new="",
        tests=f"{_CREW}test_what_a_dead_operator_left_is_deleted_at_the_next_errand",
        own_cluster=True,
    ),
    Breakage(
        guards=WORKERS,
        what="wrong options of one worker end them all",
        file=_JOB,
        old='"action": "FailIndex",',
        new='"action": "FailJob",',
        tests=f"{_CREW}test_a_job_that_failed_is_named_and_kept",
        own_cluster=True,
    ),
    Breakage(
        guards=WORKERS,
        what="workers that never run are taken for done",
        file=_JOB,
        old="heard > self._workers.start_within:\n",
        new="heard > self._workers.start_within:\n                return now\n",
        tests=f"{_CREW}test_workers_that_never_run_are_given_up",
        own_cluster=True,
    ),
    Breakage(
        guards=WORKERS,
        what="a worker that is told to stop dies with its shard",
        file="operator/cirahub_operator/cli/worker.py",
        old="        loop.add_signal_handler(signum, attempt.cancel)\n",
        new="        signal.getsignal(signum)\n",
        tests=f"{_COMMAND}test_a_worker_that_is_told_to_stop_gives_its_shard_back",
    ),
    Breakage(
        guards=WORKERS,
        what="the second worker on a shard does not wait for the first",
        file="operator/cirahub_operator/cli/worker.py",
        old="            await asyncio.sleep(min(error.retry_after, look))\n",
        new="            raise LeaseLostError('not waited for') from error\n",
        tests=f"{_COMMAND}test_of_two_workers_on_one_shard_one_waits_and_both_end_well",
    ),
    Breakage(
        guards=WORKERS,
        what="Jobs that have ended well stay",
        file=_JOB,
        old="            await self._tidy(made.keys() - failed.keys())\n",
        new="",
        tests=f"{_CREW}test_a_crew_comes_back_when_all_of_its_jobs_have_ended",
        own_cluster=True,
    ),
    Breakage(
        guards=WORKERS,
        what="a pass that is over is a failure of its workers",
        file="operator/cirahub_operator/cli/worker.py",
        old="    except LeaseLostError as error:\n",
        new="    except LeaseHeldError as error:\n",
        tests=f"{_COMMAND}test_a_worker_of_a_pass_that_is_over_has_nothing_to_do",
    ),
    Breakage(
        guards=WORKERS,
        what="a Secret is asked for by workers",
        file="operator/cirahub_operator/reconcile/hub.py",
        old="            scene = replace(scene, resolution=shared(scene.resolution))\n",
        new="",
        tests=f"{_HUBS}test_who_signs_in_with_a_secret_is_stalled_and_the_others_go_on",
    ),
    Breakage(
        guards=WORKERS,
        what="a Hub that wants workers is passed over without",
        file="operator/cirahub_operator/reconcile/hub.py",
        old="if self._around.no_workers is not None:",
        new="if self._around.no_workers is scene:",
        tests=f"{_HUBS}test_a_hub_that_wants_workers_of_an_operator_without_is_stalled",
    ),
)
