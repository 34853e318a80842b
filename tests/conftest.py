"""What all tests share."""

import os

# A test never reads the settings of the person who runs it.
for name in [name for name in os.environ if name.startswith("OPENPROCTOR_") and name != "OPENPROCTOR_CHROMIUM"]:
    del os.environ[name]

pytest_plugins = ["tests.engines"]
