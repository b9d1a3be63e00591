"""Connections to servers: our own ones directly, whatever proxy the environment names."""

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import httpx

HEALTH_SECONDS = 2.0
"""Chosen: a server on this machine that is well answers its health check in a hundredth of it."""
OWN_SUFFIXES = (".localhost", ".local", ".internal")


def open_client(url: str, *, proxy: str | None = None, **options: Any) -> httpx.Client:
    """A client for the server at ``url``; through ``proxy`` only where that is outside.

    Proxies that the environment names (``http_proxy``, ``ALL_PROXY``, …) are never used: they are
    there for browsers and downloads, and most cannot reach this machine.
    """
    through = None if proxy is None or is_own(url) else proxy
    return httpx.Client(base_url=url, proxy=through, trust_env=False, **options)


def is_own(url: str) -> bool:
    """True for this machine and the networks around it: private addresses, names without a dot."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(OWN_SUFFIXES)


def answers(url: str) -> bool:
    """True if the server's health check answers 200."""
    try:
        with open_client(url, timeout=HEALTH_SECONDS) as http:
            return http.get("/health").status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
