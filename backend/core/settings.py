"""Every setting, read once from the environment (prefix ``ASSAY_``).

Order: environment, then ``.env`` in the working directory, then ``embedded.env`` in the
data directory, which ``assay up`` writes with secrets of its own making.
"""

import os
import re
import sys
from functools import lru_cache
from importlib.util import find_spec
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from backend.core.exceptions import ConfigurationError
from backend.words import Message, languages

ENV_PREFIX = "ASSAY_"
MINIMUM_SECRET_LENGTH = 24
"""Chosen: 24 hexadecimal characters are 96 random bits, beyond guessing."""
PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")
NOTICE_HOST = re.compile(r"[\w.-]+|[0-9a-fA-F.:]+(/\d{1,3})?")
"""A name, or an address or network as they are written."""
WEAK_SECRETS = frozenset({"changethis", "changeme", "secret", "password", "admin"})


class Settings(BaseSettings):
    """All settings of the three processes; every field can be set as ``ASSAY_<NAME>``."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="ignore", env_ignore_empty=True)

    environment: Literal["development", "production"] = Field(
        "development", description="production refuses missing or weak secrets"
    )
    data_dir: Path = Field(Path(".assay"), description="where everything of ours is written")
    database_url: str | None = Field(
        None, description="SQLAlchemy URL of the store; empty: SQLite in the data directory"
    )

    host: str = Field("127.0.0.1", description="address the API listens on")
    port: int = Field(8000, ge=1, le=65535, description="port the API listens on")
    public_url: str | None = Field(
        None, description="URL under which Label Studio reaches the API (webhook)"
    )
    trusted_proxies: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="addresses and networks of proxies whose X-Forwarded-For and -Proto count, "
        "separated by commas; empty: nobody's",
    )
    session_secret: SecretStr | None = Field(None, description="signs the pages' login cookie")
    webhook_secret: SecretStr | None = Field(
        None, description="Label Studio sends it in X-Assay-Webhook-Secret"
    )

    notice_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="names, addresses and networks that notices may go to although they are not "
        "of the public internet, also by http; separated by commas; empty: none",
    )

    label_studio_url: str = Field("http://127.0.0.1:8080", description="where Label Studio is")
    label_studio_public_url: str | None = Field(
        None, description="URL under which annotators open Label Studio; empty: the same"
    )
    label_studio_token: SecretStr | None = Field(None, description="API token of its admin user")
    label_studio_bin: Path = Field(
        Path(".label-studio/bin/label-studio"),
        description="executable that the embedded stack starts",
    )
    label_studio_timeout_seconds: float = Field(300.0, gt=0, description="read timeout")

    proxy: str | None = Field(
        None,
        description="proxy to the outside, for the Hugging Face hub and a Label Studio elsewhere: "
        "http://HOST:PORT or socks5://HOST:PORT; empty: none",
    )

    encoder: str = Field(
        "auto", description="auto, bundled-fast, characters, or any Hugging Face name or path"
    )
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="where the encoder runs")
    dtype: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="of the encoder; auto: bfloat16 where the processor has it"
    )
    torch_threads: int | None = Field(None, ge=1, description="CPU threads; empty: torch decides")

    language: str | None = Field(
        None, description="of the command line, as zh; empty: the terminal's"
    )

    sync_interval_seconds: int = Field(60, ge=5, description="pause between reconciling syncs")
    sync_overlap_seconds: int = Field(
        120, ge=0, description="how far each sync reads back behind its cursor"
    )
    worker_id: str | None = Field(None, description="stable unique name; empty: host name + role")
    heartbeat_seconds: float = Field(
        2.0, gt=0, description="how often a worker shows PostgreSQL that it lives"
    )
    worker_timeout_seconds: float = Field(
        10.0, gt=0, description="silence on PostgreSQL after which its jobs are taken over"
    )
    jobs_retention_days: int = Field(14, ge=1, description="finished jobs are purged after this")
    uploads_retention_days: int = Field(
        7, ge=0, description="uploaded files are purged so long after their import has ended"
    )

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def read_trusted_proxies(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        listed = tuple(item.strip() for item in value.split(",") if item.strip())
        for item in listed:
            try:
                ip_network(item)
            except ValueError as error:
                raise ConfigurationError(
                    Message(
                        "ASSAY_TRUSTED_PROXIES names {item!r}, which is neither an address "
                        "nor a network: {error}.",
                        item=item,
                        error=error,
                    ),
                    field="trusted_proxies",
                    value=item,
                    remedy=Message("Write addresses and networks such as 127.0.0.1,172.16.0.0/12."),
                ) from error
        return listed

    @field_validator("notice_hosts", mode="before")
    @classmethod
    def read_notice_hosts(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        listed = tuple(item.strip() for item in value.split(",") if item.strip())
        for item in listed:
            if not NOTICE_HOST.fullmatch(item):
                raise ConfigurationError(
                    Message(
                        "ASSAY_NOTICE_HOSTS names {item!r}, which is no name, address or network.",
                        item=item,
                    ),
                    field="notice_hosts",
                    value=item,
                    remedy=Message(
                        "Write hosts without scheme and port, such as hooks.internal,10.1.0.0/16."
                    ),
                )
        return listed

    @field_validator("proxy")
    @classmethod
    def check_proxy(cls, value: str | None) -> str | None:
        if value is None:
            return None
        scheme = urlsplit(value).scheme
        if scheme not in PROXY_SCHEMES or not urlsplit(value).hostname:
            raise ConfigurationError(
                Message("ASSAY_PROXY is {value!r}, which is no address of a proxy.", value=value),
                field="proxy",
                value=value,
                remedy=Message(
                    "Write SCHEME://HOST:PORT; the schemes are {schemes}.",
                    schemes=", ".join(PROXY_SCHEMES),
                ),
            )
        if scheme.startswith("socks") and find_spec("socksio") is None:
            raise ConfigurationError(
                Message(
                    "ASSAY_PROXY is {value!r}, and SOCKS needs the package socksio.", value=value
                ),
                field="proxy",
                value=value,
                remedy=Message(
                    "Install it: {python} -m pip install socksio.", python=sys.executable
                ),
            )
        return value

    @field_validator("language")
    @classmethod
    def has_a_catalogue(cls, value: str | None) -> str | None:
        if value is not None and value not in languages():
            raise ConfigurationError(
                Message("ASSAY_LANGUAGE is {value!r}.", value=value),
                field="language",
                value=value,
                remedy=Message("Choose one of: {languages}.", languages=languages()),
            )
        return value

    @model_validator(mode="after")
    def refuse_weak_secrets_in_production(self) -> Self:
        if self.environment != "production":
            return self
        for name in ("session_secret", "webhook_secret", "label_studio_token"):
            secret: SecretStr | None = getattr(self, name)
            value = secret.get_secret_value() if secret else ""
            if len(value) < MINIMUM_SECRET_LENGTH or value.lower() in WEAK_SECRETS:
                raise ConfigurationError(
                    Message(
                        "ASSAY_{name} is missing or too weak for production.", name=name.upper()
                    ),
                    field=name,
                    remedy=Message(
                        "Set it to at least 24 random characters: openssl rand -hex 24."
                    ),
                )
        return self

    @property
    def store_url(self) -> str:
        """SQLAlchemy URL of the store."""
        if self.database_url:
            return self.database_url
        file = self.data_dir.absolute() / "assay.sqlite3"
        from sqlalchemy import URL  # heavy, and not needed to read settings

        return URL.create("sqlite", database=str(file)).render_as_string()

    @property
    def is_embedded_store(self) -> bool:
        """True on SQLite: one worker process, no servers."""
        return self.store_url.startswith("sqlite")

    @property
    def local_url(self) -> str:
        """URL of the API on this machine."""
        return f"http://{self.host}:{self.port}"

    @property
    def webhook_base_url(self) -> str:
        """URL of the API as Label Studio sees it."""
        return (self.public_url or self.local_url).rstrip("/")

    @property
    def annotator_url(self) -> str:
        """URL of Label Studio as annotators see it."""
        return (self.label_studio_public_url or self.label_studio_url).rstrip("/")

    @property
    def models_dir(self) -> Path:
        """Where model versions are written."""
        return self.data_dir / "models"

    @property
    def embeddings_dir(self) -> Path:
        """Where the embedding cache lives."""
        return self.data_dir / "embeddings"

    @property
    def pools_dir(self) -> Path:
        """Where the features of datasets lie; it may be deleted at any time."""
        return self.data_dir / "pools"

    @property
    def record_index_dir(self) -> Path:
        """Columns of current records, by dataset."""
        return self.data_dir / "record_index"

    @property
    def verdicts_dir(self) -> Path:
        """Where the verdicts on records lie; it may be deleted at any time."""
        return self.data_dir / "verdicts"

    @property
    def selections_dir(self) -> Path:
        """Where records that somebody chose are kept for a while; it may be deleted at any time."""
        return self.data_dir / "selections"

    @property
    def maps_dir(self) -> Path:
        """Where the maps of records lie; it may be deleted at any time."""
        return self.data_dir / "maps"


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment and the two env files; ``overrides`` win.

    Raises:
        ConfigurationError: a value is missing or unsafe; the message names it.
    """
    data_dir = Path(str(overrides.get("data_dir") or os.environ.get("ASSAY_DATA_DIR", ".assay")))
    files = (data_dir / "embedded.env", Path(".env"))
    return Settings(_env_file=files, **overrides)  # type: ignore[arg-type]


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The process's settings, read once."""
    return load_settings()
