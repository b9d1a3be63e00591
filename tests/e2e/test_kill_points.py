"""kill -9 at every step of the loop: it goes on, nothing is lost, nothing is there twice."""

from collections import Counter
from collections.abc import Callable

import pytest
from sqlmodel import select

from backend.core.services import Services
from backend.demo.simulation import hire_annotators, label_batch
from backend.demo.truth import Truth
from backend.models import Annotation, Batch, ModelVersion, Project, Task
from backend.projects.schemas import LoopPolicy
from labeling.label_studio.client import LabelStudioClient
from tests.e2e.stack import Stack, seed_project, truth_of
from tests.fixtures.label_studio import PASSWORD

pytestmark = [pytest.mark.e2e, pytest.mark.label_studio]

CLIENT = "labeling.label_studio.client:LabelStudioClient"

# In the order in which the loop passes them; one process dies at each.
BEFORE_THE_FIRST_BATCH = (
    "backend.selection.batch:_store_batch@before",
    "backend.selection.batch:_store_batch@after",
    f"{CLIENT}:create_project@after",  # between Label Studio's commit and ours
    f"{CLIENT}:upsert_webhook@after",
    f"{CLIENT}:import_tasks@before",
    f"{CLIENT}:import_tasks@after",  # between Label Studio's commit and ours
    "backend.label_studio.repository:set_label_studio_ids@after",
    "backend.label_studio.repository:mark_batch_pushed@after",
)
# Half of the answers: no training can start, else it would end while the sync awaits its time.
AFTER_SOME_ANSWERS = (
    "backend.annotations.service:AnnotationsService:apply_events@before",
    "backend.annotations.service:AnnotationsService:apply_events@after",
    "backend.label_studio.repository:move_cursor@before",
    "backend.label_studio.sync:_apply_snapshots@after",  # a part is in, the cursor moved
    "backend.label_studio.repository:mark_synced@before",
)
AFTER_ALL_ANSWERS = (
    "backend.features.store:FeatureStore:pool@after",
    "backend.training.challenger:save_artifact@before",
    "backend.training.challenger:save_artifact@after",  # written, not registered
    "backend.registry.service:RegistryService:decide@before",
    "backend.training.challenger:ChallengerTraining:_publish@after",  # the loop not continued
    "backend.selection.batch:_choose@after",
    f"{CLIENT}:import_tasks@after",
)
ON_POSTGRESQL = (
    "backend.selection.batch:_store_batch@after",
    f"{CLIENT}:import_tasks@after",
    "backend.training.challenger:save_artifact@after",
)
IN_THE_WEBHOOK = (
    "backend.annotations.service:AnnotationsService:receive@before",
    "backend.annotations.service:AnnotationsService:receive@after",
)


def pushed_batch(services: Services, round_number: int) -> Callable[[], Batch | None]:
    def find() -> Batch | None:
        with services.database.reading() as session:
            batch = session.exec(select(Batch).where(Batch.round == round_number)).one_or_none()
        return batch if batch and batch.pushed_at else None

    return find


def die_at(stack: Stack, point: str, *, worker_id: str = "one") -> None:
    """A worker runs until it has killed itself at ``point``."""
    stack.start("worker", dying_at=point, worker_id=worker_id)
    process = stack.processes[f"worker-{worker_id}"]
    stack.until(lambda: process.poll() is not None, f"dies at {point}")
    assert process.returncode == -9, f"{point} was not reached: {process.returncode}"


def label(
    services: Services,
    project_id: int,
    round_number: int,
    truths: dict[str, Truth],
    *,
    annotators: int = 2,
) -> None:
    """So many people have answered every task of that round."""
    with services.database.reading() as session:
        project = session.get(Project, project_id)
        batch = session.exec(select(Batch).where(Batch.round == round_number)).one()
    assert project is not None
    label_batch(
        services,
        project,
        batch.id,
        hire_annotators(services, PASSWORD)[:annotators],
        truth_of(truths),
        seed=1,
        progress=lambda _share, _text: None,
    )


