"""The one error type that reaches a client: an RFC 9457 problem.

Rules raise :class:`Problem`; ``app.py`` turns it into an HTTP answer and the socket into a frame. Nothing else
maps errors to the wire.
"""

from typing import Any

PROBLEM_BASE = "https://openproctor.org/problems/"
PROBLEM_MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """What was wrong, what was expected, what to do.

    ``slug`` names the kind of problem and becomes the last part of its ``type`` URI; ``extra`` holds further
    members of the problem document; ``retry_after`` is in seconds.
    """

    def __init__(
        self,
        status: int,
        slug: str,
        title: str,
        detail: str = "",
        *,
        what_to_do: str = "",
        retry_after: float | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(f"{title}: {detail}" if detail else title)
        self.status = status
        self.slug = slug
        self.title = title
        self.detail = detail
        self.what_to_do = what_to_do
        self.retry_after = retry_after
        self.extra = extra

    def document(self) -> dict[str, Any]:
        """The problem as RFC 9457 members."""
        body: dict[str, Any] = {
            "type": PROBLEM_BASE + self.slug,
            "title": self.title,
            "status": self.status,
        }
        if self.detail:
            body["detail"] = self.detail
        if self.what_to_do:
            body["what_to_do"] = self.what_to_do
        body.update(self.extra)
        return body


def not_found(what: str) -> Problem:
    """The answer for what does not exist and for what belongs to somebody else: they must look the same."""
    return Problem(404, "not-found", f"There is no such {what}", f"No {what} with this id is visible to you.")


def unauthorized(detail: str = "This address needs an API key, a console sign-in or a candidate's token.") -> Problem:
    """No credentials, or none that are valid."""
    return Problem(
        401,
        "unauthorized",
        "Sign in first",
        detail,
        what_to_do="Send an 'Authorization: Bearer …' header, or sign in to the console.",
    )


def forbidden(detail: str) -> Problem:
    """Valid credentials of somebody who may not do this."""
    return Problem(403, "forbidden", "This is not yours to do", detail)
