"""Versions, conflicts, publishing and what people disagree about, on both databases."""

from threading import Barrier, Thread
from typing import Any

import pytest
from sqlmodel import select

from active_learning.evaluation import wilson
from backend.core.exceptions import Conflict, InvalidInput, NotFound
from backend.guidelines.comparison import compare
from backend.guidelines.schemas import GuidelineDraft, GuidelinePublic, GuidelineText, Rule
from backend.guidelines.service import Guidelines
from backend.models import AuditEvent, Decision, Guideline, Job, ReviewCase, Task
from tests.backend.guidelines.conftest import CHINESE, ENGLISH
from tests.backend.overview.test_own_work import send_back
from tests.backend.review.conftest import Desk


def draft(text: str, *, based_on: int = 1, **values: Any) -> GuidelineDraft:
    return GuidelineDraft(text=text, based_on=based_on, change="clearer words", **values)


def save(desk: Desk, made: GuidelineDraft, author: str = "lead@example.org") -> GuidelinePublic:
    with desk.services.database.transaction() as session:
        return Guidelines(session, desk.clock).save(desk.project, made, author=author)


def publish(desk: Desk, number: int) -> GuidelinePublic:
    with desk.services.database.transaction() as session:
        return Guidelines(session, desk.clock).publish(desk.project, number, actor="lead")


def current(desk: Desk) -> GuidelinePublic:
    with desk.services.database.reading() as session:
        return Guidelines(session, desk.clock).current(desk.project)


