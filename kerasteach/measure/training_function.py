"""A model's training function: made anew where what is hooked into it has changed.

Keras looks the function up at each step and traces it at the first, with whatever is hooked in then; what comes or goes
later would not be in it, or would stay.
"""

from __future__ import annotations

import functools
import itertools
import weakref
from typing import Any

import keras

# What is hooked into the training of each model, and what was when its training function was last made.
_HOOKED: weakref.WeakKeyDictionary[Any, set[int]] = weakref.WeakKeyDictionary()
_NUMBERS: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()  # of hooks; none is given twice
_NEXT = itertools.count()
_MADE: weakref.WeakKeyDictionary[Any, tuple[weakref.ref[Any], frozenset[int]]] = weakref.WeakKeyDictionary()


def enter(model: keras.Model, hook: object) -> None:
    """Note that this object's hook is in the model's training from now on."""
    _HOOKED.setdefault(model, set()).add(_NUMBERS.setdefault(hook, next(_NEXT)))


def leave(model: keras.Model, hook: object) -> None:
    """Note that it is so no longer; what was compiled with it is thrown away."""
    number = _NUMBERS.get(hook, -1)
    _HOOKED.get(model, set()).discard(number)
    made = _MADE.get(model)
    if made is not None and made[0]() is model.train_function and number in made[1]:
        model.train_function = None


def make(model: keras.Model) -> None:
    """Have the model's training step compiled with what is hooked in now, unless that is so."""
    hooked = frozenset(_HOOKED.get(model, ()))
    made = _MADE.get(model)
    if made is not None and made[0]() is model.train_function is not None and made[1] == hooked:
        return
    model.train_function = None
    if keras.backend.backend() == "jax" and "train_step" not in vars(model):
        # JAX knows a function that it traced before, though another hook was in it then; this one is new to it.
        model.train_step = functools.partial(type(model).train_step, model)
        try:
            model.make_train_function()
        finally:
            del model.train_step
    else:
        model.make_train_function()
    _MADE[model] = (weakref.ref(model.train_function), hooked)
