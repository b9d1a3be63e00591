"""Totals of the queue against the cases that its pages list, on both kinds of database."""

import json
from itertools import product
from random import Random

import pytest
from sqlmodel import Session, select

from backend.models import CaseReason, ReviewCase, Task
from backend.review import queue_repository
from backend.review.schemas import CaseFilter
from backend.review.service import ReviewDesk
from tests.backend.annotations.conftest import NOW
from tests.backend.review.conftest import Desk
from tests.fixtures.database import database

__all__ = ["database"]

STATES = ("open", "sent_back", "decided", "settled")
CODES = ("tie", "issue:duplicate", "issue:stale", "field:price", "issues_missing")
KINDS = ("product", "ad", "review")


@pytest.fixture
def filled(desk: Desk) -> Desk:
    """A case for every task, in states, of kinds and for reasons drawn at random."""
    random = Random(3)
    with desk.services.database.transaction() as session:
        for task in session.exec(select(Task)).all():
            state, codes = random.choice(STATES), random.sample(CODES, random.randint(1, 4))
            case = ReviewCase(
                project_id=desk.project_id,
                task_id=task.id,
                kind=random.choice(KINDS),
                state=state,
                reasons=[
                    {"code": code, "weight": 0.5, "reason_message": {"text": code, "values": {}}}
                    for code in codes
                ],
                reason=codes[0],
                priority=random.random(),
                opened_at=NOW,
                changed_at=NOW,
            )
            session.add(case)
            session.flush()
            for code in codes:
                session.add(
                    CaseReason(
                        case_id=case.id,
                        project_id=desk.project_id,
                        state=state,
                        code=code,
                    )
                )
    return desk


def listed(session: Session, desk: Desk, wanted: CaseFilter) -> list[int]:
    """Ids of the cases on all pages of two."""
    found: list[int] = []
    while page := queue_repository.page(
        session, desk.project_id, wanted, offset=len(found), limit=2
    ):
        found += [case.id for case, _, _ in page]
    return found


def expected(session: Session, wanted: CaseFilter) -> set[int]:
    """Ids of the cases that fit, by their own columns."""
    fits = set()
    for case in session.exec(select(ReviewCase)).all():
        codes = [reason["code"] for reason in case.reasons]
        group = wanted.reason and wanted.reason.endswith(":")
        has_reason = wanted.reason is None or any(
            code.startswith(wanted.reason) if group else code == wanted.reason for code in codes
        )
        if has_reason and wanted.state in (None, case.state) and wanted.kind in (None, case.kind):
            fits.add(case.id)
    return fits


def test_a_total_counts_each_case_of_the_pages_once(filled: Desk) -> None:
    reasons = (None, "tie", "issue:", "issue:stale", "field:", "issue")
    with filled.services.database.reading() as session:
        for reason, state, kind in product(reasons, (None, "open", "decided"), (None, "ad")):
            wanted = CaseFilter.model_validate({"state": state, "reason": reason, "kind": kind})
            rows = listed(session, filled, wanted)
            assert set(rows) == expected(session, wanted)
            assert len(rows) == len(set(rows))
            assert queue_repository.count(session, filled.project_id, wanted) == len(rows)


def test_a_page_has_the_same_total_from_counts_at_hand(filled: Desk) -> None:
    project = filled.project
    with filled.services.database.reading() as session:
        desk = ReviewDesk(session, filled.clock)
        counts = desk.state_counts(project)
        assert len(counts) > 1
        for setting in ({}, {"state": None}, {"state": "ambiguous"}, {"reason": "tie"}):
            wanted = CaseFilter.model_validate(setting)
            counted, given = (
                desk.page(project, wanted),
                desk.page(project, wanted, state_counts=counts),
            )
            assert json.loads(counted.model_dump_json()) == json.loads(given.model_dump_json())


def test_kinds_are_those_of_the_cases_in_order(filled: Desk) -> None:
    with filled.services.database.reading() as session:
        kinds = {case.kind for case in session.exec(select(ReviewCase)).all()}
        assert len(kinds) == len(KINDS)
        assert queue_repository.kinds(session, filled.project_id) == sorted(kinds)
        assert queue_repository.kinds(session, filled.project_id + 1) == []
