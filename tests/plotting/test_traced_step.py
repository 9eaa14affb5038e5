import io

import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from keras import layers
from matplotlib.colors import same_color

import kerasteach as kt
from kerasteach.plotting.style import BACKWARD, FORWARD, inks


def trace(inputs, hidden, outputs, examples=1, **options):
    """Return the table of a step of a small classifier."""
    model = kt.models.mlp("relu", hidden, inputs=inputs, outputs=outputs, seed=0, **options)
    model.compile("sgd", "sparse_categorical_crossentropy" if outputs > 1 else "mse")
    x = np.random.default_rng(1).normal(size=(examples, inputs))
    return kt.trace_step(model, x, np.zeros(examples)).frame


@pytest.fixture(scope="module")
def tables():
    """Return tables of networks of several shapes."""
    deep = keras.Sequential([keras.Input((1,)), *(layers.Dense(1, name=f"a_long_name_{n}") for n in range(5))])
    return {
        "two neurons": trace(1, (1,), 1, output_activation="sigmoid"),
        "2-3-1": trace(2, (3,), 1, 2, output_activation="sigmoid"),
        "4-4-3": trace(4, (4,), 3),
        "6-6": trace(6, (), 6),
        "1-9-1": trace(1, (9,), 1, output_activation="sigmoid"),
        "deep": kt.trace_step(deep, [[1.0]], [[2.0]]).frame,
    }


def texts(ax, color=None):
    """Return what is written, all of it or in one color."""
    return [one for one in ax.texts if one.get_text() and (color is None or same_color(one.get_color(), color))]


def shown(value):
    """Return a number as the figure writes it."""
    return f"{value + 0.0:.4g}".replace("-", "\N{MINUS SIGN}")


PAGES = {"two neurons": 1, "2-3-1": 1, "4-4-3": 2, "6-6": 2, "deep": 2, "1-9-1": 3}


def pages(table, **options):
    """Return the axes of every page."""
    numbers = range(1, kt.plotting.pages(table) + 1)
    return [kt.plotting.traced_step(table, page=number, **options) for number in numbers]


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("name", "page"), [(name, page) for name, count in PAGES.items() for page in range(1, count + 1)]
)
@pytest.mark.parametrize("place", ["paper", "lecture", "given axes"])
def test_nothing_overlaps_and_nothing_is_cut_off(tables, name, page, place):
    """No text touches another, all lie inside the figure, and no line crosses a text."""
    with kt.plotting.style("lecture") if place == "lecture" else plt.rc_context():
        ax = plt.subplots(figsize=(12, 9))[1] if place == "given axes" else None
        ax = kt.plotting.traced_step(tables[name], ax=ax, page=page)
    figure = ax.get_figure()
    figure.canvas.draw()
    boxes = [one.get_window_extent() for one in texts(ax)]
    left, low, right, high = np.array([box.extents for box in boxes]).T
    apart = (left[:, None] > right - 1) | (low[:, None] > high - 1)  # a pixel may be shared
    np.testing.assert_array_equal(apart | apart.T, ~np.eye(len(boxes), dtype=bool))
    assert min(left.min(), low.min()) >= -1
    assert right.max() <= figure.bbox.x1 + 1
    assert high.max() <= figure.bbox.y1 + 1
    for line in ax.lines:
        if np.ptp(line.get_ydata()) > 0:
            path = line.get_path().transformed(line.get_transform())
            assert not any(path.intersects_bbox(box, filled=False) for box in boxes)


@pytest.mark.sample(2)
@pytest.mark.parametrize("name", PAGES)
def test_every_number_is_there_in_its_color(tables, name):
    """X, z, a, W, b and E forward; all derivatives backward: as often as the table has them, for one example."""
    table = tables[name]
    one = table[table["example"].isna() | (table["example"] == 0).fillna(False)]
    first = one["layer"] == one["layer"].iloc[0]
    whole = (one["quantity"] == "E") & one["example"].isna()
    forward = one[one["quantity"].isin(["z", "a", "W", "b"]) | (first & (one["quantity"] == "x")) | whole]
    drawn = pages(table)
    captions = 1
    written = {
        color: [t.get_text() for ax in drawn for t in texts(ax, color)[:-captions]] for color in (FORWARD, BACKWARD)
    }
    assert sorted(map(shown, forward["value"])) == sorted(written[FORWARD])
    backward = one[one["phase"] == "backward"]["value"]
    assert sorted(map(shown, backward)) == sorted(written[BACKWARD])


