"""Start a pool of two workers as the command does, print their numbers, and wait to be killed."""

import os
import signal
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from kerasteach.experiment.workers import end_with_parent


def meet(barrier):
    """Wait until another process does this too, and return the number of this one."""
    barrier.wait()
    return os.getpid()


if __name__ == "__main__":
    context = get_context("spawn")
    with context.Manager() as manager:
        barrier = manager.Barrier(2)
        pool = ProcessPoolExecutor(2, mp_context=context, initializer=end_with_parent)
        print(*pool.map(meet, [barrier, barrier]), flush=True)
        signal.pause()
