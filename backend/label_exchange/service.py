"""Exported labels with their lineage, a page of tasks in memory at a time."""

from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version

from sqlmodel import Session

from backend.core.clock import Clock
from backend.core.exceptions import InvalidInput, NotAllowed
from backend.core.security import Principal
from backend.ingestion.values import parse_time
from backend.label_exchange import repository
from backend.label_exchange.lineage import Lineage, annotation_row, label_row
from backend.label_exchange.schemas import AnnotationRow, ExportRequest, LabelRow
from backend.loop.answer_repository import answers_of
from backend.loop.answers import RecordAnswers
from backend.models import Dataset, Project, Record, Task
from backend.projects.service import label_schema_of, policy_of
from backend.words import Message

Row = LabelRow | AnnotationRow


class Exports:
    """Labels of one project within one session."""

    def __init__(self, session: Session, clock: Clock, project: Project) -> None:
        self._session = session
        self._clock = clock
        self._project = project
        self._project_id = project.id
        self._dataset = repository.dataset(session, project.dataset_id)
        self._versions: dict[int, int] = {}

    @classmethod
    def at_one_moment(cls, session: Session, clock: Clock, project: Project) -> "Exports":
        """The same, as the store is now, whatever is written meanwhile; the session is new."""
        repository.take_snapshot(session)
        return cls(session, clock, project)

    @property
    def dataset(self) -> Dataset:
        """The project's dataset."""
        return self._dataset

    def counts(self) -> dict[str, int]:
        """How many gold labels, consensus labels and annotations there are."""
        return repository.label_counts(self._session, self._project_id)

    def kinds(self) -> Sequence[str]:
        """Kinds of the dataset's records."""
        return repository.kinds(self._session, self._dataset.id)

    def check(self, request: ExportRequest) -> None:
        """The request can be answered.

        Raises:
            InvalidInput: a grade that the label schema does not have, or a confidence asked of
                answers, which have none.
        """
        grades = label_schema_of(self._project).grades
        if request.grade is not None and request.grade not in grades:
            raise InvalidInput(
                Message("The label schema has no grade {grade!r}.", grade=request.grade),
                field="grade",
                value=request.grade,
                remedy=Message("Choose one of: {grades}.", grades=grades),
            )
        if request.min_confidence is not None and request.what in {"annotations", "gold"}:
            raise InvalidInput(
                Message("{what} has no confidence to filter by.", what=request.what),
                field="min_confidence",
                value=request.min_confidence,
                remedy=Message("Ask for consensus or best, or leave min_confidence out."),
            )

    def rows(self, request: ExportRequest) -> Iterator[Row]:
        """The rows that fit, in the order of their tasks' ids (then of annotations' ids).

        Raises:
            InvalidInput: see ``check``.
        """
        self.check(request)
        lineage = self._lineage(request)
        made = (
            self._annotations(request, lineage)
            if request.what == "annotations"
            else self._labels(request, lineage)
        )
        for row in made:
            if request.grade is None or row.grade == request.grade:
                yield row

    def _labels(self, request: ExportRequest, lineage: Lineage) -> Iterator[LabelRow]:
        after, since = 0, parse_time(request.since)
        while page := repository.labelled_tasks(
            self._session,
            self._project_id,
            what=request.what,
            kind=request.kind,
            audit_only=request.audit_only,
            after=after,
        ):
            after = page[-1][0].id
            held = self._answers([task for task, _, _, _ in page])
            hashes = self._hashes([record for _, record, _, _ in page])
            for task, record, consensus, decision in page:
                is_gold = decision is not None and request.what != "consensus"
                made_at = (
                    decision.created_at
                    if is_gold and decision
                    else (consensus.computed_at if consensus else None)
                )
                is_old = since is not None and (made_at is None or made_at < since)
                sure = consensus.confidence or 0.0 if consensus else 0.0
                is_unsure = not is_gold and sure < (request.min_confidence or 0.0)
                if is_old or is_unsure:
                    continue
                yield label_row(
                    record,
                    consensus,
                    decision if is_gold else None,
                    held.get(task.id) or RecordAnswers(task, [task]),
                    lineage=lineage,
                    versions=self._versions,
                    current_hash=hashes.get(record.external_id),
                )
            self._session.expunge_all()

    def _annotations(self, request: ExportRequest, lineage: Lineage) -> Iterator[AnnotationRow]:
        after, since = 0, parse_time(request.since)
        while page := repository.tasks_with_records(
            self._session,
            self._project_id,
            kind=request.kind,
            audit_only=request.audit_only,
            after=after,
        ):
            after = page[-1][0].id
            places = {task.id: (task, record) for task, record in page}
            self._versions = repository.shown_versions(self._session, list(places))
            hashes = self._hashes([record for _, record in page])
            for row in repository.revisions(self._session, self._project_id, list(places)):
                if since is not None and row.revised_at < since:
                    continue
                task, record = places[row.task_id]
                yield annotation_row(
                    task,
                    record,
                    row,
                    lineage=lineage,
                    versions=self._versions,
                    current_hash=hashes.get(record.external_id),
                )
            self._session.expunge_all()

    def _answers(self, tasks: Sequence[Task]) -> dict[int, RecordAnswers]:
        copies = repository.copies(self._session, [task.id for task in tasks])
        every = sorted([*tasks, *copies], key=lambda task: task.id)
        ids = [task.id for task in every]
        self._versions = repository.shown_versions(self._session, ids)
        return answers_of(self._session, self._project_id, task_ids=ids)

    def _hashes(self, records: Sequence[Record]) -> dict[str, str]:
        """External id to the present content hash; only changed records are looked up."""
        changed = {row.external_id for row in records if not row.is_current}
        hashes = {
            row.external_id: row.content_hash for row in records if row.external_id not in changed
        }
        if changed:
            hashes |= repository.current_hashes(self._session, self._dataset.id, sorted(changed))
        return hashes

    def _lineage(self, request: ExportRequest) -> Lineage:
        return Lineage(
            dataset=self._dataset.name,
            annotators=repository.annotators(self._session, self._project_id),
            authors=repository.decision_authors(self._session, self._project_id),
            guidelines=repository.guidelines(self._session, self._project_id),
            has_pseudonyms=request.pseudonyms,
            is_blind_on_audit=policy_of(self._project).is_blind_on_audit,
            exported_at=self._clock(),
            assay_version=assay_version(),
        )


def check_names(principal: Principal, request: ExportRequest) -> None:
    """Only leads get to know who answered what.

    Raises:
        NotAllowed: others ask without ``pseudonyms``.
    """
    if not request.pseudonyms and not principal.may("lead"):
        raise NotAllowed(
            Message(
                "Exports with people's names need the role lead; {principal} is {role}.",
                principal=principal.name,
                role=principal.role,
            ),
            field="pseudonyms",
            value=False,
            remedy=Message("Ask with pseudonyms=true."),
        )


def assay_version() -> str:
    """The version of this program."""
    try:
        return version("assay")
    except PackageNotFoundError:
        return "0.0.0"
