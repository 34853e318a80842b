"""Makes the demo's sample session: a server of its own on the demo's folder, whose clock is set, gone when it is done.

``python -m openproctor.sample DATA KEY`` prints its progress, one ``share words`` a line.
"""

import os
import signal
import sys
from pathlib import Path

from openproctor.clock import set_clock
from openproctor.config import Settings
from openproctor.server import run_server
from openproctor.simulation.demo import encode_sitting, play_sample_session


def main() -> None:
    """Serve, play the sitting against ourselves over the network, end."""
    data, key = Path(sys.argv[1]), sys.argv[2]

    def tell(share: float, words: str) -> None:
        print(f"{share:.3f} {words}", flush=True)

    async def play(url: str) -> None:
        try:
            recording = await encode_sitting(lambda share: tell(share * 0.8, "Encoding pictures of a sample candidate"))
            playing = "Letting the candidate sit the exam"
            await play_sample_session(
                url, key, lambda share, _: tell(0.8 + share * 0.2, playing), recording=recording, set_clock=set_clock
            )
            tell(1.0, "done")
        finally:
            set_clock(None)
            os.kill(os.getpid(), signal.SIGTERM)

    run_server(Settings(data_dir=data, host="127.0.0.1", port=0, workers=0, log_level="error"), play)


if __name__ == "__main__":
    main()
