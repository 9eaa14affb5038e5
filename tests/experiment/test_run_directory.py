import errno
import itertools
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

import kerasteach as kt
from kerasteach.experiment import executor as running
from kerasteach.experiment.again import asked_again
from kerasteach.experiment.groups import ONE_BY_ONE, grouped
from kerasteach.experiment.networks import Plan
from kerasteach.experiment.variants import Variant
from kerasteach.storage import runs, working_folder
from kerasteach.storage.manifest import Manifest, read_manifest

# Adafactor mixes the entries of a variable, so that networks are trained one after the other, a group a variant.
SMALL = {"data": "iris", "hidden": (3,), "seeds": 2, "epochs": 2, "optimizer": "adafactor", "verbose": 0}
# Clipping the norm does so too, and costs less.
PAIR = {**SMALL, "activations": ("sigmoid", "relu"), "optimizer": keras.optimizers.SGD(0.1, clipnorm=1.0)}
TINY = {"activations": "tanh", "data": "iris", "hidden": (3,), "seeds": 1, "epochs": 1, "verbose": 0}
PROGRAM = Path(__file__).parent / "programs" / "killed.py"


def assert_same(one, other):
    """Raise unless two comparisons have the same tables and weights, to the last digit."""
    pd.testing.assert_frame_equal(one.history, other.history, check_exact=True)
    pd.testing.assert_frame_equal(one.gradients, other.gradients, check_exact=True)
    pd.testing.assert_frame_equal(one.summary(), other.summary(), check_exact=True)
    assert list(one.weights) == list(other.weights)


@pytest.fixture(scope="module")
def whole():
    """Return a comparison that nothing interrupted."""
    return kt.compare(**PAIR, keep_weights=True)


@pytest.fixture
def trained(monkeypatch):
    """Return a function that interrupts the training of a group, and returns a list of the groups trained before."""
    work, seen = running.work, []

    def interrupt(at=None):
        seen.clear()

        def counted(group, *arguments):
            if len(seen) == at:
                raise KeyboardInterrupt
            seen.append(next(iter(group.networks[0].keys.values())))
            return work(group, *arguments)

        monkeypatch.setattr(running, "work", counted)
        return seen

    return interrupt


def test_an_interrupted_comparison_goes_on(tmp_path, whole, trained):
    """What is trained stays, is trained no second time, can be loaded meanwhile, and the end is the same."""
    seen = trained(at=1)
    with pytest.raises(KeyboardInterrupt) as interrupt:
        kt.compare(**PAIR, keep_weights=True, directory=tmp_path / "run")
    assert seen == ["sigmoid"]
    [note] = interrupt.value.__notes__
    assert note.startswith(f"2 of 4 networks are kept in {tmp_path / 'run'}")
    part = kt.Comparison.load(tmp_path / "run")
    assert not part.facts["finished"]
    assert part.summary().index.tolist() == ["sigmoid"]
    pd.testing.assert_frame_equal(part.history, whole.history[whole.history["activation"] != "relu"])
    left = tmp_path / "run" / working_folder.WORKING / ".kt-0123456789abcdef.parquet"
    left.touch()  # as a process leaves it that is killed while it writes
    seen = trained()
    resumed = kt.compare(**PAIR, keep_weights=True, directory=tmp_path / "run")
    assert seen == ["relu"]
    assert_same(resumed, whole)
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == [
        *("confusion.parquet", "gradients.parquet", "history.parquet", "run.json", "weights.npz")
    ]
    seen = trained()
    assert_same(kt.compare(**PAIR, keep_weights=True, directory=tmp_path / "run"), whole)  # finished: it is loaded
    assert_same(kt.Comparison.load(tmp_path / "run"), whole)
    assert seen == []


@pytest.mark.slow
def test_groups_that_a_finished_comparison_still_has_go(tmp_path, trained):
    """A process that is killed after the last table and before it has tidied up leaves them."""
    arguments = {**SMALL, "seeds": 1, "epochs": 1, "directory": tmp_path}
    first = kt.compare(**arguments)
    with working_folder.working_folder(tmp_path) as folder:  # perhaps a process is at it
        left = folder / "0002"
        left.mkdir()
        (left / "group.json").touch()
        assert_same(kt.compare(**arguments), first)
    assert left.exists()
    assert_same(kt.compare(**arguments), first)
    assert not folder.exists()


