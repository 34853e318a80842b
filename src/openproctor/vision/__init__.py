"""Pictures and sound in, detections and measures out. Pure: no database, no clock, no network.

Owns the model files (``models/``), how they are run (``runtime``) and the measures; imports nothing of ours.
Start reading at :mod:`openproctor.vision.faces`.
"""
