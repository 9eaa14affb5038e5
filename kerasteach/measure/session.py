"""One training that is being recorded: which of the device's steps belong to it, and when to fetch them."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerasteach.measure import recorder
from kerasteach.measure.attachment import Attachment
from kerasteach.measure.recording import Recording

APPLIES_A_BATCH = 16  # for so many calls of `apply` a batch there is room in any case


class Session:
    """Carries what an attachment records in a `fit` over to a recording.

    `fit` tells nobody of an exception, so a session may outlive its training; then it knows its own steps by the number
    of batches that were begun, and leaves out those of a training that came after.

    Args:
        attachment: What records.
        recording: Where the numbers go.

    Attributes:
        seen: Whether the optimizer was called at all.
        begun: Whether a batch was begun at all.
    """

    def __init__(self, attachment: Attachment, recording: Recording) -> None:
        self.attachment, self.recording = attachment, recording
        self.begin(None)

    def begin(self, history: Any) -> None:
        """Begin a training, which Keras's callback `history` tells from others."""
        self.attachment.begin()
        self._history, self._over = history, False
        self._epoch = 0
        self._batches = self._fetched = 0  # of this epoch: begun, and begun at the last fetch
        self._applies: int | None = None  # of the optimizer, a batch; known after the first
        self.seen = self.begun = False

    def begin_epoch(self, epoch: int) -> None:
        """Note the epoch's number."""
        self._epoch, self._fetched, self._batches = epoch, 0, 0

    def begin_batches(self, first: int, number: int) -> None:
        """Fetch early where the coming batches would not find room on the device."""
        if first and self._applies is None:
            self.attachment.sync()
            self._applies = max(1, -(-self.attachment.recorder.steps // first))
        room = self.attachment.recorder.capacity // (self._applies or APPLIES_A_BATCH)
        if first + number - self._fetched > room:
            self.fetch()
            self.recording.flush()
            self._fetched = first
        self._batches, self.begun = first + number, True

    def end_epoch(self) -> None:
        """Fetch what the epoch recorded."""
        self.fetch()
        self.recording.end_epoch(recorder.BUFFER_BYTES - self.attachment.recorder.bytes)

    def end(self) -> None:
        """Take the rest: the training came to its end."""
        self.fetch()
        self._over = True
        self.recording.finish()

    def close(self) -> None:
        """Take the rest, wherever the training stopped."""
        self.fetch()
        self.recording.close()

    def fetch(self) -> None:
        """Take from the device what is there of this training."""
        with self.recording.undivided:
            self._fetch()

    def _fetch(self) -> None:
        before, batches = self.attachment.recorder.fetched, self._batches - self._fetched
        steps, values, arrays = self.attachment.fetch()
        taken = self.attachment.recorder.fetched - before
        if self._over or self.attachment.model.history is not self._history:
            limit = before + batches * (self._applies or 1)  # beyond it, another training's steps were recorded too
            mine = steps < limit
            steps, values = steps[mine], values[mine]
            arrays = {step: one for step, one in arrays.items() if step < limit}
            taken = min(taken, limit - before)
        elif taken and batches:
            self._applies = -(-taken // batches)
        self._fetched = self._batches
        self.seen = self.seen or taken > 0
        self.recording.add(self.attachment.source.entries or (), self._epoch, np.asarray(steps), values)
        self.recording.add_raw(arrays)
