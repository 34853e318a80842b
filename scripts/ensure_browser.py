"""Makes sure that the browser tests have a browser: finds Chromium, or installs it where that is possible.

As root on a Debian-like system the missing packages are installed with apt-get; anywhere else one line says what
to install. Xvfb, openbox and xdotool are for the few tests that press a button of the browser's own window; without
them those tests are skipped.
"""

import os
import shutil
import subprocess
import sys

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DESKTOP = ("Xvfb", "openbox", "xdotool")
PACKAGES = ("chromium", "fonts-dejavu-core", "xvfb", "openbox", "xdotool")


def find_browser() -> str | None:
    """Path of the Chromium to test with; ``OPENPROCTOR_CHROMIUM`` overrides the search."""
    wanted = os.environ.get("OPENPROCTOR_CHROMIUM")
    return shutil.which(wanted) if wanted else next((p for p in map(shutil.which, BROWSERS) if p), None)


def missing_desktop() -> list[str]:
    """Programs of the virtual desktop that are not installed."""
    return [name for name in DESKTOP if not shutil.which(name)]


def install() -> None:
    """Install the packages with apt-get; raises CalledProcessError."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    quiet = {"env": environment, "check": True, "stdout": subprocess.DEVNULL}
    subprocess.run(["apt-get", "update", "-qq"], **quiet)  # type: ignore[call-overload]
    subprocess.run(["apt-get", "install", "-qq", "-y", "--no-install-recommends", *PACKAGES], **quiet)  # type: ignore[call-overload]


def main() -> int:
    """0 when a browser is there, 1 when it has to be installed by hand."""
    can_install = hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get") is not None
    if can_install and (not find_browser() or missing_desktop()):
        print("• Installing Chromium and a virtual desktop with apt-get (up to 2 minutes)", flush=True)
        try:
            install()
        except subprocess.CalledProcessError as error:
            print(f"apt-get failed with exit code {error.returncode}", file=sys.stderr)
    if not find_browser():
        print(
            "The browser tests need Chromium or Chrome: install it (Debian: sudo apt-get install chromium "
            "fonts-dejavu-core), or name it: OPENPROCTOR_CHROMIUM=/path/to/chromium make test",
            file=sys.stderr,
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
