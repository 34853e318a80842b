"""The three engines: database, objects and bus, each behind one interface and one URL setting.

Owns connections, migrations, durable writes. May import only the ground floor (config, errors, clock, ids).
Start reading at ``database.py``, then ``logstore.py`` for the way an acknowledged entry reaches the disk.
"""
