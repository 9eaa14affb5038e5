"""The setting below a figure's title: values of the table, in the words of the figure's language."""

import pandas as pd

import kerasteach as kt
from kerasteach.experiment.title import setting
from kerasteach.plotting.setting import setting_in_words

FACTS = {
    "arguments": {"hidden": [32, 32], "vary": [], "error_below": 0.05},
    "data": {"name": "digits"},
    "learning_rates": [0.1, 0.1],
    "variants": [{"optimizer": "sgd"}, {"optimizer": "adam"}],
}


def test_what_was_trained_on_what_is_a_sentence_in_each_language():
    """The table has values alone; numbers and names stay, words are those of the figure."""
    assert setting_in_words(setting(FACTS)) == (
        "digits: 2 hidden layers of 32, learning rate 0.1, trained to a loss below 0.05"
    )
    table = kt.measure.history_table({"loss": [0.9, 0.4]})
    table.attrs["setting"] = setting(FACTS)
    with kt.plotting.style("notebook", language="de"):
        ax = kt.plotting.learning_curves(table)
    title = ax.get_title().replace("\n", " ")
    assert "2 verdeckte Schichten mit je 32 Einheiten, Lernrate 0.1" in title
    assert "hidden" not in title


def test_what_varies_is_left_out():
    """Depth, width and learning rate stand in the legend then; each optimizer has its own rate."""
    varied = {**FACTS, "arguments": {"hidden": [32, 32], "vary": ["depth", "learning_rate"], "error_below": None}}
    assert setting_in_words(setting(varied)) == "digits"
    rates = {**FACTS, "learning_rates": [0.1, 0.001]}
    assert "learning rate 0.1 (sgd), 0.001 (adam)" in setting_in_words(setting(rates))


def test_words_of_the_callers_own_stay_as_they_are():
    """A table may have a sentence instead, as those of runs that were saved before."""
    table = pd.DataFrame({"epoch": [0, 1], "metric": "loss", "value": [0.9, 0.4]})
    table.attrs["setting"] = "our measurements of 2024"
    assert "our measurements of 2024" in kt.plotting.learning_curves(table).get_title().replace("\n", " ")
