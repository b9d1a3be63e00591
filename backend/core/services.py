"""What requests, jobs and commands share, made once per process."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from backend.core.clock import Clock, utc_now
from backend.core.database import Database
from backend.core.exceptions import ConfigurationError
from backend.core.settings import Settings
from backend.words import Message

if TYPE_CHECKING:
    from labeling.label_studio.client import LabelStudioClient


@dataclass
class Services:
    """Settings, store, clock, and Label Studio's API as its admin user."""

    settings: Settings
    database: Database
    clock: Clock = field(default=utc_now)

    @classmethod
    def from_settings(cls, settings: Settings) -> "Services":
        """Services over the store that the settings name."""
        return cls(settings=settings, database=Database(settings.store_url))

    @cached_property
    def label_studio(self) -> "LabelStudioClient":
        """The client for Label Studio's API; one per process.

        Raises:
            ConfigurationError: no token is set.
        """
        from labeling.label_studio.client import LabelStudioClient

        token = self.settings.label_studio_token
        if token is None:
            raise ConfigurationError(
                Message("There is no Label Studio API token."),
                field="label_studio_token",
                remedy=Message("Whoever runs the server sets ASSAY_LABEL_STUDIO_TOKEN."),
            )
        return LabelStudioClient(
            self.settings.label_studio_url,
            token.get_secret_value(),
            timeout=self.settings.label_studio_timeout_seconds,
            proxy=self.settings.proxy,
        )
