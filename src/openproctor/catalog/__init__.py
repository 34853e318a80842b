"""The event types: one data file (``events.json``), typed access.

Owns ids, names, severities and data schemas of every event. Imports nothing of ours.
Start reading at :class:`Catalog`.
"""

from openproctor.catalog.model import CATALOG, CATALOG_FILE, Catalog, EventType

__all__ = ["CATALOG", "CATALOG_FILE", "Catalog", "EventType"]
