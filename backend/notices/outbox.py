"""What happened is put down for each receiver in the transaction in which it happens."""

import hashlib
from typing import Any

from sqlmodel import Session

from backend.core.clock import Clock
from backend.jobs.queue import enqueue_if_none_waiting
from backend.models import Batch, Decision, Job, ModelVersion, Notice, NoticeAddress, Promotion
from backend.notices import repository
from backend.notices.schemas import DELIVER, TEST, NoticeKind
from backend.web.job_names import JOB_NAMES
from backend.words import Message


class Outbox:
    """Notices to all receivers that want them, within one transaction.

    Told twice of the same thing, it is put down once.
    """

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock

    def tell_batch_finished(self, batch: Batch) -> None:
        """Every task of the batch has the answers that are wanted."""
        self._tell(
            "batch.finished",
            batch.project_id,
            key=f"batch:{batch.id}",
            said=Message("The batch of round {round} is finished.", round=batch.round),
            data={"round": batch.round},
        )

    def tell_gate_decided(
        self, promotion: Promotion, challenger: ModelVersion, champion: ModelVersion
    ) -> None:
        """The gate has promoted the challenger, or kept the champion."""
        words = (
            Message(
                "Model version {challenger} was promoted: {reason}", **_of(promotion, challenger)
            )
            if promotion.kind == "promoted"
            else Message(
                "Model version {challenger} was not promoted: {reason}",
                **_of(promotion, challenger),
            )
        )
        self._tell(
            "gate.decided",
            promotion.project_id,
            key=f"promotion:{promotion.id}",
            said=words,
            data={
                "decision": promotion.kind,
                "challenger": challenger.number,
                "champion": champion.number,
                "reason": str(promotion.reason),
            },
        )

    def tell_job_failed(self, job: Job) -> None:
        """The job has failed; of the one that delivers notices nothing is told."""
        if job.name == DELIVER:
            return
        self._tell(
            "job.failed",
            job.project_id,
            key=f"job:{job.id}:{job.attempt}",
            said=Message(
                "Job '{name}' failed: {error}",
                name=Message(JOB_NAMES.get(job.name, job.name)),
                error=job.error or "",
            ),
            data={"job_id": job.id, "name": job.name, "error": str(job.error or "")},
        )

    def tell_record_sent_back(self, project_id: int, decision: Decision, external_id: str) -> None:
        """A record goes back to be labelled again."""
        self._tell(
            "record.sent_back",
            project_id,
            key=f"decision:{decision.id}",
            said=Message(
                "Record {record} was sent back by {author}.",
                record=external_id,
                author=decision.author,
            ),
            data={
                "external_id": external_id,
                "case_id": decision.case_id,
                "author": decision.author,
                "reason": decision.reason,
            },
        )

    def test(self, address: NoticeAddress, key: str) -> Notice:
        """The receiver alone is told that this is a test; its notice."""
        made = self._add(
            address,
            TEST,
            address.project_id,
            key=f"test:{key}",
            said=Message("This is a test: notices reach {name}.", name=address.name),
            data={},
        )
        self._request_delivery()
        return made

    def _tell(
        self,
        kind: NoticeKind,
        project_id: int | None,
        *,
        key: str,
        said: Message,
        data: dict[str, Any],
    ) -> None:
        wanted = [
            address
            for address in repository.active_addresses(self._session, project_id)
            if kind in address.kinds
        ]
        for address in wanted:
            self._add(address, kind, project_id, key=key, said=said, data=data)
        if wanted:
            self._request_delivery()

    def _add(
        self,
        address: NoticeAddress,
        kind: str,
        project_id: int | None,
        *,
        key: str,
        said: Message,
        data: dict[str, Any],
    ) -> Notice:
        now = self._clock()
        notice_id = hashlib.sha256(f"{address.id}\x00{kind}\x00{key}".encode()).hexdigest()[:32]
        name = repository.project_name(self._session, project_id) if project_id else None
        made = Notice(
            id=notice_id,
            address_id=address.id,
            project_id=project_id,
            kind=kind,
            said=said,
            body={
                "id": notice_id,
                "kind": kind,
                "at": now.isoformat(),
                "project": {"id": project_id, "name": name} if project_id else None,
                "text": f"{name}: {said}" if name else str(said),
                "data": data,
            },
            next_attempt_at=now,
            created_at=now,
        )
        repository.add_if_absent(self._session, made)
        return made

    def _request_delivery(self) -> None:
        enqueue_if_none_waiting(self._session, DELIVER, now=self._clock())


def _of(promotion: Promotion, challenger: ModelVersion) -> dict[str, Any]:
    return {"challenger": challenger.number, "reason": promotion.reason}
