"""Measure one project's answers and keep what is found."""

from collections.abc import Mapping

from backend.agreement import repository
from backend.agreement.answered import (
    counted_answers,
    days_of_second_answers,
    questions_of,
    work_frame,
)
from backend.agreement.people import annotators_work
from backend.agreement.questions import question_agreement
from backend.agreement.schemas import DELETED, OverlapSaving, WorkReportContent
from backend.agreement.service import WorkReports
from backend.consensus import repository as consensus_repository
from backend.core.services import Services
from backend.loop.answer_repository import answers_of, gold_answers
from backend.loop.answers import RecordAnswers
from backend.models import Decision
from backend.projects.schemas import LoopPolicy
from backend.projects.service import ProjectsService, label_schema_of, policy_of
from backend.review import situation_repository
from backend.words import Progress


def measure(services: Services, project_id: int, step: Progress) -> bool:
    """The project's report is of the answers that there are now; False if it was already.

    ``step`` is told how far it is; it may raise to end here: nothing is kept then.
    """
    with services.database.reading() as session:
        project = ProjectsService(session, services.clock).get(project_id)
        # Before the answers are read: what comes in between makes the report out of date.
        fingerprint = WorkReports(session, services.clock).fingerprint(project)
        kept = repository.report(session, project_id)
        if kept is not None and kept.fingerprint == fingerprint:
            return False
        held = answers_of(session, project_id)
        checks = gold_answers(session, project_id)
        decisions = consensus_repository.standing_decisions(session, project_id)
        kinds = situation_repository.records_of_tasks(session, project_id)
        rounds = repository.rounds(session, project_id)
    schema, policy = label_schema_of(project), policy_of(project)
    answers = counted_answers(held, checks, schema)
    kind_of = {place: kinds[each.task.record_id][0] for place, each in held.items()}
    round_of = {
        place: rounds[each.task.batch_id]
        for place, each in held.items()
        if each.task.batch_id in rounds
    }
    days = days_of_second_answers(answers)
    asked = questions_of(answers, schema)
    questions = []
    for place, question in enumerate(asked):
        step(place / (len(asked) + 1), question.title)
        questions.append(question_agreement(question, kind_of, round_of, days, policy.seed))
    step(len(asked) / (len(asked) + 1), "measuring the annotators")
    gold = gold_grades(decisions)
    work = work_frame(answers, schema)
    people, not_checked = annotators_work(work, gold, answers.skips, schema, policy.seed)
    content = WorkReportContent(
        records=len({place for place, _ in answers.rows}),
        answers=len(answers.rows),
        annotators=sum(each.annotator_id != DELETED for each in people),
        not_counted=answers.not_counted,
        decided=len(gold),
        questions=questions,
        people=people,
        not_checked=not_checked,
        overlap=overlap_saving(held, policy) if policy.overlap == "adaptive" else None,
    )
    step(1.0, "")
    with services.database.transaction() as session:
        WorkReports(session, services.clock).keep(project_id, fingerprint, content)
    return True


def gold_grades(decisions: Mapping[int, Decision]) -> dict[int, str]:
    """First task's id to the grade that was decided; what is ambiguous has no right grade."""
    return {
        task_id: decision.grade
        for task_id, decision in decisions.items()
        if decision.action == "decide" and decision.grade is not None
    }


def overlap_saving(held: Mapping[int, RecordAnswers], policy: LoopPolicy) -> OverlapSaving:
    """Answers given to the records that have enough, against the same number for each of them."""
    per_record, most = policy.annotators_per_record, policy.annotators_at_most
    pushed = [
        each
        for each in held.values()
        if each.responses or any(task.label_studio_task_id for task in each.tasks)
    ]
    done = [each for each in pushed if each.is_complete(per_record)]
    given, fixed = sum(each.responses for each in done), most * len(done)
    return OverlapSaving(
        at_most=most,
        records=len(done),
        open_records=len(pushed) - len(done),
        answers=given,
        asked=sum(max(each.answers_wanted(per_record), each.responses) for each in pushed),
        fixed=fixed,
        share_saved=(fixed - given) / fixed if fixed else None,
    )
