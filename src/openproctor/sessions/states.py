"""States of a session and what may follow what."""

from typing import Literal

State = Literal["created", "checking", "waiting", "running", "paused", "completed", "terminated", "expired"]

# while in one of these a candidate may join, and the line matters
OPEN: tuple[State, ...] = ("created", "checking", "waiting", "running", "paused")
IN_EXAM: tuple[State, ...] = ("running", "paused")
OVER: tuple[State, ...] = ("completed", "terminated", "expired")
