"""Write revisions: each exactly once, whatever came before, twice or late."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlmodel import Session

from backend.annotations import repository
from backend.annotations.revisions import (
    HELD,
    SyncCounts,
    deletion_row,
    identity_of,
    revision_row,
    user_ids,
)
from backend.loop import revision_repository
from backend.models import Annotation
from labeling.label_studio.annotations import ParsedAnnotation
from labeling.label_studio.sync import TaskSnapshot


class AnnotationIntake:
    """Takes annotations of one project into the store, within one transaction."""

    def __init__(self, session: Session, project_id: int, *, via: str, now: datetime) -> None:
        self._session = session
        self._project_id = project_id
        self._via = via
        self._now = now
        repository.lock_intake(session, project_id)

    def apply(self, annotations: Sequence[ParsedAnnotation]) -> tuple[SyncCounts, list[int]]:
        """Each annotation's revision is in the store once.

        Returns what was written, and the Label Studio ids of tasks that are not ours.
        """
        tasks = repository.task_ids_by_label_studio_id(
            self._session, self._project_id, sorted({a.task_id for a in annotations})
        )
        ours = [parsed for parsed in annotations if parsed.task_id in tasks]
        foreign = sorted({parsed.task_id for parsed in annotations} - tasks.keys())
        rows, counts = self._new_revisions(ours, tasks)
        repository.add_revisions(self._session, rows)
        return counts, foreign

    def apply_to(
        self,
        annotations: Sequence[ParsedAnnotation],
        tasks: Mapping[int, int],
        identities: Mapping[int, str] = MappingProxyType({}),
    ) -> SyncCounts:
        """Each annotation's revision is in the store once; nothing is ever deleted.

        ``tasks`` maps the annotations' ``task_id`` to our tasks, for tasks that Label Studio does
        not hold; ``identities`` an annotation's id to the identity of its revision, where that is
        not the moment of its change. User ids without an annotator get one, as from Label Studio.
        """
        rows, counts = self._new_revisions(annotations, tasks, identities)
        repository.add_revisions(self._session, rows)
        return counts

    def reconcile(
        self, snapshots: Sequence[TaskSnapshot], *, read_from: datetime
    ) -> tuple[SyncCounts, list[int]]:
        """For these tasks the store holds exactly what Label Studio held when it was read.

        New and changed annotations get a revision, vanished ones a deletion. ``read_from``
        is our clock before the reading began: what the store learnt later, from a webhook,
        the snapshots cannot know, so they have no say about it. Returns what was written,
        and the Label Studio ids of tasks that are not ours.
        """
        tasks = repository.task_ids_by_label_studio_id(
            self._session, self._project_id, [s.task_id for s in snapshots]
        )
        ours = [snapshot for snapshot in snapshots if snapshot.task_id in tasks]
        held = [parsed for snapshot in ours for parsed in snapshot.annotations]
        current = {
            row.label_studio_annotation_id: row
            for row in revision_repository.current_revisions(
                self._session,
                self._project_id,
                task_ids=[tasks[s.task_id] for s in ours],
                include_deleted=True,
            )
        }
        current = {
            annotation_id: row
            for annotation_id, row in current.items()
            if row.received_at < read_from
        }
        rows, counts = self._new_revisions(held, tasks)
        repository.add_revisions(self._session, rows)
        returned, restored = self._restorations(ours, tasks, current)
        vanished = self._deletions(ours, tasks, current)
        repository.add_revisions(self._session, [*returned, *vanished])
        foreign = sorted({s.task_id for s in snapshots} - tasks.keys())
        return counts + restored + SyncCounts(deleted=len(vanished)), foreign

    def delete_tasks(self, label_studio_task_ids: Sequence[int]) -> SyncCounts:
        """These tasks are gone from Label Studio: so are their annotations, as revisions."""
        tasks = repository.task_ids_by_label_studio_id(
            self._session, self._project_id, label_studio_task_ids
        )
        ids = list(tasks.values())
        current = revision_repository.current_revisions(
            self._session, self._project_id, task_ids=ids
        )
        numbers = self._next_revisions([row.label_studio_annotation_id for row in current])
        rows = [self._deletion(row, self._now, numbers) for row in current]
        repository.add_revisions(self._session, rows)
        gone = repository.mark_tasks_deleted(self._session, ids, self._now)
        return SyncCounts(deleted=len(rows), tasks_deleted=gone)

    def _new_revisions(
        self,
        annotations: Sequence[ParsedAnnotation],
        tasks: Mapping[int, int],
        identities: Mapping[int, str] = MappingProxyType({}),
    ) -> tuple[list[dict[str, Any]], SyncCounts]:
        known = repository.known_identities(
            self._session, self._project_id, sorted({a.label_studio_id for a in annotations})
        )
        annotators = self._annotators(annotations)
        rows: list[dict[str, Any]] = []
        created = updated = 0
        for parsed in sorted(annotations, key=lambda a: (a.updated_at, a.label_studio_id)):
            revisions = known.setdefault(parsed.label_studio_id, {})
            identity = identities.get(parsed.label_studio_id, identity_of(parsed.updated_at))
            if identity in revisions:
                continue
            created += not revisions
            updated += bool(revisions)
            revisions[identity] = max(revisions.values(), default=0) + 1
            rows.append(
                revision_row(
                    parsed,
                    project_id=self._project_id,
                    task_id=tasks[parsed.task_id],
                    revision=revisions[identity],
                    annotators=annotators,
                    via=self._via,
                    now=self._now,
                    identity=identity,
                )
            )
        return rows, SyncCounts(created=created, updated=updated)

    def _restorations(
        self,
        snapshots: Sequence[TaskSnapshot],
        tasks: Mapping[int, int],
        current: Mapping[int, Annotation],
    ) -> tuple[list[dict[str, Any]], SyncCounts]:
        """Annotations that the store calls deleted but Label Studio still holds."""
        restored = [
            (parsed, row.revised_at)
            for snapshot in snapshots
            for parsed in snapshot.annotations
            if (row := current.get(parsed.label_studio_id)) is not None
            and row.is_deleted
            and parsed.updated_at <= row.revised_at
        ]
        annotators = self._annotators([parsed for parsed, _ in restored])
        numbers = self._next_revisions([parsed.label_studio_id for parsed, _ in restored])
        rows = [
            revision_row(
                parsed,
                project_id=self._project_id,
                task_id=tasks[parsed.task_id],
                revision=numbers[parsed.label_studio_id],
                annotators=annotators,
                via=self._via,
                now=self._now,
                identity=f"{HELD}:{numbers[parsed.label_studio_id]}",
                revised_at=revised_at,
            )
            for parsed, revised_at in restored
        ]
        return rows, SyncCounts(updated=len(rows))

    def _deletions(
        self,
        snapshots: Sequence[TaskSnapshot],
        tasks: Mapping[int, int],
        current: Mapping[int, Annotation],
    ) -> list[dict[str, Any]]:
        moved = {tasks[s.task_id]: s.updated_at for s in snapshots}
        held = {a.label_studio_id for s in snapshots for a in s.annotations}
        gone = [row for key, row in current.items() if key not in held and not row.is_deleted]
        numbers = self._next_revisions([row.label_studio_annotation_id for row in gone])
        return [self._deletion(row, moved[row.task_id], numbers) for row in gone]

    def _deletion(
        self, row: Annotation, deleted_at: datetime, numbers: Mapping[int, int]
    ) -> dict[str, Any]:
        return deletion_row(
            row,
            revision=numbers[row.label_studio_annotation_id],
            deleted_at=deleted_at,
            via=self._via,
            now=self._now,
        )

    def _next_revisions(self, annotation_ids: Sequence[int]) -> dict[int, int]:
        """Annotation that has revisions to the number of its next one."""
        known = repository.known_identities(self._session, self._project_id, annotation_ids)
        return {key: max(known[key].values()) + 1 for key in annotation_ids}

    def _annotators(self, annotations: Sequence[ParsedAnnotation]) -> dict[int, int]:
        wanted = user_ids(annotations)
        if not wanted:
            return {}
        known = repository.annotator_ids(self._session, wanted)
        missing = wanted - known.keys()
        if missing:
            repository.add_annotators(self._session, missing, self._now)
            known = repository.annotator_ids(self._session, wanted)
        return known
