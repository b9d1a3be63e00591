"""One history for each kind of fault that once made people read two numbers of one fact."""

import shutil

from sqlmodel import col, select

from backend.loop.job_names import APPLY_EVENTS
from backend.models import ConsensusLabel, Record, ReviewCase, Task
from backend.registry.service import RegistryService
from backend.training.challenger import plan_on
from tests.same_answers.agreement import check_everybody_agrees
from tests.same_answers.model_versions import check_versions
from tests.same_answers.world import World

MANY = 40
"""So many records with several answers that people are told apart."""
PAIRS = ["ff", "ff", "gf", "fg", "gf", "gg", "fg", "fp"]
"""Answers of two people from which Dawid-Skene finds what nobody said."""
Said = dict[str, list[tuple[str | None, str]]]
ADA, BO, CY = (f"{name}@example.org" for name in ("ada", "bo", "cy"))


def truth(number: int) -> str:
    """The grade of the record with that number."""
    return "good" if number % 2 else "poor"


def said_of_many() -> Said:
    """Bo is right; Ada errs at times and Cy often. Two records are split between two of them."""
    said: Said = {"one": [(ADA, "good"), (CY, "poor")], "two": [(BO, "good"), (CY, "poor")]}
    for number in range(MANY):
        right, wrong = truth(number), truth(number + 1)
        said[f"record {number}"] = [
            (ADA, wrong if number % 7 == 1 else right),
            (BO, right),
            (CY, wrong if number % 3 == 0 else right),
        ]
    return said


def labels(world: World) -> dict[str, ConsensusLabel]:
    """Record to the label that the desk shows."""
    with world.database.reading() as session:
        rows = session.exec(
            select(Record.external_id, ConsensusLabel)
            .join(Task, col(Task.record_id) == col(Record.id))
            .join(ConsensusLabel, col(ConsensusLabel.task_id) == col(Task.id))
        )
        return dict(rows.all())


def refresh(world: World) -> None:
    """The worker has seen whether the desk is behind."""
    world.tick()
    world.work()


def teach(world: World, first: int, last: int, *, is_audited: bool = False) -> None:
    """Labels of these records are imported: new ones are good, old ones poor."""
    said: Said = {
        f"{'new' if number % 2 else 'old'} {number}": [(ADA, truth(number))]
        for number in range(first, last)
    }
    world.bring_labels(said)
    if is_audited:
        world.audit(said)


def case_of(world: World, name: str) -> ReviewCase:
    with world.database.reading() as session:
        return session.exec(
            select(ReviewCase)
            .join(Task, col(Task.id) == col(ReviewCase.task_id))
            .join(Record, col(Record.id) == col(Task.record_id))
            .where(Record.external_id == name)
        ).one()


def test_a_tie_is_broken_at_one_probability_for_desk_and_training(world: World) -> None:
    world.bring_labels(said_of_many())
    shown = {}
    for confidence in (0.6, 0.99):
        world.set_policy(confidence_wanted=confidence)
        refresh(world)
        check_everybody_agrees(world)
        shown[confidence] = [labels(world)[name].grade for name in ("one", "two")]
    assert shown == {0.6: ["good", "good"], 0.99: [None, None]}, "so that there is a tie to break"


def test_the_confidence_shown_is_the_probability_of_the_label(world: World) -> None:
    said = said_of_many()
    world.bring_labels(said)
    world.settle()
    world.foresee(
        {
            name: {
                each: 0.9 if each == truth(number) else 0.05 for each in ("good", "fair", "poor")
            }
            for number, name in enumerate(f"record {number}" for number in range(MANY))
        }
    )
    refresh(world)
    assert {row.method for row in labels(world).values()} == {"classifier_prior"}
    check_everybody_agrees(world)


def test_with_few_labels_the_vote_is_the_label(world: World) -> None:
    grades = {"g": "good", "f": "fair", "p": "poor"}
    world.bring_labels(
        {
            f"record {number}": [(ADA, grades[one]), (BO, grades[other])]
            for number, (one, other) in enumerate(PAIRS)
        }
    )
    refresh(world)
    check_everybody_agrees(world)


def test_every_change_of_a_decided_record_is_shown(world: World) -> None:
    world.set_policy(annotators_per_record=2)
    world.answer("kettle", 1, "good")
    world.answer("kettle", 2, "poor")
    world.work()
    for version in (1, 2, 1):
        world.decide(0, "decide", "good")
        assert case_of(world, "kettle").state == "decided"
        world.bring({"kettle": version})
        refresh(world)
        check_everybody_agrees(world)
        assert case_of(world, "kettle").state == "open"


