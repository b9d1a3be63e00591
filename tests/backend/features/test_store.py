"""The encoder that the settings name, or a clear error."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from backend.core.database import Database
from backend.core.exceptions import ConfigurationError
from backend.core.services import Services
from backend.core.settings import Settings
from backend.features.encoder_choice import EncoderChoice
from backend.features.store import ENCODER_BYTES, FeatureStore


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


class HeavyEncoder:
    """Takes more than half of the memory that encoders may take."""

    dimension = 2
    weight_bytes = ENCODER_BYTES // 2 + 1

    def __init__(self, revision: str) -> None:
        self.revision = revision


def test_encoders_that_others_have_taken_the_memory_of_are_forgotten(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[str] = []

    def load(_store: FeatureStore, choice: EncoderChoice) -> HeavyEncoder:
        loaded.append(str(choice.folder))
        return HeavyEncoder(str(choice.folder))

    monkeypatch.setattr(FeatureStore, "_load", load)
    services = Services(settings=Settings(data_dir=tmp_path), database=sqlite_database)
    store = FeatureStore(services)
    for folder in ("tuned-1", "tuned-2", "tuned-2", "tuned-1"):
        assert store.encoder(EncoderChoice("auto", folder)).revision == folder
    assert loaded == ["tuned-1", "tuned-2", "tuned-1"]
