"""Start a pool of two workers as the command does, print their numbers, and wait to be killed."""

import os
import signal
import sys
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path

# The module alone, because three processes that start TensorFlow take half a minute.
sys.path.append(str(Path(find_spec("kerasteach").origin).parent / "experiment"))
from workers import end_with_parent


def prepare(barrier):
    """Watch the parent, and wait until the other worker does so too."""
    end_with_parent()
    barrier.wait()


if __name__ == "__main__":
    context = get_context("spawn")
    pool = ProcessPoolExecutor(2, mp_context=context, initializer=prepare, initargs=(context.Barrier(2),))
    tasks = [pool.submit(os.getpid) for _ in range(2)]
    sys.stdout.write(" ".join(str(task.result()) for task in tasks) + "\n")
    sys.stdout.flush()
    signal.pause()