def test_an_answer_that_comes_while_the_desk_is_refreshed_is_on_it(world: World) -> None:
    def answer() -> None:
        world.answer("kettle", 2, "poor")
        world.work((APPLY_EVENTS,))

    world.meanwhile.append(answer)
    world.answer("shirt", 1, "good")
    world.work()
    assert world.meanwhile == []
    check_everybody_agrees(world)


def test_the_desk_tells_the_probabilities_of_the_newest_assessment(world: World) -> None:
    world.answer_all()
    world.settle()
    for suspicion in (0.76, 0.88):
        world.assess(suspicion)
        refresh(world)
        check_everybody_agrees(world)
    assert case_of(world, "kettle").reason == "suspected_error"


def test_a_label_has_one_probability_on_desk_and_page(world: World) -> None:
    world.bring_labels(said_of_many())
    world.settle()
    world.assess(0.88)
    refresh(world)
    check_everybody_agrees(world)
    shown = labels(world)
    assert all(row.confidence is not None for row in shown.values() if row.grade)
    world.answer_all()
    world.settle()
    check_everybody_agrees(world)


def test_people_are_shown_the_fields_of_the_schema_everywhere(world: World) -> None:
    world.set_policy(annotators_per_record=2)
    world.answer("kettle", 1, "good")
    world.answer("kettle", 2, "poor")
    world.work()
    assert case_of(world, "kettle").state == "open"
    check_everybody_agrees(world)


def test_a_champion_answers_as_it_did_whatever_encoder_is_set(world: World) -> None:
    teach(world, 0, 8, is_audited=True)
    teach(world, 8, 20)
    assert world.retrain()["trained"]
    world.features.revision = "second"
    teach(world, 20, 24)
    assert world.retrain()["trained"]
    check_versions(world)


def test_another_encoder_learns_the_labels_that_there_are(world: World) -> None:
    teach(world, 0, 12)
    assert world.retrain()["trained"]
    learnt = []
    for encoder in ("first", "second"):
        world.features.revision = encoder
        plan = plan_on(world.features, world.features.own)
        learnt.append(plan.fingerprint(world.snapshot()))
    assert learnt[0] != learnt[1], "the next challenger learns on the encoder of now"
    with world.database.reading() as session:
        registry = RegistryService(session, world.services.clock)
        known = [registry.find_by_fingerprint(world.project_id, each) for each in learnt]
    assert [each is not None for each in known] == [True, False], "what is learnt is known by it"


def test_a_model_that_nothing_is_measured_of_learns_on(world: World) -> None:
    world.set_policy(audit_share=0.0)
    for first, last in ((0, 12), (12, 20)):
        teach(world, first, last)
        world.retrain()
        check_versions(world)
        with world.database.reading() as session:
            registry = RegistryService(session, world.services.clock)
            champion = registry.champion(world.project_id)
        assert champion is not None
        learnt = len(world.snapshot().training)
        assert champion.training_labels == learnt, "the champion knows the labels that there are"


def test_a_champion_that_cannot_be_read_was_there(world: World) -> None:
    teach(world, 0, 12)
    world.retrain()
    shutil.rmtree(world.services.settings.models_dir)
    teach(world, 12, 20)
    world.retrain()
    check_versions(world)


def test_the_table_of_versions_tells_what_the_gate_measured(world: World) -> None:
    teach(world, 0, 4, is_audited=True)
    teach(world, 4, 16)
    world.retrain()
    teach(world, 16, 20, is_audited=True)
    teach(world, 20, 24)
    world.retrain()
    check_versions(world)


def test_everybody_tells_what_was_measured_on_the_sample_of_the_gate(world: World) -> None:
    teach(world, 0, 4, is_audited=True)
    teach(world, 4, 16)
    world.retrain()
    teach(world, 16, 20, is_audited=True)
    teach(world, 20, 24)
    world.retrain()
    check_versions(world)
    teach(world, 24, 30, is_audited=True)  # the gate has not seen these
    assert world.measure()["measured"]
    check_versions(world)
    teach(world, 30, 36)
    world.retrain()
    check_versions(world)  # the newest waits to be measured on its sample
    world.measure()
    check_versions(world)
