"""How well the analysis finds what is there: whole sittings in, findings out, compared with what was put in.

``scenes.py`` composes labelled sittings by seed, ``clips.py`` reads labelled clips and COCO folders, ``score.py`` compares.
``train_second_look.py`` fits the network that judges suspected phones and books: ``drawing/`` draws, ``second_look/`` fits.
"""
