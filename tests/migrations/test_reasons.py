"""Reasons in English and Chinese become messages that say both, and come back."""

import json
from typing import Any

import pytest
from sqlalchemy import text

from backend.core.database import Database
from backend.core.migrations import downgrade, upgrade
from backend.models.columns import Json
from backend.words import Message, as_text
from tests.fixtures.chinese import in_chinese
from tests.migrations.test_migrations import without_foreign_keys

BEFORE = "0011"
WORDS = {
    1: ("margin 0.10 between 'good' and {fair}", "“good”与 {fair} 的概率差仅 0.10"),
    2: ("the supplier's records changed", "the supplier's records changed"),
    3: ("only English", ""),
    4: ("", ""),
}
GROUND = {
    "code": "tie",
    "weight": 0.5,
    "reason": "They tie.",
    "reason_zh": "打平。",
    "about": ["a"],
}
ASSESSED = {"labels": 9, "summary": "", "summary_zh": "", "skipped": "few", "skipped_zh": "太少"}


def quoted(words: str) -> str:
    return "'" + words.replace("'", "''") + "'"


OLD_ROWS = (
    *(
        "INSERT INTO promotion (id, project_id, kind, model_version_id, reason, reason_zh, "
        "evidence, decided_by, created_at) "
        f"VALUES ({key}, 7, 'kept', 1, {quoted(en)}, {quoted(zh)}, '{{}}', "
        "'gate', '2026-05-01 12:00:00')"
        for key, (en, zh) in WORDS.items()
    ),
    "INSERT INTO review_case (id, project_id, task_id, kind, state, reasons, reason, priority, "
    "version, fingerprint, opened_at, changed_at) VALUES (5, 7, 3, 'ad', 'open', "
    f"{quoted(json.dumps([GROUND]))}, 'tie', 0.5, 1, 'f', '2026-05-01 12:00:00', "
    "'2026-05-01 12:00:00')",
    "INSERT INTO model_version (id, project_id, number, fingerprint, artifact, encoder, "
    "training_labels, audit_labels, metrics, created_at) VALUES (1, 7, 1, 'f', 'a', 'e', 9, 0, "
    f"{quoted(json.dumps({'label_findings': ASSESSED}))}, '2026-05-01 12:00:00')",
)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def old_url(request: pytest.FixtureRequest, tmp_path: Any) -> str:
    name = "empty_postgres_url"
    url: str = (
        f"sqlite:///{tmp_path / 'assay.sqlite3'}"
        if request.param == "sqlite"
        else request.getfixturevalue(name)
    )
    upgrade(url, BEFORE)
    without_foreign_keys(url, *OLD_ROWS)
    return url


def read(url: str, statement: str, **types: Any) -> list[Any]:
    database = Database(url)
    with database.reading() as session:
        rows = session.connection().execute(text(statement).columns(**types)).all()
    database.dispose()
    return [tuple(row) for row in rows]


def test_old_rows_are_told_in_both_languages_and_come_back(old_url: str) -> None:
    upgrade(old_url)
    for key, stored in read(old_url, "SELECT id, reason FROM promotion"):
        en, zh = WORDS[key]
        assert (str(as_text(stored)), in_chinese(as_text(stored))) == (en, zh or en)
    ((grounds,),) = read(old_url, "SELECT reasons FROM review_case", reasons=Json)
    assert {key: grounds[0][key] for key in ("code", "weight", "about")} == {
        key: GROUND[key] for key in ("code", "weight", "about")
    }
    message = Message.from_json(grounds[0]["reason_message"])
    assert (str(message), in_chinese(message)) == ("They tie.", "打平。")
    ((metrics,),) = read(old_url, "SELECT metrics FROM model_version", metrics=Json)
    held = metrics["label_findings"]
    assert held.keys() == {"labels", "skipped_message"}
    assert in_chinese(Message.from_json(held["skipped_message"])) == "太少"

    downgrade(old_url, BEFORE)
    for key, en, zh in read(old_url, "SELECT id, reason, reason_zh FROM promotion"):
        assert (en, zh) == (WORDS[key][0], WORDS[key][1] or WORDS[key][0])
    ((grounds,),) = read(old_url, "SELECT reasons FROM review_case", reasons=Json)
    assert grounds == [GROUND]
    ((metrics,),) = read(old_url, "SELECT metrics FROM model_version", metrics=Json)
    assert metrics["label_findings"] == ASSESSED
