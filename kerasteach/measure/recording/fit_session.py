"""Recording session: one `fit`, from its beginning to its end or to whatever ends it earlier."""

from __future__ import annotations

from kerasteach.measure.hooks import recorder
from kerasteach.measure.hooks.attachment import Attachment
from kerasteach.measure.recording.recording import Recording

APPLIES_A_BATCH = 16  # for so many calls of `apply` a batch there is room in any case


class Session:
    """Carries what an attachment records in a `fit` over to a recording.

    Keras does not call `on_train_end` after an exception, so a session may outlive its `fit`. It ends when the next
    training of the model begins, of whatever kind: what was recorded is fetched before, and the optimizer is released.
    After a callback that trained or compiled the model in mid-fit, the session goes on with a new attachment.

    Args:
        recording: Where the numbers go.

    Attributes:
        attachment: The attachment that records; `None` while nothing does.
        steps: How many steps were fetched; the number of the next one.
        seen: Whether the optimizer was called at all.
        begun: Whether a batch was begun at all.
        missed: Whether a batch was interrupted before its step, which is in no table then.
        over: Whether the `fit` came to its end.
    """

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.attachment: Attachment | None = None
        self.begin()

    def begin(self) -> None:
        """Begin a training, with step 0."""
        self.steps, self._epoch, self._epoch_steps = 0, 0, 0
        self._batches = self._fetched = self._first = 0  # of this epoch: begun, at the last fetch, and before now
        self._applies: int | None = None  # of the optimizer, a batch; known after the first
        self.seen = self.begun = self.missed = self.over = False
        if self.attachment is not None:
            self.attachment.begin()

    def attach(self, attachment: Attachment) -> None:
        """Record with this attachment from now on; it counts on from the last step."""
        self.attachment = attachment
        attachment.begin(self.steps)
        attachment.on_interruption = self.interrupt

    def begin_epoch(self, epoch: int) -> None:
        """Note the epoch's number."""
        self._epoch, self._epoch_steps = epoch, self.steps
        self._fetched = self._batches = self._first = 0

    def begin_batches(self, first: int, number: int) -> None:
        """Fetch early where the coming batches would not find room on the device."""
        if self.attachment is not None:
            if first and self._applies is None:
                self.attachment.sync()
                self._applies = max(1, -(-(self.attachment.recorder.steps - self._epoch_steps) // first))
            room = self.attachment.recorder.capacity // (self._applies or APPLIES_A_BATCH)
            if first + number - self._fetched > room:
                self.fetch()
                self.recording.flush()
                self._fetched = first
        self._first, self._batches, self.begun = first, first + number, True

    def end_epoch(self) -> None:
        """Fetch what the epoch recorded."""
        self.fetch()
        held = self.attachment.recorder.bytes if self.attachment is not None else 0
        self.recording.end_epoch(recorder.BUFFER_BYTES - held)

    def end(self) -> None:
        """Take the rest: the training came to its end."""
        self.fetch()
        self.over = True
        self.recording.finish()

    def close(self) -> None:
        """Take the rest, wherever the training stopped."""
        self.fetch()
        self.recording.close()

    def interrupt(self) -> None:
        """Take what is there before another training of the model begins, and leave the optimizer to it."""
        if self.over or self.attachment is None:
            return
        self.fetch()
        self.missed = self._batches > 0 and self.steps - self._epoch_steps <= self._first
        self.release()

    def release(self) -> None:
        """Leave the optimizer, and the model, as they were found."""
        if self.attachment is not None:
            self.attachment.release()
            self.attachment = None

    def fetch(self) -> None:
        """Take from the device what is there of this training."""
        with self.recording.undivided:
            self._fetch()

    def _fetch(self) -> None:
        if self.attachment is None or self.over:
            return
        batches, before = self._batches - self._fetched, self.steps
        steps, measured, arrays = self.attachment.fetch()
        self.steps = self.attachment.recorder.fetched
        taken = self.steps - before
        if taken and batches:
            self._applies = -(-taken // batches)
        self._fetched = self._batches
        self.seen = self.seen or taken > 0
        self.recording.add(self.attachment.source.entries or (), self._epoch, steps, measured)
        self.recording.add_raw(arrays)
