"""Where notices may go, and where they may not."""

from ipaddress import ip_address

import pytest

from backend.core.exceptions import InvalidInput
from backend.notices.destination import AllowedHosts, check_url, is_public, place_of

NOBODY = AllowedHosts(())
SOME = AllowedHosts(("hooks.internal", "10.1.0.0/16", "::1", "127.0.0.1"))


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.org/x",
        "ftp://hooks.example.org/x",
        "hooks.example.org",
        "https://",
        "https://user:hunter2@hooks.example.org/",
        "https://hooks.example.org/#part",
        "https://127.0.0.1/",
        "https://10.0.0.7/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[fe80::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::a00:7]/",
        "https://0.0.0.0/",
    ],
)
def test_what_is_not_public_and_https_is_refused_with_a_remedy(url: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_url(url, NOBODY)
    assert caught.value.field == "url"
    assert "ASSAY_NOTICE_HOSTS" in str(caught.value.remedy)
    assert "hunter2" not in str(caught.value), "it may be secret"


@pytest.mark.parametrize(
    "url", ["https://hooks.example.org/a?b=c", "https://8.8.8.8:8443/", "https://xn--fiqs8s/"]
)
def test_public_hosts_are_fine(url: str) -> None:
    assert str(check_url(url, NOBODY)) == url


@pytest.mark.parametrize(
    "url",
    ["http://HOOKS.internal./x", "http://10.1.2.3:9000/", "http://[::1]/", "http://127.0.0.1/"],
)
def test_listed_hosts_are_fine_by_http_too(url: str) -> None:
    check_url(url, SOME)
    with pytest.raises(InvalidInput):
        check_url(url, NOBODY)


@pytest.mark.parametrize("url", ["http://10.2.0.1/", "http://other.internal/", "http://127.0.0.2/"])
def test_others_are_not_allowed_by_that(url: str) -> None:
    with pytest.raises(InvalidInput):
        check_url(url, SOME)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1", True),
        ("64:ff9b::808:808", True),
        ("172.16.0.1", False),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("fd00::1", False),
        ("2002:7f00:1::", False),
        ("2002:a00:1::", False),
    ],
)
def test_addresses_inside_of_addresses_count(address: str, expected: bool) -> None:
    assert is_public(ip_address(address)) is expected


def test_a_private_address_is_permitted_by_its_network_or_its_name() -> None:
    inside, outside = ip_address("10.1.0.9"), ip_address("10.2.0.9")
    assert SOME.permit("anything.example.org", inside)
    assert not SOME.permit("anything.example.org", outside)
    assert SOME.permit("hooks.internal", outside)


def test_of_a_url_only_the_host_is_shown() -> None:
    assert "T0" not in place_of("https://hooks.example.org/services/T0?token=abc")
