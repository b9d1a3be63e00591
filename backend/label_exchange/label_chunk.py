"""Some tasks of a Label Studio export: records, tasks and revisions, in one transaction."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlmodel import Session

from backend.annotations.intake import AnnotationIntake
from backend.core.clock import Clock
from backend.ingestion.schemas import Reject, short_value
from backend.label_exchange import import_repository
from backend.label_exchange.people import People
from backend.label_exchange.places import RecordPlaces, TaskPlaces
from backend.label_exchange.task_file import ImportedTask
from backend.models import Project, Task
from backend.projects.service import label_schema_of
from backend.records.schemas import RecordCreate
from backend.words import Message
from labeling.label_studio.annotations import ParsedAnnotation, parse_annotation
from labeling.label_studio.label_mapping import LabelMapping, translate

VIA = "import"
LARGEST_ID = 2_147_483_647
"""2**31 - 1: the store keeps Label Studio's ids in 32 bits."""


class LabelChunk:
    """Takes tasks in; ``counts`` and ``rejects`` tell what became of them."""

    def __init__(
        self,
        session: Session,
        clock: Clock,
        project: Project,
        mapping: LabelMapping,
        *,
        kind: str,
        source: str,
        import_id: int | None,
    ) -> None:
        self._session = session
        self._project_id = project.id
        self._schema = label_schema_of(project)
        self._mapping = mapping
        self._kind = kind
        self._source = source
        self._import_id = import_id
        self._intake = AnnotationIntake(session, project.id, via=VIA, now=clock())
        self._people = People(session, mapping, clock())
        self._records = RecordPlaces(session, clock, project)
        self._tasks = TaskPlaces(session, clock, project.id)
        self.counts: Counter[str] = Counter()
        self.rejects: list[Reject] = []

    def take_in(self, tasks: Sequence[ImportedTask]) -> None:
        """Every task's record is stored and every annotation has its revision, or is refused.

        A task without an annotation that can be kept is a record alone.
        """
        ours = self._tasks.ours(tasks)
        others = [task for task in tasks if task.line not in ours]
        records = self._place_records(others)
        answers = {task.line: self._answers(task, is_ours=task.line in ours) for task in tasks}
        people: Counter[int] = Counter()
        for task in others:
            if task.line in records and answers[task.line]:
                people[records[task.line]] += len(answers[task.line])
        imported, made = self._tasks.imported_tasks(dict(people))
        self.counts["tasks_new"] += made
        places = {line: task for line, task in ours.items() if answers.get(line)}
        places |= {
            task.line: imported[records[task.line]]
            for task in others
            if answers[task.line] and task.line in records
        }
        kept = self._answers_to_keep(places, answers)
        counts = self._intake.apply_to(kept, {each.task_id: each.task_id for each in kept})
        self.counts["annotations_new"] += counts.created
        self.counts["annotations_updated"] += counts.updated
        self.counts["annotations_unchanged"] += len(kept) - counts.total

    def _place_records(self, tasks: Sequence[ImportedTask]) -> dict[int, int]:
        """Line to record id; tasks of one record are stored one after the other."""
        placed: dict[int, int] = {}
        part: dict[str, tuple[ImportedTask, RecordCreate]] = {}

        def store() -> None:
            lines, counts = self._records.place(
                [task for task, _ in part.values()],
                [made for _, made in part.values()],
                import_id=self._import_id,
            )
            placed.update(lines)
            self.counts["records_new"] += counts.new
            self.counts["records_changed"] += counts.changed
            self.counts["records_unchanged"] += counts.unchanged
            part.clear()

        for task in tasks:
            try:
                made = RecordCreate(
                    external_id=task.external_id,
                    kind=task.kind or self._kind,
                    fields=task.fields,
                    source=self._source,
                )
            except UnicodeEncodeError:
                self._reject(
                    task.line, "data", None, Message("a text with half a character cannot be kept")
                )
                continue
            if task.external_id in part:
                store()
                self._session.flush()
                self._session.expire_all()
            part[task.external_id] = (task, made)
        if part:
            store()
        return placed

    def _answers(self, task: ImportedTask, *, is_ours: bool) -> list[ParsedAnnotation]:
        found = []
        for number, raw in enumerate(task.annotations, start=1):
            self.counts["annotations_read"] += 1
            name = f"annotation {raw.get('id', f'number {number}')}"
            parsed, problems = self._parse(task, raw, is_ours=is_ours)
            if parsed is None or problems:
                self._reject(task.line, name, raw.get("result"), "; ".join(problems))
            else:
                found.append(parsed)
        return found

    def _parse(
        self, task: ImportedTask, raw: Mapping[str, Any], *, is_ours: bool
    ) -> tuple[ParsedAnnotation | None, list[str]]:
        number = raw.get("id")
        if not isinstance(number, int) or not 0 < abs(number) < LARGEST_ID:
            return None, [f"its id {number!r} is no id of Label Studio"]
        if "\\u0000" in json.dumps(raw.get("result")):
            return None, ["a NUL character cannot be kept"]
        regions, problems = translate(
            raw.get("result"),
            self._mapping,
            self._schema,
            task.fields,
            table_fields=task.table_fields,
        )
        updated_by = raw.get("updated_by")
        snapshot = raw.get("prediction")
        told = {
            **raw,
            "result": regions,
            "completed_by": None,
            "updated_by": updated_by if is_ours or self._mapping.same_server else None,
            "prediction": snapshot if isinstance(snapshot, dict) else None,
        }
        try:
            parsed = parse_annotation(told, self._schema, task_id=task.line)
        except (KeyError, ValueError) as error:
            return None, [f"it cannot be read: {error}"]
        problems += [each for each in parsed.problems if each not in problems]
        person = self._people.user_id(raw.get("completed_by"), is_ours=is_ours)
        return (
            replace(
                parsed,
                label_studio_id=number if is_ours else _id_of_imported(number),
                annotator_id=person,
                result=raw.get("result"),
            ),
            problems,
        )

    def _answers_to_keep(
        self, places: Mapping[int, Task], answers: Mapping[int, Sequence[ParsedAnnotation]]
    ) -> list[ParsedAnnotation]:
        """The answers with our task ids; those whose id another one has already are refused."""
        ids = [each.label_studio_id for line in places for each in answers[line]]
        known = import_repository.places_of(self._session, self._project_id, ids)
        kept: list[ParsedAnnotation] = []
        for line, task in places.items():
            for each in answers[line]:
                before = known.setdefault(each.label_studio_id, (task.id, each.created_at))
                if before == (task.id, each.created_at) or each.label_studio_id > 0:
                    kept.append(replace(each, task_id=task.id))
                else:
                    self._reject(
                        line,
                        f"annotation {-each.label_studio_id}",
                        each.grade,
                        Message(
                            "an annotation with that id was imported from another Label Studio; "
                            "import this file into a project of its own"
                        ),
                    )
        return kept

    def _reject(self, line: int, field: str, value: object, reason: str) -> None:
        self.rejects.append(Reject(line=line, field=field, value=short_value(value), reason=reason))


def _id_of_imported(number: int) -> int:
    """The id under which an annotation of another Label Studio is kept: below zero.

    Our own Label Studio gives out ids from 1 upwards. An export of Assay may hold ids below zero,
    which get a place far from the others.
    """
    return -number if number > 0 else -(LARGEST_ID + number)