class TestVersions:
    def test_the_first_is_what_the_label_schema_says(self, desk: Desk) -> None:
        first = current(desk)
        assert (first.version, first.text, first.text_zh) == (1, ENGLISH, CHINESE)
        assert first.is_current
        with desk.services.database.reading() as session:
            assert session.exec(select(Guideline)).all() == [], "reading stores nothing"

    def test_a_new_version_counts_when_it_is_published(self, desk: Desk) -> None:
        saved = save(desk, draft("**Good**: nothing at all."))
        assert (saved.version, saved.author, saved.is_current) == (2, "lead@example.org", False)
        assert current(desk).version == 1
        assert publish(desk, 2).is_current
        assert current(desk).text == "**Good**: nothing at all."
        with desk.services.database.reading() as session:
            history = Guidelines(session, desk.clock).history(desk.project)
            jobs = session.exec(select(Job.name)).all()
            events = session.exec(select(AuditEvent.action)).all()
        assert [(each.version, each.is_current) for each in history] == [(2, True), (1, False)]
        assert "guidelines.show" in jobs
        assert {"guideline.saved", "guideline.published"} <= set(events)

    def test_one_can_go_back_to_an_earlier_version(self, desk: Desk) -> None:
        save(desk, draft("second"))
        publish(desk, 2)
        publish(desk, 1)  # at the same moment of the clock
        assert current(desk).text == ENGLISH

    def test_the_second_of_two_editors_sees_a_conflict(self, desk: Desk) -> None:
        save(desk, draft("from Ana"), author="ana@example.org")
        with pytest.raises(Conflict, match=r"Version 2 was saved by ana@example.org"):
            save(desk, draft("from Bo"), author="bo@example.org")
        with desk.services.database.reading() as session:
            texts = [row.text for row in session.exec(select(Guideline).order_by("version"))]
        assert texts == [ENGLISH, "from Ana"]
        assert save(desk, draft("from both", based_on=2)).version == 3

    def test_of_two_at_the_same_moment_one_is_stored(self, desk: Desk) -> None:
        start, refused = Barrier(2), []

        def write(name: str) -> None:
            start.wait()
            try:
                save(desk, draft(f"from {name}"), author=name)
            except Conflict:
                refused.append(name)

        threads = [Thread(target=write, args=(name,)) for name in ("ana", "bo")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert len(refused) == 1
        with desk.services.database.reading() as session:
            numbers = sorted(row.version for row in session.exec(select(Guideline)))
        assert numbers == [1, 2]

    def test_what_cannot_be_a_version_is_refused(self, desk: Desk) -> None:
        with pytest.raises(InvalidInput, match="cannot be about 'nonsense'"):
            save(desk, draft("x", rules=[Rule(name="r", about="nonsense")]))
        with pytest.raises(InvalidInput, match="Nothing is different"):
            save(desk, draft(ENGLISH, text_zh=CHINESE))
        with pytest.raises(ValueError, match="two rules are called 'r'"):
            draft("x", rules=[Rule(name="r"), Rule(name="r")])
        with pytest.raises(NotFound, match="no version 7"):
            publish(desk, 7)


class TestDisagreements:
    def report(self, desk: Desk) -> dict[str, Any]:
        with desk.services.database.reading() as session:
            found = Guidelines(session, desk.clock).disagreements(desk.project)
        return {
            "records": found.records,
            "rules": {rule.name: rule.decisions for rule in found.rules},
            **{item.value: item for item in found.items},
        }

    def test_pairs_of_one_record_are_counted_by_what_either_says(self, desk: Desk) -> None:
        ana, bo, cy = desk.people("Ana", "Bo", "Cy")
        desk.answer(1, ana, "good", issues=["duplicate"], fields=["title"])
        desk.answer(1, bo, "good", issues=["duplicate"])
        desk.answer(1, cy, "poor")
        desk.answer(2, ana, "good")
        desk.answer(2, bo, "fair")
        desk.answer(3, ana, "good")  # one answer: nobody to disagree with
        desk.answer(4, ana, "good")
        desk.answer(4, bo, None, skipped=True)  # a skip is no answer
        desk.answer(5, ana, "good")
        desk.answer(5, bo, "withdrawn grade")  # not in the label schema (any more)
        found = self.report(desk)
        assert found["records"] == 3
        counted = {
            name: (found[name].pairs, found[name].differing)
            for name in ("good", "fair", "poor", "duplicate", "outdated", "title")
        }
        assert counted == {
            "good": (4, 3),  # a-b agree; a-c, b-c and record 2 differ
            "fair": (1, 1),
            "poor": (2, 2),
            "duplicate": (3, 2),
            "outdated": (0, 0),
            "title": (2, 2),
        }
        expected = wilson(3, 4)
        assert found["good"].rate.value == 0.75
        assert found["good"].rate.low == pytest.approx(expected.low)
        assert found["good"].rate.high == pytest.approx(expected.high)
        assert found["outdated"].rate is None
        assert "price" not in found, "a field that nobody marked"

    def test_only_the_last_revision_of_people_counts(self, desk: Desk) -> None:
        ana, bo = desk.people("Ana", "Bo")
        annotation = desk.answer(1, ana, "poor")
        desk.answer(1, bo, "good")
        desk.answer(1, ana, "good", annotation_id=annotation, revision=2)
        deleted = desk.answer(2, ana, "good")
        desk.answer(2, bo, "poor")
        desk.answer(2, ana, "good", annotation_id=deleted, revision=2, deleted=True)
        found = self.report(desk)
        assert found["records"] == 1
        assert (found["good"].pairs, found["good"].differing) == (1, 0)
        assert found["poor"].pairs == 0

    def test_a_copy_of_a_task_counts_as_its_record_and_a_hidden_check_not(self, desk: Desk) -> None:
        ana, bo = desk.people("Ana", "Bo")
        desk.answer(1, ana, "poor")
        desk.answer(1, bo, "good")
        copy = send_back(desk, 1, ana)
        desk.answer(copy, ana, "good")  # what Ana says now
        hidden = send_back(desk, 2, bo)
        desk.answer(2, ana, "poor")
        desk.answer(hidden, bo, "good")
        with desk.services.database.transaction() as session:
            session.get_one(Task, hidden).purpose = "gold"
        found = self.report(desk)
        assert found["records"] == 1
        assert (found["good"].pairs, found["good"].differing) == (1, 0)
        assert found["poor"].pairs == 0

    def test_rules_are_linked_and_decisions_that_name_them_counted(self, desk: Desk) -> None:
        save(
            desk,
            draft(
                "x",
                rules=[
                    Rule(name="which duplicate stays", about="duplicate"),
                    Rule(name="currency", about="price"),
                ],
            ),
        )
        publish(desk, 2)
        with desk.services.database.transaction() as session:
            case = ReviewCase(
                project_id=desk.project_id,
                task_id=1,
                state="open",
                opened_at=desk.clock(),
                changed_at=desk.clock(),
            )
            session.add(case)
            session.flush()
            for action, rule, undoes in (
                ("decide", "which duplicate stays", None),
                ("decide", "which duplicate stays", None),
                ("decide", "a rule of before", None),
                ("undo", None, 1),
                ("note", None, None),
            ):
                session.add(
                    Decision(
                        case_id=case.id,
                        action=action,
                        rule=rule,
                        undoes_id=undoes,
                        author="lead",
                        case_version=1,
                        created_at=desk.clock(),
                    )
                )
                session.flush()
        found = self.report(desk)
        assert found["rules"] == {
            "which duplicate stays": 1,
            "currency": 0,
            "a rule of before": 1,
        }
        assert [(rule.name, rule.decisions) for rule in found["duplicate"].rules] == [
            ("which duplicate stays", 1)
        ]
        assert found["outdated"].rules == []

    def test_an_empty_project_has_none(self, desk: Desk) -> None:
        found = self.report(desk)
        assert found["records"] == 0
        assert found["good"].rate is None


def test_a_comparison_tells_what_was_added_and_removed() -> None:
    before = GuidelineText(text="one\ntwo\nthree\nfour\nfive\nsix")
    after = GuidelineText(
        text="one\ntwo\nthree\nfour\nFIVE\nsix", rules=[Rule(name="new", about="good", text="so")]
    )
    lines = [(line.kind, line.text) for line in compare(before, after)]
    assert ("removed", "five") in lines
    assert ("added", "FIVE") in lines
    assert ("added", "== § new (good)") in lines
    assert ("same", "one") not in lines
    assert lines[0] == ("gap", "…")
    assert compare(before, before) == []
