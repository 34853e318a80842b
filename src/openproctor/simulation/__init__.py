"""Synthetic candidates: real pictures and sound, a real recording, the real public protocol.

Owns what load tests, the demo and integration tests play. Knows only the catalog and the public API, so that it
stays an outside witness of the server. Start reading at ``candidate.py``.
"""
