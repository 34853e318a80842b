"""``python -m openproctor``."""

from openproctor.cli import main

main()
