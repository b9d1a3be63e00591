"""What cases there have to be, from consensus labels and whatever else asks for a decision."""

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from active_learning.label_errors import WRONG
from backend.consensus.service import ProjectLabels
from backend.core.clock import Clock
from backend.loop.answers import RecordAnswers
from backend.models import LabelFinding, Project, ReviewCase
from backend.projects.service import label_schema_of, policy_of
from backend.registry.service import RegistryService
from backend.review import repository, situation_repository
from backend.review.triage import (
    EQUAL,
    Opinion,
    RecordSituation,
    ReviewReason,
    Suspicion,
    priority_of,
    reasons_of,
)
from labeling.label_schema import LabelSchema

NO_SITUATION = RecordSituation(None, None, {}, {}, {}, votes=0, is_complete=False)
"""Of a record whose answers are all gone from the store's view."""


@dataclass(frozen=True)
class CaseChange:
    """A case that has other values now than those that it was read with."""

    version: int
    values: Mapping[str, Any]
    outcome: str
    """changed, settled or reopened"""


@dataclass(frozen=True)
class CaseChanges:
    """What the store's cases lack to be those that the evidence asks for, by first task."""

    opened: Mapping[int, dict[str, Any]]
    changed: Mapping[int, tuple[int, CaseChange]]
    """First task to the case's id and what becomes of it."""
    suspicions: Mapping[int, tuple[int, Suspicion]]
    """First task to the id of what was found about its label, and how suspect that is now."""

    @property
    def task_ids(self) -> set[int]:
        """First tasks that something changes for."""
        return {*self.opened, *self.changed, *self.suspicions}

    def write(self, session: Session, task_ids: Collection[int], now: datetime) -> Counter[str]:
        """The cases of these tasks are as they should be; how many of each outcome.

        A case that a person has changed since it was read stays: it will be looked at again.
        """
        wanted = dict(self.changed[each] for each in task_ids if each in self.changed)
        done = repository.change_cases(
            session, {case_id: (each.version, each.values) for case_id, each in wanted.items()}, now
        )
        situation_repository.put_suspicions(
            session, [self.suspicions[each] for each in task_ids if each in self.suspicions]
        )
        outcomes = Counter(wanted[case_id].outcome for case_id in done)
        outcomes["opened"] = repository.add_cases(
            session, [self.opened[each] for each in task_ids if each in self.opened]
        )
        return outcomes


def case_changes(
    session: Session,
    clock: Clock,
    project: Project,
    labels: ProjectLabels,
    task_ids: Sequence[int] | None,
) -> CaseChanges:
    """What is to be written for every reason to have its case, and every finding its probability.

    ``labels`` are of all records, or of those with these first tasks. A decided case stays
    decided until its record has a version, or an answer a value outside the schema, that its
    decision has not seen; a case whose reasons are gone is settled.
    """
    findings = _findings(session, clock, project, task_ids)
    suspicions = _suspicions(labels, findings)
    evidence = _evidence(session, project, labels, task_ids, findings, suspicions)
    cases = situation_repository.cases_by_task(session, project.id, task_ids)
    seen = situation_repository.seen_by_decisions(session, project.id, task_ids)
    kinds = situation_repository.records_of_tasks(session, project.id, task_ids)
    below, now = policy_of(project).review_below, clock()
    opened: dict[int, dict[str, Any]] = {}
    changed: dict[int, tuple[int, CaseChange]] = {}
    for task_id in sorted({*cases, *evidence}):
        each, known = evidence.get(task_id), cases.get(task_id)
        reasons = reasons_of(each, review_below=below) if each else []
        suspicion = each.suspicion if each else None
        if known is not None:
            after = _state_after(known, each or NO_SITUATION, reasons, seen)
            change = _change(known, after, reasons, suspicion)
            if change is not None and known.id is not None:
                changed[task_id] = known.id, change
        elif reasons:
            opened[task_id] = {
                "project_id": project.id,
                "task_id": task_id,
                "kind": kinds[labels.held[task_id].task.record_id][0],
                "state": "open",
                "version": 1,
                "opened_at": now,
                "changed_at": now,
                **_case_values(reasons, suspicion),
            }
    return CaseChanges(opened, changed, _changed_suspicions(findings, suspicions))


def _findings(
    session: Session, clock: Clock, project: Project, task_ids: Sequence[int] | None
) -> dict[int, LabelFinding]:
    """First task's id to what the newest assessment found about its label."""
    judge = RegistryService(session, clock).assessed_version(project.id)
    return situation_repository.findings_of(session, judge.id, task_ids) if judge else {}


def _suspicions(
    labels: ProjectLabels, findings: Mapping[int, LabelFinding]
) -> dict[int, Suspicion]:
    """First task's id to how likely its label is wrong.

    The judge's opinion and the answers make one probability, which the desk shows as confidence.
    What was found stands alone where nothing tells how often people are right, where a person
    decided, and where people say something else by now.
    """
    found = {}
    for task_id, judged in findings.items():
        each = labels.consensus.get(task_id)
        if (
            each is None
            or each.confidence is None
            or each.grade != judged.grade
            or task_id in labels.decisions
        ):
            found[task_id] = Suspicion(judged.suspicion, judged.is_suspect, judged.relabel_score)
        else:
            wrong = 1.0 - each.confidence
            found[task_id] = Suspicion(wrong, wrong > WRONG, judged.relabel_score)
    return found


