"""Notifications: somebody is told when clips fail for good, or a run breaks off.

Runs go on when clips fail, so a run that failed says little: the ledger says which clips did. One
message an interval tells of all that failed since the last one.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import dagster as dg

from video_assets.automation.here import is_interruption
from video_assets.automation.work import LASTING_ATTEMPTS
from video_assets.presets.model import load_preset
from video_assets.redaction import redact
from video_assets.services.notifier import deliver
from video_assets.settings import LOCAL_OWNER, Settings, load_settings
from video_assets.storage import messages
from video_assets.storage.locations import HOST
from video_assets.storage.messages import Cause, Due
from video_assets.storage.postgres import Postgres

TICK_S = 60
RUNS_TOLD = 20
LONGEST_ERROR = 200
LOOK = "video-assets failures"
_PATH = re.compile(r"(?<![\w:/])(?:[A-Za-z]:)?[\\/](?:[^\s\\/:'\"]+[\\/])+")
WHOSE = {
    "file": "the file is at fault",
    "ours": "video-assets is at fault",
    "network": "the network",
    "refused": "a service refused",
    "unreachable": "out of reach",
}


@dataclass(frozen=True)
class BrokenRun:
    """A run that ended for another reason than its clips."""

    run_id: str
    job: str
    error: str


@dg.sensor(
    minimum_interval_seconds=TICK_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells whom the settings name of clips that failed for good.",
)
def tell_of_failures(
    context: dg.SensorEvaluationContext, catalogue: dg.ResourceParam[Postgres]
) -> dg.SkipReason:
    """Send a message when it is time and something failed; requests no run."""
    return dg.SkipReason(tell(context.instance, catalogue, load_settings()))


@dg.run_failure_sensor(
    minimum_interval_seconds=TICK_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells whom the settings name at once of a run that broke off.",
)
def tell_of_failed_run(
    context: dg.RunFailureSensorContext, catalogue: dg.ResourceParam[Postgres]
) -> None:
    """Send a message about a run, if it is time; else the next one tells of it."""
    tell(context.instance, catalogue, load_settings())


def tell(instance: dg.DagsterInstance, catalogue: Postgres, settings: Settings) -> str:
    """Send one message about all that failed since the last, and say what was done."""
    notify = settings.notify
    if not notify.is_wanted:
        return f"nobody is to be told: {settings.settings_file} has no [notify]"
    retries = {step.name: step.retry for step in load_preset(settings.preset).steps}
    with messages.due(
        catalogue,
        LOCAL_OWNER,
        min_interval_s=notify.min_interval_s,
        lasting=LASTING_ATTEMPTS,
        passing=retries,
    ) as due:
        if due is None:
            return f"a message was sent less than {notify.min_interval_s:.0f} s ago"
        runs = _broken_runs(instance, due.since)
        if not due.causes and not runs:
            return "nothing failed for good since the last message"
        is_delivered = deliver(notify, text_of(due, runs), document_of(due, runs))
        messages.note(catalogue, due, is_delivered=is_delivered)
    return "the message was sent" if is_delivered else "nobody took the message; the log says why"


def text_of(due: Due, runs: Sequence[BrokenRun]) -> str:
    """Write the message for people."""
    lines = [f"video-assets on {HOST}: {_headline(due.causes, runs)}"]
    for cause in due.causes:
        whose = WHOSE.get(cause.fault, cause.fault)
        lines += [
            f"{cause.clips} of {cause.asset}, {cause.error_class} ({whose}): {_named(cause)}",
            f"    {_short(cause.error)}",
            f"    {_look(cause)}",
        ]
    lines += [f"run {each.run_id[:8]} of {each.job} broke off: {each.error}" for each in runs]
    return "\n".join(lines)


def document_of(due: Due, runs: Sequence[BrokenRun]) -> dict[str, Any]:
    """Write the message for programs."""
    return {
        "host": HOST,
        "since": due.since.isoformat(),
        "until": due.until.isoformat(),
        "failures": [
            {**asdict(cause), "error": _short(cause.error), "look": _look(cause)}
            for cause in due.causes
        ],
        "runs": [asdict(each) for each in runs],
    }


def _headline(causes: Sequence[Cause], runs: Sequence[BrokenRun]) -> str:
    steps = sum(cause.clips for cause in causes)
    parts = [f"{steps} {'step' if steps == 1 else 'steps'} failed for good"] if steps else []
    parts += [f"{len(runs)} {'run' if len(runs) == 1 else 'runs'} broke off"] if runs else []
    return ", ".join(parts)


def _named(cause: Cause) -> str:
    more = cause.clips - len(cause.examples)
    return ", ".join(cause.examples) + (f" and {more} more" if more else "")


def _look(cause: Cause) -> str:
    return f"{LOOK} --asset {cause.asset}"


def _short(error: str) -> str:
    """One line without secrets and folders."""
    line = _PATH.sub("", redact(error.strip().partition("\n")[0]))
    return line if len(line) <= LONGEST_ERROR else f"{line[: LONGEST_ERROR - 1]}…"


def _broken_runs(instance: dg.DagsterInstance, since: datetime) -> list[BrokenRun]:
    """Find runs that ended badly since then, and not only because a clip of theirs did."""
    ended = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=since)
    found = (
        (run, list(_reasons(instance, run.run_id)))
        for run in instance.get_runs(ended, limit=RUNS_TOLD)
    )
    return [
        BrokenRun(run.run_id, run.job_name, _short(reasons[0])) for run, reasons in found if reasons
    ]


def _reasons(instance: dg.DagsterInstance, run_id: str) -> Iterator[str]:
    kinds = {dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE}
    events = [entry.dagster_event for entry in instance.all_logs(run_id, of_type=kinds)]
    steps = [event for event in events if event and event.is_step_failure]
    for event in steps:
        failure = event.step_failure_data
        if failure.user_failure_data is None and failure.error is not None:
            if is_interruption(failure.error):
                return  # somebody wanted it
            yield f"{event.step_key}: {_root(failure.error).message}"
    if not steps:
        yield from (event.message or "no reason was given" for event in events if event)


def _root(error: Any) -> Any:
    while error.cause is not None:
        error = error.cause
    return error
