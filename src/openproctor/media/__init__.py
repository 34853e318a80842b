"""Recordings: chunks as they came, and the playlists that play them.

Owns the table ``chunks`` and the bytes behind it. May import sessions, the event log, storage and below.
Start reading at ``service.py`` (what makes a chunk acceptable), then ``playlist.py``.
"""
