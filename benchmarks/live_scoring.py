"""Records judged at once, over HTTP, while people label and the worker trains.

    python -m benchmarks.live_scoring [--quick] [--encoder NAME] [--requests N] [--batch N]

API and worker run as processes of their own over a SQLite store with a project whose labels are
learnt; annotators' events keep coming in and the worker refreshes and trains without a pause. Eight
clients ask for one record each, again and again; every record is new to the encoder's cache. In the
middle another model version becomes the champion. The last line is one JSON object, with figures
for ``english`` and ``chinese`` records:

- ``p50_ms``, ``p99_ms``: from a request to its answer at the client,
- ``failed_during_promotion``: requests that were not answered with 200 (aim 0),
- ``batch_ratio``: records a second of one request of ``--batch`` new records, of the product over
  ``transformers.pipeline`` with the same transformer and scikit-learn's logistic regression, in
  turns, the rival on as many processor threads as torch takes; null where no transformer is there.
"""

import argparse
import json
import tempfile
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import httpx
import numpy as np

from backend.access.service import AccessService
from backend.core.services import Services
from backend.jobs.queue import enqueue
from backend.loop.job_names import RETRAIN
from backend.registry.service import RegistryService
from backend.words import Message
from benchmarks.answered_store import FIELDS, fill
from benchmarks.idle import await_answer
from benchmarks.processes import TOKEN, running_backend
from benchmarks.quiet_label_studio import quiet_label_studio
from benchmarks.webhook_under_load import busy_worker, post_all

RECORDS, EVENTS = 2_000, 600
CLIENTS = 8
REQUESTS, QUICK_REQUESTS = 100, 20
BATCH, QUICK_BATCH = 1_000, 200
TURNS = 3
WORDS = {
    "english": (
        *("ceramic", "mug", "steel", "bottle", "cotton", "shirt", "kettle", "glass", "lamp"),
        *("wooden", "blue", "large", "garden", "for", "two", "litres", "with", "lid"),
    ),
    "chinese": (
        *("陶瓷", "马克杯", "不锈钢", "保温杯", "纯棉", "衬衫", "电水壶", "玻璃", "台灯"),
        *("木质", "蓝色", "大号", "花园", "两升", "带盖", "新款", "包邮", "正品"),
    ),
}


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--encoder", default="auto")
    parser.add_argument("--requests", type=int, help="of each client")
    parser.add_argument("--batch", type=int)
    options = parser.parse_args()
    requests = options.requests or (QUICK_REQUESTS if options.quick else REQUESTS)
    batch = options.batch or (QUICK_BATCH if options.quick else BATCH)
    found: dict[str, Any] = {"benchmark": "live_scoring", "encoder": options.encoder}
    with (
        tempfile.TemporaryDirectory() as folder,
        quiet_label_studio() as (label_studio_url, markers),
        running_backend(Path(folder), label_studio_url, TOKEN, options.encoder) as services,
    ):
        await_answer(services)
        project_id = fill(services, RECORDS, markers)
        await_champion(services, project_id)
        client = client_of(services)
        path = f"/api/v1/projects/{project_id}/score"
        client.post(path, json={"records": new_records("english", 1, 0)}).raise_for_status()
        for language in WORDS:
            found[language] = one_at_a_time(services, client, path, language, requests)
            print(json.dumps({language: found[language]}), flush=True)
        for language in WORDS:
            ratio = batch_ratio(client, path, language, batch, options.encoder)
            found[language]["batch_ratio"] = ratio
    print(json.dumps(found))


def await_champion(services: Services, project_id: int) -> None:
    """The project's labels are learnt."""
    with services.database.transaction() as session:
        enqueue(session, RETRAIN, project_id=project_id, now=services.clock())
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        with services.database.reading() as session:
            if RegistryService(session, services.clock).champion(project_id) is not None:
                return
        time.sleep(1.0)
    raise SystemExit("no model version was trained within ten minutes")


