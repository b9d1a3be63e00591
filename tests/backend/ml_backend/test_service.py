"""As many answers as tasks: stored verdicts first, then live ones, within the time."""

from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from backend.core.exceptions import Unavailable
from backend.ml_backend.service import ANSWER_SECONDS, MlBackend
from backend.models import Dataset, Record, Task
from backend.projects.service import label_schema_of
from backend.scoring.live import LiveVerdicts
from backend.scoring.live_scorer import AT_ONCE
from backend.scoring.service import Verdicts
from labeling.label_studio.ml_backend import PredictionRequest, TaskAsked
from labeling.label_studio.screen import ScreenControl
from tests.backend.ml_backend.conftest import Ask, Data
from tests.backend.training.loop import Loop

Pushed = list[tuple[Task, Record]]


def asked_about(loop: Loop, count: int) -> PredictionRequest:
    grades = tuple(label_schema_of(loop.project()).grades)
    return PredictionRequest(
        tuple(TaskAsked({"title": f"kettle {n}", "price": f"{n}.50"}) for n in range(count)),
        {"grade": ScreenControl("text", grades)},
    )


def test_pushed_tasks_get_their_stored_verdicts(
    loop: Loop,
    ask: Ask,
    pushed: Pushed,
    data_of: Callable[[Task, Record], Data],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(LiveVerdicts, "score", None)
    shown = [(task, record) for task, record in pushed if not task.is_audit]
    assert len(shown) > 20
    answers = ask(*(data_of(*each) for each in shown))
    with loop.services.database.reading() as session:
        verdicts = Verdicts(session, loop.services).of_records(
            loop.project(), [record.id for _, record in shown]
        )
    marked = 0
    for (_, record), answer in zip(shown, answers, strict=True):
        verdict = verdicts[record.id]
        assert answer["model_version"] == "v1"
        assert answer["score"] == verdict.confidence
        said = {each["id"]: each["value"] for each in answer["result"]}
        assert said["grade"] == {"choices": [verdict.grade]}
        assert said.get("issues", {"choices": []})["choices"] == [
            each.name for each in verdict.issues
        ]
        fields = sum(each["from_name"] == "faulty" for each in answer["result"])
        assert fields == len(verdict.faulty_fields)
        marked += fields
    assert marked > 0


def test_fields_of_ones_own_are_judged_live_whatever_else_is_there(
    loop: Loop, ask: Ask, app: FastAPI
) -> None:
    own = {"title": "?? broken ## 7", "price": "-1"}
    live, nested, nothing = ask(
        {**own, "weight": 3, "html": "<b>"}, {"title": ["x"]}, {"weight": 3}
    )
    expected = LiveVerdicts(loop.services, app.state.live_scorer).score(loop.project(), [own])
    assert live["score"] == pytest.approx(expected.verdicts[0].confidence, abs=1e-5)
    assert live["result"][0]["value"] == {"choices": [expected.verdicts[0].grade]}
    assert (nested, nothing) == ([], [])


def test_one_value_that_the_column_would_refuse_costs_nobody_else_the_answer(
    loop: Loop, ask: Ask
) -> None:
    with loop.services.database.transaction() as session:
        dataset = session.get_one(Dataset, 1)
        dataset.types = {"price": "number"}
        session.add(dataset)
    wrong, right = ask({"title": "a", "price": "cheap"}, {"title": "a", "price": 4})
    assert wrong == []
    assert right["model_version"] == "v1"


def test_without_a_champion_nothing_is_said(
    loop: Loop, ask: Ask, backend: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend.registry.service.RegistryService.champion", lambda *_: None)
    monkeypatch.setattr("backend.scoring.verdict_folder.VerdictFolder.current", lambda *_: None)
    monkeypatch.setattr("backend.scoring.service.verdict_table", lambda *_: None)
    assert ask({"title": "a"}, {"external_id": "0"}) == [[], []]
    assert backend.post("/setup", json={}).json() == {"model_version": None}


def test_when_the_time_is_over_the_rest_is_answered_with_nothing(
    loop: Loop, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_000.0
    score = LiveVerdicts.score
    allowed: list[float] = []

    def score_slowly(*args: Any, within: float) -> Any:
        nonlocal now
        allowed.append(within)
        now += 0.7 * ANSWER_SECONDS
        return score(*args, within=within)

    monkeypatch.setattr(LiveVerdicts, "score", score_slowly)
    backend = MlBackend(loop.services, app.state.live_scorer, lambda: now)
    answer = backend.predict(loop.project(), asked_about(loop, 3 * AT_ONCE))["results"]
    assert len(answer) == 3 * AT_ONCE
    assert allowed == pytest.approx([ANSWER_SECONDS, 0.3 * ANSWER_SECONDS])
    assert all(each["result"] for each in answer[: 2 * AT_ONCE])
    assert answer[2 * AT_ONCE :] == [[]] * AT_ONCE


@pytest.mark.parametrize("error", [Unavailable("busy"), RuntimeError("a fault of ours")])
def test_a_classifier_that_fails_takes_no_answer_away(
    loop: Loop, app: FastAPI, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    score = LiveVerdicts.score
    calls = 0

    def fail_later(*args: Any, within: float) -> Any:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise error
        return score(*args, within=within)

    monkeypatch.setattr(LiveVerdicts, "score", fail_later)
    backend = MlBackend(loop.services, app.state.live_scorer)
    answer = backend.predict(loop.project(), asked_about(loop, 2 * AT_ONCE))["results"]
    assert [bool(each) for each in answer] == [True] * AT_ONCE + [False] * AT_ONCE
