"""How settings differ from those that processes were started with, without telling secrets."""

from pathlib import Path

from pydantic import SecretStr

from backend.core.settings import Settings
from backend.embedded.start_record import StartRecord


def test_differences_are_named_and_secrets_kept(tmp_path: Path) -> None:
    record = StartRecord(tmp_path / "settings.json")
    before = Settings(
        data_dir=tmp_path,
        port=9000,
        webhook_secret=SecretStr("first secret"),
        database_url="postgresql://me:password-1@127.0.0.1/assay",
    )
    record.write(before)
    assert "first secret" not in record.path.read_text()
    assert record.differences(before.model_copy(update={"data_dir": Path("elsewhere")})) == ()
    now = before.model_copy(
        update={
            "port": 9001,
            "webhook_secret": SecretStr("second secret"),
            "database_url": "postgresql://me:password-2@127.0.0.1/assay",
        }
    )
    assert record.differences(now) == (
        "ASSAY_DATABASE_URL was postgresql://me:***@127.0.0.1/assay and is "
        "postgresql://me:***@127.0.0.1/assay",
        "ASSAY_PORT was 9000 and is 9001",
        "ASSAY_WEBHOOK_SECRET is another",
    )


def test_processes_of_which_nothing_is_known_differ(tmp_path: Path) -> None:
    record = StartRecord(tmp_path / "settings.json")
    for content in (None, "", "[", "1", "null"):
        if content is not None:
            record.path.write_text(content)
        assert record.differences(Settings(data_dir=tmp_path)) != ()
    record.delete()
    record.delete()
