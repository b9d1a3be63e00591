"""A data directory that cannot be used is named with the remedy."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from backend.cli import app
from backend.core.data_directory import ensure_data_directory
from backend.core.exceptions import ConfigurationError
from backend.core.settings import get_settings


def test_it_is_made_where_it_can_be(tmp_path: Path) -> None:
    ensure_data_directory(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()


def test_one_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"file/data cannot be used: Not a directory"):
        ensure_data_directory(tmp_path / "file" / "data")


def test_one_that_is_not_ours_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    with pytest.raises(ConfigurationError, match="no permission to write there"):
        ensure_data_directory(tmp_path)


@pytest.mark.parametrize("command", ["up", "demo", "migrate"])
def test_the_command_says_so_before_anything_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ASSAY_DATA_DIR", str(tmp_path / "file" / "data"))
    get_settings.cache_clear()
    error = CliRunner().invoke(app, [command]).exception
    get_settings.cache_clear()
    assert isinstance(error, ConfigurationError)
    assert error.remedy is not None
    assert "ASSAY_DATA_DIR" in error.remedy