def client_of(services: Services) -> httpx.Client:
    """A program that may score."""
    with services.database.transaction() as session:
        key = AccessService(session, services.clock).create_key("live", "scorer", actor="benchmark")
    return httpx.Client(
        base_url=f"http://127.0.0.1:{services.settings.port}",
        headers={"Authorization": f"Bearer {key.key}"},
        timeout=300.0,
        trust_env=False,
        limits=httpx.Limits(max_connections=2 * CLIENTS),
    )


def new_records(language: str, count: int, seed: int) -> list[dict[str, Any]]:
    """Records that nobody has seen."""
    random = Random(f"{language} {seed}")
    return [
        {
            name: " ".join(random.choices(WORDS[language], k=8)) + f" {random.randrange(10**6)}"
            if name == FIELDS[0]
            else f"{random.choice(WORDS[language])} {random.randrange(1_000)}"
            for name in FIELDS
        }
        for _ in range(count)
    ]


def one_at_a_time(
    services: Services, client: httpx.Client, path: str, language: str, requests: int
) -> dict[str, Any]:
    """Eight clients with one record each, among labelling, training and a promotion."""
    taken: list[float] = []
    statuses: list[int] = []

    def ask(number: int) -> None:
        for turn in range(requests):
            body = {"records": new_records(language, 1, number * requests + turn)}
            begun = time.perf_counter()
            answer = client.post(path, json=body)
            taken.append(1_000 * (time.perf_counter() - begun))
            statuses.append(answer.status_code)
            if number == 0 and turn == requests // 2:
                promote_again(services, int(path.split("/")[4]))

    labelling = threading.Thread(target=post_all, args=(services, RECORDS, EVENTS), daemon=True)
    labelling.start()
    with busy_worker(services, int(path.split("/")[4])), ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(ask, range(CLIENTS)))
    labelling.join()
    return {
        "p50_ms": round(float(np.quantile(taken, 0.5)), 1),
        "p99_ms": round(float(np.quantile(taken, 0.99)), 1),
        "requests": len(taken),
        "failed_during_promotion": sum(status != httpx.codes.OK for status in statuses),
    }


def promote_again(services: Services, project_id: int) -> None:
    """Another model version, the same by content, becomes the champion."""
    with services.database.transaction() as session:
        registry = RegistryService(session, services.clock)
        champion = registry.champion(project_id)
        assert champion is not None
        number = max(each.number for each in registry.list_versions(project_id)) + 1
        copy = type(champion)(
            **{
                **champion.model_dump(exclude={"id"}),
                "number": number,
                "fingerprint": f"again {number}",
            }
        )
        session.add(copy)
        session.flush()
        registry.decide(
            copy,
            promote=True,
            reason=Message("Again."),
            evidence={},
            decided_by="benchmark",
        )


def batch_ratio(
    client: httpx.Client, path: str, language: str, batch: int, encoder: str
) -> float | None:
    """Records a second, ours over the rival's; both in turns on the same machine."""
    rival = rival_of(encoder)
    if rival is None:
        return None
    ours, theirs = 0.0, 0.0
    for turn in range(TURNS):
        records = new_records(language, batch, 10**6 + turn)
        begun = time.perf_counter()
        client.post(path, json={"records": records}).raise_for_status()
        ours += time.perf_counter() - begun
        begun = time.perf_counter()
        rival([" ".join(map(str, record.values())) for record in records])
        theirs += time.perf_counter() - begun
    return round(theirs / ours, 2)


def rival_of(encoder: str) -> Any:
    """What a user writes: the pipeline, the mean over tokens, a logistic regression."""
    from sklearn.linear_model import LogisticRegression
    from transformers import pipeline

    from active_learning.encoders.loading import transformer_folder

    folder = transformer_folder(encoder)
    if folder is None:
        return None
    embed = pipeline("feature-extraction", model=folder, device="cpu")

    def vectors(texts: Sequence[str]) -> Any:
        return np.stack([np.asarray(each[0]).mean(axis=0) for each in embed(list(texts))])

    some = [str(number) for number in range(20)]
    head = LogisticRegression(max_iter=200).fit(vectors(some), [n % 2 for n in range(20)])
    return lambda texts: head.predict_proba(vectors(texts))


if __name__ == "__main__":
    main()
