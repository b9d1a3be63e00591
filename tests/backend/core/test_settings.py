"""Settings: proxies that can be used, and stores in folders of any name."""

import os
from importlib.util import find_spec
from pathlib import Path

import pytest
from sqlmodel import text

from backend.core.database import Database
from backend.core.downloads import use_proxy_for_downloads
from backend.core.exceptions import ConfigurationError
from backend.core.migrations import upgrade
from backend.core.settings import Settings


@pytest.mark.parametrize("value", ["127.0.0.1:7890", "socks://127.0.0.1:7890", "http://"])
def test_a_proxy_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(ConfigurationError, match="no address of a proxy") as error:
        Settings(proxy=value)
    assert (error.value.field, error.value.value) == ("proxy", value)


@pytest.mark.skipif(find_spec("socksio") is not None, reason="SOCKS works here")
def test_socks_says_what_to_install() -> None:
    with pytest.raises(ConfigurationError, match="pip install socksio"):
        Settings(proxy="socks5://127.0.0.1:7890")


def test_downloads_take_the_proxy_that_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"http_proxy": "http://of-the-environment:1"})
    use_proxy_for_downloads(Settings(proxy=None))
    assert os.environ == {"http_proxy": "http://of-the-environment:1"}
    use_proxy_for_downloads(Settings(proxy="http://ours:2"))
    assert {os.environ[name] for name in ("http_proxy", "HTTPS_PROXY")} == {"http://ours:2"}


@pytest.mark.parametrize("name", ["my 数据 folder", "50%20off", "what?mode=ro", "a#b", "it's"])
def test_a_store_lies_in_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    settings = Settings(data_dir=tmp_path / name)
    upgrade(settings.store_url)
    assert [path.name for path in tmp_path.iterdir()] == [name]
    database = Database(settings.store_url)
    with database.rehearsal() as session:
        assert session.execute(text("select count(*) from project")).scalar_one() == 0
    database.dispose()
    assert (tmp_path / name / "assay.sqlite3").exists()