def assert_nothing_lost_nothing_twice(
    stack: Stack, services: Services, client: LabelStudioClient, rounds: int
) -> None:
    verified = stack.run("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    with services.database.reading() as session:
        project = session.exec(select(Project)).one()
        tasks = session.exec(select(Task)).all()
        batches = session.exec(select(Batch)).all()
        versions = session.exec(select(ModelVersion)).all()
        annotations = session.exec(select(Annotation)).all()
    label_studio_id = project.label_studio_project_id
    assert label_studio_id is not None
    assert sorted(batch.round for batch in batches) == list(range(1, rounds + 1))
    assert len({task.record_id for task in tasks}) == len(tasks)
    found = client.find_tasks(label_studio_id, [task.key for task in tasks])
    assert all(len(ids) == 1 for ids in found.values())
    assert len(found) == len(tasks) == client.count_tasks(label_studio_id)
    seen = Counter((row.label_studio_annotation_id, row.identity) for row in annotations)
    assert set(seen.values()) <= {1}
    assert len({version.fingerprint for version in versions}) == len(versions)
    marker = client.get_project(label_studio_id)["description"]
    same = [
        p
        for p in client._get_json("/api/projects", {"page_size": 10_000})["results"]
        if p["description"] == marker
    ]
    assert len(same) == 1
    hooks = client._send("GET", "/api/webhooks/", params={"project": label_studio_id}).json()
    assert len(hooks) == 1


def test_kill_9_of_the_worker_at_twenty_points(
    stack: Stack, label_studio_client: LabelStudioClient
) -> None:
    services = stack.services()
    policy = LoopPolicy(batch_size=16, audit_share=0.25, annotators_per_record=2)
    project, truths = seed_project(services, records=120, policy=policy, name="kill points")
    stack.start("serve")
    for point in BEFORE_THE_FIRST_BATCH:
        die_at(stack, point)
    stack.start("worker")
    stack.until(pushed_batch(services, 1), "batch 1 is pushed")
    stack.kill("worker-one")
    label(services, project.id, 1, truths, annotators=1)
    for point in AFTER_SOME_ANSWERS:
        die_at(stack, point)
    label(services, project.id, 1, truths)
    for point in AFTER_ALL_ANSWERS:
        die_at(stack, point)
    stack.start("worker")
    stack.until(pushed_batch(services, 2), "batch 2 is pushed")
    label(services, project.id, 2, truths)
    stack.until(pushed_batch(services, 3), "batch 3 is pushed")
    assert_nothing_lost_nothing_twice(stack, services, label_studio_client, rounds=3)


def test_kill_9_of_the_api_within_a_webhook(
    stack: Stack, label_studio_client: LabelStudioClient
) -> None:
    services = stack.services()
    policy = LoopPolicy(batch_size=12, audit_share=0.25, annotators_per_record=2)
    project, truths = seed_project(services, records=60, policy=policy, name="api kills")
    stack.start("worker")
    for round_number, point in enumerate(IN_THE_WEBHOOK, start=1):
        stack.start("serve", dying_at=f"{point}#3")
        stack.until(pushed_batch(services, round_number), f"batch {round_number} is pushed")
        # Label Studio goes on though nobody listens; the sync finds what the webhooks lost.
        label(services, project.id, round_number, truths)
        assert stack.processes["serve"].wait(10) == -9
    stack.until(pushed_batch(services, 3), "batch 3 is pushed, by the sync alone")
    stack.start("serve")
    assert_nothing_lost_nothing_twice(stack, services, label_studio_client, rounds=3)


@pytest.mark.postgres
def test_two_workers_on_postgresql_take_over_from_each_other(
    team_stack: Stack, label_studio_client: LabelStudioClient
) -> None:
    stack, services = team_stack, team_stack.services()
    policy = LoopPolicy(batch_size=16, audit_share=0.25, annotators_per_record=2)
    project, truths = seed_project(services, records=80, policy=policy, name="take over")
    stack.start("serve")
    choice, push, training = ON_POSTGRESQL
    die_at(stack, choice, worker_id="one")
    die_at(stack, push, worker_id="two")  # it has taken over from the first
    stack.start("worker", worker_id="one")
    stack.until(pushed_batch(services, 1), "the first takes the push over from the second")
    stack.kill("worker-one")
    label(services, project.id, 1, truths)
    die_at(stack, training, worker_id="two")
    for worker_id in ("one", "two"):
        stack.start("worker", worker_id=worker_id)
    stack.until(pushed_batch(services, 2), "batch 2 is pushed")
    label(services, project.id, 2, truths)
    stack.until(pushed_batch(services, 3), "batch 3 is pushed")
    assert_nothing_lost_nothing_twice(stack, services, label_studio_client, rounds=3)
    services.database.dispose()
