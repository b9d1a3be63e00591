"""Bring consensus labels and cases up to date with the answers that there are now."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlmodel import Session

from backend.consensus.overlap import overlap_plan, records_to_ask_about
from backend.consensus.rule import RecordConsensus
from backend.consensus.service import Opinion as FirstOpinion
from backend.consensus.service import ProjectLabels, keep, labels_of
from backend.core.clock import Clock
from backend.loop.answers import RecordAnswers
from backend.loop.service import LoopService
from backend.models import LabelFinding, Project, ReviewCase
from backend.projects.service import label_schema_of, policy_of
from backend.registry.service import RegistryService
from backend.review import decision_repository, repository, situation_repository
from backend.review.triage import (
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
MANY = 1_000
"""Changes after which the store plans its queries anew."""


@dataclass(frozen=True)
class Refreshed:
    """What a refresh changed."""

    consensus_labels: int = 0
    opened: int = 0
    changed: int = 0
    settled: int = 0
    reopened: int = 0
    asked: int = 0


class ReviewRefresh:
    """Consensus labels and cases of one project, within one transaction."""

    def __init__(self, session: Session, clock: Clock, project: Project) -> None:
        self._session = session
        self._clock = clock
        self._project = project
        self._now = clock()
        self._project_id = project.id
        self._policy = policy_of(project)
        self._schema = label_schema_of(project)

    def run(self) -> Refreshed:
        """Every record with answers has its consensus label, every reason its case.

        Running it again changes nothing. A decided case stays decided until its record has a
        version, or an answer a value outside the schema, that its decision has not seen; a case
        whose reasons are gone is settled.
        """
        labels = labels_of(self._session, self._project)
        asked = self._ask_where_in_doubt(labels)
        if asked:  # those records are complete no more
            labels = labels_of(self._session, self._project)
        written = keep(self._session, self._project_id, labels, self._now)
        situations = self._situations(labels.held, labels.consensus, labels.opinions)
        done = self._bring_up_to_date(labels.held, situations, written)
        if written + done.opened >= MANY:
            situation_repository.renew_statistics(self._session)
        return replace(done, asked=asked)

    def _ask_where_in_doubt(self, labels: ProjectLabels) -> int:
        """Records for which one more annotator is asked, where the policy's overlap adapts."""
        if self._policy.overlap != "adaptive":
            return 0
        held = labels.held
        plan = overlap_plan(
            held, labels.grade_probabilities, self._schema, self._policy, labels.model
        )
        wanted = records_to_ask_about(held, plan, self._policy)
        for task_id, answers in wanted.items():
            decision_repository.ask_more(self._session, held[task_id].task, answers)
        if wanted:
            LoopService(self._session, self._clock).request_asking(self._project)
        return len(wanted)

    def _situations(
        self,
        held: Mapping[int, RecordAnswers],
        found: Mapping[int, RecordConsensus],
        opinions: Mapping[int, FirstOpinion],
    ) -> dict[int, RecordSituation]:
        records = situation_repository.records_of_tasks(self._session, self._project_id)
        newer = situation_repository.newer_records(self._session, self._project_id)
        judge = RegistryService(self._session, self._clock).assessed_version(self._project_id)
        findings = (
            situation_repository.findings_of(self._session, judge.id) if judge is not None else {}
        )
        lost = situation_repository.tasks_with_lost_answers(self._session, self._project_id)
        situations = {}
        for task_id, answers in held.items():
            each = found.get(task_id)
            if each is None and task_id not in lost:
                continue
            said, judged = opinions.get(task_id), findings.get(task_id)
            is_judged = judged is not None and each is not None and judged.grade == each.grade
            situations[task_id] = RecordSituation(
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
                problems=_problems(answers, self._schema),
                opinion=Opinion(said[0], said[1]) if said else None,
                suspicion=_suspicion(judged) if judged and is_judged else None,
                tied=_grades_in_a_tie(answers, self._schema),
                is_unanimous=len({row.grade for row in answers.answers if row.grade}) == 1,
                is_awaited=answers.awaits_copy,
            )
        return situations

    def _bring_up_to_date(
        self,
        held: Mapping[int, RecordAnswers],
        situations: Mapping[int, RecordSituation],
        written: int,
    ) -> Refreshed:
        cases = situation_repository.cases_by_task(self._session, self._project_id)
        kinds = situation_repository.records_of_tasks(self._session, self._project_id)
        opened: list[dict[str, Any]] = []
        counts = {"changed": 0, "settled": 0, "reopened": 0}
        en, zh = self._schema.titles("en"), self._schema.titles("zh")
        seen = situation_repository.seen_by_decisions(self._session, self._project_id)
        for task_id, case in cases.items():
            if task_id not in situations:
                counts["settled"] += self._change(
                    case, _state_after(case, NO_SITUATION, [], seen), []
                )
        for task_id, each in situations.items():
            reasons = reasons_of(each, review_below=self._policy.review_below, en=en, zh=zh)
            known = cases.get(task_id)
            if known is None:
                if reasons:
                    kind = kinds[held[task_id].task.record_id][0]
                    opened.append(
                        {
                            "project_id": self._project_id,
                            "task_id": task_id,
                            "kind": kind,
                            "state": "open",
                            "version": 1,
                            "opened_at": self._now,
                            "changed_at": self._now,
                            **_case_values(reasons, each.suspicion),
                        }
                    )
                continue
            before, after = known.state, _state_after(known, each, reasons, seen)
            if self._change(known, after, reasons, each.suspicion):
                outcome = {"settled": "settled", "open": "reopened"}.get(after, "changed")
                counts[outcome if after != before else "changed"] += 1
        repository.add_cases(self._session, opened)
        return Refreshed(consensus_labels=written, opened=len(opened), **counts)

    def _change(
        self,
        case: ReviewCase,
        state: str,
        reasons: list[ReviewReason],
        suspicion: Suspicion | None = None,
    ) -> bool:
        values = _case_values(reasons, suspicion)
        if values["fingerprint"] == case.fingerprint and state == case.state:
            return False
        if state == case.state and state in {"decided", "ambiguous"}:
            return False  # what was decided keeps the reasons that it was decided for
        return repository.change_case(
            self._session, case.id, case.version, {**values, "state": state}, self._now
        )


def _suspicion(found: LabelFinding) -> Suspicion:
    return Suspicion(found.suspicion, found.is_suspect, found.relabel_score)


def _state_after(
    case: ReviewCase,
    situation: RecordSituation,
    reasons: list[ReviewReason],
    seen: Mapping[int, frozenset[str]],
) -> str:
    state = case.state
    if state in {"decided", "ambiguous"}:
        known = seen.get(case.task_id, frozenset())
        is_new = any(what not in known for each in reasons for what in each.about)
        return "open" if is_new else state
    is_awaited = situation.is_awaited or not situation.is_complete
    if state == "sent_back" and is_awaited and situation.votes:
        return state  # the answer that was asked for is not there yet
    return "open" if reasons else "settled"


def _case_values(reasons: list[ReviewReason], suspicion: Suspicion | None) -> dict[str, Any]:
    listed = [
        {
            "code": each.code,
            "weight": round(each.weight, 4),
            "reason": each.words.en,
            "reason_zh": each.words.zh,
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


def _grades_in_a_tie(answers: RecordAnswers, schema: LabelSchema) -> list[str]:
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