@pytest.mark.slow
def test_the_arguments_of_a_directory_can_be_had_again(tmp_path, trained):
    """`asked_again` returns what `compare` was called with, objects included, and the same call goes on with it."""
    vary = {"optimizer": {"slow": kt.optimizers.PlainSGD(0.01), "adam": "adam"}}
    arguments = {
        **SMALL,
        "vary": vary,
        "learning_rate": 0.1,
        "error_below": 0.2,
        "every": None,
        "initializer": "matched",
    }
    trained(at=1)
    with pytest.raises(KeyboardInterrupt):
        kt.compare("tanh", **{**arguments, "seeds": [3]}, directory=tmp_path)
    seen = trained()
    result = kt.compare(**kt.experiment.asked_again(tmp_path), verbose=0, directory=tmp_path)
    assert seen == ["adam"]
    assert result.history["optimizer"].unique().tolist() == ["slow", "adam"]


def test_other_arguments_are_refused(tmp_path):
    """The error names what differs: arguments, and data of the same name."""
    small = {**SMALL, "optimizer": None, "every": None}  # networks that are trained in one graph
    kt.compare("tanh", **small, directory=tmp_path)
    with pytest.raises(
        ValueError, match=r"other arguments.*seeds: \[0, 1\] there, \[0\] here; epochs: 2 there, 3 here"
    ):
        kt.compare("tanh", **{**small, "seeds": 1, "epochs": 3}, directory=tmp_path)
    data = kt.datasets.load("iris")
    data.x_train[0, 0] += 1
    with pytest.raises(ValueError, match=r"data: .*fingerprint.* there, .*fingerprint.* here"):
        kt.compare("tanh", **{**small, "data": data}, directory=tmp_path)
    replaced = kt.compare("relu", **{**small, "seeds": 1, "epochs": 1}, directory=tmp_path, overwrite=True)
    assert replaced.history["activation"].unique().tolist() == ["relu"]
    Manifest({"finished": True}).write(tmp_path / "run.json")
    with pytest.raises(ValueError, match="`directory` holds a run with other arguments"):
        kt.compare("tanh", **small, directory=tmp_path)


def test_another_network_under_the_same_name_is_refused(tmp_path):
    """What a builder builds is part of the arguments."""

    def build(units=3):
        return kt.models.mlp("tanh", (units,), inputs=4, outputs=3)

    arguments = {"data": "iris", "seeds": 1, "epochs": 1, "every": None, "verbose": 0, "directory": tmp_path}
    kt.compare(models={"mine": build}, **arguments)
    kt.compare(models={"mine": build}, **arguments)
    with pytest.raises(ValueError, match="the network 'mine' is another there: it has other variables"):
        kt.compare(models={"mine": lambda: build(4)}, **arguments)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name", "value"), [("versions", "keras", "3.0.0"), ("settings", "onednn", "other")])
def test_going_on_with_other_versions_or_settings_is_a_warning(kind, name, value, tmp_path, trained):
    """The networks that are trained then round otherwise."""
    trained(at=1)
    with pytest.raises(KeyboardInterrupt):
        kt.compare(**SMALL, directory=tmp_path)
    facts = json.loads((tmp_path / "run.json").read_text())
    facts[kind][name] = value
    (tmp_path / "run.json").write_text(json.dumps(facts))
    trained()
    with pytest.warns(UserWarning, match=rf"begun with other versions or settings .*'{name}': '{value}'"):
        kt.compare(**SMALL, directory=tmp_path)


def test_one_process_at_a_time(tmp_path):
    """While one writes a directory, another is refused; afterwards it is not."""
    with (
        working_folder.working_folder(tmp_path),
        pytest.raises(RuntimeError, match=r"Another process is writing this comparison.*Received: directory="),
    ):
        kt.compare(**TINY, directory=tmp_path)
    kt.compare(**TINY, directory=tmp_path)


def test_what_the_run_says_of_itself(tmp_path, whole):
    """Versions, device, data, seeds and duration are in run.json; no time is in a table."""
    whole.save(tmp_path)
    facts = json.loads((tmp_path / "run.json").read_text())
    assert {"keras", "tensorflow", "numpy", "pandas", "kerasteach", "python"} == set(facts["versions"])
    assert {"deterministic", "onednn", "threads", "openmp", "cores", "processor"} == set(facts["settings"])
    assert facts["device"] == "cpu:0"
    assert facts["arguments"]["seeds"] == [0, 1]
    assert facts["data"]["fingerprint"] == kt.datasets.load("iris").fingerprint()
    assert facts["seconds"] == sum(group["seconds"] for group in facts["groups"]) > 0
    assert {group["how"] for group in facts["groups"]} <= {"together", "separately"}
    numbers = {facts["seconds"], *(group["seconds"] for group in facts["groups"])}
    assert not numbers & set(whole.history["value"])


