"""Access control: by token, by the host names that a request is addressed to, and by the origin of a web page."""

from __future__ import annotations

import hmac
import ipaddress
import re
from typing import TYPE_CHECKING, NamedTuple

from memn2n.errors import ConfigError, Setting
from memn2n.serve.origins import check_origins
from memn2n.serve.refusals import foreign_host, unauthorized
from memn2n.terminal import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_PROTECTED = ("/api/", "/metrics")
_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*://([^/?#]*)", re.IGNORECASE)
_LOCAL = re.compile(r"(?:(localhost|[0-9.]+)|\[([0-9a-f.]*:[0-9a-f:.]*)\])(?::([0-9]{1,5}))?", re.ASCII | re.IGNORECASE)
_PORTS = range(1, 2**16)


class Access(NamedTuple):
    """What a request needs in order to be served.

    Args:
        token: must be sent as ``Authorization: Bearer TOKEN`` with requests to ``/api/`` and ``/metrics``. The page,
            the documentation and ``/healthz`` need no token.
        local: whether every host name of a request must be this machine's: ``localhost`` or a loopback address.
            Without this check, a web site could let its own name resolve to this machine and read the answers (DNS
            rebinding).
        origins: the web sites whose pages may read the responses, as ``check_origins`` returns them.
    """

    token: str | None = None
    local: bool = True
    origins: tuple[str, ...] = ()

    def check(self, path: str, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """Check a request.

        Args:
            path: the path below the server's root path.
            headers: all headers, with names in lower case.

        Raises:
            RefusedError: 403 for a wrong host name, 401 for a missing or wrong token.
        """
        if self.local and not all(map(_is_local, _host_names(path, headers))):
            raise foreign_host()
        if self.token is None or not path.startswith(_PROTECTED):
            return
        scheme, _, token = dict(headers).get(b"authorization", b"").partition(b" ")
        if scheme.lower() != b"bearer" or not hmac.compare_digest(token.strip(), self.token.encode()):
            problem = "the token is wrong" if token else "this server requires a token"
            raise unauthorized(f"{problem}: send the header authorization: Bearer TOKEN")


def access_to(host: str, token: str | None, no_auth: bool, cors_origin: Iterable[str] = ()) -> Access:
    """The access control for a server that listens on ``host``.

    Raises:
        ConfigError: if other machines can reach the host and there is neither a token nor ``no_auth``; if there are
            both; if the token cannot be sent in a header; or for an origin that a browser does not send.
    """
    origins = check_origins(cors_origin, every=token is not None or no_auth)
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
        return Access(token, local=False, origins=origins)
    if no_auth:
        return Access(local=False, origins=origins)
    if not is_loopback(host):
        raise ConfigError(
            Setting("host"),
            f" is {quoted(host)}, which other machines can reach: set ", Setting("token"),
            " (or the variable MEMN2N_TOKEN), or allow everybody with ", Setting("no_auth"),
        )  # fmt: skip
    return Access(origins=origins)


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's loopback."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _host_names(path: str, headers: Sequence[tuple[bytes, bytes]]) -> Iterator[str]:
    """Every host that a request names, with its port: in its URL, its Host header and the headers of proxies.

    A request without exactly one Host header also gives an empty name.
    """
    if absolute := _ABSOLUTE.match(path):
        yield absolute[1]
    hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
    yield from hosts
    if len(hosts) != 1:
        yield ""
    for name, value in headers:
        text = value.decode("latin-1")
        if name == b"x-forwarded-host":
            yield from (host.strip(" \t") for host in text.split(","))
        elif name == b"forwarded":  # RFC 7239: for=192.0.2.1;host="localhost:80", for=...
            pairs = (pair.partition("=") for pair in re.split("[;,]", text))
            yield from (host.strip(' \t"') for key, equals, host in pairs
                        if key.strip(" \t").lower() == "host" or not equals)  # fmt: skip


def _is_local(host: str) -> bool:
    """Whether a host, with its port, names this machine. Whatever is not written as browsers write it is refused."""
    match = _LOCAL.fullmatch(host)
    if match is None:
        return False
    name, address, port = match.groups()
    return is_loopback(name or address) and (port is None or int(port) in _PORTS)
