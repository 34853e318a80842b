"""How well the analysis finds what is there: whole sittings in, findings out, compared with what was put in.

``scenes.py`` composes labelled sittings by seed, ``clips.py`` reads labelled clips and COCO folders, ``score.py`` compares.
"""
