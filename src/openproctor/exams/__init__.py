"""Exams and their policies: which checks, tracks and detectors apply, limits and stake.

Owns the table ``exams`` and the policy model that the page, the worker and the console read. May import accounts,
the event log, storage and below. Start reading at ``policy.py``.
"""
