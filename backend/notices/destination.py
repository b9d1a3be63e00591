"""Where notices may go: to public addresses by https, and where a setting allows, elsewhere.

Whoever may register a receiver could otherwise have the server ask whatever it reaches itself: a
database's port, a cloud's metadata. So a name is resolved first, each of its addresses is looked
at, and the connection goes to an address that was looked at.
"""

from dataclasses import dataclass
from functools import cached_property
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

import httpx

from backend.core.exceptions import InvalidInput
from backend.words import Message

Address = IPv4Address | IPv6Address
NAT64 = IPv6Network("64:ff9b::/96")
"""IPv4 behind a gateway (RFC 6052): its last 32 bits say where it leads."""


@dataclass(frozen=True)
class AllowedHosts:
    """The names, addresses and networks of ``ASSAY_NOTICE_HOSTS``."""

    listed: tuple[str, ...]

    def name(self, host: str) -> bool:
        """True if the host itself is listed, or is an address in a listed network."""
        address = _literal(host)
        if address is not None:
            return self.hold(address)
        return host.rstrip(".").lower() in self._names

    def hold(self, address: Address) -> bool:
        """True if a listed network has the address."""
        return any(address in network for network in self._networks)

    def permit(self, host: str, address: Address) -> bool:
        """True if ``host``, which resolves to ``address``, may be connected to."""
        return self.name(host) or self.hold(address) or is_public(address)

    @cached_property
    def _networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        return tuple(network for each in self.listed if (network := _network(each)) is not None)

    @cached_property
    def _names(self) -> frozenset[str]:
        names = (each for each in self.listed if _network(each) is None)
        return frozenset(each.rstrip(".").lower() for each in names)


def check_url(url: str, allowed: AllowedHosts) -> httpx.URL:
    """The receiver's URL.

    Raises:
        InvalidInput: it is none, has credentials in it, is not https, or names a private address;
            the last two unless its host is allowed.
    """
    try:
        parsed = httpx.URL(url.strip())
    except httpx.InvalidURL as error:
        raise _refusal(Message("This is no URL: {error}.", error=error)) from error
    if parsed.scheme not in ("https", "http") or not parsed.host:
        raise _refusal(Message("A receiver's URL begins with https:// and a host."))
    if parsed.userinfo or parsed.fragment:
        raise _refusal(Message("A receiver's URL has no user, password or fragment."))
    if allowed.name(parsed.host):
        return parsed
    if parsed.scheme != "https":
        raise _refusal(Message("Notices go to {host} by https only.", host=parsed.host))
    address = _literal(parsed.host)
    if address is not None and not is_public(address):
        raise _refusal(
            Message("{host} is not an address of the public internet.", host=parsed.host)
        )
    return parsed


def is_public(address: Address) -> bool:
    """True if the address, and one of IPv4 inside of it, is of the public internet."""
    inner = _inner(address)
    return address.is_global and not address.is_multicast and (inner is None or is_public(inner))


def place_of(url: str) -> str:
    """The URL without path and query, which may hold a token of the receiver.

    >>> place_of("https://hooks.example.org:8443/services/T0/B1?token=abc")
    'https://hooks.example.org:8443/…'
    """
    parsed = httpx.URL(url)
    return f"{parsed.scheme}://{parsed.netloc.decode()}/…"


def _inner(address: Address) -> IPv4Address | None:
    if isinstance(address, IPv4Address):
        return None
    if address in NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _network(listed: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(listed)
    except ValueError:
        return None


def _refusal(fact: Message) -> InvalidInput:
    return InvalidInput(
        fact,
        field="url",
        remedy=Message(
            "Use an https address with a public host; whoever runs the server can allow others "
            "(ASSAY_NOTICE_HOSTS)."
        ),
    )
