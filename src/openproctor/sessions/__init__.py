"""One candidate's attempt at an exam: join, socket, states, presence, checks passed, completion.

Owns the tables ``sessions`` and ``presence``, the candidate's token and socket. May import exams, the event log,
accounts and below. Start reading at ``service.py``; the socket's protocol is in ``socket.py``.
"""
