"""The event log: accept, order, link, commit, query. The log of a session is the truth about it.

Owns the tables ``heads`` and ``events`` and the only way to write an entry. May import storage, the catalog and
the ground floor. Start reading at ``writer.py`` (one group commit for all sessions), then ``chain.py``.
"""
