"""Some tasks of a Label Studio export: records, tasks and revisions, in one transaction."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlmodel import Session

from backend.annotations.intake import AnnotationIntake
from backend.core.clock import Clock
from backend.ingestion.schemas import Reject, short_value
from backend.label_exchange import import_repository
from backend.label_exchange.answer_reading import AnswerReader
from backend.label_exchange.import_repository import AnnotationPlace
from backend.label_exchange.people import People
from backend.label_exchange.places import RecordPlaces, TaskPlaces, imported_key
from backend.label_exchange.retelling import retold
from backend.label_exchange.task_file import ImportedTask
from backend.models import Project
from backend.projects.service import label_schema_of
from backend.records.schemas import RecordCreate
from backend.words import Message
from labeling.label_studio.annotations import ParsedAnnotation
from labeling.label_studio.label_mapping import LabelMapping

VIA = "import"


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
        self._kind = kind
        self._source = source
        self._import_id = import_id
        self._intake = AnnotationIntake(session, project.id, via=VIA, now=clock())
        people = People(session, mapping, clock())
        self._reader = AnswerReader(mapping, label_schema_of(project), people)
        self._records = RecordPlaces(session, clock, project)
        self._tasks = TaskPlaces(session, clock, project.id)
        self.counts: Counter[str] = Counter()
        self.rejects: list[Reject] = self._reader.rejects

    def take_in(self, tasks: Sequence[ImportedTask]) -> None:
        """Every task's record is stored and every annotation has its revision, or is refused.

        A task without an annotation that can be kept is a record alone.
        """
        ours = self._tasks.ours(tasks)
        others = [task for task in tasks if task.line not in ours]
        records = self._place_records(others)
        names = {task.line: task.external_id for task in tasks}
        keys = {line: task.key for line, task in ours.items()}
        keys |= {line: imported_key(self._project_id, made) for line, made in records.items()}
        answers = {
            task.line: self._reader.read(task, is_ours=task.line in ours)
            for task in tasks
            if task.line in keys
        }
        self.counts["annotations_read"] += sum(len(task.annotations) for task in tasks)
        answers = self._answers_of_here(answers, keys, names)
        people: Counter[int] = Counter()
        for line, record in records.items():
            people[record] += len(answers[line])
        imported, made = self._tasks.imported_tasks(dict(+people))
        self.counts["tasks_new"] += made
        places = {
            **ours,
            **{line: imported[each] for line, each in records.items() if people[each]},
        }
        kept = [
            replace(each, task_id=places[line].id) for line in answers for each in answers[line]
        ]
        counts = self._intake.apply_to(
            kept,
            {each.task_id: each.task_id for each in kept},
            retold(self._session, self._project_id, kept),
        )
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
                self._reject(task.line, *_half_character(task))
                continue
            if task.external_id in part:
                store()
                self._session.flush()
                self._session.expire_all()
            part[task.external_id] = (task, made)
        if part:
            store()
        return placed

    def _answers_of_here(
        self,
        answers: Mapping[int, Sequence[ParsedAnnotation]],
        keys: Mapping[int, str],
        names: Mapping[int, str],
    ) -> dict[int, list[ParsedAnnotation]]:
        """The answers by line, without those whose id belongs to another one already."""
        ids = [each.label_studio_id for line in answers for each in answers[line]]
        known = import_repository.places_of(self._session, self._project_id, ids)
        kept: dict[int, list[ParsedAnnotation]] = {}
        for line in answers:
            kept[line] = []
            for each in answers[line]:
                here = AnnotationPlace(keys[line], names[line], each.created_at)
                before = known.setdefault(each.label_studio_id, here)
                if before.is_that_of(here) or each.label_studio_id > 0:
                    kept[line].append(each)
                else:
                    number = -each.label_studio_id
                    self._reject(
                        line, f"annotation {number}", each.grade, _why_not_here(before, here)
                    )
        return kept

    def _reject(self, line: int, field: str, value: object, reason: str) -> None:
        self.rejects.append(Reject(line=line, field=field, value=short_value(value), reason=reason))


def _why_not_here(before: AnnotationPlace, here: AnnotationPlace) -> str:
    """Why the id is another annotation's."""
    if before.annotated_at != here.annotated_at:
        return Message(
            "an annotation with that id was imported from another Label Studio, made at {moment}: "
            "import this file into a project of its own",
            moment=before.annotated_at.isoformat(sep=" ", timespec="seconds"),
        )
    if before.external_id != here.external_id:
        return Message(
            "it is the answer about record {before!r} already, and here about {here!r}: name the "
            "same records (record.external_id in the mapping)",
            before=before.external_id,
            here=here.external_id,
        )
    return Message(
        "it is the answer about other content of record {record!r} already: name the same fields "
        "(record.fields in the mapping), or import into a project of its own",
        record=here.external_id,
    )


def _half_character(task: ImportedTask) -> tuple[str, object, str]:
    """Field, value and reason."""
    texts = {"external_id": task.external_id, **task.fields}
    broken = [name for name, text in texts.items() if not _is_whole(f"{name}{text}")]
    where = f"data.{broken[0]}" if broken else "data"
    return (
        where,
        texts.get(broken[0] if broken else ""),
        Message("a text with half a character cannot be kept: export it again as UTF-8"),
    )


def _is_whole(text: str) -> bool:
    return text.encode("utf-8", "replace").decode() == text
