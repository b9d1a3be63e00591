"""Real webhooks, lost, doubled, shuffled, forged: the store ends equal to Label Studio."""

import json
from collections import Counter
from random import Random

import httpx
import pytest
from sqlmodel import col, select

from backend.models import Annotation, Batch, Project, Task, WebhookEvent
from backend.projects.schemas import LoopPolicy
from labeling.label_schema import LabelSchema
from labeling.label_studio.annotations import Answer, build_result
from labeling.label_studio.client import LabelStudioClient
from labeling.label_studio.webhooks import SECRET_HEADER
from tests.e2e.stack import SECRET, Stack, seed_project
from tests.e2e.test_kill_points import label, pushed_batch

pytestmark = [pytest.mark.e2e, pytest.mark.label_studio]

STEPS = 25
GRADES = ("good", "fair", "poor")


def annotate_at_random(
    clients: list[LabelStudioClient], tasks: list[int], schema: LabelSchema, random: Random
) -> None:
    """People submit, change, skip and delete, in any order."""
    made: list[int] = []

    def result() -> list[dict[str, object]]:
        return build_result(Answer(random.choice(GRADES), ("typo",)), {}, schema)

    for _ in range(STEPS):
        client, action = random.choice(clients), random.random()
        if not made or action < 0.5:
            task = random.choice(tasks)
            made.append(client.create_annotation(task, {"result": result()})["id"])
        elif action < 0.6:
            task = random.choice(tasks)
            client.create_annotation(task, {"result": [], "was_cancelled": True})
        elif action < 0.85:
            client.update_annotation(random.choice(made), {"result": result()})
        else:
            client.delete_annotation(made.pop(random.randrange(len(made))))


def post_event(stack: Stack, body: str | bytes, secret: str = SECRET) -> httpx.Response:
    return httpx.post(
        f"http://127.0.0.1:{stack.port}/webhooks/label-studio",
        content=body,
        headers={SECRET_HEADER: secret, "Content-Type": "application/json"},
        timeout=10,
        trust_env=False,
    )


def test_events_lost_doubled_and_shuffled_end_equal(
    stack: Stack,
    label_studio_client: LabelStudioClient,
    annotator_clients: list[LabelStudioClient],
) -> None:
    services, random = stack.services(), Random(3)
    policy = LoopPolicy(batch_size=10, audit_share=0.2, annotators_per_record=9)
    project, _ = seed_project(services, records=30, policy=policy, name="reconcile")
    schema = LabelSchema.model_validate(project.label_schema)
    stack.start("serve")
    stack.start("worker")
    stack.until(pushed_batch(services, 1), "batch 1 is pushed")
    with services.database.reading() as session:
        tasks = [t.label_studio_task_id or 0 for t in session.exec(select(Task))]

    annotate_at_random(annotator_clients, tasks[:8], schema, random)  # heard
    stack.kill("serve")
    annotate_at_random(annotator_clients, tasks[:8], schema, random)  # nobody listens
    stack.start("serve")
    annotate_at_random(annotator_clients, tasks[:8], schema, random)  # heard again
    label_studio_client.delete_task(tasks[9])
    with services.database.reading() as session:
        bodies = [event.body for event in session.exec(select(WebhookEvent))]
    assert bodies
    again = bodies + random.sample(bodies, k=len(bodies) // 2)
    random.shuffle(again)
    assert {post_event(stack, body).status_code for body in again} == {202}

    def is_quiet() -> bool:
        with services.database.reading() as session:
            waiting = session.exec(
                select(WebhookEvent.id).where(WebhookEvent.status == "received")
            ).first()
        return waiting is None

    stack.until(is_quiet, "every event is applied")
    synced = stack.run("sync", "reconcile", "--full")
    assert synced.returncode == 0, synced.stderr
    verified = stack.run("verify", "--json")
    assert json.loads(verified.stdout)[0]["differences"] == []
    assert verified.returncode == 0
    with services.database.reading() as session:
        rows = session.exec(select(Annotation)).all()
        gone = session.exec(select(Task).where(Task.label_studio_task_id == tasks[9])).one()
        assert len(session.exec(select(Batch)).all()) == 1
        assert len(session.exec(select(Project)).all()) == 1
    assert gone.deleted_at is not None
    numbers = Counter((row.label_studio_annotation_id, row.revision) for row in rows)
    identities = Counter((row.label_studio_annotation_id, row.identity) for row in rows)
    assert set(numbers.values()) == set(identities.values()) == {1}
    assert {row.via for row in rows} == {"webhook", "sync"}


def test_an_answer_whose_webhook_was_lost_keeps_the_suggestion_that_was_seen(
    stack: Stack, annotator_clients: list[LabelStudioClient]
) -> None:
    services = stack.services()
    policy = LoopPolicy(batch_size=16, audit_share=0.25)
    project, truths = seed_project(services, records=60, policy=policy, name="unheard")
    stack.start("worker")  # and no API: every webhook is lost
    stack.until(pushed_batch(services, 1), "batch 1 is pushed")
    label(services, project.id, 1, truths)
    second = stack.until(pushed_batch(services, 2), "batch 2 is pushed")
    with services.database.reading() as session:
        tasks = session.exec(select(Task).where(Task.batch_id == second.id)).all()
    schema = LabelSchema.model_validate(project.label_schema)
    result = build_result(Answer("poor"), {}, schema)
    shown, blind = (next(t for t in tasks if t.is_audit is audit) for audit in (False, True))
    made = {
        task.id: annotator_clients[0].create_annotation(
            task.label_studio_task_id or 0, {"result": result}
        )["id"]
        for task in (shown, blind)
    }

    def rows() -> list[Annotation] | None:
        with services.database.reading() as session:
            found = session.exec(
                select(Annotation)
                .where(col(Annotation.label_studio_annotation_id).in_(made.values()))
                .order_by(col(Annotation.label_studio_annotation_id))
            ).all()
        return list(found) if len(found) == len(made) else None

    seen, unseen = stack.until(rows, "the sync found both answers")
    assert (seen.task_id, seen.via) == (shown.id, "sync")
    assert seen.prediction_snapshot is not None
    assert seen.prediction_snapshot["model_version"] == "v1"
    assert (unseen.task_id, unseen.prediction_snapshot) == (blind.id, None)


def test_what_is_not_label_studios_is_refused_and_said(stack: Stack) -> None:
    services = stack.services()
    stack.start("serve")
    wrong = post_event(stack, '{"action": "TASKS_CREATED"}', secret="guess")
    assert (wrong.status_code, wrong.json()["field"]) == (401, SECRET_HEADER)
    malformed = post_event(stack, b"{not json")
    assert (malformed.status_code, malformed.json()["field"]) == (422, "body")
    assert malformed.headers["content-type"] == "application/problem+json"
    assert "remedy" in malformed.json()
    with services.database.reading() as session:
        assert session.exec(select(WebhookEvent)).all() == []
    stranger = post_event(stack, '{"action": "TASKS_CREATED", "project": {"id": 99999}}')
    assert stranger.status_code == 202
    with services.database.reading() as session:
        event = session.exec(select(WebhookEvent)).one()
    assert event.status == "ignored"
    assert "99999" in (event.note or "")
