"""``python -m backend.cli``: the same as ``assay``."""

from backend.cli import app

app()
