"""``assay serve``, ``assay worker``, ``assay migrate``: the processes."""

from typing import Annotated

import typer

from backend.cli.language import t


def serve(
    host: Annotated[str | None, typer.Option(help="address; default ASSAY_HOST")] = None,
    port: Annotated[int | None, typer.Option(help="port; default ASSAY_PORT")] = None,
) -> None:
    """Run the API and the pages."""
    import uvicorn

    from backend.bootstrap import open_services
    from backend.core.settings import get_settings

    settings = get_settings()
    open_services().database.dispose()  # fail here, in one line, rather than inside uvicorn
    uvicorn.run(
        "backend.app:app_factory",
        factory=True,
        host=host or settings.host,
        port=port or settings.port,
        log_config=None,
        server_header=False,
        proxy_headers=False,  # uvicorn would trust the loopback; the application asks the settings
    )


def worker() -> None:
    """Run background jobs and schedules."""
    from backend.bootstrap import build_registry, open_services, periodic_jobs
    from backend.core.logging import configure_logging
    from backend.worker import run_worker

    configure_logging()
    services = open_services()
    run_worker(
        services.database,
        services.settings,
        build_registry(services),
        services.clock,
        periodic=periodic_jobs(services),
    )


def migrate() -> None:
    """Bring the store's tables up to date; safe to repeat."""
    from backend.core.data_directory import ensure_data_directory
    from backend.core.migrations import upgrade
    from backend.core.settings import get_settings

    settings = get_settings()
    ensure_data_directory(settings.data_dir)
    upgrade(settings.store_url)
    typer.echo(t("The store is up to date."))
