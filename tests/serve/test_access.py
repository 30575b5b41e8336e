"""Who may send requests: host names, web pages of other origins, and paths below a root path."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from memn2n import pretrained
from memn2n.errors import ConfigError
from memn2n.serve import asgi_app
from memn2n.serve.access import Access, access_to
from memn2n.serve.app import create_app
from memn2n.serve.limits import Limits
from memn2n.serve.models import Models, load_models
from tests.serve.conftest import Reply, Server

LOCAL_HOSTS = ("localhost", "LocalHost:80", "127.0.0.1", "127.8.9.1:65535", "[::1]", "[::1]:8321", "[0:0:0:0:0:0:0:1]")
FOREIGN_HOSTS = (
    "evil.example", "evil.example:80", "localhost.evil.example", "10.0.0.1", "0.0.0.0", "[::]", "[::2]",
    "[::1].evil.example", "[::1]evil.example", "[::1]:80.evil.example", "[::1%25evil.example]", "[::1%evil.example]",
    "[localhost]", "[127.0.0.1]", "[v1.1]", "[", "[]", "[::1", "::1", "::1]",
    "localhost:evil.example", "localhost:80:80", "localhost:80@evil.example", "localhost:-1", "localhost:+80",
    "localhost:", "localhost:0", "localhost:65536", "localhost:99999", "localhost:080808", "localhost:8_0",
    "localhost@evil.example", "user@localhost", "user:pass@localhost", "localhost.", "127.0.0.1.", ".localhost",
    "evil.localhost", "localhost, evil.example", "localhost evil.example", "localhost/evil.example",
    "http://localhost", "localhost#evil.example", "localhost?evil", "localhost\\evil", "localhost%2eevil.example",
    "xn--localhost-9za", "locаlhost".encode().decode("latin-1"), "127.0.0.1".translate({49: 0xB9}),
    "ſ".encode().decode("latin-1"),
    "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.01", "127.0.0.1.evil.example", "",
)  # fmt: skip


def status_of(server: Server, target: str, *headers: str, version: str = "1.1") -> int:
    """The status of the response to a request that is written as it is."""
    lines = [f"GET {target} HTTP/{version}", *headers, "connection: close", "", ""]
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as client:
        client.sendall("\r\n".join(lines).encode("latin-1"))
        with client.makefile("rb") as response:
            return int(response.readline().split()[1])


def call(app: Any, path: str, method: str = "GET", root_path: str = "", headers: Any = ()) -> Reply:
    """Send a request without a body to an app, as an ASGI server does."""
    sent: list[dict[str, Any]] = []

    coming = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        while not coming:
            await asyncio.sleep(60)
        return coming.pop()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
        "root_path": root_path, "http_version": "1.1", "scheme": "http", "server": None, "client": None,
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers], "asgi": {"version": "3.0"},
    }  # fmt: skip
    asyncio.run(app(scope, receive, send))
    received = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Reply(sent[0]["status"], received, b"".join(part.get("body", b"") for part in sent[1:]))


@pytest.fixture(scope="module")
def models() -> Models:
    return load_models([], Limits())


@pytest.mark.parametrize("host", LOCAL_HOSTS)
def test_a_local_host_name_is_accepted(server: Server, host: str) -> None:
    assert status_of(server, "/api/models", f"host: {host}") == 200
    assert status_of(server, "/api/models", "host: localhost", f"x-forwarded-host: {host}") == 200
    assert status_of(server, "/api/models", "host: localhost", f'forwarded: for="[::1]:5";Host="{host}"') == 200


def test_a_foreign_host_name_is_refused(server: Server) -> None:
    for host in FOREIGN_HOSTS:
        assert status_of(server, "/api/models", f"host: {host}") in (400, 403), host
        for header in (f"x-forwarded-host: {host}", f"X-Forwarded-Host: localhost, {host}", f"forwarded: host={host}",
                       f"forwarded: for=192.0.2.1, by=192.0.2.2;HOST={host}"):  # fmt: skip
            assert status_of(server, "/api/models", "host: localhost", header) in (400, 403), header
        if "/" not in host and " " not in host and host.isascii():
            assert status_of(server, f"http://{host}/api/models", "host: localhost") in (400, 403, 404), host
    assert status_of(server, "http://evil.example/api/models", "host: localhost") == 403
    assert status_of(server, "http://user@localhost/api/models", "host: localhost") == 403


def test_a_request_must_have_exactly_one_host_header(server: Server, models: Models) -> None:
    assert status_of(server, "/api/models") == 400
    assert status_of(server, "/api/models", version="1.0") == 403
    for pair in ("localhost", "evil.example"), ("evil.example", "localhost"), ("localhost", "localhost"):
        assert status_of(server, "/api/models", *(f"host: {host}" for host in pair)) == 400
        # other ASGI servers than uvicorn may pass both on
        assert call(create_app(models), "/healthz", headers=[("host", host) for host in pair]).status == 403


def test_with_a_token_any_host_name_is_accepted(guarded: Server) -> None:
    assert status_of(guarded, "/api/models", "host: any.example", "authorization: Bearer secret") == 200
    assert status_of(guarded, "/api/models", "host: localhost") == 401


@pytest.mark.parametrize(
    ("set_by", "sent"), [("option", "/memn2n"), ("option", ""), ("ASGI server", "/memn2n"), ("ASGI server", "")]
)
def test_paths_below_a_root_path(models: Models, set_by: str, sent: str) -> None:
    """A proxy may remove the root path from a request's path, or leave it there. The token is needed either way."""
    option, scope = ("/memn2n", "") if set_by == "option" else ("", "/memn2n")
    app = create_app(models, Access("secret", local=False), root_path=option)
    assert call(app, f"{sent}/api/models", root_path=scope).status == 401
    assert call(app, f"{sent}/metrics", root_path=scope).status == 401
    token = [("authorization", "Bearer secret")]
    assert call(app, f"{sent}/api/models", root_path=scope, headers=token).json["models"]
    assert call(app, f"{sent}/", root_path=scope).status == 200
    assert call(app, f"{sent}/page/page.js", root_path=scope).status == 200
    assert call(app, f"{sent}/openapi.json", root_path=scope).json["servers"] == [{"url": "/memn2n"}]
    for path in ("/memn2n/memn2n/api/models", "/memn2napi/models", "/memn2n//api/models", "/other/api/models"):
        assert call(app, path, root_path=scope, headers=token).status == 404


