"""Stills: of the face, the document, the room, the camera test, and of findings; and the checks on them.

Owns the table ``captures`` and the bytes behind it. May import sessions, the event log, vision, storage and below.
Start reading at ``service.py``; the rules of the checks are in ``checks.py``.
"""
