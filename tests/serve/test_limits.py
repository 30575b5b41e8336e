"""The server's limits, and those of nginx in front of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from memn2n.errors import ConfigError
from memn2n.serve.limits import HEADER_BYTES, KEEP_ALIVE, Limits
from memn2n.settings import documented_settings
from tests.serve.conftest import NGINX_CONF

PAGE = Path(__file__).parents[2] / "docs" / "serve.md"


def test_limits_must_be_positive() -> None:
    for name in ("max_body", "timeout", "queue"):
        with pytest.raises(ConfigError, match=f"{name} is 0"):
            Limits(**{name: 0})
    with pytest.raises(ConfigError, match="timeout is nan"):
        Limits(timeout=float("nan"))


def test_the_documentation_has_all_limits() -> None:
    rows = re.findall(r"^\| `--([a-z-]+)` \| ([\d,]+)( MiB)?", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    documented = {name.replace("-", "_"): int(number.replace(",", "")) * (2**20 if mib else 1)
                  for name, number, mib in rows}  # fmt: skip
    assert documented == {setting.name: setting.default for setting in documented_settings(Limits)}


def directive(name: str) -> list[int]:
    """The numbers of all directives of this name in nginx.conf, in bytes or seconds."""
    text = NGINX_CONF.read_text(encoding="utf-8")
    (values,) = re.findall(rf"^ *{name} ([^;]*);", text, re.MULTILINE)
    units = {"": 1, "s": 1, "k": 2**10, "m": 2**20}
    return [int(number) * units[unit] for number, unit in re.findall(r"\b(\d+)([skm]?)\b", values)]


def test_nginx_has_the_limits_of_the_server() -> None:
    limits = Limits()
    assert directive("client_max_body_size") == [limits.max_body]
    number, size = directive("large_client_header_buffers")
    assert number * size == HEADER_BYTES
    for name in ("client_header_timeout", "send_timeout"):
        assert directive(name) == [limits.timeout], name
    for name in ("client_body_timeout", "proxy_send_timeout", "proxy_read_timeout"):  # the server refuses first
        assert directive(name)[0] > limits.timeout, name
    (connections,) = re.findall(r"max_conns=(\d+)", NGINX_CONF.read_text(encoding="utf-8"))
    assert int(connections) < limits.max_connections
    assert re.search(rf"keepalive_timeout {KEEP_ALIVE - 1}s; ", NGINX_CONF.read_text(encoding="utf-8"))
