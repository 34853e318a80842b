"""The analysis: stored recordings in, findings out, each of which anybody can find again in the same bytes.

Owns the table ``analyses``. May import media, captures, the event log, exams, vision, storage and below. Start reading at
``pipeline.py``; ``settings.py`` has every threshold with its reason, ``worker.py`` the background work.
"""
