import re
import subprocess
import sys
from functools import partial

import pandas as pd
import pytest
from matplotlib.image import imread
from PIL import Image

import kerasteach as kt
from kerasteach.plotting import run_figures
from kerasteach.storage.stream import Stream

USUAL = ["lecture", "learning_curves", "test_scores", "score_distribution", "gradient_flow", "gradient_heat_map"]
FITTING = [*USUAL, "network_gradients"]


def comparison(**facts):
    """Return a comparison of two networks of two layers, made by hand."""
    networks = [(name, seed) for name in ("sigmoid", "relu") for seed in (0, 1)]
    history = pd.DataFrame(
        [
            (name, seed, epoch, metric, 1 / (1 + epoch + seed))
            for name, seed in networks
            for epoch in (0, 1)
            for metric in ("loss", "val_loss", "val_accuracy")
        ],
        columns=["activation", "seed", "epoch", "metric", "value"],
    )
    gradients = pd.DataFrame(
        [
            (name, seed, epoch, epoch, f"dense_{depth}", depth, "bias", f"dense_{depth}/bias", 3, 0.1 * depth)
            for name, seed in networks
            for epoch in (0, 1)
            for depth in (1, 2, 3)
        ],
        columns=["activation", "seed", "epoch", "step", "layer", "depth", "parameter", "path", "size", "norm"],
    )
    arguments = {"error_below": None, "hidden": [3, 3], "vary": [], "seeds": [0, 1], "epochs": 2, "data": "yours"}
    data = {"name": "yours", "task": "classification", "feature_names": []}
    variants = [{"activation": "sigmoid"}, {"activation": "relu"}]
    told = {"arguments": {**arguments, "split_seed": 0}, "variants": variants, "data": data, "groups": [], **facts}
    return kt.Comparison(history, gradients, told)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Return the folder of a saved comparison, which no test changes."""
    folder = tmp_path_factory.mktemp("saved") / "run"
    comparison(finished=True).save(folder)
    return folder


@pytest.fixture
def here(here):
    """Return a function that runs `kerasteach plot` in this process, in a folder of its own."""
    return partial(here, "plot")


@pytest.mark.slow
def test_a_figure_of_a_saved_run_needs_neither_keras_nor_scikit_learn(saved, tmp_path):
    """It is drawn in a process without them, and without SciPy's statistics, which take longer than the figure."""
    code = "import sys\nfrom kerasteach.cli import main\ntry:\n    main()\n"
    code += "finally:\n    print({'keras', 'tensorflow', 'sklearn', 'scipy.stats'} & set(sys.modules))"
    words = ["plot", saved, "gradient_flow", "--output", "out", "--format", "svg"]
    done = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["out/gradient_flow.svg", "set()"]
    assert (tmp_path / "out" / "gradient_flow.svg").read_text().startswith("<?xml")


def test_list_names_the_figures_that_fit(saved, here, capsys):
    """A line each, with what it shows; nothing is written."""
    before = set(saved.iterdir())
    assert here(saved, "--list") == 0
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert [name for name, _ in lines] == FITTING
    assert dict(lines)["learning_curves"] == "training loss against the epochs"
    assert set(saved.iterdir()) == before


@pytest.mark.slow
def test_the_gradient_flow_is_animated(saved, here, tmp_path, capsys):
    """A frame an epoch, beside the figure; what cannot be animated is refused."""
    options = ["--style", "paper", "--output", "out", "--animate"]
    assert here(saved, "gradient_flow", *options) == 0
    assert capsys.readouterr().out.split() == ["out/gradient_flow.png", "out/gradient_flow.gif"]
    with Image.open(tmp_path / "out" / "gradient_flow.gif") as film:
        assert film.n_frames == 2
    assert here(saved, "learning_curves", *options) == 2
    told = capsys.readouterr().err
    assert "`--animate` needs a figure that can be animated: gradient_flow. Received: FIGURE learning_curves" in told


@pytest.mark.slow
def test_without_a_figure_the_usual_ones_are_drawn(here, tmp_path, capsys):
    """Into the run's folder, and only where no file is in the way."""
    comparison(finished=True).save(tmp_path / "run")
    assert here("run", "--style", "paper") == 0
    assert capsys.readouterr().out.split() == [f"run/{name}.png" for name in USUAL]
    times = {name: (tmp_path / "run" / f"{name}.png").stat().st_mtime_ns for name in USUAL}
    assert here("run", "test_scores") == 2
    assert "run/test_scores.png exists already" in capsys.readouterr().err
    assert here("run", "test_scores", "--style", "paper", "--force") == 0
    changed = [name for name in USUAL if (tmp_path / "run" / f"{name}.png").stat().st_mtime_ns != times[name]]
    assert changed == ["test_scores"]


@pytest.mark.slow
def test_a_function_s_name_and_dashes_name_a_figure(saved, here, capsys):
    """Each is drawn once, in the order of the names."""
    names = ["gradient_heat_map_figure", "learning-curves", "gradient_heat_map"]
    assert here(saved, *names, "--output", "out", "--style", "paper", "--format", "svg") == 0
    assert capsys.readouterr().out.split() == ["out/gradient_heat_map.svg", "out/learning_curves.svg"]


@pytest.mark.slow
def test_a_dark_figure_has_a_dark_ground(saved, here):
    """Its corner is dark, and that of another is white."""
    options = ["learning_curves", "--style", "paper"]
    assert here(saved, *options, "--output", "light") == here(saved, *options, "--dark", "--output", "dark") == 0
    corners = [imread(f"{name}/learning_curves.png")[0, 0, :3].max() for name in ("light", "dark")]
    assert corners[0] == 1
    assert corners[1] < 0.2


