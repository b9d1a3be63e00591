import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlmodel import Session, select
from typer.testing import CliRunner

from backend.cli import app
from backend.core.database import Database
from backend.core.exceptions import Conflict, InvalidInput, NotFound
from backend.core.services import Services
from backend.models import AuditEvent, Dataset, Schedule
from backend.projects import service as projects_service
from backend.projects.schemas import LoopPolicy, ProjectCreate
from backend.projects.service import ProjectsService, label_schema_of, policy_of
from tests.backend.conftest import ClientAs

NOW = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def session(sqlite_database: Database) -> Iterator[Session]:
    with sqlite_database.transaction() as opened:
        opened.add(Dataset(name="shop", kind="product", fields=["title", "price"], created_at=NOW))
        opened.flush()
        yield opened


def request(**changes: Any) -> ProjectCreate:
    return ProjectCreate.model_validate({"name": "Shop", "dataset": "shop", **changes})


def service(session: Session) -> ProjectsService:
    return ProjectsService(session, lambda: NOW)


def test_a_project_has_a_schema_over_its_dataset_and_a_policy(session: Session) -> None:
    project = service(session).create(request(policy={"batch_size": 9}), actor="ana")
    assert label_schema_of(project).fields == ("title", "price")
    assert policy_of(project) == LoopPolicy(batch_size=9)
    assert service(session).find("Shop") == project
    assert service(session).find(str(project.id)) == project


def test_a_missing_dataset_is_named(session: Session) -> None:
    with pytest.raises(NotFound, match="'toys'") as error:
        service(session).create(request(dataset="toys"), actor="ana")
    assert error.value.field == "dataset"


def test_a_taken_name_is_refused(session: Session) -> None:
    service(session).create(request(), actor="ana")
    with pytest.raises(Conflict, match="'Shop' exists") as error:
        service(session).create(request(), actor="ana")
    assert error.value.field == "name"


def test_a_name_that_is_taken_meanwhile_is_refused_too(database: Database) -> None:
    with database.transaction() as session:
        session.add(Dataset(name="shop", kind="product", fields=["title"], created_at=NOW))
    barrier, outcomes = threading.Barrier(4), list[str]()

    def create() -> None:
        barrier.wait()
        try:
            with database.transaction() as session:
                outcomes.append(service(session).create(request(), actor="test").name)
        except Conflict as error:
            outcomes.append(error.field or "")

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["Shop", "name", "name", "name"]


@pytest.mark.parametrize(("name", "length"), [("ab", 2), ("  a  ", 1), ("茶杯", 2), ("x" * 51, 51)])
def test_a_name_that_label_studio_does_not_take_is_refused_with_a_remedy(
    session: Session, name: str, length: int
) -> None:
    with pytest.raises(InvalidInput, match=f"has {length} characters") as error:
        service(session).create(request(name=name), actor="ana")
    assert (error.value.field, error.value.value) == ("name", name)
    assert "Label Studio takes 3 to 50" in (error.value.remedy or "")
    assert service(session).create(request(name=" Tea "), actor="ana").name == "Tea"


