"""Who may do what: every route is either public on purpose or asks who is there."""

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from openproctor.app import create_app
from openproctor.config import Settings
from tests.live import LiveServer
from tests.page import Page

Make = Callable[..., dict[str, Any]]
PUBLIC = {
    "/", "/join/{token}", "/room/{session_id}", "/room-worker.js", "/console", "/console/{path:path}",
    "/healthz", "/readyz", "/metrics", "/api/openapi.json", "/api/v1/catalog", "/api/v1/join", "/api/v1/sign-in",
    "/api/v1/sealing-key",
}  # fmt: skip
CANDIDATE = {
    "/api/v1/sessions/{session_id}/room", "/api/v1/sessions/{session_id}/start", "/api/v1/sessions/{session_id}/finish",
    "/api/v1/sessions/{session_id}/captures/room/check", "/api/v1/sessions/{session_id}/media/{track}/chunks/{number}",
    "/api/v1/sessions/{session_id}/media/{track}/uploads",
    "/api/v1/sessions/{session_id}/media/{track}/chunks/{number}/uploaded",
}  # fmt: skip
CANDIDATE_METHODS = {
    ("POST", "/api/v1/sessions/{session_id}/events"),
    ("PUT", "/api/v1/sessions/{session_id}/captures/{capture_id}"),
}


def routes(folder: Path) -> list[tuple[str, str]]:
    """Every method and path of the application."""
    app = create_app(Settings(data_dir=folder))
    found: list[tuple[str, str]] = []

    def walk(items: Any) -> None:
        for route in items:
            if getattr(route, "methods", None):
                found.extend((method, route.path) for method in route.methods if method not in ("HEAD", "OPTIONS"))
            elif hasattr(route, "original_router"):
                walk(route.original_router.routes)

    walk(app.routes)
    paths = app.openapi()["paths"]
    found += [(method.upper(), path) for path, methods in paths.items() for method in methods]
    return sorted(set(found))


def fill(path: str, session_id: str) -> str:
    """A path with values for its parameters."""
    values = {
        "session_id": session_id, "track": "camera", "number": "0", "capture_id": "0" * 26, "exam_id": "0" * 26, "token": "x",
        "path:path": "",
    }  # fmt: skip
    for name, value in values.items():
        path = path.replace("{" + name + "}", value)
    return path


def test_nobody_gets_in_without_credentials_and_candidates_and_staff_do_not_mix(
    server: LiveServer, staff: httpx.Client, page: Page, tmp_path: Path
) -> None:
    seen = 0
    for method, path in routes(tmp_path):
        if path in PUBLIC:
            continue
        address = fill(path, page.session_id)
        anonymous = httpx.request(method, server.url + address)
        assert anonymous.status_code == 401, (method, path)
        assert anonymous.headers["content-type"] == "application/problem+json"
        wrong = httpx.request(method, server.url + address, headers={"Authorization": "Bearer op_wrong"})
        assert wrong.status_code == 401, (method, path)
        for_candidates = path in CANDIDATE or (method, path) in CANDIDATE_METHODS
        other = staff if for_candidates else page.http
        assert other.request(method, address).status_code == 403, (method, path)
        seen += 1
    assert seen > 15


def test_another_organization_sees_nothing(server: LiveServer, page: Page, staff: httpx.Client, tmp_path: Path) -> None:
    code = """
import asyncio, sys
from openproctor.assembly import Platform
from openproctor.config import Settings
from openproctor.ids import new_id
from sqlalchemy import insert
from openproctor.accounts.models import organizations
async def main():
    platform = Platform(Settings(data_dir=sys.argv[1]))
    await platform.open()
    other = new_id()
    async with platform.database.write() as connection:
        await connection.execute(insert(organizations).values(id=other, name="Other", created_at=9e12))
    print(await platform.accounts.create_key(other, "other"))
    await platform.close()
asyncio.run(main())
"""
    done = subprocess.run([sys.executable, "-c", code, str(server.data)], capture_output=True, text=True, check=True)
    other = {"Authorization": f"Bearer {done.stdout.strip()}"}
    mine = staff.get(f"/api/v1/sessions/{page.session_id}").json()
    for method, path in routes(tmp_path):
        if path in PUBLIC or path in CANDIDATE or (method, path) in CANDIDATE_METHODS or "{" not in path:
            continue
        address = fill(path, page.session_id).replace("exams/" + "0" * 26, f"exams/{mine['exam']['id']}")
        answer = httpx.request(method, server.url + address, headers=other)
        assert answer.status_code == 404, (method, path, answer.text)
    assert httpx.get(f"{server.url}/api/v1/sessions", headers=other).json()["items"] == []
    assert httpx.get(f"{server.url}/api/v1/exams", headers=other).json()["items"] == []
    body = {"exam_id": mine["exam"]["id"], "candidate": {"external_id": "x", "name": "X"}}
    assert httpx.post(f"{server.url}/api/v1/sessions", headers=other, json=body).status_code == 404


