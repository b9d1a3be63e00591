"""Ports of this machine: which are free, and who has the others."""

import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

import psutil

from backend.core.settings import Settings
from backend.embedded.exceptions import StackNotStarted
from labeling.label_studio.server import free_port, listens

HOST = "127.0.0.1"


def is_port_free(port: int, host: str = HOST) -> bool:
    """True if nothing listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def choose_port(preferred: int) -> int:
    """``preferred``, or any free one where it is taken."""
    return preferred if is_port_free(preferred) else free_port(HOST)


def check_ports(settings: Settings, ours: Sequence[int]) -> None:
    """The API's port and Label Studio's are free, or one of these processes has them.

    Raises:
        StackNotStarted: somebody else has one; the message says who, as far as the system tells.
    """
    label_studio = urlsplit(settings.label_studio_url)
    another = f"ASSAY_LABEL_STUDIO_URL to http://{label_studio.hostname}:ANOTHER_PORT"
    for field, setting, host, port in (
        ("port", "ASSAY_PORT to another port", settings.host, settings.port),
        ("label_studio_url", another, label_studio.hostname or HOST, label_studio.port or 80),
    ):
        if not is_port_free(port, host) and not any(listens(pid, port) for pid in ours):
            raise StackNotStarted(
                f"Port {port} on {host} is taken by {_listener(port)}.",
                field=field,
                value=port,
                remedy=f"Stop what listens there, or set {setting}.",
            )


def _listener(port: int) -> str:
    # "process 12 (python)"
    try:
        for connection in psutil.net_connections("tcp"):
            is_listening = connection.status == psutil.CONN_LISTEN
            address = connection.laddr
            if is_listening and address and address.port == port and connection.pid is not None:
                return f"process {connection.pid} ({psutil.Process(connection.pid).name()})"
    except psutil.Error:
        pass
    return "another program"
