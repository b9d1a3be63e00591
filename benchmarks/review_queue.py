"""How fast the review desk answers with many cases: the first page, a filter, a decision.

    python -m benchmarks.review_queue [--quick] [--cases N] [--database-url URL] [--repeats N]

A store with N cases, each answered by two of twenty people, is made by the real migrations, on
SQLite and on a PostgreSQL server of its own (or at --database-url); requests go through the whole
application, authentication and templates included, but not through the network. Milliseconds are
medians over the repeats, ``worst`` is the largest median of any. The last line is one JSON object.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import insert
from tqdm import tqdm

from backend.access.service import AccessService
from backend.app import create_app
from backend.core.database import Database
from backend.core.migrations import upgrade
from backend.core.services import Services
from backend.core.settings import Settings
from backend.models import (
    Annotation,
    Annotator,
    Batch,
    CaseReason,
    ConsensusLabel,
    Dataset,
    Project,
    Record,
    ReviewCase,
    SyncCursor,
    Task,
)
from backend.review.situation_repository import renew_statistics
from backend.words import Message
from labeling.label_schema import LabelSchema

CASES = 100_000
QUICK_CASES = 20_000
CHUNK = 5_000
NOW = datetime(2026, 5, 1, tzinfo=UTC)
FIELDS = ("title", "brand", "price", "stock")
CODES = ("tie", "low_confidence", "model_conflict", "suspected_error", "issue:duplicate")
KINDS = ("product", "review", "ad")
LIMIT_MS = 200
PEOPLE = 20


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_CASES:,} cases")
    parser.add_argument("--cases", type=int)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--database-url", help="an empty store to fill instead of both kinds")
    options = parser.parse_args()
    cases = options.cases or (QUICK_CASES if options.quick else CASES)
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="assay-review-") as folder:
        for name, url in stores(options.database_url, Path(folder)):
            found[name] = measure(url, cases, options.repeats, Path(folder))
            print(json.dumps({name: found[name]}), flush=True)
    worst = max(value for each in found.values() for value in each.values())
    found = {"benchmark": "review_queue", "cases": cases, **found, "worst": worst}
    print(json.dumps(found | {"limit_ms": LIMIT_MS}))


def stores(url: str | None, folder: Path) -> Iterator[tuple[str, str]]:
    """(name, URL) of the stores to measure."""
    if url:
        yield "given", url
        return
    yield "sqlite", f"sqlite:///{folder / 'assay.sqlite3'}"
    with postgres() as found:
        if found is None:
            print("PostgreSQL is not installed: left out (scripts/system-packages installs it)")
        else:
            yield "postgresql", found


@contextmanager
def postgres() -> Iterator[str | None]:
    """A PostgreSQL server of our own; None where none is installed."""
    from tests.fixtures.postgres import PostgresMissing, postgres_server

    try:
        with postgres_server() as url:
            yield url
    except PostgresMissing:
        yield None


def measure(url: str, cases: int, repeats: int, folder: Path) -> dict[str, float]:
    """Milliseconds of each request."""
    upgrade(url)
    secret = SecretStr("a secret of this benchmark alone")
    settings = Settings(data_dir=folder, database_url=url, session_secret=secret)
    services = Services(settings=settings, database=Database(url))
    project_id = fill(services.database, cases)
    with services.database.transaction() as session:
        renew_statistics(session)  # as the job that opens cases does
        key = AccessService(session, services.clock).create_key("lead", "lead", actor="benchmark")
    client = TestClient(create_app(services), headers={"Authorization": f"Bearer {key.key}"})
    page, api = f"/projects/{project_id}/review", f"/api/v1/projects/{project_id}/cases"
    numbers = count(1)

    def decide() -> None:
        case_id = next(numbers)
        body = {"version": 1, "action": "decide", "grade": "poor", "reason": "seen"}
        answer(client.post(f"{api}/{case_id}/decisions", json=body))

    requests: dict[str, Callable[[], None]] = {
        "first_page_ms": lambda: answer(client.get(page)),
        "deep_page_ms": lambda: answer(client.get(page, params={"offset": cases // 2})),
        "filter_reason_ms": lambda: answer(client.get(page, params={"reason": "model_conflict"})),
        "filter_group_ms": lambda: answer(client.get(page, params={"reason": "issue:"})),
        "filter_kind_ms": lambda: answer(client.get(page, params={"kind": "ad"})),
        "filter_annotator_ms": lambda: answer(client.get(page, params={"annotator": 1})),
        "search_ms": lambda: answer(client.get(page, params={"search": "SKU-0000"})),
        "case_page_ms": lambda: answer(client.get(f"{page}/{cases // 3}")),
        "decision_ms": decide,
    }
    medians = {name: median(request, repeats) for name, request in requests.items()}
    services.database.dispose()
    return medians


def answer(response: Any) -> None:
    """The response, which must be a success."""
    if response.status_code >= 400:
        raise RuntimeError(f"{response.request.url}: {response.status_code} {response.text[:300]}")


def median(request: Callable[[], None], repeats: int) -> float:
    """Milliseconds, after one request that warms caches up."""
    request()
    taken = []
    for _ in range(repeats):
        started = time.perf_counter()
        request()
        taken.append(1000 * (time.perf_counter() - started))
    return round(statistics.median(taken), 1)


def fill(database: Database, cases: int) -> int:
    """A project with so many open cases of two answers each; its id."""
    random = Random(7)
    with database.transaction() as session:
        dataset = Dataset(name="shop", kind="product", fields=list(FIELDS), created_at=NOW)
        session.add(dataset)
        session.flush()
        project = Project(
            name="Shop",
            dataset_id=dataset.id,
            label_schema=LabelSchema.default(list(FIELDS)).model_dump(mode="json"),
            policy={},
            label_studio_project_id=1,
            created_at=NOW,
        )
        session.add(project)
        session.flush()
        project_id, dataset_id = project.id, dataset.id
        session.add(SyncCursor(project_id=project_id))
        batch = Batch(
            project_id=project_id,
            round=1,
            strategy="default",
            seed=0,
            created_at=NOW,
            pushed_at=NOW,
        )
        session.add(batch)
        people = [
            Annotator(label_studio_user_id=n, name=f"P{n}", created_at=NOW) for n in range(PEOPLE)
        ]
        session.add_all(people)
        session.flush()
        batch_id, who = batch.id, [person.id for person in people]
    for start in tqdm(range(0, cases, CHUNK), desc="cases"):
        numbers = range(start + 1, min(start + CHUNK, cases) + 1)
        tables = rows_of(numbers, random, project_id, dataset_id, batch_id, who)
        with database.transaction() as session:
            for model, rows in tables:
                session.execute(insert(model), rows)
    return project_id


def rows_of(
    numbers: range, random: Random, project_id: int, dataset_id: int, batch_id: int, who: list[int]
) -> list[tuple[Any, list[dict[str, Any]]]]:
    """Rows by table, in the order in which they refer to each other."""
    records, tasks, answers, labels, cases, codes = [], [], [], [], [], []
    for number in numbers:
        kind = random.choice(KINDS)
        found = random.sample(CODES, random.randint(1, 3))
        fields = {name: f"{name} {random.randrange(10_000)}" for name in FIELDS}
        records.append(
            {
                "id": number,
                "dataset_id": dataset_id,
                "external_id": f"SKU-{number:08d}",
                "content_hash": f"{number:064d}",
                "kind": kind,
                "fields": fields,
                "source": "benchmark",
                "is_current": True,
                "created_at": NOW,
            }
        )
        tasks.append(
            {
                "id": number,
                "project_id": project_id,
                "record_id": number,
                "batch_id": batch_id,
                "key": f"key-{number}",
                "position": number,
                "is_audit": False,
                "label_studio_task_id": number,
            }
        )
        for place, person in enumerate(random.sample(who, 2)):
            answers.append(
                {
                    "project_id": project_id,
                    "task_id": number,
                    "annotator_id": person,
                    "label_studio_annotation_id": 2 * number + place,
                    "revision": 1,
                    "identity": "1",
                    "grade": ("good", "poor")[place],
                    "result": [],
                    "annotated_at": NOW,
                    "revised_at": NOW,
                    "via": "sync",
                    "received_at": NOW,
                }
            )
        labels.append(
            {
                "task_id": number,
                "project_id": project_id,
                "probabilities": {"good": 0.5, "fair": 0.0, "poor": 0.5},
                "votes": 2,
                "is_complete": True,
                "method": "majority",
                "fingerprint": "",
                "computed_at": NOW,
            }
        )
        reasons = [
            {"code": code, "weight": 0.5, "reason_message": Message(code).to_json()}
            for code in found
        ]
        cases.append(
            {
                "id": number,
                "project_id": project_id,
                "task_id": number,
                "kind": kind,
                "state": "open",
                "reasons": reasons,
                "reason": found[0],
                "priority": random.random(),
                "version": 1,
                "opened_at": NOW,
                "changed_at": NOW,
            }
        )
        codes += [
            {"case_id": number, "project_id": project_id, "state": "open", "code": code}
            for code in found
        ]
    return [
        (Record, records),
        (Task, tasks),
        (Annotation, answers),
        (ConsensusLabel, labels),
        (ReviewCase, cases),
        (CaseReason, codes),
    ]


if __name__ == "__main__":
    main()
