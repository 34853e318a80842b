"""Build hook: a wheel holds the built pages of the candidate's room and of the console."""

import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WebBuildHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs ``npm ci`` and the two builds, unless this is an editable install or the pages are there already."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """``version`` is "editable" or "standard"; an sdist brings its pages along, so it needs no Node."""
        root = Path(self.root)
        built = root / "src" / "openproctor" / "web"
        if version == "editable" or all((built / app / "index.html").exists() for app in ("candidate", "console")):
            return
        self.app.display_info("Building the web pages with npm")
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=root / "web", check=True)
        subprocess.run(["npm", "run", "build"], cwd=root / "web", check=True)