@pytest.mark.slow
def test_saving_without_weights_over_a_run_with_them_leaves_none(tmp_path, whole):
    """What is loaded is what was saved last, weights and predictions too."""
    whole.save(tmp_path)
    assert kt.Comparison.load(tmp_path).weights["relu", 1].keys() == whole.weights["relu", 1].keys()
    points = kt.compare("tanh", **{**SMALL, "data": "moons"})
    points.save(tmp_path, overwrite=True)
    loaded = kt.Comparison.load(tmp_path)
    assert loaded.weights == {}
    pd.testing.assert_frame_equal(loaded.predictions, points.predictions)
    pd.testing.assert_frame_equal(loaded.confusion, points.confusion)


def test_an_empty_run_cannot_be_loaded(tmp_path, trained):
    """The error says that nothing is trained yet."""
    trained(at=0)
    with pytest.raises(KeyboardInterrupt):
        kt.compare(**SMALL, directory=tmp_path)
    with pytest.raises(FileNotFoundError, match="No network is trained there yet"):
        kt.Comparison.load(tmp_path)


def test_networks_that_cannot_share_an_optimizer_go_by_variant():
    """Those of one plan, architecture and variant form groups of at most so many, in their order, and say why."""
    data = kt.datasets.load("iris")
    optimizers = {rate: keras.optimizers.serialize(keras.optimizers.SGD(rate, clipnorm=1.0)) for rate in (0.1, 0.5)}
    plans = {rate: Plan(data, optimizer, 1, 32, None, None) for rate, optimizer in optimizers.items()}
    variants = [
        Variant({"activation": name, "learning_rate": rate}, {}, {}, plans[rate], lambda seed: None, None, None)
        for name, rate in itertools.product(("tanh", "relu"), plans)
    ]
    groups = grouped(variants, range(ONE_BY_ONE + 1))
    keys = [tuple(network.keys.values()) for group in groups for network in group.networks]
    assert sorted(keys) == sorted(itertools.product(("tanh", "relu"), plans, range(ONE_BY_ONE + 1)))
    for group in groups:
        assert len(group.networks) <= ONE_BY_ONE
        assert len({network.variant for network in group.networks}) == 1
        assert group.plan is plans[group.networks[0].keys["learning_rate"]]
        assert "clipnorm" in group.separately


def test_networks_that_differ_in_activation_and_seed_go_together(whole, tmp_path):
    """Each learning rate is a group of its own; run.json says how each was trained, and why not together."""
    rates = {"learning_rate": [0.1, 0.5], "activation": ["tanh", "relu"]}
    plain = {**SMALL, "hidden": (), "optimizer": None, "epochs": 1, "every": None}
    kt.compare(vary=rates, **plain, directory=tmp_path)
    groups = json.loads((tmp_path / "run.json").read_text())["groups"]
    assert [(group["how"], group["why"], len(group["networks"])) for group in groups] == [("together", None, 4)] * 2
    assert [{one["learning_rate"] for one in group["networks"]} for group in groups] == [{0.1}, {0.5}]
    assert {group["how"] for group in whole.facts["groups"]} == {"separately"}
    assert all("clipnorm" in group["why"] for group in whole.facts["groups"])


def test_arrays_are_in_no_file(tmp_path, blobs, trained):
    """What the command would have to resume with is missing, and the error names the way."""
    trained(at=0)
    with pytest.raises(KeyboardInterrupt):
        kt.compare("relu", **{**SMALL, "data": blobs}, directory=tmp_path)
    with pytest.raises(ValueError, match="arrays for data, which no file holds; the same call again"):
        asked_again(tmp_path)


