"""Steps that are forked from a run's server must not outlive the run."""

import functools
import multiprocessing
import os
import sys
import threading


@functools.cache
def end_with_the_run() -> None:
    """Let a forked step end when the process of its run is gone.

    Nobody would read what it says, the run is tried again, and the step that lives on would hold memory and GPU, and
    win the race against the new attempt.
    """
    run = multiprocessing.parent_process()
    # The server that steps are forked from, and nobody else, has imported that module. A step that runs in its run's
    # own process has the code server for a parent, and survives it.
    if run is None or "causalrec_assets.preload" not in sys.modules:
        return

    def wait() -> None:
        run.join()
        os._exit(1)

    threading.Thread(target=wait, name="ends-with-the-run", daemon=True).start()
