"""The address of an exam: opened in a frame, and named in the policy of the candidate's page."""

from typing import Any

import httpx
import pytest

from openproctor.exams.service import exam_origin


@pytest.mark.parametrize(
    "url",
    [
        "https://x;script-src-elem *",
        "https://a.example, *",
        "https://a b/",
        "https://ada@exam.example/",
        "https://exam.example:99999/",
        "https://exam.example:x/",
        "https:///exam",
        "https://straße.example/",
        "https://a..é/",
        "http://[x",
        "/\\evil.example",
        "//evil.example",
    ],
)
def test_an_address_that_could_mean_something_else_is_refused(staff: httpx.Client, url: str) -> None:
    answer = staff.post("/api/v1/exams", json={"title": "x", "url": url})
    assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[1]) == (422, "exam-url")


@pytest.mark.parametrize(
    ("url", "kept", "origin"),
    [
        ("https://exam.example:8443/a?b=ж#c", "https://exam.example:8443/a?b=ж#c", "https://exam.example:8443"),
        ("http://[::1]:3000/", "http://[::1]:3000/", "http://[::1]:3000"),
        ("https://экзамен.рф/a?b=1", "https://xn--80akelmh0i.xn--p1ai/a?b=1", "https://xn--80akelmh0i.xn--p1ai"),
        ("/sample-exam/", "/sample-exam/", None),
    ],
)
def test_the_candidates_page_may_frame_the_exam_alone(
    staff: httpx.Client, url: str, kept: str, origin: str | None
) -> None:
    exam = staff.post("/api/v1/exams", json={"title": "x", "url": url}).json()
    assert exam["url"] == kept
    body = {"exam_id": exam["id"], "candidate": {"external_id": "a", "name": "Ada"}}
    session: dict[str, Any] = staff.post("/api/v1/sessions", json=body).json()
    for address in (session["join_url"], f"/room/{session['id']}"):
        page = httpx.get(str(staff.base_url.join(address)), headers={"Accept": "text/html"})
        assert page.status_code == 200
        policy = dict(part.strip().partition(" ")[::2] for part in page.headers["content-security-policy"].split(";"))
        assert policy["frame-src"] == ("'self'" if origin is None else f"'self' {origin}")


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        (None, None),
        ("https://x;script-src-elem *", None),
        ("https://экзамен.рф/", "https://xn--80akelmh0i.xn--p1ai"),
        ("http://[x", None),
        ("//evil.example", None),
    ],
)
def test_what_was_stored_unchecked_names_no_other_origin(url: str | None, origin: str | None) -> None:
    assert exam_origin(url) == origin
