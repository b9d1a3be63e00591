"""The encoder that the settings name, or a clear error."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from backend.core.database import Database
from backend.core.exceptions import ConfigurationError
from backend.core.services import Services
from backend.core.settings import Settings
from backend.features.store import FeatureStore


def test_a_device_that_is_not_there_is_told_as_that_setting(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    services = Services(
        settings=Settings(data_dir=tmp_path, encoder="auto", device="cuda"),
        database=sqlite_database,
        clock=lambda: datetime(2026, 1, 1, tzinfo=UTC),
    )
    with pytest.raises(ConfigurationError, match="set the device to auto or cpu") as raised:
        FeatureStore(services).encoder()
    assert (raised.value.field, raised.value.value) == ("device", "cuda")
