"""Who is asking: organizations, people, API keys, sign-in, and the principal of a request.

Owns its tables, the secret that signs tokens and links, and the console's sign-in endpoints. May import storage
and below. Start reading at ``principal.py``.
"""