@pytest.mark.slow
def test_a_data_file_is_known_by_its_name_and_content(tmp_path, trained, monkeypatch):
    """`run.json` has no folder of the caller's; the file is found again beside the run, and another one is refused."""
    folder = tmp_path / "somebody"
    folder.mkdir()
    file = folder / "flowers.csv"
    iris = kt.datasets.load("iris", standardize=False)
    table = pd.DataFrame(iris.x_train, columns=list("abcd")).assign(target=np.array(iris.classes)[iris.y_train])
    table.to_csv(file, index=False)
    trained(at=1)
    with pytest.raises(KeyboardInterrupt):
        kt.compare(**{**SMALL, "data": file}, directory=folder / "run")
    facts = json.loads((folder / "run" / "run.json").read_text())
    assert facts["arguments"]["data"] == "flowers.csv"
    assert "somebody" not in json.dumps(facts)
    again = asked_again(folder / "run")
    assert again["data"] == str(file)
    assert asked_again(folder / "run", data="elsewhere.csv")["data"] == "elsewhere.csv"
    trained()
    assert kt.compare(**again, verbose=0, directory=folder / "run").facts["finished"]
    table.head(100).to_csv(file, index=False)
    with pytest.raises(ValueError, match=r"data: .*fingerprint"):
        kt.compare(**again, verbose=0, directory=folder / "run")
    file.unlink()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"flowers\.csv, are neither a file in the current folder nor one beside"):
        asked_again(folder / "run")


@pytest.mark.slow
def test_optimizers_and_numpys_numbers_are_told_alike_each_time(tmp_path):
    """New optimizers of the same kind, which Keras counts, are the same arguments: the finished run is loaded."""

    def again():
        choices = {"slow": keras.optimizers.Adadelta(0.001), "fast": keras.optimizers.Adadelta(0.1)}
        arguments = {**SMALL, "optimizer": None, "split_seed": np.int64(0), "epochs": 1, "seeds": 1, "every": None}
        return kt.compare("tanh", vary={"optimizer": choices}, **{**arguments, "hidden": ()}, directory=tmp_path)

    assert_same(again(), again())


def tree(directory):
    """Return every file under a directory with its content."""
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_what_was_in_the_folder_before_stays(tmp_path):
    """Files and folders of one's own beside a comparison's are as they were, `groups` too."""
    for name in ("groups/marks.csv", "groups/2024/a.jpg", "groups/0001/group.json", "photos/x", "figure.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("mine")
    before = tree(tmp_path)
    kt.compare(**TINY, directory=tmp_path)
    kt.compare(**TINY, directory=tmp_path, overwrite=True).save(tmp_path, overwrite=True)
    after = tree(tmp_path)
    assert after.items() >= before.items()
    assert sorted(after.keys() - before.keys()) == [
        "confusion.parquet",
        "gradients.parquet",
        "history.parquet",
        "run.json",
    ]


@pytest.mark.sample(3)
@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    "name", ["weights.npz", "history.parquet", "predictions.parquet", "run.json", working_folder.WORKING]
)
@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_no_run_wrote_is_not_replaced(tmp_path, whole, kind, name, overwrite):
    """Something else under a name that the run needs is refused before anything is trained, and stays."""
    place, secret = tmp_path / "run" / name, tmp_path / "elsewhere"
    place.parent.mkdir()
    (secret / "0001").mkdir(parents=True)
    (secret / "0001" / "group.json").write_text("mine")
    if kind == "file":
        place.write_text("mine")
    elif kind == "folder":
        shutil.copytree(secret, place)
    else:
        place.symlink_to(secret)
    before = tree(tmp_path)
    with pytest.raises((FileExistsError, kt.measure.DamagedRunError)):
        kt.compare(**{**TINY, "epochs": 10**6}, directory=tmp_path / "run", overwrite=overwrite)
    if name != "predictions.parquet":  # which this comparison does not write
        with pytest.raises(FileExistsError):
            whole.save(tmp_path / "run", overwrite=overwrite)
        assert tree(tmp_path) == before


def test_a_full_disk_keeps_the_run_that_is_there(tmp_path, monkeypatch, whole, comparison):
    """Until the new run is written whole, `overwrite=True` takes nothing from the old one."""
    old = comparison
    old.save(tmp_path)
    before = tree(tmp_path)
    write = runs.write_arrays

    def full(path, arrays):
        write(path, arrays)
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(runs, "write_arrays", full)
    with pytest.raises(OSError, match="No space left"):
        whole.save(tmp_path, overwrite=True)
    assert tree(tmp_path) == before
    assert_same(kt.Comparison.load(tmp_path), old)