def _changed_suspicions(
    findings: Mapping[int, LabelFinding], suspicions: Mapping[int, Suspicion]
) -> dict[int, tuple[int, Suspicion]]:
    return {
        task_id: (judged.id, suspicions[task_id])
        for task_id, judged in findings.items()
        if judged.is_suspect != suspicions[task_id].is_suspect
        or abs(judged.suspicion - suspicions[task_id].wrong) > EQUAL
    }


def _evidence(
    session: Session,
    project: Project,
    labels: ProjectLabels,
    task_ids: Sequence[int] | None,
    findings: Mapping[int, LabelFinding],
    suspicions: Mapping[int, Suspicion],
) -> dict[int, RecordSituation]:
    schema = label_schema_of(project)
    records = situation_repository.records_of_tasks(session, project.id, task_ids)
    newer = situation_repository.newer_records(session, project.id, task_ids)
    lost = situation_repository.tasks_with_lost_answers(session, project.id, task_ids)
    evidence = {}
    for task_id, answers in labels.held.items():
        each = labels.consensus.get(task_id)
        if each is None and task_id not in lost:
            continue
        said, judged = labels.opinions.get(task_id), findings.get(task_id)
        is_judged = judged is not None and each is not None and judged.grade == each.grade
        evidence[task_id] = RecordSituation(
            grade=each.grade if each else None,
            confidence=each.confidence if each else None,
            sureness=each.sureness if each else None,
            probabilities=each.probabilities if each else {},
            issues=each.issues if each else {},
            faulty_fields=each.faulty_fields if each else {},
            votes=each.votes if each else 0,
            is_complete=each.is_complete if each else False,
            has_lost_answers=task_id in lost,
            is_record_changed=not records[answers.task.record_id][1],
            current_record_id=newer.get(answers.task.record_id),
            problems=_problems(answers, schema),
            opinion=Opinion(said[0], said[1]) if said else None,
            suspicion=suspicions[task_id] if is_judged else None,
            tied=_tie(answers, schema),
            is_unanimous=len({row.grade for row in answers.answers if row.grade}) == 1,
            is_awaited=answers.awaits_copy,
        )
    return evidence


def _change(
    case: ReviewCase, state: str, reasons: list[ReviewReason], suspicion: Suspicion | None
) -> CaseChange | None:
    values = _case_values(reasons, suspicion)
    if state == case.state:
        if values["fingerprint"] == case.fingerprint:
            return None
        if state in {"decided", "ambiguous"}:
            return None  # what was decided keeps the reasons that it was decided for
    outcome = {"settled": "settled", "open": "reopened"}.get(state, "changed")
    is_same = state == case.state
    return CaseChange(case.version, {**values, "state": state}, "changed" if is_same else outcome)


def _state_after(
    case: ReviewCase,
    evidence: RecordSituation,
    reasons: list[ReviewReason],
    seen: Mapping[int, frozenset[str]],
) -> str:
    state = case.state
    if state in {"decided", "ambiguous"}:
        known = seen.get(case.task_id, frozenset())
        is_new = any(what not in known for each in reasons for what in each.about)
        return "open" if is_new else state
    is_awaited = evidence.is_awaited or not evidence.is_complete
    if state == "sent_back" and is_awaited and evidence.votes:
        return state  # the answer that was asked for is not there yet
    return "open" if reasons else "settled"


def _case_values(reasons: list[ReviewReason], suspicion: Suspicion | None) -> dict[str, Any]:
    listed = [
        {
            "code": each.code,
            "weight": round(each.weight, 4),
            "reason_message": each.words.to_json(),
            **({"about": list(each.about)} if each.about else {}),
        }
        for each in reasons
    ]
    return {
        "reasons": listed,
        "reason": reasons[0].code[:30] if reasons else "",
        "priority": priority_of(reasons, suspicion),
        "fingerprint": hashlib.sha256(json.dumps(listed, sort_keys=True).encode()).hexdigest(),
    }


def _tie(answers: RecordAnswers, schema: LabelSchema) -> list[str]:
    """The grades that most answers gave, if there are two or more, best first."""
    counts = Counter(row.grade for row in answers.answers if row.grade in schema.grades)
    most = max(counts.values(), default=0)
    found = [grade for grade in schema.grades if most and counts[grade] == most]
    return found if len(found) > 1 else []


def _problems(answers: RecordAnswers, schema: LabelSchema) -> tuple[str, ...]:
    """What in the answers does not fit the label schema as it is now, once for each answer."""
    found = [problem for row in answers.answers for problem in row.problems]
    found += [
        f"grade {row.grade!r}"
        for row in answers.answers
        if row.grade is not None and row.grade not in schema.grades
    ]
    return tuple(found)
