"""One request to a receiver: to an address that was looked at, in bounded time, no redirects."""

import asyncio
import socket
import ssl
import time
from dataclasses import dataclass
from ipaddress import ip_address

import httpx

from backend.core.exceptions import AppError
from backend.jobs.storable import storable_text
from backend.notices.destination import Address, AllowedHosts, check_url
from backend.words import Message

TOTAL_SECONDS = 15.0
"""From the name to the end of the answer, however slowly that comes. Chosen: a receiver puts a
notice down and answers; what takes longer is a fault."""
CONNECT_SECONDS = 5.0
"""Chosen: of the other side of the world a fifth is usual."""
KEPT_BYTES = 500
"""Of an answer's body. Chosen: what a receiver says of a fault is shorter."""
MOST_ADDRESSES = 3
"""Of one name that are tried. Chosen: names with more have the same behind each."""


@dataclass(frozen=True)
class ReceiverAnswer:
    """What came of one request."""

    seconds: float
    status: int | None = None
    answer: str = ""
    error: Message | str | None = None


class NotPermitted(AppError):
    """The host's name leads to an address that notices may not go to."""


def send(
    url: str,
    body: bytes,
    headers: dict[str, str],
    *,
    allowed: AllowedHosts,
    proxy: str | None = None,
    trust: ssl.SSLContext | bool = True,
) -> ReceiverAnswer:
    """POST ``body``; whatever happens is the answer. Answers from 200 to 299 are a success."""
    start = time.monotonic()

    def seconds() -> float:
        return round(time.monotonic() - start, 3)

    try:
        status, text = asyncio.run(_send_in_time(url, body, headers, allowed, proxy, trust))
    except TimeoutError:
        late = Message("No answer within {seconds:g} seconds.", seconds=TOTAL_SECONDS)
        return ReceiverAnswer(seconds(), error=late)
    except AppError as error:
        return ReceiverAnswer(seconds(), error=Message.of_error(error))
    except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as error:
        said = storable_text(f"{type(error).__name__}: {error}"[:KEPT_BYTES])
        return ReceiverAnswer(seconds(), error=said)
    return ReceiverAnswer(seconds(), status, text, _refusal(status))


async def _send_in_time(
    url: str,
    body: bytes,
    headers: dict[str, str],
    allowed: AllowedHosts,
    proxy: str | None,
    trust: ssl.SSLContext | bool,
) -> tuple[int, str]:
    async with asyncio.timeout(TOTAL_SECONDS):
        parsed = check_url(url, allowed)  # the setting may have changed since it was registered
        through = None if allowed.name(parsed.host) else proxy
        timeout = httpx.Timeout(TOTAL_SECONDS, connect=CONNECT_SECONDS)
        places = await _addresses(parsed.host, parsed.port or _port_of(parsed), allowed, through)
        async with httpx.AsyncClient(
            timeout=timeout, trust_env=False, follow_redirects=False, proxy=through, verify=trust
        ) as http:
            if through is not None:  # the proxy resolves the name itself
                return await _post(http, parsed, parsed, body, headers)
            for place in places[:-1]:
                try:
                    return await _post(http, parsed, _at(parsed, place), body, headers)
                except httpx.ConnectError:
                    continue
            return await _post(http, parsed, _at(parsed, places[-1]), body, headers)


async def _addresses(
    host: str, port: int, allowed: AllowedHosts, proxy: str | None
) -> list[Address]:
    """What the name leads to.

    Raises:
        NotPermitted: one of these may not be sent to.
        OSError: there is no such name.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        if proxy is not None:
            return []
        raise
    addresses = [ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    for address in addresses:
        if not allowed.permit(host, address):
            raise NotPermitted(
                Message(
                    "{host} leads to {address}, which is not of the public internet.",
                    host=host,
                    address=address,
                ),
                remedy=Message("Whoever runs the server can allow it (ASSAY_NOTICE_HOSTS)."),
            )
    return addresses[:MOST_ADDRESSES]


async def _post(
    http: httpx.AsyncClient, named: httpx.URL, url: httpx.URL, body: bytes, headers: dict[str, str]
) -> tuple[int, str]:
    request = http.build_request(
        "POST",
        url,
        content=body,
        headers={"Host": named.netloc.decode(), **headers},
        extensions={"sni_hostname": named.raw_host.decode()},
    )
    response = await http.send(request, stream=True)
    try:
        read = bytearray()
        async for piece in response.aiter_raw():
            read += piece
            if len(read) >= KEPT_BYTES:
                break
    finally:
        await response.aclose()
    return response.status_code, storable_text(read[:KEPT_BYTES].decode("utf-8", "replace"))


def _at(url: httpx.URL, address: Address) -> httpx.URL:
    return url.copy_with(host=str(address))


def _port_of(url: httpx.URL) -> int:
    return 443 if url.scheme == "https" else 80


def _refusal(status: int) -> Message | None:
    if 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return Message("It answered {status}; redirects are not followed.", status=status)
    return Message("It answered {status}.", status=status)