def test_a_run_that_is_replaced_leaves_no_file(tmp_path, whole):
    """Weights and groups of the old run go, and what is loaded is the new one."""
    whole.save(tmp_path)
    assert (tmp_path / "weights.npz").exists()
    new = kt.compare(**TINY, directory=tmp_path, overwrite=True)
    assert sorted(tree(tmp_path)) == ["confusion.parquet", "gradients.parquet", "history.parquet", "run.json"]
    assert_same(kt.Comparison.load(tmp_path), new)


@pytest.mark.slow
def test_groups_of_an_unfinished_comparison_go_with_it(tmp_path, whole, trained):
    """A run that is saved over it is not gone on with from the groups of another."""
    trained(at=2)
    with pytest.raises(KeyboardInterrupt):
        kt.compare(**SMALL, directory=tmp_path)
    with pytest.raises(FileExistsError, match="There is a run already"):
        whole.save(tmp_path)
    assert kt.Comparison.load(tmp_path).summary().index.tolist() == ["sigmoid", "tanh"]
    whole.save(tmp_path, overwrite=True)
    assert not (tmp_path / working_folder.WORKING).exists()
    assert_same(kt.Comparison.load(tmp_path), whole)


@pytest.mark.slow
def test_a_damaged_group_is_named(tmp_path, trained):
    """A group whose file was changed is not taken for trained; without it the same call trains it again."""
    trained(at=2)
    with pytest.raises(KeyboardInterrupt):
        kt.compare(**SMALL, directory=tmp_path)
    group = tmp_path / working_folder.WORKING / "0001"
    path = group / "history.parquet"
    path.write_bytes(path.read_bytes()[:-1])
    trained()
    with pytest.raises(kt.measure.DamagedRunError, match=r"0001/history\.parquet is damaged") as error:
        kt.compare(**SMALL, directory=tmp_path)
    assert error.value.__notes__ == [f"Without the folder {group}, the same call trains this group of networks again."]
    shutil.rmtree(group)
    seen = trained()
    kt.compare(**SMALL, directory=tmp_path)
    assert seen == ["tanh", "relu"]


def test_a_run_that_was_killed_while_it_was_moved_is_no_run(tmp_path, whole):
    """The names that may be in place already are its own, so that it can be written again."""
    whole.save(tmp_path)
    manifest = read_manifest(tmp_path)
    Manifest(manifest.facts, claimed=tuple(manifest.files)).write(tmp_path / "run.json")
    with pytest.raises(kt.measure.DamagedRunError, match=r"run\.json .* ended before the run was whole"):
        kt.Comparison.load(tmp_path)
    whole.save(tmp_path, overwrite=True)
    assert_same(kt.Comparison.load(tmp_path), whole)


def test_two_threads_save_one_after_the_other(tmp_path, whole):
    """Of two that save into one folder, one is refused or finds the other's run."""
    errors = []

    def save():
        try:
            whole.save(tmp_path)
        except (FileExistsError, RuntimeError) as error:
            errors.append(error)

    with ThreadPoolExecutor(4) as executor:
        for _ in range(4):
            executor.submit(save)
    assert len(errors) == 3
    assert_same(kt.Comparison.load(tmp_path), whole)


@pytest.mark.slow
def test_the_home_folder_of_a_comparison_is_expanded(tmp_path, monkeypatch):
    """`~` is the home folder for compare, save and load."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    result = kt.compare(**TINY, directory="~/a")
    result.save("~/b")
    assert_same(kt.Comparison.load("~/a"), kt.Comparison.load("~/b"))
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_files_follow_the_umask(tmp_path, whole):
    """A file of a run has the mode of every new file, though it had a temporary name first."""
    umask = os.umask(0o027)
    try:
        whole.save(tmp_path / "run")
    finally:
        os.umask(umask)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "run").iterdir()} == {0o640}


def kill(times, seed, folder):
    """Have a program kill and check comparisons, and return what it printed."""
    done = subprocess.run(
        [sys.executable, PROGRAM, str(times), str(seed)],
        cwd=folder,
        env={**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the program forks")
def test_a_killed_comparison_loses_nothing_that_had_finished(tmp_path):
    """Killed at random moments and called again, it keeps each group that was there, and ends with the same tables."""
    assert kill(2, 0, tmp_path).startswith("2 kills")


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the program forks")
def test_often_killed_it_loses_nothing(tmp_path):
    """Twenty times."""
    assert kill(20, 1, tmp_path).startswith("20 kills")
