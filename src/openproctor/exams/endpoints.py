"""Exams over HTTP."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from openproctor.accounts.principal import AsStaff
from openproctor.exams.policy import Policy
from openproctor.exams.service import Exam, Exams

router = APIRouter(prefix="/api/v1/exams", tags=["exams"])


class NewExam(BaseModel):
    """What a new exam needs."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(min_length=1, max_length=300)
    url: str | None = Field(None, max_length=2_000)
    policy: Policy = Field(default_factory=Policy)


class ExamOut(BaseModel):
    """An exam."""

    id: str
    title: str
    url: str | None
    policy: dict[str, Any]
    created_at: int


class ExamList(BaseModel):
    """Exams, newest first."""

    items: list[ExamOut]


def _exams(request: Request) -> Exams:
    found: Exams = request.app.state.platform.exams
    return found


def _out(exam: Exam) -> ExamOut:
    return ExamOut(
        id=exam.id,
        title=exam.title,
        url=exam.url,
        policy=exam.policy.model_dump(mode="json"),
        created_at=exam.created_at,
    )


@router.post("", status_code=201)
async def create_exam(request: Request, who: AsStaff, body: NewExam) -> ExamOut:
    """Create an exam."""
    return _out(await _exams(request).create(who.organization_id, body.title, body.url, body.policy))


@router.get("")
async def list_exams(request: Request, who: AsStaff) -> ExamList:
    """The organization's exams."""
    return ExamList(items=[_out(exam) for exam in await _exams(request).all(who.organization_id)])


@router.get("/{exam_id}")
async def get_exam(request: Request, who: AsStaff, exam_id: str) -> ExamOut:
    """One exam."""
    return _out(await _exams(request).get(who.organization_id, exam_id))
