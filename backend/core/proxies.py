"""The client's address and scheme as a trusted proxy tells them."""

import ipaddress
from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

_PEER = "assay.peer"


class ForwardedClient:
    """ASGI middleware: what ``X-Forwarded-For`` and ``-Proto`` say, if a trusted proxy says it.

    ``X-Forwarded-For`` is read from right to left; the first address that is no trusted proxy is
    the client, so what a client itself writes there is never reached. The headers of any other
    peer change nothing, and neither does a value that is no address or no known scheme.

    Args:
        trusted: addresses and networks of proxies, such as 127.0.0.1 and 172.16.0.0/12.
    """

    def __init__(self, app: ASGIApp, trusted: Sequence[str]) -> None:
        self._app = app
        self._forwarded = ProxyHeadersMiddleware(
            self._with_an_address,  # type: ignore[arg-type]  # uvicorn has ASGI types of its own
            trusted_hosts=list(trusted),
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[_PEER] = scope.get("client")
        await self._forwarded(scope, receive, send)  # type: ignore[arg-type]

    async def _with_an_address(self, scope: Scope, receive: Receive, send: Send) -> None:
        peer = scope.pop(_PEER)
        client = scope.get("client")
        if client is not None and not _is_address(client[0]):
            scope["client"] = peer
        await self._app(scope, receive, send)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
