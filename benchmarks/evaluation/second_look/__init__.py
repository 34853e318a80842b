"""How the second look is fitted: ``train_second_look.py`` is the command.

``collect.py`` composes pictures and takes views of the suspects in them, ``views.py`` holds and varies views, ``report.py``
says how well they are told apart; these need no more than the project does. ``network.py``, ``fit.py`` and ``export.py``
need ``pip install torch onnx`` (permissive licences, BSD and Apache-2.0), which the project itself does without.
"""
