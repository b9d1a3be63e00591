"""How soon a webhook is answered while the desk is refreshed and a training runs.

    python -m benchmarks.webhook_under_load [--quick] [--records N] [--events N]

API and worker run as processes of their own, on SQLite and on a PostgreSQL server of its own, over
a project of ``records`` labelled records that 200 annotators answered. A full refresh of the desk
and a training are queued, and again whenever they are done; meanwhile the annotators go on: each
answers every ``SECONDS_AN_ANSWER`` seconds at random, and Label Studio's events are posted one by
one through HTTP. Of each store:

- ``p50_ms``, ``p99_ms``, ``max_ms``: from sending an event to its answer; ``over_1_s``: later than
  Label Studio waits;
- ``lost``: events whose annotation is not in the store exactly once at the end, and ``refused``;
- ``first_refresh_s``: the desk from nothing; ``full_refresh_s``: everything anew with nothing to
  write; ``one_answer_refresh_s``: after one answer; ``nothing_new_s``: after none. Wall clock in
  this process, while nothing else of the benchmark works;
- ``refreshes``, ``trainings``: jobs of both kinds that ran while events came in;
- ``load``: the machine's load average at the end, a figure above the number of cores makes every
  process wait.

The last line is one JSON object.
"""

import argparse
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx
import numpy as np
from sqlalchemy import insert
from sqlmodel import col, func, select
from tqdm import tqdm

from backend.core.services import Services
from backend.jobs import queue
from backend.loop.job_names import RETRAIN, REVIEW
from backend.models import (
    Annotation,
    Job,
    WebhookEvent,
)
from backend.review.refreshing import refresh_desk
from benchmarks.answered_store import ANNOTATORS, NOW, answer, fill, given_grade
from benchmarks.idle import await_answer, stores
from benchmarks.processes import SECRET, TOKEN, running_backend
from benchmarks.quiet_label_studio import quiet_label_studio
from labeling.label_studio.webhooks import SECRET_HEADER

RECORDS, QUICK_RECORDS = 20_000, 1_000
EVENTS, QUICK_EVENTS = 1_000, 150
SECONDS_AN_ANSWER = 20.0
"""One grade of a product record; the demo's people take 15 to 30."""
LABEL_STUDIO_WAITS = 1.0
APPLIED_WITHIN_SECONDS = 300.0
WATCH_SECONDS = 0.5


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_RECORDS:,} records")
    parser.add_argument("--records", type=int)
    parser.add_argument("--events", type=int)
    parser.add_argument("--database-url", help="only this store, an empty PostgreSQL database")
    options = parser.parse_args()
    records = options.records or (QUICK_RECORDS if options.quick else RECORDS)
    events = options.events or (QUICK_EVENTS if options.quick else EVENTS)
    found: dict[str, Any] = {"benchmark": "webhook_under_load", "records": records}
    found |= {"events": events, "annotators": ANNOTATORS}
    for name, url in stores(options.database_url):
        found[name] = measure(url, records, events)
        print(json.dumps({name: found[name]}), flush=True)
    print(json.dumps(found))


def measure(url: str | None, records: int, events: int) -> dict[str, float]:
    """The figures on one store."""
    with (
        tempfile.TemporaryDirectory() as folder,
        quiet_label_studio() as (label_studio_url, markers),
        running_backend(
            Path(folder), label_studio_url, TOKEN, "characters", database_url=url
        ) as services,
    ):
        await_answer(services)
        project_id = fill(services, records, markers)
        figures: dict[str, float] = {
            "first_refresh_s": seconds(lambda: refresh_desk(services, project_id)),
            "full_refresh_s": seconds(lambda: refresh_desk(services, project_id, is_full=True)),
            "nothing_new_s": seconds(lambda: refresh_desk(services, project_id)),
        }
        answer_one(services, project_id, records)
        figures["one_answer_refresh_s"] = seconds(lambda: refresh_desk(services, project_id))
        since = services.clock()
        with busy_worker(services, project_id):
            sent = post_all(services, records, events)
        applied = await_applied(services, len(sent))
        took = sorted(each.seconds for each in sent)
        return figures | {
            "p50_ms": round(1000 * float(np.quantile(took, 0.5)), 1),
            "p99_ms": round(1000 * float(np.quantile(took, 0.99)), 1),
            "max_ms": round(1000 * took[-1], 1),
            "over_1_s": sum(each > LABEL_STUDIO_WAITS for each in took),
            "refused": sum(not each.is_accepted for each in sent),
            "lost": len(sent) - applied,
            "refreshes": count_jobs(services, REVIEW, since),
            "trainings": count_jobs(services, RETRAIN, since),
            "load": round(os.getloadavg()[0], 1),
        }