def test_one_candidates_token_opens_no_other_session(server: LiveServer, page: Page, new_session: Make) -> None:
    other = Page(server.url, new_session(checks=[])["join_url"])
    other.join()
    path = f"/api/v1/sessions/{page.session_id}"
    for method, rest in (("GET", "room"), ("POST", "events"), ("POST", "start"), ("PUT", "media/camera/chunks/0")):
        assert other.http.request(method, f"{path}/{rest}").status_code == 403


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "x" * 3000])
def test_a_forged_link_is_refused(server: LiveServer, token: str) -> None:
    answer = httpx.post(f"{server.url}/api/v1/join", json={"token": token, "device": "d" * 16})
    assert answer.status_code == 401
    assert answer.json()["type"].endswith("join-token-invalid")


def test_a_changed_link_is_refused(server: LiveServer, new_session: Make) -> None:
    page = Page(server.url, new_session()["join_url"])
    head, body, mark = page.token.split(".")
    page.token = f"{head}.{body[:-2]}xx.{mark}"
    assert page.join().status_code == 401


def test_an_expired_link_says_so(server: LiveServer, new_session: Make) -> None:
    from openproctor.accounts.signing import Signer

    session = new_session()
    signer = Signer((server.data / "secret.key").read_bytes())
    claims = signer.read("join", session["join_url"].rsplit("/", 1)[1])
    expired = signer.token("join", {"sub": claims["sub"], "org": claims["org"]}, -5_000)
    answer = httpx.post(f"{server.url}/api/v1/join", json={"token": expired, "device": "d" * 16})
    assert answer.status_code == 410
    assert answer.json()["type"].endswith("join-token-expired")
    shown = httpx.get(f"{server.url}/join/{expired}", headers={"Accept": "text/html"})
    assert shown.status_code == 410
    assert "This link has expired" in shown.text


def test_signing_in_to_the_console(server: LiveServer) -> None:
    command = [sys.executable, "-m", "openproctor", "people", "set", "--email", "Rita@Example.org", "--name", "Rita",
               "--data", str(server.data)]  # fmt: skip
    short = subprocess.run(command, input="short\n", capture_output=True, text=True, check=False)
    assert short.returncode == 2
    assert "10 characters" in short.stderr
    subprocess.run(command, input="a good password\n", capture_output=True, text=True, check=True)
    with httpx.Client(base_url=server.url, headers={"X-OpenProctor": "console"}) as browser:
        body = {"email": "rita@example.org", "password": "wrong password"}
        assert browser.post("/api/v1/sign-in", json=body).status_code == 401
        body["password"] = "a good password"
        signed = browser.post("/api/v1/sign-in", json=body)
        assert signed.json()["name"] == "Rita"
        cookie = signed.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert browser.get("/api/v1/sessions").status_code == 200
        without = httpx.post(f"{server.url}/api/v1/exams", json={"title": "x"}, cookies=dict(browser.cookies))
        assert without.status_code == 403, "another site's form carries the cookie, but not our header"
        assert browser.post("/api/v1/sign-out").status_code == 204
        assert browser.get("/api/v1/me").status_code == 401


def test_a_key_stands_alone_on_stdout(server: LiveServer) -> None:
    key = server.run("keys", "create", "--data", str(server.data), "--name", "second")
    assert key.startswith("op_")
    assert key.count("\n") == 1
    assert httpx.get(f"{server.url}/api/v1/me", headers={"Authorization": f"Bearer {key.strip()}"}).status_code == 200