@pytest.mark.slow
def test_a_title_replaces_the_figures_own(saved, here, monkeypatch):
    """In a panel and in a composed figure; an empty one leaves it out."""
    seen = []
    monkeypatch.setattr("kerasteach.plotting.save", lambda page, path: (seen.append(page), path.touch()))
    for title in ("of our own", ""):
        assert here(saved, "learning_curves", "lecture", "--title", title, "--output", "out", "--force") == 0
    assert [page.get_suptitle() or page.axes[0].get_title() for page in seen] == ["of our own", "of our own", "", ""]


def test_tables_are_written_as_csv(saved, here, tmp_path, capsys):
    """Beside the figures: the run's tables and its summary, number for number; the same again is in nobody's way."""
    assert here(saved, "learning_curves", "--output", "out", "--tables", "csv") == 0
    assert capsys.readouterr().out.split()[1:] == ["out/history.csv", "out/gradients.csv", "out/summary.csv"]
    result = kt.Comparison.load(saved)
    for name, table in {"history": result.history, "gradients": result.gradients}.items():
        found = pd.read_csv(tmp_path / "out" / f"{name}.csv")
        # To the last digit but one: pandas 2 reads 0.30000000000000004 as 0.3.
        pd.testing.assert_frame_equal(found, table, rtol=1e-15, atol=0, check_dtype=False)
    found = pd.read_csv(tmp_path / "out" / "summary.csv", index_col="activation")
    pd.testing.assert_frame_equal(found, result.summary(), check_dtype=False)
    assert here(saved, "test_scores", "--output", "out", "--tables", "csv") == 0


def test_a_table_that_is_another_stays_and_no_figure_is_written(saved, here, tmp_path, capsys):
    """All is written, or nothing."""
    (tmp_path / "gradients.csv").write_text("my,own\n")
    assert here(saved, "learning_curves", "--output", tmp_path, "--tables", "csv") == 2
    assert "gradients.csv exists already" in capsys.readouterr().err
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("gradients.csv", "my,own\n")]


def test_a_figure_that_fails_leaves_nothing_behind(saved, here, tmp_path, monkeypatch, capsys):
    """Not even those that were drawn before it, nor the folder."""

    def fail(*_, **__):
        raise ValueError("no such layer")

    broken = run_figures.RunFigure(fail, ("history",), "nothing", name="test_scores")
    monkeypatch.setitem(run_figures.FIGURES, "test_scores", broken)
    assert here(saved, "learning_curves", "test_scores", "--output", "out") == 2
    assert capsys.readouterr().err == "kerasteach: error: no such layer\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["{run}", "gradient_flo"], "`FIGURE` must be one of .*gradient_flow.*Did you mean 'gradient_flow'"),
        (
            ["{run}", "decision_boundary"],
            "`FIGURE` must fit the run. decision_boundary needs the table predictions; the",
        ),
        (["nowhere"], "`RUN` must be the folder of a run. Received: nowhere, which is no folder"),
        (["."], "`RUN` must be the folder of a run, which has a run.json. Received: RUN ."),
        ([], "Missing argument 'RUN'"),
        (["{run}", "--format", "gif"], "--format.*gif"),
        (["{run}", "--style", "slide"], "--style.*slide"),
        (["{run}", "--tables", "xls"], "--tables.*xls"),
    ],
)
def test_bad_input_is_one_line_and_status_2(words, message, saved, here, tmp_path, capsys):
    """No traceback, nothing written, in the command's own words."""
    assert here(*(word.format(run=saved) for word in words)) == 2
    told = capsys.readouterr().err
    assert re.fullmatch(rf"kerasteach: error: .*({message}).*\n", told), told
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_run_is_refused_in_a_line(here, tmp_path, capsys):
    """The error names the file."""
    comparison(finished=True).save("run")
    (tmp_path / "run" / "history.parquet").write_bytes(b"PAR1")
    assert here("run", "--list") == 2
    assert "run/history.parquet is damaged or incomplete" in capsys.readouterr().err


def test_an_interrupted_comparison_is_drawn_as_far_as_it_came(here, capsys):
    """Its figures fit, and standard error says how many networks they show."""
    groups = [{"networks": [{"activation": "relu", "seed": 0}]}]
    comparison(finished=False, groups=groups).save("run")
    assert here("run", "--list") == 0
    told = capsys.readouterr()
    assert [line.split()[0] for line in told.out.splitlines()] == FITTING
    assert told.err.startswith("Not finished: 2 variants x 2 seeds")
    assert "1 of 4 networks are trained" in told.err


def test_a_capture_on_disk_is_drawn(here, tmp_path, capsys):
    """What was streamed is a run; a training that did not come to its end is named so."""
    table = comparison().gradients.query("activation == 'relu' and seed == 0").drop(columns=["activation", "seed"])
    stream = Stream(tmp_path / "runs", {"gradients": {name: str(kind) for name, kind in table.dtypes.items()}}, {})
    stream.write({"gradients": table}, {})
    assert here("runs", "--list") == 0
    told = capsys.readouterr()
    assert [line.split()[0] for line in told.out.splitlines()] == FITTING[-3:]
    assert "had not come to its end" in told.err
    stream.finish()
    assert here("runs", "gradient_flow", "--style", "paper", "--tables", "csv") == 0
    told = capsys.readouterr()
    assert (told.err, told.out.split()) == ("", ["runs/gradient_flow.png", "runs/gradients.csv"])
