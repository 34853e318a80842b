"""A desktop without a monitor: an X server and a window manager, for the buttons of the browser's own windows."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from scripts.ensure_browser import missing_desktop

MISSING = missing_desktop()
START_S = 20.0


@dataclass(frozen=True)
class Desktop:
    """``display`` as X programs want it, ``:5``."""

    display: str

    def click_in_window(self, title: str, right: int, up: int, within_s: float = 15.0) -> None:
        """Click in the window whose title holds ``title``: so many pixels left of its right edge, above its bottom."""
        window = self._find(title, within_s)
        shape = dict(
            line.split("=", 1)
            for line in self._xdotool("getwindowgeometry", "--shell", window).splitlines()
            if "=" in line
        )
        x = int(shape["X"]) + int(shape["WIDTH"]) - right
        y = int(shape["Y"]) + int(shape["HEIGHT"]) - up
        self._xdotool("mousemove", str(x), str(y), "click", "1")

    def _find(self, title: str, within_s: float) -> str:
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            found = self._xdotool("search", "--onlyvisible", "--name", title, check=False).split()
            if found:
                return found[-1]
            time.sleep(0.1)
        raise TimeoutError(f"no window named {title!r} within {within_s:.0f} s")

    def _xdotool(self, *words: str, check: bool = True) -> str:
        done = subprocess.run(
            ["xdotool", *words],
            env={**os.environ, "DISPLAY": self.display},
            capture_output=True,
            text=True,
            check=check,
        )
        return done.stdout


@contextmanager
def desktop(width: int = 1600, height: int = 1100) -> Iterator[Desktop]:
    """An X server on a free display, with openbox; both ended when the block ends."""
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    try:
        with os.fdopen(read) as numbers:
            display = f":{numbers.readline().strip()}"
        if display == ":":
            raise RuntimeError(f"Xvfb ended with code {server.wait(5)}")
        manager = subprocess.Popen(["openbox"], env={**os.environ, "DISPLAY": display}, stderr=subprocess.DEVNULL)
        try:
            yield Desktop(display)
        finally:
            manager.terminate()
            manager.wait(10)
    finally:
        server.terminate()
        server.wait(10)
