"""One step of a model's own training, on one batch."""

from __future__ import annotations

from typing import Any

import keras

from kerasteach.lessons.batches import Batch
from kerasteach.lessons.inspection.evaluation import loss_in
from kerasteach.lessons.model_checks import fitting


def train_on(model: keras.Model, batch: Batch) -> tuple[float, dict[str, Any]]:
    """Train on one batch.

    Returns:
        The batch's own loss before the step, and the logs that it is among.

    Raises:
        ValueError: If the batch does not fit the model and its loss, or the step returns no loss.
    """
    x, y, sample_weight = batch
    with fitting(model):
        model.reset_metrics()  # as train_on_batch does by itself in later releases of Keras than 3.10
        logs = model.train_on_batch(x, y, sample_weight=sample_weight, return_dict=True)
    return float(loss_in(logs, "train_step")), logs
