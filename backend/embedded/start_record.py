"""What the processes that run were started with."""

import json
import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from backend.core.settings import ENV_PREFIX, Settings
from backend.embedded.secrets import OF_A_COMMAND, write_private


@dataclass(frozen=True)
class StartRecord:
    """The settings of the running processes, secrets as digests; a file in the data directory."""

    path: Path

    def write(self, settings: Settings) -> None:
        """From now on processes run with these settings."""
        write_private(self.path, json.dumps(_comparable(settings)))

    def delete(self) -> None:
        """Nothing runs."""
        self.path.unlink(missing_ok=True)

    def differences(self, settings: Settings) -> tuple[str, ...]:
        """How ``settings`` differ from those of the running processes, one phrase each."""
        try:
            before = dict(json.loads(self.path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return ("they were started by another version of Assay",)
        return tuple(
            _difference(name, before.get(name), now)
            for name, now in _comparable(settings).items()
            if before.get(name) != now
        )


def _comparable(settings: Settings) -> dict[str, Any]:
    values = settings.model_dump(mode="json", exclude=OF_A_COMMAND)
    for name in values:
        secret = getattr(settings, name)
        if isinstance(secret, SecretStr):
            values[name] = {"sha256": sha256(secret.get_secret_value().encode()).hexdigest()}
    return values


def _difference(name: str, before: Any, now: Any) -> str:
    label = ENV_PREFIX + name.upper()
    if isinstance(before, dict) or isinstance(now, dict):
        return f"{label} is another"
    return f"{label} was {_text_of(before)} and is {_text_of(now)}"


def _text_of(value: Any) -> str:
    return "not set" if value is None else re.sub(r"//([^:/@]*):[^@]*@", r"//\1:***@", str(value))
