"""Simulated annotators at work: separate Label Studio users who answer through its API."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from backend.annotations.simulated import know_simulated
from backend.core.services import Services
from backend.demo.annotators import PROFILES, AnnotatorProfile, ShownSuggestion, answer
from backend.demo.truth import Truth
from backend.label_studio import repository as label_studio_repository
from backend.models import Prediction, Project, Record, Task
from backend.projects.service import label_schema_of
from backend.words import Message, Progress
from labeling.label_schema import LabelSchema
from labeling.label_studio.account import Account, ensure_annotator
from labeling.label_studio.annotations import Answer, build_result
from labeling.label_studio.client import TASKS_A_CALL, LabelStudioClient
from labeling.label_studio.controls import FAULTY, ISSUES

LIKELY = 0.5

TruthOf = Callable[[Record], Truth]


@dataclass(frozen=True)
class DemoAnnotator:
    """A profile with an account of its own."""

    profile: AnnotatorProfile
    account: Account


def hire_annotators(services: Services, password: str) -> list[DemoAnnotator]:
    """One Label Studio user for each profile; those that exist are kept.

    The store knows them as simulated before they answer.
    """
    client = services.label_studio
    hired = [
        DemoAnnotator(profile, ensure_annotator(client.url, client.token, profile.email, password))
        for profile in PROFILES
    ]
    with services.database.transaction() as session:
        user_ids = [annotator.account.user_id for annotator in hired]
        know_simulated(session, user_ids, services.clock())
    return hired


def label_batch(
    services: Services,
    project: Project,
    batch_id: int,
    annotators: Sequence[DemoAnnotator],
    truth_of: TruthOf,
    *,
    seed: int,
    progress: Progress,
) -> int:
    """Every annotator has answered every task of the batch once; answers given now.

    Who has answered already is read from Label Studio, so a repeat gives no second answer.
    """
    with services.database.reading() as session:
        rows = label_studio_repository.pushed_tasks(session, batch_id)
        predictions = label_studio_repository.predictions_of_batch(session, batch_id)
    answered = _answers_given(services.label_studio, project, [task for task, _ in rows])
    total = len(rows) * len(annotators)
    done = sum(len(people) for people in answered.values())
    schema = label_schema_of(project)

    def work(annotator: DemoAnnotator) -> int:
        nonlocal done
        client = LabelStudioClient(services.label_studio.url, annotator.account.token)
        count = 0
        for task, record in rows:
            if annotator.account.user_id in answered.get(task.label_studio_task_id or 0, set()):
                continue
            shown = None if task.is_audit else _suggestion_shown(predictions.get(task.id))
            body = _submission(annotator, record, truth_of(record), shown, schema, seed)
            client.create_annotation(task.label_studio_task_id or 0, body)
            count, done = count + 1, done + 1
            progress(
                min(done / total, 1.0),
                Message.ngettext(
                    "{done} of {n} answer", "{done} of {n} answers", n=total, done=done
                ),
            )
        client.close()
        return count

    with ThreadPoolExecutor(max_workers=len(annotators)) as people:
        return sum(people.map(work, annotators))


def _answers_given(
    client: LabelStudioClient, project: Project, tasks: Sequence[Task]
) -> dict[int, set[int]]:
    ids = [task.label_studio_task_id for task in tasks if task.label_studio_task_id]
    found: dict[int, set[int]] = {}
    for start in range(0, len(ids), TASKS_A_CALL):
        part = client.tasks_with_annotations(
            project.label_studio_project_id or 0, ids[start : start + TASKS_A_CALL]
        )
        for task in part:
            found[int(task["id"])] = {int(a["completed_by"]) for a in task["annotations"]}
    return found


def _suggestion_shown(prediction: Prediction | None) -> ShownSuggestion | None:
    if prediction is None:
        return None
    return ShownSuggestion(
        grade=prediction.grade,
        issues=_likely(prediction.issue_probabilities),
        faulty_fields=_likely(prediction.field_probabilities),
    )


def _likely(probabilities: Mapping[str, float]) -> tuple[str, ...]:
    return tuple(name for name, value in probabilities.items() if value >= LIKELY)


def _submission(
    annotator: DemoAnnotator,
    record: Record,
    truth: Truth,
    shown: ShownSuggestion | None,
    schema: LabelSchema,
    seed: int,
) -> dict[str, Any]:
    said = answer(
        truth,
        annotator.profile,
        grades=schema.grades,
        issues=schema.issue_values,
        seed=seed,
        suggestion=shown,
    )
    result = build_result(
        Answer(
            grade=said.grade,
            issues=said.issues,
            faulty_fields=tuple(name for name in said.faulty_fields if name in schema.fields),
            corrected_values=said.corrected,
            rationale=said.rationale,
        ),
        record.fields,
        schema,
    )
    if shown is not None:
        kept = {
            schema.grade.name: said.grade == shown.grade,
            ISSUES: set(said.issues) == set(shown.issues),
            FAULTY: set(said.faulty_fields) == set(shown.faulty_fields),
        }
        for region in result:
            if region["from_name"] in kept:
                is_kept = kept[region["from_name"]]
                region["origin"] = "prediction" if is_kept else "prediction-changed"
    return {"result": result, "lead_time": said.seconds}
