"""The summary that `kerasteach compare` prints, at several widths of the terminal."""

import numpy as np
import pandas as pd
import pytest

from kerasteach.cli.compare.summary import print_summary

MEDIANS = {"final_loss": 0.00054321, "test_accuracy": 0.995, "epochs": 8.0, "gradient_ratio": 1.234e-9}
LOWEST = {"final_loss": 0.000541, "test_accuracy": 0.99499, "epochs": 8.0, "gradient_ratio": 5.4e-10}
HIGHEST = {"final_loss": 0.008123, "test_accuracy": 1.0, "epochs": 8.0, "gradient_ratio": 0.0081}
ENDS = {"": 0.4973, "_low": 0.49512, "_high": 0.50012}


def table(keys=("sigmoid",), names=("activation",), **changes):
    """Return the summary of a variant, and of one that it is compared with."""
    row = {"seeds": 5, **MEDIANS}
    row |= {f"{name}_min": value for name, value in LOWEST.items()}
    row |= {f"{name}_max": value for name, value in HIGHEST.items()}
    row |= {f"test_accuracy_difference{suffix}": value for suffix, value in ENDS.items()}
    index = pd.MultiIndex.from_tuples([keys, ("other",) * len(keys)], names=names)
    return pd.DataFrame([{**row, **changes}, row], index=index)


def printed(monkeypatch, capsys, width, summary, error_below=None):
    """Return the lines that are printed to a terminal of a width, with a hyphen for a range's dash."""
    monkeypatch.setenv("COLUMNS", str(width))
    print_summary(summary, error_below)
    return capsys.readouterr().out.replace("\N{EN DASH}", "-").splitlines()


def cells(lines):
    """Return all words of the lines."""
    return " ".join(lines).split()


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("keys", [1, 3])
def test_every_number_is_whole_at_every_width(monkeypatch, capsys, width, keys):
    """No line is longer than the terminal, and no number is cut, also beside the names of three things that vary."""
    names = ("activation", "optimizer", "initializer")[:keys]
    summary = table(("sigmoid", "plain_sgd", "glorot_uniform")[:keys], names)
    lines = printed(monkeypatch, capsys, width, summary)
    assert max(map(len, lines)) <= width
    numbers = {
        "0.000543",
        "0.000541-0.00812",
        "0.995",
        "0.995-1",
        "8",
        "1.23e-09",
        "5.4e-10-0.0081",
        "+0.497",
        "+0.495",
    }
    assert numbers <= set(cells(lines))


def test_eighty_columns_hold_the_usual_table(monkeypatch, capsys):
    """One thing that varies, and its quantities, stand in one table."""
    lines = printed(monkeypatch, capsys, 80, table())
    assert len([line for line in lines if line.split()[:1] == ["sigmoid"]]) == 1


def test_a_median_is_inside_its_range(monkeypatch, capsys):
    """Median, lowest and highest value are rounded alike."""
    lowest, highest = {"test_accuracy_min": 0.9951}, {"test_accuracy_max": 0.9962}
    words = cells(printed(monkeypatch, capsys, 80, table(test_accuracy=0.9958, **lowest, **highest)))
    assert {"0.996", "0.995-0.996"} <= set(words)


def test_a_range_of_one_number_is_the_number(monkeypatch, capsys):
    """Epochs from 8 to 8 are 8."""
    words = cells(printed(monkeypatch, capsys, 80, table()))
    assert "8" in words
    assert not any(word.startswith("8-") for word in words)


def test_a_ratio_of_zero_is_a_number(monkeypatch, capsys):
    """No signal at all reaches the front: 0; only where there is no ratio stands a dash."""
    nothing = {f"gradient_ratio{suffix}": 0.0 for suffix in ("", "_min", "_max")}
    assert "0" in cells(printed(monkeypatch, capsys, 80, table(**nothing)))
    unknown = dict.fromkeys(nothing, np.nan)
    words = cells(printed(monkeypatch, capsys, 80, table(**unknown)))
    assert "-" in words
    assert "0" not in words


@pytest.mark.parametrize(
    ("seeds", "said"), [(2, "mean"), (5, "mean, and 95 % t interval"), (10, "mean, and 95 % bootstrap interval")]
)
def test_the_title_names_the_interval(monkeypatch, capsys, seeds, said):
    """Which interval it is depends on the number of seeds; with two there is none."""
    lines = printed(monkeypatch, capsys, 120, table().assign(seeds=seeds))
    assert lines[0].endswith(f"differences from the first row: {said}")


def test_learning_rates_have_a_column(monkeypatch, capsys):
    """Where optimizers are compared, the table says each one's rate."""
    summary = table(("adam",), ("optimizer",))
    summary.insert(1, "learning_rate", [0.001, "CosineDecay"])
    words = cells(printed(monkeypatch, capsys, 120, summary))
    assert {"learning", "0.001", "CosineDecay"} <= set(words)


def test_epochs_to_an_error_say_how_many_seeds_came_there(monkeypatch, capsys):
    """They stand for the epochs that were run; a variant that never came there says so."""
    reached = {f"epochs_to_error{suffix}": [3.0, np.nan] for suffix in ("", "_min", "_max")}
    summary = table().assign(**reached, seeds_below_error=[2, 0])
    text = " ".join(cells(printed(monkeypatch, capsys, 120, summary, 0.5)))
    assert "epochs to error < 0.5" in text
    assert "2 of 5 seeds" in text
    assert "never" in text
