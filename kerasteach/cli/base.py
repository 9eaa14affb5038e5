"""Class of all commands: options with several values, names in singular or plural, errors that name options."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from inspect import cleandoc
from itertools import pairwise
from os.path import expanduser
from pathlib import Path
from shlex import quote
from typing import Any

import typer
from typer.core import TyperCommand

from kerasteach.cli.terminal import discard_output
from kerasteach.translation import languages
from kerasteach.validation import choice

# Arguments of Python's functions that an option has another name for.
_OPTIONS = {
    "x": ("input",),
    "y": ("target",),
    "directory": ("run", "output"),
    "path": ("output",),
    "overwrite": ("force",),
}
UsageError: Any = typer.BadParameter.__mro__[1]  # of which typer has no public name


class CommandError(Exception):
    """An error of the caller's, which names options instead of arguments."""


class Command(TyperCommand):
    """A command whose list options take several values after one name: `--activations sigmoid tanh relu`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words of the command line."""
        words = self._spread(self._known(args))
        try:
            return super().parse_args(ctx, list(words))  # which empties the list
        except UsageError as error:
            param: Any = getattr(error, "param", None)
            values = [value for name, value in pairwise(words) if name in getattr(param, "opts", ())]
            if values:
                given = values if getattr(param, "multiple", False) else values[-1:]
                option = f"{param.opts[0]} {' '.join(map(quote, given))}"
                error.message = f"{error.message.rstrip('.')}. Received: {option}.{_comma_hint(given, option)}"
            raise

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an error of the caller's becomes a `CommandError`."""
        try:
            if "language" in ctx.params:  # an unknown one is refused before anything is trained
                choice("language", ctx.params["language"], languages())
            run = ctx.params.get("run")  # likewise what is no folder
            if isinstance(run, Path) and not run.is_dir():
                raise FileNotFoundError(f"`run` must be the folder of a run. Received: {run}, which is no folder.")
            result = super().invoke(ctx)
            sys.stdout.flush()
        except (typer.Exit, typer.Abort):
            raise
        except BrokenPipeError:  # the reader, such as `head`, has had enough
            discard_output()
            return None
        except KeyboardInterrupt:
            raise SystemExit("Interrupted.") from None
        except (ValueError, TypeError, OSError, ImportError, RuntimeError) as error:
            # Typer 0.16 hands tuples, later ones lists.
            lists = [values for values in ctx.params.values() if isinstance(values, (list, tuple))]
            several = [value for values in lists for value in values]
            raise CommandError(in_options(str(error), self.params) + _comma_hint(several, str(error))) from error
        return result

    def _known(self, words: Iterable[str]) -> list[str]:
        """Replace names in the singular or plural by the options' own; split `--name=value`; expand `~`."""
        names = [name for param in self.params for name in (*param.opts, *param.secondary_opts)]
        several = self._lists()
        known: list[str] = []
        for word in words:
            name, equals, value = expanduser(word).partition("=")
            value = expanduser(value)  # which no shell does
            if word.startswith("--"):  # `--learning_rate`, too
                name = next((form for form in (name, *_forms(name.replace("_", "-"))) if form in names), name)
            known += [name, value] if equals and name in several else [f"{name}{equals}{value}"]
        return known

    def _lists(self) -> set[str]:
        """Return the names of the options that take several values."""
        return {name for param in self.params if getattr(param, "multiple", False) for name in param.opts}

    def _spread(self, words: Iterable[str]) -> list[str]:
        """Repeat the name of a list option before each of its values, as Click wants it."""
        several = self._lists()
        spread: list[str] = []
        option = ""
        for word in words:
            if word.startswith("-") and not word[1:].lstrip(".")[:1].isdigit():  # -0.5 and -.5 are values
                spread.append(word)
                option = word if word in several else ""
            elif option and spread[-1] != option:
                spread += [option, word]
            else:
                spread.append(word)
        return spread


def help_of(function: Any) -> str:
    r"""Return the help of a command: its docstring, each paragraph in one line, and examples after `\b` as they stand.

    Example:
        >>> from kerasteach.cli.base import help_of
        >>> def draw():
        ...     "Draw what\n    is there.\n\n    \b\n    draw this\n    draw that"
        >>> help_of(draw).split("\n")
        ['Draw what is there.', '', 'draw this', 'draw that']
    """
    parts = cleandoc(function.__doc__ or "").split("\n\n")
    marked = [(part, part.removeprefix("\b\n")) for part in parts]
    return "\n\n".join(kept if kept != part else " ".join(part.split()) for part, kept in marked)


def _comma_hint(values: Iterable[Any], message: str) -> str:
    """Return a hint where an error names a value with commas, which are no separators."""
    wrong = (value for value in values if isinstance(value, str) and "," in value and value in message)
    return next((f" Values are separated by spaces: {' '.join(value.split(','))}." for value in wrong), "")


def _forms(name: str) -> tuple[str, ...]:
    """Return a name, and what it may be in plural or singular: `--bias`, `--biases`."""
    return name, f"{name}s", f"{name}es", name.removesuffix("s"), name.removesuffix("es")


def _called(param: Any) -> str:
    """Return what the help calls an option, `--epochs`, or an argument, `RUN`."""
    name = str(param.opts[0])
    return name if name.startswith("--") else str(param.metavar or name.upper()).strip("[].")


def in_options(text: str, params: Iterable[Any]) -> str:
    """Return an error message of Python's functions with the names of options in place of those of arguments.

    Example:
        >>> from types import SimpleNamespace
        >>> from kerasteach.cli.base import in_options
        >>> epochs = SimpleNamespace(name="epochs", opts=["--epochs"])
        >>> in_options("`epochs` must be a whole number from 1. Received: epochs=0.", [epochs])
        '`--epochs` must be a whole number from 1. Received: --epochs 0.'
    """
    options = {str(param.name): _called(param) for param in params}

    def option(argument: str) -> str | None:
        return next(
            (options[name] for name in (*_forms(argument), *_OPTIONS.get(argument, ())) if name in options), None
        )

    def named(match: re.Match[str]) -> str:
        name = option(match["name"])
        return match[0] if name is None else f"`{name}{match['rest']}`"

    def valued(match: re.Match[str]) -> str:
        name = option(match["name"])
        between = " of shape " if match["shape"] else " "
        return match[0] if name is None else f"{name}{between}{match['text'] or ''}"

    text = re.sub(r"`(?P<name>[a-z_]+)(?P<rest>(=[^`]*)?)`", named, text)
    head, received, tail = text.partition("Received: ")
    return head + received + re.sub(r"\b(?P<name>[a-z_]+)(?P<shape>\.shape)?=('(?P<text>[^']*)')?", valued, tail)