def test_without_a_root_path_the_api_document_names_no_server(models: Models) -> None:
    assert "servers" not in call(create_app(models, Access(local=False)), "/openapi.json").json


def test_a_root_path_must_be_a_path(models: Models) -> None:
    for wrong in ("memn2n", "/", "/memn2n/", "/a//b", "/a b", "/a?b", "http://a.example/b", "/a\n"):
        with pytest.raises(ConfigError, match="root_path is"):
            create_app(models, root_path=wrong)


PREFLIGHT = [("access-control-request-method", "POST"), ("access-control-request-headers", "authorization")]


def test_pages_of_the_given_origins_may_read_responses(models: Models) -> None:
    app = create_app(models, access_to("0.0.0.0", "secret", False, ["https://app.example", "http://localhost:3000"]))
    for origin in ("https://app.example", "http://localhost:3000"):
        asked = call(app, "/api/answer", "OPTIONS", headers=[("origin", origin), *PREFLIGHT])
        assert (asked.status, asked.body) == (204, b"")
        assert asked.headers["access-control-allow-origin"] == origin
        assert asked.headers["access-control-allow-methods"] == "GET, POST"
        assert asked.headers["access-control-allow-headers"] == "authorization, content-type"
        token = ("authorization", "Bearer secret")
        answered = call(app, "/api/models", headers=[("origin", origin), token])
        refused = call(app, "/api/models", headers=[("origin", origin)])
        assert (answered.status, refused.status) == (200, 401)
        for reply in (answered, refused):
            assert reply.headers["access-control-allow-origin"] == origin
            assert reply.headers["vary"] == "origin"
    assert call(app, "/healthz").headers["vary"] == "origin"


def test_pages_of_other_origins_may_not(models: Models) -> None:
    app = create_app(models, access_to("localhost", None, True, ["https://app.example"]))
    for origin in ("https://evil.example", "http://app.example", "https://app.example:8443", "https://app.example.evil",
                   "null", "", "*", "https://APP.example"):  # fmt: skip
        asked = call(app, "/api/answer", "OPTIONS", headers=[("origin", origin), *PREFLIGHT])
        answered = call(app, "/api/models", headers=[("origin", origin)])
        assert (asked.status, answered.status) == (405, 200)
        for reply in (asked, answered):
            assert not [name for name in reply.headers if name.startswith("access-control")]
            assert reply.headers["vary"] == "origin"
    default = create_app(models, Access(local=False))
    reply = call(default, "/healthz", headers=[("origin", "https://app.example")])
    assert not {"vary", "access-control-allow-origin"} & reply.headers.keys()


def test_every_origin_is_allowed_only_with_a_token_or_for_everybody(models: Models) -> None:
    with pytest.raises(ConfigError, match=r"cors_origin is '\*'.* set token too, or allow everybody with no_auth"):
        access_to("localhost", None, False, "*")
    for access in (access_to("localhost", "secret", False, "*"), access_to("localhost", None, True, ["*"])):
        reply = call(create_app(models, access), "/healthz", headers=[("origin", "null")])
        assert reply.headers["access-control-allow-origin"] == "null"


def test_an_origin_must_be_written_as_browsers_send_it() -> None:
    for right in ("https://app.example", "http://[::1]:8080", "http://localhost:8080", "https://localhost:80",
                  "chrome-extension://abcdef", "http://xn--bcher-kva.example"):  # fmt: skip
        assert access_to("localhost", None, False, right).origins == (right,)
    for wrong in ("app.example", "https://app.example/", "https://App.example", "https://app.example/a", "null", "",
                  "https://app.example:443", "http://[::1]:80", "http://localhost:80", "https://a.example:0",
                  "https://user@a.example", "https://*.example", "https://bücher.example",
                  "https://a.example\n"):  # fmt: skip
        with pytest.raises(ConfigError, match="write it as browsers send it"):
            access_to("localhost", None, False, [wrong])


def test_the_app_factory_reads_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMN2N_MODELS", "one=stories stories")
    monkeypatch.delenv("MEMN2N_TOKEN", raising=False)
    assert call(asgi_app(), "/api/models", headers=[("host", "evil.example")]).status == 403
    listed = call(asgi_app(), "/api/models", headers=[("host", "localhost")]).json["models"]
    assert [model["name"] for model in listed] == ["one", "stories"]
    monkeypatch.setenv("MEMN2N_TOKEN", "secret")
    assert call(asgi_app(), "/api/models", headers=[("host", "localhost")]).status == 401
    assert call(asgi_app({"own": pretrained()}, no_auth=True), "/api/models").json["models"][0]["name"] == "own"
