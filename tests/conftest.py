"""What all tests share."""

import os

import pytest

# A test never reads the settings of the person who runs it.
for name in [name for name in os.environ if name.startswith("OPENPROCTOR_") and name != "OPENPROCTOR_CHROMIUM"]:
    del os.environ[name]

pytest_plugins = ["tests.engines"]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The long form of a fault is another run's affair: ``make test-faults``."""
    if os.environ.get("FAULTS") == "full":
        return
    long = [item for item in items if item.get_closest_marker("long")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if not item.get_closest_marker("long")]
