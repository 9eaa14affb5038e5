"""Compiled training step of a model, compiled again when the hooks in it change.

Keras traces the step once, with the hooks of that moment: one that comes later is missing in it, one that leaves stays.
While a model has hooks, its `make_train_function` is replaced. Keras calls it at the beginning of every `fit` and
`train_on_batch`, so each hook is notified of another training.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Any, Protocol

import keras

_STEPS = ("train_step", "test_step")
_REPLACED = ("make_train_function", *_STEPS)


class Hook(Protocol):
    """Interface of a hook in a model's training."""

    def interrupted(self) -> None:
        """React to another training of the model, or to its compilation: fetch what was recorded, and leave."""


def enter(model: keras.Model, hook: Hook) -> None:
    """Register a hook of the model's training."""
    hooks = _hooks(model)
    if hooks is None:
        hooks = _Hooks(model)
        object.__setattr__(model, "make_train_function", hooks)  # past Keras's tracking of what is set
    hooks.present.append(hook)


def leave(model: keras.Model, hook: Hook) -> None:
    """Unregister a hook; the step that was compiled with it is dropped."""
    hooks = _hooks(model)
    if hooks is None:
        return
    if (
        hooks.made is not None
        and hooks.made is model.train_function
        and any(other is hook for other in hooks.made_with)
    ):
        model.train_function = None
    hooks.present = [other for other in hooks.present if other is not hook]
    if not hooks.present:
        hooks.remove()


def make(model: keras.Model, force: bool = False) -> None:
    """Have the model's training step compiled with its present hooks, unless it is."""
    hooks = _hooks(model)
    if hooks is None:
        model.make_train_function(force=force)
    elif force or not hooks.is_made():
        hooks.make()


def in_step(model: keras.Model) -> bool:
    """Say whether a hooked model's `train_step` is running, or being traced, at this moment.

    False while it evaluates, by the model's `test_step`. True also for a model whose class makes its training function
    by itself, which need not call `train_step`.
    """
    hooks = _hooks(model)
    own = not type(model).make_train_function.__module__.startswith("keras.")
    return own or (hooks is not None and hooks.running[-1:] == ["train_step"])


def _hooks(model: keras.Model) -> _Hooks | None:
    found = vars(model).get("make_train_function")
    return found if isinstance(found, _Hooks) else None


class _Hooks:
    """Replacement of a model's `make_train_function`, `train_step` and `test_step`.

    Attributes:
        present: The hooks.
        made: The training function that was made last.
        made_with: The hooks that are in it.
        running: The names of the steps that have begun and not ended, the innermost last.
    """

    def __init__(self, model: keras.Model) -> None:
        self.present: list[Hook] = []
        self.made: Any = None
        self.made_with: list[Hook] = []
        self.running: list[str] = []
        self._model = model
        self._before = {name: vars(model)[name] for name in _REPLACED if name in vars(model)}

    def __call__(self, force: bool = False) -> Any:
        """Begin another training of the model, as Keras does at the start of `fit` and of `train_on_batch`."""
        for hook in list(self.present):
            hook.interrupted()
        make(self._model, force)
        return self._model.train_function

    def is_made(self) -> bool:
        same = [id(hook) for hook in self.made_with] == [id(hook) for hook in self.present]
        return same and self.made is not None and self.made is self._model.train_function

    def make(self) -> None:
        self._model.train_function = None
        # A new function each time: JAX would reuse one that it traced before, with other hooks in it.
        for name in _STEPS:
            object.__setattr__(self._model, name, self._step(name))
        self._own("make_train_function")()
        self.made, self.made_with = self._model.train_function, list(self.present)

    def remove(self) -> None:
        for name in _REPLACED:
            vars(self._model).pop(name, None)
            if name in self._before:
                object.__setattr__(self._model, name, self._before[name])

    def _own(self, name: str) -> Callable[..., Any]:
        """Return the model's own method of this name."""
        return self._before.get(name) or MethodType(getattr(type(self._model), name), self._model)

    def _step(self, name: str) -> Callable[..., Any]:
        own = self._own(name)

        def step(*args: Any, **kwargs: Any) -> Any:
            self.running.append(name)
            try:
                return own(*args, **kwargs)
            finally:
                self.running.pop()

        return step