def test_the_same_attempt_again_is_the_same_session(staff: httpx.Client, new_session: Make) -> None:
    first = new_session()
    candidate = first["candidate"]
    body = {"exam_id": first["exam"]["id"], "candidate": {"external_id": candidate["external_id"], "name": "Other"}}
    again = staff.post("/api/v1/sessions", json=body)
    assert again.status_code == 200
    assert again.json()["id"] == first["id"]
    assert "join_url" in again.json()
    second = staff.post("/api/v1/sessions", json={**body, "attempt": 2})
    assert second.status_code == 201
    assert second.json()["id"] != first["id"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"title": "x", "policy": {"checks": ["horoscope"]}}, 422),
        ({"title": "x", "policy": {"camera": True}}, 422),
        ({"title": "x", "policy": {"hold_ms": {"3": 5}}}, 422),
        ({"title": "", "policy": {}}, 422),
        ({"title": "x", "url": "javascript:alert(1)"}, 422),
        ({"title": "x", "url": "//evil.example"}, 422),
        ([], 422),
    ],
)
def test_a_bad_exam_is_a_problem_with_reasons(staff: httpx.Client, body: Any, status: int) -> None:
    answer = staff.post("/api/v1/exams", json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_unknown_things_are_not_found(staff: httpx.Client) -> None:
    body = {"exam_id": "0" * 26, "candidate": {"external_id": "x", "name": "X"}}
    assert staff.post("/api/v1/sessions", json=body).status_code == 404
    for path in ("/api/v1/sessions/nope", "/api/v1/exams/nope", "/api/v1/nothing", "/nothing"):
        answer = staff.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


def test_pages_carry_a_strict_policy(server: LiveServer, page: Page) -> None:
    for path in (f"/room/{page.session_id}", "/console/"):
        answer = httpx.get(server.url + path)
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "script-src 'self'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_start_waits_for_the_checks(server: LiveServer, new_session: Make, staff: httpx.Client) -> None:
    page = Page(server.url, new_session(checks=["screen", "consent", "browser"])["join_url"])
    page.join()
    refused = page.http.post(page.path("start"), json={})
    assert refused.status_code == 409
    assert refused.json()["open"] == ["consent", "screen"]
    page.send(page.event(1080, {"text_digest": page.room["consent"]["text_digest"]}))
    page.send(page.event(149, {"surface": "monitor", "width": 1280, "height": 720}))
    assert page.http.post(page.path("start"), json={}).json()["state"] == "running"
    states = {c["id"]: c["state"] for c in staff.get(f"/api/v1/sessions/{page.session_id}").json()["checks"]}
    assert states == {"consent": "passed", "browser": "passed", "screen": "passed"}


def test_openapi_names_every_route(staff: httpx.Client) -> None:
    spec = staff.get("/api/openapi.json").json()
    json.dumps(spec)
    assert "/api/v1/sessions/{session_id}/media/{track}/index.m3u8" in spec["paths"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/exams"),
        ("POST", "/api/v1/sign-in"),
        ("POST", "/api/v1/sessions/x/captures/room/check"),
        ("PUT", "/api/v1/sessions/media/accommodations"),
    ],
)
@pytest.mark.parametrize("announced", [True, False])
def test_a_body_of_any_size_is_not_read_for_everybody(
    server: LiveServer, method: str, path: str, announced: bool
) -> None:
    """By hand, since an ordinary client goes on sending to a server that has answered."""
    address = urlsplit(server.url)
    many = 64 * 1024 * 1024
    with closing(HTTPConnection(str(address.hostname), address.port, timeout=30)) as line:
        line.putrequest(method, path)
        line.putheader("Content-Type", "application/json")
        line.putheader(*(("Content-Length", str(many)) if announced else ("Transfer-Encoding", "chunked")))
        line.endheaders()
        sent = 0
        with suppress(ConnectionError):
            while sent < (0 if announced else 2_200_000):
                line.send(b"%x\r\n%b\r\n" % (50_000, b"[" * 50_000))
                sent += 50_000
        answer = line.getresponse()
        assert (answer.status, answer.headers["content-type"]) == (413, "application/problem+json")
        assert json.loads(answer.read())["type"].endswith("too-large")
