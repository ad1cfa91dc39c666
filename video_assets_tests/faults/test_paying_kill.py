"""kill -9 of whoever asks a paid service, at any moment: nothing is paid for twice.

Only what was on its way at a kill is: nobody can know what became of it, so it counts as spent.
"""

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import psutil
import pytest

from video_assets.services.prices import Usage
from video_assets_tests import paying
from video_assets_tests.automation.conftest import Pipeline
from video_assets_tests.services.loopback import Service, chat, serve

NUMBER, KILLS = 500, 10
MODULE = "video_assets_tests.faults.paying_pipeline"
AS_LONG_S = 0.03  # as an answer takes


@dataclass
class Till:
    """What the service has counted: the usage of each answer, by the number that it says."""

    usages: list[Usage] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    door: threading.Event = field(default_factory=threading.Event)
    """While it is not set, answers are counted and kept back."""

    def __post_init__(self) -> None:
        """Keep nothing back."""
        self.door.set()

    def answer(self, body: bytes) -> tuple[int, Any]:
        """Answer with a number of its own, and charge for as many tokens as only that answer."""
        status, document = chat(body)
        with self.lock:
            number = len(self.usages)
            used = Usage(1 + number % 89, output_tokens=1 + number % 5)
            self.usages.append(used)
        self.door.wait()
        time.sleep(AS_LONG_S)
        document["choices"][0]["message"]["content"] = str(number)
        document["usage"] = {
            "prompt_tokens": used.input_tokens,
            "completion_tokens": used.output_tokens,
            "total_tokens": used.input_tokens + used.output_tokens,
        }
        return status, document


@pytest.fixture
def service() -> Iterator[Service]:
    with serve() as service:
        yield service


def rows(pipeline: Pipeline, query: str) -> list[dict[str, Any]]:
    with pipeline.catalogue.transaction() as connection:
        return list(connection.execute(query.encode()).fetchall())


def start(pipeline: Pipeline, service: Service, home: Path) -> "subprocess.Popen[bytes]":
    given = {
        "catalogue": pipeline.catalogue.dsn,
        "dagster": os.fspath(home),
        "folder": os.fspath(pipeline.folder),
        "service": service.url,
    }
    return subprocess.Popen([sys.executable, "-m", MODULE, json.dumps(given)])


def workers(process: "subprocess.Popen[bytes]") -> list[psutil.Process]:
    """The processes that ask the service: forked from one that the pipeline started."""
    parent = psutil.Process(process.pid)
    direct = {each.pid for each in parent.children()}
    return [each for each in parent.children(recursive=True) if each.pid not in direct]


def kill(process: "subprocess.Popen[bytes]", dice: random.Random) -> None:
    """End it as a crash does, and wait until its workers, which nobody tells, are gone too."""
    family = psutil.Process(process.pid).children(recursive=True)
    if dice.random() < 0.5:  # its workers see their end in the middle of an answer, or a bit later
        for each in family:
            each.kill()
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(family, timeout=60)
    assert alive == []


def wait_for_answers(till: Till, process: "subprocess.Popen[bytes]", number: int) -> None:
    while len(till.usages) < number:
        assert process.poll() is None
        time.sleep(0.01)


def lost_so_far(pipeline: Pipeline) -> int:
    (found,) = rows(pipeline, "SELECT count(*) AS n FROM ai_calls WHERE status <> 'settled'")
    return found["n"]


@pytest.mark.timeout(900)  # 180 s were seen beside other tests
def test_five_hundred_clips_and_ten_kills_pay_for_each_once(
    pipeline, service, dagster_home, monkeypatch
):
    for name in ("RUN", "DAY"):
        monkeypatch.setenv(f"VIDEO_ASSETS_BUDGET__{name}_USD", "1000")
    till, dice, kills, lost = Till(), random.Random(6), 0, 0  # noqa: S311
    service.answers = [till.answer]
    pipeline.register(*(f"clip{number}" for number in range(NUMBER)))
    process = start(pipeline, service, dagster_home)
    while kills < KILLS:
        wait_for_answers(till, process, (kills + 1) * NUMBER // (KILLS + 2))
        time.sleep(dice.uniform(0, 0.1))
        kills += 1
        if kills % 2:
            dice.choice(workers(process)).kill()
            continue
        if kills == KILLS:  # however slow the machine is, one falls into an answer
            till.door.clear()
            wait_for_answers(till, process, len(till.usages) + 1)
        kill(process, dice)
        till.door.set()
        assert lost_so_far(pipeline) >= lost
        lost = lost_so_far(pipeline)
        process = start(pipeline, service, dagster_home)
    assert process.wait(300) == 0

    results = rows(pipeline, "SELECT result, cost_usd FROM results WHERE asset = 'opinion'")
    said = [int(each["result"]["text"]) for each in results]
    assert len(said) == len(set(said)) == NUMBER
    assert lost > 0
    assert NUMBER <= len(till.usages) <= NUMBER + lost

    (paid,) = rows(
        pipeline,
        """SELECT count(*) FILTER (WHERE status = 'settled') AS settled,
                  count(*) FILTER (WHERE status = 'lost') AS lost,
                  count(*) FILTER (WHERE NOT counted) AS left,
                  sum(cost_usd) FILTER (WHERE status = 'settled') AS usd,
                  sum(cost_usd) AS total
             FROM ai_calls""",
    )
    assert (paid["settled"], paid["lost"], paid["left"]) == (NUMBER, lost, 0)
    delivered = sum((paying.PRICE.of(till.usages[number]) for number in said), Decimal(0))
    assert paid["usd"] == delivered
    assert sum(each["cost_usd"] for each in results) == paid["total"]
    totals = rows(pipeline, "SELECT sum(usd) AS usd FROM private.ai_totals WHERE scope LIKE 'day%'")
    assert totals[0]["usd"] == paid["total"] == delivered + lost * paying.PRICE.of(paying.MOST)
