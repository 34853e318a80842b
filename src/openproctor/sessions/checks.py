"""Which checks of a session are passed: read from its log, nowhere else."""

from dataclasses import dataclass

from openproctor.eventlog.repository import StoredEvent
from openproctor.exams.policy import Policy

PASSED_BY: dict[str, tuple[int, ...]] = {
    "consent": (1080,),
    "camera": (26,),
    "microphone": (34,),
    "notifications": (17,),
    "face": (154,),
    "document": (156,),
    "room": (161,),
    "screen": (149,),
}
FAILED_BY: dict[str, tuple[int, ...]] = {
    "consent": (1081,),
    "camera": (27,),
    "microphone": (1001,),
    "notifications": (18,),
    "face": (155,),
    "document": (1002,),
    "room": (1003,),
    "screen": (150,),
}
CHECK_TYPES = sorted({t for types in (*PASSED_BY.values(), *FAILED_BY.values()) for t in types})


@dataclass(frozen=True, slots=True)
class CheckState:
    """Where one check stands; ``state`` is open, passed, failed or skipped."""

    id: str
    state: str
    at: int | None = None
    event_sequence: int | None = None


def check_states(policy: Policy, events: list[StoredEvent]) -> list[CheckState]:
    """The policy's checks, in order. What passed once stays passed, except consent: its last word counts.

    The browser check leaves no event: it is passed when anything after it was tried.
    """
    states: dict[str, CheckState] = {}
    for event in events:
        for check in policy.checks:
            if event.type_id in PASSED_BY.get(check, ()):
                states[check] = CheckState(check, "passed", event.occurred_at, event.sequence)
            elif event.type_id in FAILED_BY.get(check, ()):
                if check == "notifications" and not policy.notifications_required:
                    states[check] = CheckState(check, "skipped", event.occurred_at, event.sequence)
                elif check == "consent" or states.get(check, CheckState(check, "open")).state != "passed":
                    states[check] = CheckState(check, "failed", event.occurred_at, event.sequence)
    after_browser = any(check in states for check in policy.checks if check not in ("consent", "browser"))
    if "browser" in policy.checks and after_browser:
        states["browser"] = CheckState("browser", "passed")
    return [states.get(check, CheckState(check, "open")) for check in policy.checks]


def open_checks(policy: Policy, states: list[CheckState]) -> list[str]:
    """Checks that still keep the exam shut. The browser check is the page's own affair."""
    return [s.id for s in states if s.id != "browser" and s.state in ("open", "failed")]
