"""Case of the clinic: a network with a fault, trained on scikit-learn's digits, which does not learn."""

from __future__ import annotations

from typing import NamedTuple

import keras
import numpy as np
import pandas as pd

from kerasteach.callbacks.activation_capture import ActivationCapture
from kerasteach.callbacks.gradient_capture import GradientCapture
from kerasteach.datasets.loading import load
from kerasteach.diagnosis import diagnose
from kerasteach.lessons.clinic.faults import Fault
from kerasteach.models import mlp
from kerasteach.tables.history import history_table

EPOCHS = 6
CLASSES = 10
_EXAMPLES, _BATCH = 640, 32
_IMAGES = 8
_LEARNED = 0.2  # of the test accuracy above chance: whose is as much does learn
_FOUND_NOTHING = 0.95  # of the loss of a guess: whose training loss is above has found nothing in the labels


class Case(NamedTuple):
    """The tables of a training, and some of its images with their labels."""

    history: pd.DataFrame
    gradients: pd.DataFrame
    activations: pd.DataFrame
    images: np.ndarray
    labels: np.ndarray


def train(fault: Fault, draw: np.random.Generator) -> Case:
    """Train a network that has the fault. No global random state is drawn from, or changed."""
    data, images = load("digits"), load("digits", standardize=False).x_train
    chosen = draw.permutation(len(data.x_train))[:_EXAMPLES]
    x, y = data.x_train[chosen], data.y_train[chosen]
    if fault.data is not None:
        x, y = fault.data(x, y, draw)
    setting = fault.training(draw)
    network = mlp(
        setting.activation,
        setting.hidden,
        inputs=x.shape[1],
        outputs=CLASSES,
        seed=int(draw.integers(1000)),
        **setting.options,
    )
    accuracy = keras.metrics.SparseCategoricalAccuracy("accuracy")  # of its name alone, Keras traces the step twice
    network.compile(setting.optimizer, "sparse_categorical_crossentropy", metrics=[accuracy])
    gradients = GradientCapture(statistics=["norm", "update_ratio"])
    outputs = ActivationCapture(every="epoch")
    history: keras.callbacks.History = network.fit(
        x,
        y,
        _BATCH,
        EPOCHS,
        verbose=0,
        shuffle=False,  # the examples are in a drawn order
        validation_data=(data.x_test, data.y_test),
        callbacks=[gradients, outputs],
    )
    curves, gradients_table, outputs_table = history_table(history), gradients.frame, outputs.frame
    for table in (curves, gradients_table, outputs_table):
        table.attrs.clear()  # which name the learning rate: a cause to be found
    return Case(curves, gradients_table, outputs_table, images[chosen[:_IMAGES]], y[:_IMAGES])


def does_not_learn(case: Case, fault: Fault) -> bool:
    """Say whether the network does not learn, for this cause and no other that is diagnosed."""
    last = case.history.groupby("metric")["value"].last()
    chance = 1 / CLASSES
    if last["val_accuracy"] - chance >= _LEARNED * (1 - chance):
        return False
    found = set(diagnose(case.gradients, case.activations, case.history).frame["rule"])
    if not fault.found <= found <= fault.found | fault.beside:
        return False
    return bool(fault.found) or bool(last["loss"] > _FOUND_NOTHING * np.log(CLASSES))
