"""Ask whether the champion may label alone, and watch whether it keeps its promise."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlmodel import Session

from active_learning.acceptance import (
    AcceptedRecords,
    AcceptRule,
    audit_breach,
    certify,
    choose_accepted,
    delta_of_look,
    rows_needed,
    share_of_candidate,
)
from active_learning.types import Reason
from backend.audit.service import AuditTrail
from backend.core.clock import Clock
from backend.machine_labels import repository
from backend.machine_labels.service import AcceptanceService
from backend.machine_labels.words import promise, stricter, unlabelled_audits
from backend.models import Acceptance, ModelVersion, Project
from backend.projects.schemas import LoopPolicy
from backend.projects.service import policy_of
from backend.words import Message

GROWTH = 1.25
"""The same champion is asked again by itself when its audit sample has grown by a quarter, or by
as much as the last decision says is needed. Chosen: each look costs certainty, so there are
few."""
WATCH = "audits of machine labels"


@dataclass(frozen=True)
class AcceptanceQuestion:
    """What a decision depends on besides the records: one answer per question."""

    champion: ModelVersion
    policy: LoopPolicy
    audit: Sequence[tuple[int, str | None]]
    """(record id, grade) of the audit sample; None where people agreed on no grade."""
    generation: int
    """Of the dataset: which versions of its records are current."""
    candidates: int
    """Model versions of the project: any of them could be champion by what the audit sample showed,
    through the gate or a person's rollback, so each has its part of ``accept_delta``."""

    @property
    def share(self) -> float:
        """The champion's part of what one test may spend."""
        return share_of_candidate(self.candidates)

    @property
    def unlabelled(self) -> int:
        """Audit records without an agreed grade."""
        return sum(grade is None for _, grade in self.audit)

    def fingerprint(self) -> str:
        """Equal for equal questions."""
        content = [
            self.champion.id,
            self.policy.accept_error,
            self.policy.accept_delta,
            self.policy.accept_audit_share,
            sorted(self.audit, key=lambda pair: pair[0]),
            self.generation,
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


@dataclass(frozen=True)
class ChampionAnswers:
    """The champion on records that it did not learn from.

    ``confidence`` and ``is_right`` belong to the audit sample, also to its records that people
    agreed on no grade for: on these no grade is right. ``record_ids``, ``grades`` and
    ``pool_confidence`` to the records without a task.
    """

    confidence: NDArray[np.float64]
    is_right: NDArray[np.bool_]
    record_ids: Sequence[int]
    grades: Sequence[str]
    pool_confidence: NDArray[np.float64]


class AcceptanceDecisions:
    """Decisions about machine labels, within one transaction; every one is a new row."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._service = AcceptanceService(session, clock)

    def watch(self, project: Project) -> Acceptance | None:
        """The machine labels are withdrawn if people's checks contradict the promise, or if the
        policy asks for a stricter one now.

        The row that withdraws them; None if they stand, or there are none.
        """
        standing = self._service.standing_acceptance(project.id)
        if standing is None:
            return None
        policy = policy_of(project)
        if policy.accept_error is not None and (
            standing.target_error > policy.accept_error or standing.delta > policy.accept_delta
        ):
            words = stricter(policy.accept_error, policy.accept_delta)
            return self._service.withdraw(project, reason=words, actor=WATCH)
        checks = self._service.checks(project, standing)
        if not checks:
            return None
        breach = audit_breach(
            [check.is_right for check in checks],
            target=standing.target_error,
            delta=standing.delta,
        )
        if not breach.is_breached:
            return None
        return self._service.withdraw(
            project,
            reason=Message.of(breach.reason),
            evidence={
                "checks": breach.audits,
                "wrong": breach.errors,
                "error_at_least": breach.error_at_least,
            },
            actor=WATCH,
        )

    def why_not(self, question: AcceptanceQuestion, *, is_asked: bool) -> str | None:
        """Why the question is not put now; None if it is.

        By itself a champion is asked once, and again when its audit sample has grown enough;
        one whose labels were withdrawn is not asked again. ``is_asked``: a person wants it, so
        anything new is reason enough.
        """
        promised = (question.policy.accept_error, question.policy.accept_delta)
        earlier = [
            row
            for row in repository.about_version(self._session, question.champion.id)
            if (row.target_error, row.delta) == promised
        ]
        fingerprint = question.fingerprint()
        same = [row for row in earlier if row.evidence.get("fingerprint") == fingerprint]
        if same:
            return f"decided already: {same[-1].state}"
        if is_asked or not earlier:
            return None
        if earlier[-1].state == "withdrawn":
            return "its machine labels were withdrawn; the next champion may be accepted"
        return _too_few_new(earlier[-1], len(question.audit))

    def decide(
        self, project: Project, question: AcceptanceQuestion, answers: ChampionAnswers
    ) -> tuple[Acceptance, AcceptedRecords]:
        """The champion's labels are refused with the reason, or to be accepted from a threshold on.

        An acceptance counts once its labels are stored, see ``accept``. Every test of a project
        spends a part of the error probability, so that the chance that any of its acceptances ever
        breaks its promise stays below ``accept_delta``; each test divides its part among the model
        versions that could have been champion.
        """
        policy, target = question.policy, question.policy.accept_error
        assert target is not None
        look = repository.count_tests(self._session, project.id) + 1
        spent = question.share * delta_of_look(policy.accept_delta, look)
        rule = certify(
            answers.confidence,
            answers.is_right,
            answers.pool_confidence,
            target=target,
            delta=policy.accept_delta,
            look=look,
            share=question.share,
        )
        seed = int.from_bytes(bytes.fromhex(question.fingerprint())[:4], "big")
        chosen = choose_accepted(
            answers.pool_confidence, rule, audit_share=policy.accept_audit_share, seed=seed
        )
        standing = self._service.standing_acceptance(project.id)
        if standing is not None and rule.threshold is not None:
            stands = repository.count_labels(self._session, standing)
            if stands > len(chosen.accepted):
                rule = _refusal_beside(rule, len(chosen.accepted), stands)
                chosen = choose_accepted(answers.pool_confidence, rule, audit_share=0.0, seed=seed)
        reason = self._reason(rule, policy, question)
        row = Acceptance(
            project_id=project.id,
            model_version_id=question.champion.id,
            state="refused" if rule.threshold is None else repository.PREPARING,
            target_error=target,
            delta=policy.accept_delta,
            threshold=rule.threshold,
            evidence={
                "fingerprint": question.fingerprint(),
                "audits": rule.calibration_rows,
                "unlabelled_audits": question.unlabelled,
                "candidates": question.candidates,
                "look": look,
                "spent": spent,
                "is_test": rule.calibration_rows >= rows_needed(target, spent),
                "error_bound": rule.error_bound,
                "accepted_share": asdict(rule.accepted_share),
                "more_audits_needed": 0 if rule.is_out_of_reach else rule.more_rows_needed,
                "pool": len(answers.record_ids),
            },
            records=len(chosen.accepted),
            reason=reason,
            created_at=self._clock(),
        )
        repository.add(self._session, row)
        if rule.threshold is None:
            self._note(row)
        return row, chosen

    def accept(self, acceptance_id: int) -> Acceptance:
        """The labels of this decision, which are all stored, count from now on."""
        row = repository.accept(self._session, acceptance_id)
        self._note(row)
        return row

    def _note(self, row: Acceptance) -> None:
        AuditTrail(self._session, self._clock).append(
            "gate",
            f"acceptance.{row.state}",
            f"project:{row.project_id}",
            {
                "version": repository.version_number(self._session, row.model_version_id),
                "records": row.records,
                "audits": row.evidence["audits"],
                "reason": str(row.reason),
            },
        )

    def _reason(
        self, rule: AcceptRule, policy: LoopPolicy, question: AcceptanceQuestion
    ) -> Message:
        unlabelled = question.unlabelled
        if rule.threshold is None or policy.accept_error is None:
            if not unlabelled:
                return Message.of(rule.reason)
            return Message(
                "{reason}. {unlabelled}",
                reason=rule.reason,
                unlabelled=unlabelled_audits(unlabelled),
            )
        return Message(
            "{promise} It holds from a confidence of {threshold:.3f} on.",
            promise=promise(
                policy.accept_error, policy.accept_delta, len(question.audit), unlabelled
            ),
            threshold=rule.threshold,
        )


def _refusal_beside(rule: AcceptRule, accepted: int, stands: int) -> AcceptRule:
    """The rule that accepts nothing, because the labels that stand are more."""
    return replace(
        rule,
        threshold=None,
        reason=Reason(
            "{accepted:,} records could be accepted; the {standing:,} machine labels that stand "
            "are kept",
            accepted=accepted,
            standing=stands,
        ),
    )


def _too_few_new(last: Acceptance, audits: int) -> str | None:
    before = int(last.evidence.get("audits", 0))
    more = int(last.evidence.get("more_audits_needed", 0))
    needed = before + more if more else int(np.ceil(GROWTH * before))
    return None if audits >= needed else f"decided on {before} audits; asked again at {needed}"


def label_rows(
    acceptance_id: int, answers: ChampionAnswers, chosen: AcceptedRecords, places: Sequence[int]
) -> list[dict[str, Any]]:
    """The machine labels of the accepted records at these places, for the store."""
    audited = np.isin(places, chosen.audited).tolist()
    return [
        {
            "acceptance_id": acceptance_id,
            "record_id": answers.record_ids[place],
            "grade": answers.grades[place],
            "confidence": float(answers.pool_confidence[place]),
            "is_audited": is_audited,
        }
        for place, is_audited in zip(places, audited, strict=True)
    ]
