"""What leaves the house: bundles that anyone can verify without us.

May import everything below the application. Start reading at ``bundle.py``; the verifier itself is
``openproctor.eventlog.verify`` and needs nothing but a file.
"""
