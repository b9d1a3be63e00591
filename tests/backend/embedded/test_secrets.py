"""embedded.env: made once, kept, and nobody else's to read."""

import re
import socket
import stat
from contextlib import suppress
from pathlib import Path

from backend.core.settings import load_settings
from backend.embedded.secrets import ensure_embedded_env, read_env, remember


def test_secrets_and_ports_are_made_once_and_kept(tmp_path: Path) -> None:
    data_dir = tmp_path / "assay"
    first = ensure_embedded_env(data_dir)
    path = data_dir / "embedded.env"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ensure_embedded_env(data_dir) == first == read_env(path)
    assert re.fullmatch(r"[0-9a-f]{40}", first["ASSAY_LABEL_STUDIO_TOKEN"])
    assert ensure_embedded_env(tmp_path / "other") != first


def test_what_is_missing_is_added_and_the_rest_kept(tmp_path: Path) -> None:
    path = tmp_path / "embedded.env"
    path.write_text("ASSAY_PORT=9001\nASSAY_WEBHOOK_SECRET=mine\n")
    values = ensure_embedded_env(tmp_path)
    assert (values["ASSAY_PORT"], values["ASSAY_WEBHOOK_SECRET"]) == ("9001", "mine")
    assert len(values["ASSAY_SESSION_SECRET"]) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_taken_port_is_not_chosen(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):  # somebody has it already, which serves as well
            taken.bind(("127.0.0.1", 8000))
            taken.listen()
        assert ensure_embedded_env(tmp_path)["ASSAY_PORT"] != "8000"


def test_the_settings_read_them(tmp_path: Path) -> None:
    values = ensure_embedded_env(tmp_path)
    settings = load_settings(data_dir=tmp_path)
    assert settings.webhook_secret is not None
    assert settings.webhook_secret.get_secret_value() == values["ASSAY_WEBHOOK_SECRET"]
    assert settings.port == int(values["ASSAY_PORT"])
    assert settings.label_studio_url == values["ASSAY_LABEL_STUDIO_URL"]


def test_what_the_environment_gives_is_remembered(tmp_path: Path) -> None:
    made = ensure_embedded_env(tmp_path)
    url = "postgresql+psycopg://me:it's a #secret $x@127.0.0.1/assay"
    environment = {
        "ASSAY_PORT": "9123",
        "ASSAY_DATABASE_URL": url,
        "ASSAY_DATA_DIR": "/x",
        "A": "b",
    }
    remember(tmp_path, environment)
    path = tmp_path / "embedded.env"
    assert read_env(path) == made | {"ASSAY_PORT": "9123", "ASSAY_DATABASE_URL": url}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    settings = load_settings(data_dir=tmp_path)
    assert (settings.port, settings.database_url) == (9123, url)
    remember(tmp_path, {"ASSAY_PORT": ""})
    assert read_env(path)["ASSAY_PORT"] == "9123"