def test_the_api_and_the_command_say_the_same_of_a_short_name(
    services: Services, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    with services.database.transaction() as opened:
        opened.add(Dataset(name="shop", kind="product", fields=["title"], created_at=NOW))
    answer = client_as("engineer").post("/api/v1/projects", json={"name": "ab", "dataset": "shop"})
    assert answer.status_code == 422
    problem = answer.json()
    assert (problem["field"], problem["value"]) == ("name", "ab")
    assert "has 2 characters" in problem["detail"]
    assert "3 to 50" in problem["remedy"]
    monkeypatch.setattr("backend.bootstrap.open_services", lambda: services)
    command = ["projects", "create", "ab", "--dataset", "shop"]
    told = CliRunner().invoke(app, command).exception
    assert isinstance(told, InvalidInput)
    assert str(told) == f"{problem['detail']} {problem['remedy']}"
    command = ["projects", "create", "abc", "--dataset", "shop", "--set", "batch_size=0"]
    told = CliRunner().invoke(app, command).exception
    assert isinstance(told, InvalidInput)
    assert (told.field, told.value) == ("policy.batch_size", 0)


def test_a_missing_project_lists_those_that_exist(session: Session) -> None:
    service(session).create(request(), actor="ana")
    with pytest.raises(NotFound, match=r"'Toys'.*Projects are: 'Shop'"):
        service(session).find("Toys")


@pytest.mark.parametrize(
    ("schema", "field", "words"),
    [
        ({"fields": ["title", "colour"]}, "label_schema.fields", "colour"),
        ({"fields": []}, "label_schema.fields", "fields"),
        ({"grade": {"choices": [{"value": "ok"}]}}, "label_schema.grade.choices", "grade"),
        (
            {"issues": [{"value": "typo", "fields": ["size"]}]},
            "label_schema.issues[0].fields",
            "size",
        ),
        ({"isues": []}, "label_schema.isues", "isues"),
        ({"issues": [{"value": "typo"}, {"value": "typo"}]}, "label_schema.issues", "issues"),
    ],
)
def test_a_label_schema_that_does_not_fit_is_refused_by_name(
    session: Session, schema: dict[str, Any], field: str, words: str
) -> None:
    with pytest.raises(InvalidInput, match=words) as error:
        service(session).create(request(label_schema=schema), actor="ana")
    assert error.value.field == field
    assert service(session).list() == []


def test_the_api_and_the_command_say_the_same_of_a_label_schema(
    services: Services, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with services.database.transaction() as opened:
        opened.add(Dataset(name="shop", kind="product", fields=["title"], created_at=NOW))
    declared = {"grade": {"name": " ", "choices": ["ok", 5]}}
    body = {"name": "Shop", "dataset": "shop", "label_schema": declared}
    problem = client_as("engineer").post("/api/v1/projects", json=body).json()
    assert problem["field"] == "label_schema.grade.name"
    assert problem["detail"] == (
        "The label schema cannot be used: grade.name is ' ', which is blank; "
        "grade.choices[1].value is the number 5; a text is wanted."
    )
    assert problem["remedy"].startswith("grade.name: Write what people shall see. grade.choices[1]")
    monkeypatch.setattr("backend.bootstrap.open_services", lambda: services)
    path = tmp_path / "schema.yaml"
    path.write_text(json.dumps(declared))
    command = ["projects", "create", "Shop", "--dataset", "shop", "--label-schema", str(path)]
    told = CliRunner().invoke(app, command).exception
    assert str(told) == f"{problem['detail']} {problem['remedy']}"


def test_labels_that_look_alike_are_warned_about_everywhere(
    services: Services, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with services.database.transaction() as opened:
        opened.add(Dataset(name="shop", kind="product", fields=["title"], created_at=NOW))
    declared = {"grade": {"choices": ["good", "good ", "Good", "bad"]}, "issues": ["a b", "ab"]}
    body = {"name": "Shop", "dataset": "shop", "label_schema": declared}
    engineer = client_as("engineer")
    made = engineer.post("/api/v1/projects", json=body)
    warnings = made.json()["warnings"]
    assert made.status_code == 201
    assert [words.partition(" differ")[0] for words in warnings] == [
        "The labels 'good', 'good ', 'Good' of grade.choices",
        "The labels 'a b', 'ab' of issues",
    ]
    assert engineer.get("/api/v1/projects/1").json()["warnings"] == warnings
    assert (
        "The labels &#39;good&#39;, &#39;good &#39;"
        in engineer.get("/projects/1", headers={"Accept": "text/html"}).text
    )
    monkeypatch.setattr("backend.bootstrap.open_services", lambda: services)
    path = tmp_path / "schema.yaml"
    path.write_text(json.dumps(declared))
    command = ["projects", "create", "Two", "--dataset", "shop", "--label-schema", str(path)]
    done = CliRunner().invoke(app, [*command, "--no-start"])
    assert done.exit_code == 0
    assert " ".join(done.stderr.split()) == " ".join(warnings)


@pytest.mark.parametrize(
    ("policy", "field", "remedy"),
    [
        ({"strategy": "psychic"}, "policy.strategy", "diverse_margin"),
        ({"retrain_cron": "every night"}, "policy.retrain_cron", "0 3 * * *"),
        ({"retrain_cron": "0 0 31 2 *"}, "policy.retrain_cron", "never comes"),
        (
            {"overlap": "adaptive", "annotators_per_record": 3},
            "policy.annotators_at_most",
            "Set annotators_at_most to 4 or more, or overlap to fixed.",
        ),
        (
            {"overlap": "adaptive", "annotators_per_record": 20, "annotators_at_most": 20},
            "policy.annotators_at_most",
            "Set annotators_per_record below 20, or overlap to fixed.",
        ),
    ],
)
def test_a_policy_that_cannot_be_followed_is_refused(
    session: Session, policy: dict[str, Any], field: str, remedy: str
) -> None:
    with pytest.raises(InvalidInput) as error:
        service(session).create(request(policy=policy), actor="ana")
    assert error.value.field == field
    assert remedy in str(error.value)


@pytest.mark.parametrize(
    "policy",
    [
        {"batch_size": 0},
        {"audit_share": 1.5},
        {"annotators": 3},
        {"max_rounds": 0},
        {"seed": -1},
        {"seed": 2**32},
    ],
)
def test_values_out_of_range_and_unknown_names_are_refused(policy: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=next(iter(policy))):
        LoopPolicy.model_validate(policy)


def test_a_policy_change_is_checked_audited_and_keeps_the_rest(session: Session) -> None:
    project = service(session).create(request(policy={"batch_size": 9}), actor="ana")
    with pytest.raises(InvalidInput, match="psychic"):
        service(session).set_policy(project.id, {"strategy": "psychic"}, actor="ana")
    changed = service(session).set_policy(project.id, {"strategy": "entropy"}, actor="bo")
    assert policy_of(changed) == LoopPolicy(batch_size=9, strategy="entropy")
    event = session.exec(
        select(AuditEvent).where(AuditEvent.action == "project.policy_changed")
    ).one()
    assert event.actor == "bo"
    assert event.detail["before"]["strategy"] == "default"
    assert event.detail["after"]["strategy"] == "entropy"


@pytest.mark.parametrize(
    ("name", "value"),
    [("batch_size", 0), ("audit_share", 1.5), ("annotators", 3), ("max_rounds", "many")],
)
def test_a_policy_change_that_cannot_be_is_refused_by_name(
    session: Session, name: str, value: object
) -> None:
    project = service(session).create(request(), actor="ana")
    with pytest.raises(InvalidInput, match=name) as error:
        service(session).set_policy(project.id, {name: value}, actor="ana")
    assert (error.value.field, error.value.value) == (f"policy.{name}", value)
    assert policy_of(project) == LoopPolicy()


def test_adaptive_overlap_that_asks_nobody_more_is_refused(session: Session) -> None:
    projects = service(session)
    project = projects.create(request(policy={"annotators_per_record": 3}), actor="ana")
    with pytest.raises(InvalidInput, match="never ask one more") as error:
        projects.set_policy(project.id, {"overlap": "adaptive"}, actor="ana")
    assert (error.value.field, error.value.value) == ("policy.annotators_at_most", 3)
    assert policy_of(project).overlap == "fixed"
    wanted = {"overlap": "adaptive", "annotators_at_most": 4}
    assert policy_of(projects.set_policy(project.id, wanted, actor="ana")).annotators_at_most == 4


def test_a_stored_policy_from_before_that_check_still_loads_and_changes(session: Session) -> None:
    projects = service(session)
    project = projects.create(request(), actor="ana")
    project.policy = {**project.policy, "overlap": "adaptive", "annotators_at_most": 1}
    assert policy_of(project).overlap == "adaptive"
    assert policy_of(projects.set_policy(project.id, {"batch_size": 9}, actor="a")).batch_size == 9


def test_the_schedule_follows_the_policy(session: Session) -> None:
    projects = service(session)
    project = projects.create(request(policy={"retrain_cron": "0 3 * * *"}), actor="ana")
    row = session.exec(select(Schedule)).one()
    assert (row.job_name, row.cron) == ("training.retrain", "0 3 * * *")
    projects.set_policy(project.id, {"retrain_cron": "0 4 * * *"}, actor="ana")
    assert [row.cron for row in session.exec(select(Schedule))] == ["0 4 * * *"]
    projects.set_policy(project.id, {"retrain_cron": None}, actor="ana")
    assert [row.is_enabled for row in session.exec(select(Schedule))] == [False]


def test_labels_before_retraining_follow_the_batch_size() -> None:
    assert LoopPolicy(batch_size=30).labels_before_retraining == 30
    assert LoopPolicy(batch_size=30, retrain_after=7).labels_before_retraining == 7


def test_loading_the_strategies_does_not_hold_the_store(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes seconds in a fresh process; a job that waits so long for the store is stopped."""
    checked = projects_service.check_policy
    seen: list[str] = []

    def slow(policy: LoopPolicy) -> None:
        with sqlite_database.transaction() as other:  # waits, and fails, while the store is held
            other.exec(select(Schedule)).all()
        seen.append("free")
        checked(policy)

    with sqlite_database.transaction() as session:
        session.add(Dataset(name="shop", kind="product", fields=["title"], created_at=NOW))
    monkeypatch.setattr(projects_service, "check_policy", slow)
    with sqlite_database.transaction() as session:
        project = service(session).create(request(), actor="ana")
    with sqlite_database.transaction() as session:
        service(session).set_policy(project.id, {"batch_size": 7}, actor="ana")
    assert seen == ["free", "free"]
