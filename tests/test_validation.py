"""Each check returns what it was given, as Python's own kind, or raises an error that names the argument."""

from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from kerasteach import validation

ODD = [None, "a", b"a", [], {}, object(), np.zeros(3), np.array(0.5), pd.NA, pd.NaT, float("nan"), 10**400, -(10**400)]


@pytest.mark.parametrize("check", [validation.whole, validation.finite, validation.flag, validation.path])
@pytest.mark.parametrize("value", ODD, ids=lambda value: type(value).__name__)
def test_an_odd_value_is_an_error_that_names_the_argument(check, value):
    """Whatever is handed in, the error is a ValueError or TypeError that begins with the argument's name."""
    if check is validation.path and isinstance(value, str):
        return
    with pytest.raises((ValueError, TypeError), match=r"^`size` .*Received: size="):
        check("size", value)


@pytest.mark.parametrize("value", [3, np.int8(3), np.int64(3), np.uint32(3)])
def test_whole_returns_pythons_number(value):
    """NumPy's whole numbers become Python's."""
    assert type(validation.whole("n", value)) is int


@pytest.mark.parametrize("value", [True, 3.0, 0, 2**63])
def test_whole_refuses(value):
    """A bool, a float, and numbers outside the bounds are no whole numbers here."""
    with pytest.raises(ValueError, match="`n` must be a whole number from 1"):
        validation.whole("n", value)


@pytest.mark.parametrize(("value", "expected"), [(True, True), (np.bool_(0), False), (1, True), (0, False)])
def test_flag(value, expected):
    """Python's and NumPy's booleans are flags, and 0 and 1."""
    assert validation.flag("shuffle", value) is expected


@pytest.mark.parametrize("value", [2, 1.0, "True", None])
def test_flag_refuses(value):
    """Other numbers, texts and None are no flags."""
    with pytest.raises(TypeError, match="`shuffle` must be True or False"):
        validation.flag("shuffle", value)


@pytest.mark.parametrize("value", [np.array(["min"]), pd.NA, None, 3, ["min"]])
def test_choice_compares_text_alone(value):
    """An array, which has no truth value, is refused as any other value that is no text."""
    with pytest.raises(TypeError, match='`mode` must be one of "min", "max"'):
        validation.choice("mode", value, ("min", "max"))


def test_choice_suggests_what_is_near():
    """A slip of the pen is named; something else altogether has no suggestion."""
    with pytest.raises(ValueError, match="Did you mean 'sigmoid'"):
        validation.choice("activation", "sigmod", ("sigmoid", "relu"))
    with pytest.raises(ValueError, match=r"Received: activation='swish'\.$"):
        validation.choice("activation", "swish", ("sigmoid", "relu"))


@pytest.mark.parametrize("value", [5, "abc", None, np.array(1.0), {"a": 1}, keras.Input((2,))])
def test_several_refuses(value):
    """A single value, a text and a mapping are no list."""
    with pytest.raises(TypeError, match="`hidden` must be a list of widths"):
        validation.several("hidden", value, "widths")


def test_path_expands_the_home_folder(monkeypatch, tmp_path):
    """`~` is expanded once, so that every library writes to the same place."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert validation.path("directory", "~/runs") == tmp_path / "runs"


def test_path_is_absolute(monkeypatch, tmp_path):
    """A later change of the working folder changes no path."""
    monkeypatch.chdir(tmp_path)
    assert validation.path("directory", Path("runs")) == tmp_path.resolve() / "runs"


@pytest.mark.parametrize("value", ["", "  ", "a\0b", "a" * 300])
def test_path_refuses_what_no_file_system_holds(value):
    """An empty name, a NUL, and a name that is too long are refused before anything is written."""
    with pytest.raises(ValueError, match="`directory` must be a path"):
        validation.path("directory", value)


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ([[1, 2], [3]], ValueError, "rows of one length"),
        (["a", "b"], TypeError, "an array of numbers"),
        ([pd.NA], TypeError, "an array of numbers"),
        (None, TypeError, "an array of numbers"),
        (keras.Input((2,)), TypeError, "an array of numbers"),
        ([10**400], ValueError, "too large"),
        (1.0, ValueError, "must have 2 dimensions"),
    ],
)
def test_array_refuses(value, error, message):
    """Each way in which a value is no array of numbers has its own words."""
    with pytest.raises(error, match=f"`x` .*{message}"):
        validation.array("x", value, ndim=2)


def test_table_names_what_is_missing():
    """The message lists the missing columns and where such a table comes from."""
    with pytest.raises(ValueError, match=r"`gradients` lacks the columns norm; GradientCapture.frame"):
        validation.table("gradients", pd.DataFrame({"step": [1]}), ["step", "norm"], "GradientCapture.frame")
    with pytest.raises(TypeError, match="`gradients` must be a table"):
        validation.table("gradients", {"step": [1]}, ["step"], "GradientCapture.frame")


def test_a_repr_that_fails_does_not_hide_the_error():
    """The caller's own object may have a `repr` that raises."""

    class Broken:
        def __repr__(self):
            raise RuntimeError

    with pytest.raises(TypeError, match="Received: size=<Broken>"):
        validation.finite("size", Broken())


def test_what_does_not_fit_into_memory_is_refused():
    """The message has the size that was asked for, and the largest there can be."""
    validation.fits_memory("points", 16_000, 16_000**2)
    with pytest.raises(ValueError, match=r"`points` must .*at most 268,435,456 .*400,000,000\. Received: points=20000"):
        validation.fits_memory("points", 20_000, 20_000**2)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("{{node a/b}} no such\n  more", "ValueError: no such."),
        (
            "Exception encountered when calling Dense.call().\n\n\x1b[1mNo rows.\x1b[0m\n\nArguments",
            "ValueError: No rows.",
        ),
        ("", "ValueError: no more."),
    ],
)
def test_said_is_the_first_sentence_of_a_librarys_error(message, expected):
    """Names of nodes, colors, and where Keras was at that time are left out."""
    assert validation.said(ValueError(message)) == expected
