"""Access control: by token, and by the host name that a request is addressed to."""

from __future__ import annotations

import hmac
import ipaddress
from typing import TYPE_CHECKING, NamedTuple

from memn2n.errors import ConfigError, Setting
from memn2n.serve.refusals import foreign_host, unauthorized

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROTECTED = ("/api/", "/metrics")


class Access(NamedTuple):
    """What a request needs in order to be served.

    Args:
        token: must be sent as ``Authorization: Bearer TOKEN`` with requests to ``/api/`` and ``/metrics``. The page,
            the documentation and ``/healthz`` need no token.
        local: whether the Host header must name this machine: ``localhost`` or a loopback address. Without this
            check, a web site could let its own name resolve to this machine and read the answers (DNS rebinding).
    """

    token: str | None = None
    local: bool = True

    def check(self, path: str, headers: Mapping[bytes, bytes]) -> None:
        """Check a request by its path and its headers, whose names are in lower case.

        Raises:
            RefusedError: 403 for a wrong host name, 401 for a missing or wrong token.
        """
        if self.local and not is_loopback(_host_name(headers.get(b"host", b"").decode("latin-1"))):
            raise foreign_host()
        if self.token is None or not path.startswith(_PROTECTED):
            return
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() != b"bearer" or not hmac.compare_digest(token.strip(), self.token.encode()):
            problem = "the token is wrong" if token else "this server requires a token"
            raise unauthorized(f"{problem}: send the header authorization: Bearer TOKEN")


def access_to(host: str, token: str | None, no_auth: bool) -> Access:
    """The access control for a server that listens on ``host``.

    Raises:
        ConfigError: if other machines can reach the host and there is neither a token nor ``no_auth``; if there are
            both; or if the token cannot be sent in a header.
    """
    if token is not None:
        if no_auth:
            raise ConfigError(
                Setting("token"), " (or the variable MEMN2N_TOKEN) and ", Setting("no_auth"),
                " contradict each other: give one of them",
            )  # fmt: skip
        if not token or not all("!" <= char <= "~" for char in token):
            raise ConfigError(
                Setting("token"), " is empty, or has characters other than printable ASCII; choose another token"
            )
        return Access(token, local=False)
    if no_auth:
        return Access(local=False)
    if not is_loopback(host):
        raise ConfigError(
            Setting("host"),
            f" is {host!r}, which other machines can reach: set ", Setting("token"),
            " (or the variable MEMN2N_TOKEN), or allow everybody with ", Setting("no_auth"),
        )  # fmt: skip
    return Access()


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's loopback."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host_name(header: str) -> str:
    """The host name in a Host header, without its port."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0]
