"""Typed access to ``events.json``."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import jsonschema_rs

CATALOG_FILE = Path(__file__).with_name("events.json")

Source = Literal["candidate", "server", "analysis", "person"]
Severity = Literal["info", "low", "medium", "high"]
Stake = Literal["low", "medium", "high"]


@dataclass(frozen=True, slots=True)
class EventType:
    """One event type. ``ends`` are the types of the states that this one ends."""

    id: int
    name: str
    description: str
    sources: frozenset[str]
    category: str
    severity: dict[str, Severity]
    schema: dict[str, Any]
    ends: tuple[int, ...] = ()
    confirmed_by: str | None = None
    _validator: Any = field(default=None, repr=False, compare=False)

    def complaint(self, data: Any) -> str | None:
        """None if the data fits the schema, else one line: what was wrong and where."""
        if self._validator.is_valid(data):
            return None
        try:
            self._validator.validate(data)
        except jsonschema_rs.ValidationError as error:
            where = "/".join(str(part) for part in error.instance_path)
            return f"data{'/' + where if where else ''}: {error.message}"[:500]
        return None


@dataclass(frozen=True, slots=True)
class Catalog:
    """All event types by id, and the lanes they are shown in."""

    version: int
    categories: dict[str, str]
    types: dict[int, EventType]

    def name(self, type_id: int) -> str:
        """The name of a type, to the letter."""
        return self.types[type_id].name

    def severity(self, type_id: int, stake: str) -> Severity:
        """Default severity of a type at an exam's stake."""
        return self.types[type_id].severity[stake]


def load(path: Path = CATALOG_FILE) -> Catalog:
    """Read a catalog file."""
    raw = json.loads(path.read_text(encoding="utf-8"))
    types = {
        entry["id"]: EventType(
            id=entry["id"],
            name=entry["name"],
            description=entry["description"],
            sources=frozenset(entry["source"]),
            category=entry["category"],
            severity=entry["severity"],
            schema=entry["data"],
            ends=tuple(entry.get("ends", ())),
            confirmed_by=entry.get("confirmed_by"),
            _validator=jsonschema_rs.validator_for(entry["data"]),
        )
        for entry in raw["types"]
    }
    return Catalog(raw["version"], {c["id"]: c["name"] for c in raw["categories"]}, types)


CATALOG = load()
