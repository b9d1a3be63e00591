"""Ports of this machine: which are free, and who has the others."""

import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

import psutil

from backend.core.settings import ENV_PREFIX, Settings
from backend.embedded.exceptions import StackNotStarted
from backend.words import Message
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
    place = label_studio.hostname or HOST
    for field, other, host, port in (
        ("port", "PORT", settings.host, settings.port),
        ("label_studio_url", f"http://{place}:PORT", place, label_studio.port or 80),
    ):
        if not is_port_free(port, host) and not any(listens(pid, port) for pid in ours):
            raise StackNotStarted(
                Message(
                    "Port {port} on {host} is taken by {who}.",
                    port=str(port),
                    host=host,
                    who=_listener(port),
                ),
                field=field,
                value=port,
                remedy=Message(
                    "Stop what listens there, or set {setting} to {other}.",
                    setting=ENV_PREFIX + field.upper(),
                    other=other,
                ),
            )


def _listener(port: int) -> Message:
    try:
        for connection in psutil.net_connections("tcp"):
            is_listening = connection.status == psutil.CONN_LISTEN
            address, pid = connection.laddr, connection.pid
            if is_listening and address and address.port == port and pid is not None:
                name = psutil.Process(pid).name()
                return Message("process {pid} ({name})", pid=str(pid), name=name)
    except psutil.Error:
        pass
    return Message("another program")
