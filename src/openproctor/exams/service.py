"""Rules and queries of exams."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit, urlunsplit

from sqlalchemy import insert, select

from openproctor.clock import now_ms
from openproctor.errors import Problem, not_found
from openproctor.exams.models import exams
from openproctor.exams.policy import Policy, parse_policy
from openproctor.ids import new_id
from openproctor.storage.database import Database


@dataclass(frozen=True, slots=True)
class Exam:
    """An exam of an organization. ``url`` is opened inside the candidate's room; ``None`` if the exam is elsewhere."""

    id: str
    organization_id: str
    title: str
    url: str | None
    policy: Policy
    created_at: int


_NETLOC = re.compile(r"[A-Za-z0-9.\-:\[\]]+")
_COLUMNS = (exams.c.id, exams.c.organization_id, exams.c.title, exams.c.url, exams.c.policy, exams.c.created_at)


class Exams:
    """Exams of all organizations; every call names the one it is for."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, organization_id: str, title: str, url: str | None, policy: Policy) -> Exam:
        """A new exam."""
        if url is not None:
            url = checked_exam_url(url)
        exam = Exam(new_id(), organization_id, title, url, policy, now_ms())
        async with self._database.write() as connection:
            await connection.execute(
                insert(exams).values(
                    id=exam.id,
                    organization_id=organization_id,
                    title=title,
                    url=url,
                    policy=policy.model_dump_json(),
                    created_at=exam.created_at,
                )
            )
        return exam

    async def get(self, organization_id: str, exam_id: str) -> Exam:
        """One exam; :class:`Problem` 404 when the organization has none with this id."""
        query = select(*_COLUMNS).where(exams.c.id == exam_id, exams.c.organization_id == organization_id)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            raise not_found("exam")
        return Exam(row[0], row[1], row[2], row[3], parse_policy(row[4]), row[5])

    async def all(self, organization_id: str) -> list[Exam]:
        """The newest exams, 500 at most."""
        query = (
            select(*_COLUMNS)
            .where(exams.c.organization_id == organization_id)
            .order_by(exams.c.created_at.desc())
            .limit(500)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [Exam(r[0], r[1], r[2], r[3], parse_policy(r[4]), r[5]) for r in rows]


def checked_exam_url(url: str) -> str:
    """The address with its host as it goes over the wire; :class:`Problem` 422 for what a browser should not open in a frame."""
    try:
        parts = urlsplit(url)
        if not parts.scheme and not parts.netloc and url.startswith("/") and not url.startswith(("//", "/\\")):
            return url
        netloc = _ascii_netloc(parts)
        if parts.scheme in ("http", "https") and parts.hostname and netloc:
            return url if netloc == parts.netloc else urlunsplit(parts._replace(netloc=netloc))
    except ValueError:
        pass
    raise Problem(
        422,
        "exam-url",
        "The exam's address cannot be opened",
        "url must be an http(s) address without a user name, or a path on this server.",
    )


def exam_origin(url: str | None) -> str | None:
    """Origin of an exam's address for a content security policy; ``None`` for our own, and for one that has none."""
    try:
        parts = urlsplit(url or "")
        netloc = _ascii_netloc(parts)
    except ValueError:
        return None
    return f"{parts.scheme}://{netloc}" if netloc and parts.scheme in ("http", "https") else None


def _ascii_netloc(parts: SplitResult) -> str | None:
    """Host and port in ASCII; ``None`` for what would mean something else in a policy. ``ValueError`` for what is no host."""
    name, colon, port = parts.netloc.partition(":")
    if not name.isascii():
        ascii_name = name.encode("idna").decode()
        # the codec writes some letters (ß) in another way than browsers do: that would be another host
        if ascii_name.encode().decode("idna") != name.lower():
            return None
        name = ascii_name
    netloc = name + colon + port
    # the port is checked when it is asked for
    return netloc if parts.port != 0 and _NETLOC.fullmatch(netloc) else None
