"""Label Studio, API and worker as processes of their own, for benchmarks; gone afterwards."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import SecretStr
from tqdm import tqdm

from backend.core.migrations import upgrade
from backend.core.services import Services
from backend.core.settings import Settings
from backend.embedded.processes import DetachedProcess, tail
from labeling.label_studio.server import LabelStudioServer, free_port, stop_process

TOKEN = "5eed" * 10
SECRET = "a secret of this benchmark alone"


@contextmanager
def label_studio(folder: Path) -> Iterator[str]:
    """The URL of a Label Studio of our own."""
    program = os.environ.get("ASSAY_LABEL_STUDIO_BIN", ".label-studio/bin/label-studio")
    server = LabelStudioServer(
        Path(program),
        folder / "label-studio",
        free_port(),
        "admin@example.com",
        "Passw0rd-of-a-benchmark",
        TOKEN,
    )
    with tqdm(total=1.0, desc="Label Studio", bar_format="{desc} {percentage:3.0f}%|{bar}|") as bar:

        def show(share: float, _message: object) -> None:
            bar.update(max(0.0, share - bar.n))

        pid = server.start(show)
    try:
        yield server.url
    finally:
        stop_process(pid)


@contextmanager
def running_backend(
    folder: Path, url: str, token: str, encoder: str, *, database_url: str | None = None
) -> Iterator[Services]:
    """Services over a store that an API process and a worker process work on."""
    settings = Settings(
        data_dir=folder / "assay",
        database_url=database_url,
        port=free_port(),
        label_studio_url=url,
        label_studio_token=SecretStr(token),
        webhook_secret=SecretStr(SECRET),
        session_secret=SecretStr(SECRET),
        encoder=encoder,
    )
    environment = os.environ | {
        "ASSAY_DATA_DIR": str(settings.data_dir),
        "ASSAY_PORT": str(settings.port),
        "ASSAY_LABEL_STUDIO_URL": url,
        "ASSAY_LABEL_STUDIO_TOKEN": token,
        "ASSAY_WEBHOOK_SECRET": SECRET,
        "ASSAY_SESSION_SECRET": SECRET,
        "ASSAY_ENCODER": encoder,
        "ASSAY_DATABASE_URL": database_url or "",
    }
    settings.data_dir.mkdir(parents=True)
    upgrade(settings.store_url)
    services = Services.from_settings(settings)
    processes = {
        name: DetachedProcess(settings.data_dir / f"{name}.json") for name in ("serve", "worker")
    }
    try:
        for name, process in processes.items():
            command = [sys.executable, "-m", "backend.cli", name]
            process.start(command, environment, settings.data_dir / f"{name}.log")
        yield services
    except BaseException:
        for name in processes:
            print(f"{name}:\n{tail(settings.data_dir / f'{name}.log', 20)}", file=sys.stderr)
        raise
    finally:
        for process in processes.values():
            process.stop(20.0)
        services.database.dispose()
