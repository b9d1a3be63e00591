"""Actions in words: a name for every code that the application notes."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from fastapi.testclient import TestClient

import backend
from backend.audit.action_names import ACTION_NAMES
from backend.audit.service import AuditTrail
from backend.core.services import Services
from backend.review.schemas import Action
from backend.words.catalogue import catalogue
from tests.backend.conftest import ClientAs

CODE = re.compile(r"[a-z_]+\.[a-z_]+")
VALUES = {
    "case.{}": get_args(Action),
    "model.{}": ("promoted", "kept", "rolled_back"),
    "acceptance.{}": ("accepted", "refused", "withdrawn"),
}
"""Codes that end with a value, and which values there are."""
NOTES = {"append": 1, "_note": 2}
"""What notes an event, and the place of its action among the arguments."""


def _noted() -> Iterator[str]:
    for path in Path(backend.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            place = NOTES.get(ast.unparse(node.func).rpartition(".")[2])
            action = node.args[place] if place and len(node.args) > place else None
            if isinstance(action, ast.Constant):
                yield str(action.value)
            elif isinstance(action, ast.JoinedStr):
                parts = action.values
                yield "".join(str(p.value) if isinstance(p, ast.Constant) else "{}" for p in parts)


def test_every_action_has_a_name_in_both_languages() -> None:
    found = set(_noted())
    written = {each for each in found if CODE.fullmatch(each)}
    assert found - written == VALUES.keys()
    for code, values in VALUES.items():
        written |= {code.format(value) for value in values}
    assert written == ACTION_NAMES.keys()
    assert [text for text in set(ACTION_NAMES.values()) if text not in catalogue("zh")] == []
    assert len(set(ACTION_NAMES.values())) == len(ACTION_NAMES)


def test_the_page_shows_the_words_and_the_code_as_title(
    services: Services, browser_as: ClientAs
) -> None:
    with services.database.transaction() as session:
        trail = AuditTrail(session, services.clock)
        trail.append("ana", "case.decide", "project:1")
        trail.append("ana", "unheard.of", "project:1")
    lead: TestClient = browser_as("lead")
    page = lead.get("/audit").text
    assert '<td title="case.decide">Case decided</td>' in page
    assert "<code>unheard.of</code>" in page
    assert '<option value="case.decide" >Case decided</option>' in page
    assert "案例已裁决" in lead.get("/audit?lang=zh").text
