"""Widely varied drawn phones, books and other things, and how they are laid before a picture.

The second look is fitted to these, so figures that count must come from others. ``phones.py``, ``books.py`` and
``others.py`` draw by a random generator, ``laying.py`` lays what was drawn (or cut out) before a picture and takes it
with a cheap camera. Pictures are BGR.
"""
