"""The real Label Studio server as a process of its own: hardened, offline, on loopback.

It lives in an environment of its own and is never imported: it owns top-level names such
as ``users``, ``tasks`` and ``core``.
"""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from labeling.exceptions import LabelStudioNotStarted, OtherToken
from labeling.label_studio.account import ensure_token
from labeling.label_studio.direct import answers
from labeling.words import Words

START_SECONDS = 300.0
"""Chosen: five times what a first start is expected to take."""
FIRST_START_SECONDS = 60.0
"""Expected of a first start, which makes the tables; it only moves the bar."""
TASK_LOCK_SECONDS = 1800
"""Chosen: longer than anybody looks at a record; one that was left is free in half an hour."""

Progress = Callable[[float, Words], None]


@dataclass(frozen=True)
class LabelStudioServer:
    """How one server is started: where its program, its data and its door are.

    ``token`` is 40 hexadecimal characters and becomes the admin's API token.
    """

    executable: Path
    data_dir: Path
    port: int
    email: str
    password: str
    token: str
    host: str = "127.0.0.1"
    postgres: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{self.host}:{self.port}"

    @property
    def log_file(self) -> Path:
        """Where its output goes."""
        return self.data_dir / "server.log"

    def environment(self) -> dict[str, str]:
        """The server's environment: no outside connection, no open sign-up, strict predictions."""
        inherited = {key: os.environ[key] for key in ("PATH", "LANG", "TZ") if key in os.environ}
        return inherited | {
            "HOME": str(self.data_dir / "home"),
            # Its webhooks go to our API: no proxy, not even the one of the system's settings.
            "NO_PROXY": "*",
            "no_proxy": "*",
            "LABEL_STUDIO_BASE_DATA_DIR": str(self.data_dir),
            "LABEL_STUDIO_USERNAME": self.email,
            "LABEL_STUDIO_PASSWORD": self.password,
            "LABEL_STUDIO_USER_TOKEN": self.token,
            "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
            "LABEL_STUDIO_COLLECT_ANALYTICS": "false",
            "LABEL_STUDIO_LATEST_VERSION_CHECK": "false",
            "LABEL_STUDIO_SENTRY_DSN": "",
            "LABEL_STUDIO_FRONTEND_SENTRY_DSN": "",
            "LABEL_STUDIO_FEATURE_FLAGS_OFFLINE": "true",
            # Its webhooks must reach our API on loopback; the metadata address stays shut.
            "LABEL_STUDIO_USE_DEFAULT_BANNED_SUBNETS": "false",
            "LABEL_STUDIO_USER_ADDITIONAL_BANNED_SUBNETS": "169.254.0.0/16",
            "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
            "LABEL_STUDIO_TASK_LOCK_TTL": str(TASK_LOCK_SECONDS),
            "fflag_feat_utc_210_prediction_validation_15082025": "true",
            **self.postgres,
        }

    def start(self, progress: Progress | None = None) -> int:
        """The server answers on its port and takes the token; its process id.

        It runs in a session of its own and outlives the caller. The first start on an
        empty directory migrates its database, which takes most of a minute.

        Raises:
            LabelStudioNotStarted: no program, port taken, it died, or it took too long.
            OtherToken: its data belong to an admin with another token.
            LabelStudioRefused: its data belong to an admin with another password.
        """
        self._check()
        (self.data_dir / "home").mkdir(parents=True, exist_ok=True)
        is_first = not (self.data_dir / "label_studio.sqlite3").exists() and not self.postgres
        with self.log_file.open("ab") as log:
            process = subprocess.Popen(
                [
                    str(self.executable.absolute()),
                    "start",
                    "--no-browser",
                    "--internal-host",
                    self.host,
                    "--port",
                    str(self.port),
                ],
                env=self.environment(),
                cwd=self.data_dir,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait(process, FIRST_START_SECONDS if is_first else 8.0, progress)
            self.check_token()
        except BaseException:
            stop_process(process.pid)
            raise
        return process.pid

    def check_token(self) -> None:
        """The token works for the admin; what can be repaired about it is.

        Raises:
            OtherToken: the admin has another one.
            LabelStudioRefused: the admin has another one, and another password.
        """
        held = ensure_token(self.url, self.email, self.password, self.token)
        if held != self.token:
            raise OtherToken(
                Words(
                    "Label Studio at {url} (data in {data_dir}) has another API token for {email}"
                    " than ASSAY_LABEL_STUDIO_TOKEN says. Leave that setting out, or set it to "
                    "the one on Label Studio's page Account & Settings.",
                    url=self.url,
                    data_dir=self.data_dir,
                    email=self.email,
                ),
                held,
            )

    def is_up(self) -> bool:
        """True if it answers its health check."""
        return answers(self.url)

    def _check(self) -> None:
        if not self.executable.exists():
            raise LabelStudioNotStarted(
                Words(
                    "Label Studio is not installed at {executable}. Run: make install, or set "
                    "ASSAY_LABEL_STUDIO_BIN.",
                    executable=self.executable,
                )
            )
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError as error:
                # It would silently take the next port, and everyone would talk to a stranger.
                raise LabelStudioNotStarted(
                    Words(
                        "Port {port} on {host} is taken. Stop what listens there or choose "
                        "another port.",
                        port=self.port,
                        host=self.host,
                    )
                ) from error

    def _wait(
        self, process: "subprocess.Popen[bytes]", expected: float, progress: Progress | None
    ) -> None:
        started = time.monotonic()
        while (elapsed := time.monotonic() - started) < START_SECONDS:
            if process.poll() is not None:
                raise LabelStudioNotStarted(
                    Words(
                        "Label Studio ended with code {code}; see {log_file}.",
                        code=process.returncode,
                        log_file=self.log_file,
                    )
                )
            if self.is_up():
                if listens(process.pid, self.port):
                    return
                raise LabelStudioNotStarted(
                    Words(
                        "Something else took port {port} while Label Studio was starting. Choose "
                        "another port.",
                        port=self.port,
                    )
                )
            if progress:
                progress(min(elapsed / expected, 0.99), Words("Label Studio is starting"))
            time.sleep(0.3)
        raise LabelStudioNotStarted(
            Words(
                "Label Studio did not answer within {seconds:.0f} s; see {log_file}.",
                seconds=START_SECONDS,
                log_file=self.log_file,
            )
        )


def stop_process(pid: int, timeout: float = 10.0) -> None:
    """The process is gone: SIGTERM, then SIGKILL after ``timeout`` seconds."""
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        process.terminate()
        try:
            process.wait(timeout)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait()


def listens(pid: int, port: int) -> bool:
    """True if that process listens on the TCP port; also where the system does not tell."""
    try:
        connections = psutil.Process(pid).net_connections("tcp")
    except psutil.Error:
        return True
    return any(
        connection.status == psutil.CONN_LISTEN and connection.laddr.port == port
        for connection in connections
    )


def free_port(host: str = "127.0.0.1") -> int:
    """A port on which nothing listens at this moment."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
