"""Commands speak the language of the setting, else of the terminal."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from backend.cli.language import language_of_locale


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "zh_TW"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_US.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "", "LC_ALL": ""}, "en"),
        ({"LANG": "fr_FR@euro"}, "en"),
        ({}, "en"),
    ],
)
def test_the_first_variable_of_the_locale_decides(locale: dict[str, str], language: str) -> None:
    assert language_of_locale(locale) == language


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "配置错误：存储 sqlite"),
        ({"LANG": "zh_CN.UTF-8", "ASSAY_LANGUAGE": "en"}, "Configuration error: The store sqlite"),
        ({"LANG": "C", "ASSAY_LANGUAGE": "zh"}, "请运行 `assay migrate`。"),
        ({"LANG": "C", "ASSAY_LANGUAGE": "xx"}, "ASSAY_LANGUAGE is 'xx'. Choose one of: en, zh."),
    ],
)
def test_an_error_is_told_in_it(tmp_path: Path, environment: dict[str, str], words: str) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LC_")}
    ended = subprocess.run(
        [sys.executable, "-m", "backend.cli", "users", "list"],
        env=kept | {"ASSAY_DATA_DIR": str(tmp_path), "PYTHONUTF8": "1"} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 1
    assert words in ended.stderr


def test_help_is_told_in_it(tmp_path: Path) -> None:
    environment = os.environ | {"ASSAY_LANGUAGE": "zh", "COLUMNS": "200", "PYTHONUTF8": "1"}
    for arguments, words in (
        ([], "显示记录、轮次、在用模型"),
        (["jobs", "cancel"], "请求作业在下一个安全点停止。"),
        (["jobs", "cancel"], "如列表所示"),
    ):
        shown = subprocess.run(
            [sys.executable, "-m", "backend.cli", *arguments, "--help"],
            env=environment | {"ASSAY_DATA_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert words in shown.stdout