@pytest.mark.slow
def test_a_line_leads_to_each_weight(tables):
    """4 * 4 + 4 * 3 weights, and 3 outputs to the error."""
    lines = [[line for line in ax.lines if np.ptp(line.get_xdata()) > 0] for ax in pages(tables["4-4-3"])]
    assert [len(page) for page in lines] == [16, 12 + 3]
    rules = [line for ax in pages(tables["4-4-3"]) for line in ax.lines if np.ptp(line.get_xdata()) == 0]
    assert len(rules) == 7  # one inside each unit


@pytest.mark.sample(1)
@pytest.mark.parametrize("name", PAGES)
def test_every_line_ends_at_the_weight_of_its_unit(tables, name):
    """On each page the lines connect a^(unit) with W[unit, ...]: as many as the table has weights, and outputs."""
    table = tables[name]
    last = table[table["depth"] == table["depth"].max()]
    expected = (table["quantity"] == "W").sum() + last.query("quantity == 'a' and example == 0")["unit"].nunique()
    joined = [line for ax in pages(table) for line in ax.lines if line.get_zorder() == 1]
    assert len(joined) == expected


def test_a_large_network_has_pages(tables):
    """They say which they are, what stands on another page is gray, and a page beyond the last is an error."""
    assert {name: kt.plotting.pages(tables[name]) for name in PAGES} == PAGES
    second = kt.plotting.traced_step(tables["4-4-3"], page=2)
    written = [text.get_text() for text in texts(second)]
    assert "one training step, page 2 of 2" in written
    for unit, value in enumerate(tables["4-4-3"].query("quantity == 'a' and depth == 1")["value"]):
        number = texts(second)[written.index(f"$a_{{1}}[{unit}]$") + 1]
        assert number.get_text() == shown(value)
        assert same_color(number.get_color(), inks().muted)
    with pytest.raises(ValueError, match=r"`page` must be from 1 to 2. Received: page=3"):
        kt.plotting.traced_step(tables["4-4-3"], page=3)
    with pytest.raises(ValueError, match="`page` must be a whole number from 1"):
        kt.plotting.traced_step(tables["4-4-3"], page=0)


def test_the_example_can_be_chosen(tables):
    """Numbers of units are that example's."""
    table = tables["2-3-1"]
    x = table.query("quantity == 'x' and example == 1 and depth == 1")["value"]
    ax = kt.plotting.traced_step(table, example=1)
    assert {shown(value) for value in x} <= {one.get_text() for one in texts(ax, FORWARD)}
    assert "one training step, example 1 of 2" in {one.get_text() for one in texts(ax)}


def test_an_activation_layer_belongs_to_the_dense_layer_before_it():
    """Its a is the unit's, in one card."""
    model = keras.Sequential([keras.Input((1,)), layers.Dense(2), layers.ReLU(), layers.Dense(1)])
    model.layers[0].set_weights([np.array([[1.0, -3.0]]), np.zeros(2)])
    ax = kt.plotting.traced_step(kt.trace_step(model, [[7.0]], [[1.0]]).frame)
    written = [one.get_text() for one in texts(ax)]
    a = written.index("$a_{1}[1]$")
    assert written[a + 1] == "0"
    assert written[written.index("$z_{1}[1]$") + 1] == "\N{MINUS SIGN}21"


def test_a_table_read_from_a_file_is_drawn_alike(tables):
    """What `to_csv` wrote has other types, and the same picture."""
    written = io.StringIO(tables["2-3-1"].to_csv(index=False))
    axes = [kt.plotting.traced_step(table) for table in (tables["2-3-1"], pd.read_csv(written))]
    assert [one.get_text() for one in axes[0].texts] == [one.get_text() for one in axes[1].texts]


@pytest.mark.slow
def test_more_units_than_can_be_read_are_refused():
    """13 with the inputs."""
    with pytest.raises(ValueError, match=r"up to 12 units, with inputs, can be read. Received: 13 units"):
        kt.plotting.traced_step(trace(5, (4,), 4))


@pytest.mark.sample(1)
@pytest.mark.parametrize("example", [-1, 2, True, "first"])
def test_an_example_that_is_not_there_is_refused(tables, example):
    """The error says which there are."""
    with pytest.raises(ValueError, match="`example` must be a whole number from 0 to 1"):
        kt.plotting.traced_step(tables["2-3-1"], example=example)


def test_another_table_is_refused(tables):
    """The error names the columns that are missing."""
    with pytest.raises(ValueError, match=r"lacks the columns quantity, source; kerasteach\.trace_step"):
        kt.plotting.traced_step(tables["4-4-3"].drop(columns=["quantity", "source"]))
    with pytest.raises(ValueError, match="0 rows"):
        kt.plotting.traced_step(tables["4-4-3"].iloc[:0])