def seconds(work: Callable[[], object]) -> float:
    """Wall clock of the work."""
    started = time.perf_counter()
    work()
    return round(time.perf_counter() - started, 3)


@dataclass(frozen=True)
class Sent:
    """An event that was posted."""

    seconds: float
    is_accepted: bool


def post_all(services: Services, records: int, events: int) -> list[Sent]:
    """Every annotator answers at random moments; each event is posted by a thread of its own.

    The moments do not wait for the answers, as Label Studio's do not.
    """
    random = Random(11)
    url = f"http://127.0.0.1:{services.settings.port}/webhooks/label-studio"
    per_second = ANNOTATORS / SECONDS_AN_ANSWER
    local = threading.local()

    def post(body: bytes) -> Sent:
        if not hasattr(local, "client"):
            local.client = httpx.Client(
                headers={SECRET_HEADER: SECRET}, timeout=60.0, trust_env=False
            )
        started = time.perf_counter()
        answer = local.client.post(url, content=body)
        return Sent(time.perf_counter() - started, answer.status_code == httpx.codes.ACCEPTED)

    waiting: list[Future[Sent]] = []
    due = time.monotonic()
    with ThreadPoolExecutor(32) as pool:
        for number in tqdm(range(events), desc="events"):
            due += random.expovariate(per_second)
            time.sleep(max(0.0, due - time.monotonic()))
            waiting.append(pool.submit(post, event_body(number, records, random)))
        return [each.result() for each in waiting]


def event_body(number: int, records: int, random: Random) -> bytes:
    """Somebody's new answer to some record, as Label Studio tells it."""
    moment = (NOW + timedelta(days=1, seconds=number)).isoformat()
    task, person = random.randint(1, records), random.randint(1, ANNOTATORS)
    chosen = {"choices": [given_grade(task, random)]}
    region = {"from_name": "grade", "to_name": "record", "type": "choices", "value": chosen}
    annotation = {
        "id": first_new_annotation(records) + number,
        "task": task,
        "completed_by": person,
        "created_at": moment,
        "updated_at": moment,
        "was_cancelled": False,
        "lead_time": 20.0,
        "result": [region],
    }
    body = {"action": "ANNOTATION_CREATED", "project": {"id": 1}, "annotation": annotation}
    return json.dumps(body).encode()


def first_new_annotation(records: int) -> int:
    """Label Studio's ids from here on are of what is posted."""
    return 10 * records


class _Busy:
    """Refreshes and trainings are queued again and again until it is told to stop."""

    def __init__(self, services: Services, project_id: int) -> None:
        self._services, self._project_id = services, project_id
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_exception: object) -> None:
        self._ended.set()
        self._thread.join()

    def _work(self) -> None:
        wanted: dict[str, dict[str, Any]] = {REVIEW: {"is_full": True}, RETRAIN: {}}
        while True:
            for name, args in wanted.items():
                with self._services.database.reading() as session:
                    is_busy = queue.has_unfinished(session, name, self._project_id)
                if not is_busy:
                    with self._services.database.transaction() as session:
                        queue.enqueue(
                            session,
                            name,
                            project_id=self._project_id,
                            args=args,
                            now=self._services.clock(),
                        )
            if self._ended.wait(WATCH_SECONDS):
                return


def busy_worker(services: Services, project_id: int) -> _Busy:
    """Inside, the worker refreshes everything and trains without a pause."""
    return _Busy(services, project_id)


def await_applied(services: Services, events: int) -> int:
    """How many of the posted annotations are in the store exactly once, when all is applied."""
    deadline = time.monotonic() + APPLIED_WITHIN_SECONDS
    while time.monotonic() < deadline:
        with services.database.reading() as session:
            applied = session.exec(
                select(func.count()).where(col(WebhookEvent.status) == "applied")
            ).one()
            if applied >= events:
                break
        time.sleep(1.0)
    with services.database.reading() as session:
        revisions = session.exec(
            select(func.count())
            .where(col(Annotation.via) == "webhook")
            .group_by(col(Annotation.label_studio_annotation_id))
        ).all()
    return sum(count == 1 for count in revisions)


def count_jobs(services: Services, name: str, since: datetime) -> int:
    """Jobs of that name that have run since then."""
    with services.database.reading() as session:
        return session.exec(
            select(func.count()).where(col(Job.name) == name, col(Job.started_at) >= since)
        ).one()


def answer_one(services: Services, project_id: int, records: int) -> None:
    """One more answer is in the store."""
    row = answer(project_id, 1, 1, 9 * records, Random(3))
    with services.database.transaction() as session:
        session.execute(insert(Annotation), [row])


if __name__ == "__main__":
    main()
