"""Accommodations over HTTP: who may grant them, what is refused, and what the log says of them."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from openproctor.catalog import CATALOG
from tests.live import LiveServer
from tests.page import Page

Make = Callable[..., dict[str, Any]]
EventsOf = Callable[..., list[dict[str, Any]]]
TICS = {"type_ids": [1042, 16], "what": "off", "reason": "Tourette's syndrome, letter of 3 May"}


def put(staff: httpx.Client, session: dict[str, Any], *accommodations: dict[str, Any]) -> httpx.Response:
    return staff.put(f"/api/v1/sessions/{session['id']}/accommodations", json={"accommodations": accommodations})


def test_a_session_is_made_with_accommodations_and_the_log_says_why(
    staff: httpx.Client, new_session: Make, events_of: EventsOf
) -> None:
    exam = new_session()["exam"]
    body = {
        "exam_id": exam["id"],
        "candidate": {"external_id": "with", "name": "Ada"},
        "accommodations": [TICS, {"detector": "speech", "what": "relaxed", "reason": "screen reader"}],
    }
    made = staff.post("/api/v1/sessions", json=body).json()
    tics, speech = made["accommodations"]
    assert (tics["type_ids"], tics["what"], tics["reason"]) == ([16, 1042], "off", TICS["reason"])
    assert (speech["type_ids"], speech["factor"]) == ([1046], 3.0)
    assert tics["by"] == "test"
    assert tics["person"] is None
    (event,) = events_of(made["id"], 1096)
    assert event["source"] == "server"
    assert CATALOG.types[1096].complaint(event["data"]) is None
    assert event["data"] == {"accommodations": made["accommodations"], "by": "test"}
    # the same attempt again changes nothing
    again = staff.post("/api/v1/sessions", json={**body, "accommodations": [TICS]})
    assert again.status_code == 200
    assert again.json()["accommodations"] == made["accommodations"]
    assert len(events_of(made["id"], 1096)) == 1


def test_they_are_changed_and_taken_back_and_what_stays_keeps_its_author(
    staff: httpx.Client, new_session: Make, events_of: EventsOf
) -> None:
    session = new_session()
    assert staff.get(f"/api/v1/sessions/{session['id']}").json()["accommodations"] == []
    first = put(staff, session, TICS).json()["accommodations"][0]
    reason = '<script>alert(1)</script> – "Dolmetscherin" 手語'
    both = put(
        staff, session, TICS, {"type_ids": [81], "what": "relaxed", "factor": 5, "reason": f"  {reason} "}
    ).json()
    assert both["accommodations"][0] == first
    assert both["accommodations"][1]["reason"] == reason
    assert (
        put(staff, session, TICS, {"type_ids": [81], "what": "relaxed", "factor": 5, "reason": reason}).json() == both
    )
    assert put(staff, session).json() == {"accommodations": []}
    found = [len(event["data"]["accommodations"]) for event in events_of(session["id"], 1096)]
    assert found == [1, 2, 0], "what changes nothing is no event"


def test_a_person_who_signed_in_is_named(server: LiveServer, new_session: Make, events_of: EventsOf) -> None:
    command = [sys.executable, "-m", "openproctor", "people", "set", "--email", "dora@example.org", "--name", "Dora Öz",
               "--data", str(server.data)]  # fmt: skip
    subprocess.run(command, input="a good password\n", capture_output=True, text=True, check=True)
    session = new_session()
    with httpx.Client(base_url=server.url, headers={"X-OpenProctor": "console"}) as browser:
        browser.post("/api/v1/sign-in", json={"email": "dora@example.org", "password": "a good password"})
        person = browser.get("/api/v1/me").json()["id"]
        (granted,) = put(browser, session, TICS).json()["accommodations"]
        assert (granted["by"], granted["person"]) == ("Dora Öz", person)
        (event,) = events_of(session["id"], 1096)
        assert (event["source"], event["data"]["person"]) == ("person", person)
        del browser.headers["X-OpenProctor"]
        assert put(browser, session).status_code == 403, "another site's form carries the cookie, but not our header"


@pytest.mark.parametrize(
    ("accommodation", "slug"),
    [
        ({"type_ids": [5], "what": "off", "reason": "x"}, "unknown-finding-type"),
        ({"type_ids": [15], "what": "off", "reason": "x"}, "unknown-finding-type"),
        ({"type_ids": [99999], "what": "off", "reason": "x"}, "unknown-finding-type"),
        ({"detector": "horoscope", "what": "off", "reason": "x"}, "unknown-finding-type"),
        ({"type_ids": [16], "what": "off", "reason": " "}, None),
        ({"type_ids": [16], "what": "off"}, None),
        ({"type_ids": [16], "what": "off", "reason": "x" * 501}, None),
        ({"type_ids": [16], "what": "off", "reason": "a\u0000b"}, None),
        ({"type_ids": [16], "what": "stricter", "reason": "x"}, None),
        ({"type_ids": [16], "what": "off", "factor": 2, "reason": "x"}, None),
        ({"type_ids": [16], "what": "relaxed", "factor": 0.5, "reason": "x"}, None),
        ({"type_ids": [16], "detector": "faces", "what": "off", "reason": "x"}, None),
        ({"type_ids": [], "what": "off", "reason": "x"}, None),
        ({"what": "off", "reason": "x"}, None),
    ],
)
def test_what_cannot_be_granted_is_a_problem(
    staff: httpx.Client, new_session: Make, events_of: EventsOf, accommodation: dict[str, Any], slug: str | None
) -> None:
    session = new_session()
    answer = put(staff, session, accommodation)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    if slug:
        assert answer.json()["type"].endswith(slug)
        assert answer.json()["what_to_do"]
    assert events_of(session["id"], 1096) == []
    twice = put(staff, session, TICS, {"detector": "faces", "what": "off", "reason": "x"})
    assert twice.status_code == 422
    assert twice.json()["type"].endswith("accommodation-twice")


def test_the_candidate_may_not_and_sees_nothing_of_it(
    server: LiveServer, staff: httpx.Client, new_session: Make
) -> None:
    session = new_session(checks=[])
    page = Page(server.url, session["join_url"])
    page.join()
    before = page.http.get(page.path("room")).json()
    assert put(page.http, session, TICS).status_code == 403
    assert put(staff, session, TICS).status_code == 200
    after = page.http.get(page.path("room")).json()
    after["server_time"] = before["server_time"]
    assert after == before


def test_after_the_end_nothing_can_be_granted(staff: httpx.Client, page: Page) -> None:
    manifest = {"streams": {page.stream: page.seq}, "tracks": {}}
    assert page.http.post(page.path("finish"), json={"manifest": manifest}).json()["state"] == "completed"
    answer = put(staff, {"id": page.session_id}, TICS)
    assert answer.status_code == 409
    assert answer.json()["type"].endswith("session-over")
