"""What the libraries raise, in the reader's language."""

import ast
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from active_learning import exceptions as learning
from active_learning.types import Reason, check_stop
from backend.cli.library_titles import TITLES
from backend.core.exceptions import NotFound, words_of
from backend.core.services import Services
from backend.label_studio.jobs import retry_while_unavailable
from backend.models import Dataset
from backend.words import Message, translator
from labeling import exceptions as labelling
from labeling.declaration import read_declaration
from labeling.label_studio.transport import failure, silence_as_unavailable
from labeling.words import Words
from tests.backend.conftest import ClientAs

ROOT = Path(__file__).parents[3]
FOR_PROGRAMMERS = {
    "ActiveLearningError",
    "ArtifactError",
    "EmptyPool",
    "LabelingError",
    "NoLabels",
    "NonFiniteFeatures",
    "NotFitted",
    "ReplayMissing",
    "ShapeMismatch",
    "UnknownLabel",
    "UnknownRecord",
}
"""Nobody but who writes the call reads these."""


def _classes(module: Any) -> Iterator[type[Exception]]:
    for each in vars(module).values():
        if isinstance(each, type) and issubclass(each, Exception):
            yield each


def _english_calls(package: str, names: set[str]) -> Iterator[str]:
    for path in sorted((ROOT / package).rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
                continue
            if call.func.id in names and isinstance(call.args[0], ast.JoinedStr | ast.Constant):
                yield f"{path.relative_to(ROOT)}:{call.lineno}"


@pytest.mark.parametrize(
    ("package", "module"), [("labeling", labelling), ("active_learning", learning)]
)
def test_no_error_that_people_read_is_made_of_english(package: str, module: Any) -> None:
    names = {each.__name__ for each in _classes(module)} - FOR_PROGRAMMERS
    assert len(names) > 7
    assert list(_english_calls(package, names | {"broken_rule"})) == []


def test_each_error_has_a_title() -> None:
    assert {*_classes(labelling), *_classes(learning)} == set(TITLES)


def in_chinese(error: BaseException) -> str:
    return translator("zh")(Message.of_error(error))


def test_an_error_says_what_it_was_made_with() -> None:
    told = labelling.LabelStudioUnavailable(Words("{a} is away", a="it"), 502)
    assert (str(told), told.status) == ("it is away", 502)
    made = Message.of_error(told)
    assert isinstance(made, Message)
    assert made.as_json() == Message("{a} is away", a="it").as_json()
    assert Message("so: {error}", error=told).values == {"error": made}
    assert words_of(told) == "it is away"
    assert str(pickle.loads(pickle.dumps(learning.CacheLocked(Reason("{n} s", n=3))))) == "3 s"
    ours = NotFound(Message("gone"), remedy=Message("Look elsewhere."))
    assert Message.of_error(ours) == str(ours) == "gone Look elsewhere."
    for theirs in (ValueError("theirs {x}"), ValueError(), KeyError("k")):
        assert not isinstance(Message.of_error(theirs), Message)
        assert Message.of_error(theirs) == str(theirs)


def test_what_is_stopped_is_named_in_chinese() -> None:
    with pytest.raises(learning.Cancelled, match="request while training") as caught:
        check_stop(lambda: True, "training")
    assert in_chinese(caught.value) == "在“训练”时按要求停止。"


def test_a_label_schema_is_refused_in_chinese(services: Services, client_as: ClientAs) -> None:
    at = datetime(2026, 5, 1, tzinfo=UTC)
    with services.database.transaction() as session:
        session.add(Dataset(name="shop", kind="product", fields=["title"], created_at=at))
    declared = {"grade": {"name": " ", "choices": ["ok", 5]}, "isues": []}
    problem = client_as("engineer").post(
        "/api/v1/projects",
        json={"name": "Shop", "dataset": "shop", "label_schema": declared},
        headers={"Accept-Language": "zh"},
    )
    told = problem.json()
    assert told["detail"] == (
        "标签体系无法使用：grade.name 是 ' '，看上去是空白；grade.choices[1].value "
        "是数字 5，而这里应为文本；isues 不是此处可用的键。"
    )
    assert "grade.name：请写上要让人看到的内容。" in told["remedy"]
    assert "isues：是否想写“issues”？可用的有：fields，" in told["remedy"].replace("、", "，")


def test_a_label_studio_that_is_away_is_told_in_chinese() -> None:
    def ask(_context: Any, _args: Any) -> dict[str, Any]:
        raise failure(502, "GET /api/projects", "<html>")

    with pytest.raises(Exception, match="Label Studio answered 502 to GET /api/projects") as caught:
        retry_while_unavailable(ask)(None, {})  # type: ignore[arg-type]
    assert in_chinese(caught.value).startswith(
        "Label Studio 对 GET /api/projects 的响应为 502：（一个网页）"
    )
    assert "start Label Studio" not in in_chinese(caught.value)
    refused = failure(401, "GET /api/projects", {"detail": "Invalid token."})
    assert "Invalid token. ASSAY_LABEL_STUDIO_TOKEN is not" in str(refused)
    assert "不是（或不再是）其管理员的令牌" in in_chinese(refused)
    with (
        pytest.raises(labelling.LabelStudioUnavailable) as silent,
        silence_as_unavailable("x:1"),
    ):
        raise httpx.ConnectError("refused")
    assert in_chinese(silent.value) == "x:1 上的 Label Studio 没有响应（ConnectError：refused）。"


def _run(folder: Path, *arguments: str) -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "backend.cli", *arguments],
        env=os.environ | {"ASSAY_DATA_DIR": str(folder), "PYTHONUTF8": "1", "ASSAY_LANGUAGE": "zh"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 1, ended.stderr
    return ended.stderr


def test_commands_say_them_in_chinese(tmp_path: Path) -> None:
    shop = tmp_path / "shop.csv"
    shop.write_text("title,grade\na,good\nb,bad\n", encoding="utf-8")
    told = _run(tmp_path, "simulate", str(shop), "--label", "grade", "--strategies", "magic")
    assert "未知的查询策略 'magic'；请从以下选择：" in told
    assert "choose one of" not in told


def test_a_declaration_that_is_no_mapping_is_refused_in_chinese(tmp_path: Path) -> None:
    schema = tmp_path / "schema.yaml"
    schema.write_text("- grade\n", encoding="utf-8")
    with pytest.raises(labelling.LabelSchemaInvalid) as caught:
        read_declaration(schema)
    assert f"{schema} 的内容是列表；标签体系应为含有" in in_chinese(caught.value)
    assert f"{schema} holds a list; a label schema is a mapping with" in str(caught.value)
