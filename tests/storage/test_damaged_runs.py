import hashlib
import json
import shutil
import warnings

import numpy as np
import pandas as pd
import pytest

from kerasteach.measure import DamagedRunError, read, read_raw
from kerasteach.storage.manifest import Manifest, read_manifest
from kerasteach.storage.runs import load_arrays, load_run, save_run
from kerasteach.storage.stream import Stream

COLUMNS = {
    "gradients": {"step": "int64", "layer": "str", "norm": "float64"},
    "histograms": {"step": "int64", "count": "int64"},
}
ARRAYS = {"0/mlp/kernel": np.arange(20.0, dtype="float32"), "1/mlp/kernel": -np.ones(7)}


def gradients(part):
    """Return the gradient rows of a part."""
    norms = np.random.default_rng(part).random(30)
    return pd.DataFrame(
        {"step": np.arange(30) + 30 * part, "layer": pd.Series(["dense"] * 30, dtype="str"), "norm": norms}
    )


def histograms(part):
    """Return the histogram rows of a part."""
    return pd.DataFrame({"step": np.arange(10) + 30 * part, "count": np.arange(10) * part})


@pytest.fixture
def captured(tmp_path):
    """Return a directory with a run of three parts, and the run's own."""
    stream = Stream(tmp_path / "runs", COLUMNS, {"every": 1})
    for part in range(3):
        raw = {30 * part: {"mlp/kernel": np.full((3, 4), part, "float32")}}
        stream.write({"gradients": gradients(part), "histograms": histograms(part)}, raw)
    stream.finish()
    return tmp_path / "runs", stream.path


@pytest.fixture
def saved(tmp_path):
    """Return a directory with a run that was written at once."""
    save_run(tmp_path / "saved", {"number": 1}, {"history": gradients(0)}, arrays={"weights": ARRAYS})
    return tmp_path / "saved"


def everything_captured(directory):
    """Return all that can be read of a captured run, as text of all digits."""
    raw = {step: {path: x.tolist() for path, x in one.items()} for step, one in read_raw(directory).items()}
    return [read(directory).to_json(), read(directory, table="histograms").to_json(), raw]


def everything_saved(directory):
    """Return all that can be read of a saved run, as text of all digits."""
    facts, tables = load_run(directory)
    arrays = {name: array.tolist() for name, array in load_arrays(directory, "weights").items()}
    return [facts, {name: table.to_json() for name, table in tables.items()}, arrays]


def mutated(data, random):
    """Return bytes with some flipped, cut out or put in."""
    place, length = int(random.integers(len(data))), int(random.integers(1, 9))
    kind = random.integers(4)
    if kind == 0:
        return data[:place] + bytes([data[place] ^ (1 << int(random.integers(8)))]) + data[place + 1 :]
    if kind == 1:
        return data[:place] + data[place + length :]
    if kind == 2:
        return data[:place] + random.bytes(length) + data[place:]
    return data[:place]


@pytest.mark.sample(1)
@pytest.mark.parametrize(("kind", "count"), [("captured", 80), ("captured", 400), ("saved", 400)])
def test_damaged_bytes_never_give_another_table(kind, count, request):
    """Of many mutations of single files each is the right table or a DamagedRunError that names the file."""
    found = request.getfixturevalue(kind)
    directory, folder = found if kind == "captured" else (found, found)
    everything = everything_captured if kind == "captured" else everything_saved
    expected, random, errors = everything(directory), np.random.default_rng(0), 0
    whole = 0
    files = sorted(folder.iterdir())
    for number in range(count):
        file = files[number % len(files)]
        data = file.read_bytes()
        file.write_bytes(mutated(data, random))
        try:
            assert everything(directory) == expected, (number, file)
        except DamagedRunError as error:
            errors += str(file) in str(error)
        else:
            whole += 1
        file.write_bytes(data)
    assert errors + whole == count
    assert errors > 0.75 * count


def test_the_error_names_what_can_still_be_read(captured):
    """It has the file, what is wrong with it, and the other files, which pandas reads."""
    directory, run = captured
    (run / "gradients-000002.parquet").unlink()
    with pytest.raises(
        DamagedRunError, match=r"gradients-000002\.parquet is .*: the file is missing.* 2 other"
    ) as error:
        read(directory)
    assert error.value.file == run / "gradients-000002.parquet"
    assert [path.name for path in error.value.readable] == ["gradients-000001.parquet", "gradients-000003.parquet"]
    pd.testing.assert_frame_equal(pd.read_parquet(error.value.readable[0]), gradients(0))
    assert read(directory, table="histograms")["count"].sum() == sum(
        histograms(part)["count"].sum() for part in range(3)
    )


def test_all_parts_gone_is_no_empty_table(captured):
    """A finished run without its parts is damaged."""
    directory, run = captured
    for path in run.glob("gradients-*"):
        path.unlink()
    with pytest.raises(DamagedRunError, match="the file is missing"):
        read(directory)


@pytest.mark.parametrize(
    "name", ["gradients-000004.parquet", "gradients-000002 copy.parquet", "gradients-evil.parquet", "raw-000009.npz"]
)
def test_files_that_the_run_did_not_write_are_left_out_with_a_word(captured, name):
    """A copied part, one of another run, and a folder that is called as a part change no table."""
    directory, run = captured
    expected = everything_captured(directory)
    shutil.copy(run / "gradients-000002.parquet", run / name)
    with pytest.warns(UserWarning, match=f"{name}, which the run did not write"):
        frame = read(directory)
    assert frame.to_json() == expected[0]
    (run / name).unlink()
    (run / name).mkdir()
    with pytest.warns(UserWarning, match=f"{name}, which the run did not write"):
        assert read(directory).to_json() == expected[0]


def test_parts_that_changed_places_are_damaged(captured):
    """A part under another's name is not what was written there."""
    directory, run = captured
    (run / "gradients-000001.parquet").rename(run / "x")
    (run / "gradients-000002.parquet").rename(run / "gradients-000001.parquet")
    (run / "x").rename(run / "gradients-000002.parquet")
    with pytest.raises(DamagedRunError, match=r"gradients-000001\.parquet .* the SHA-256 differs"):
        read(directory)


def test_links_are_not_followed(captured, tmp_path):
    """A part that is a link is refused, also to the right content."""
    directory, run = captured
    (run / "gradients-000001.parquet").rename(tmp_path / "elsewhere.parquet")
    (run / "gradients-000001.parquet").symlink_to(tmp_path / "elsewhere.parquet")
    with pytest.raises(DamagedRunError, match=r"gradients-000001\.parquet .* a link"):
        read(directory)


@pytest.mark.parametrize("name", ["../secret", "/secret", "a/b", "", "Gradients", "gradients\n"])
def test_a_forged_manifest_reads_no_file_outside_the_run(captured, name):
    """Names of tables and files have letters only, though the seal be right."""
    directory, run = captured
    manifest = read_manifest(run)
    Manifest(manifest.facts, {name: {"password": "str"}}, manifest.files).write(run / "run.json")
    with pytest.raises(DamagedRunError, match=r"run\.json .* names a table as no run does"):
        read(directory)
    Manifest(manifest.facts, manifest.tables, {f"{name}.parquet": {"sha256": "", "rows": 1}}).write(run / "run.json")
    with pytest.raises(DamagedRunError, match=r"run\.json .* names a file as no run does"):
        read(directory)


@pytest.mark.parametrize("tables", [{}, 5, None, [], {"gradients": 5}, {"gradients": None}])
def test_a_forged_list_of_tables_is_damage(captured, tables):
    """Whatever stands in the place of the tables is one kind of error."""
    directory, run = captured
    content = json.loads((run / "run.json").read_text())
    (run / "run.json").write_text(json.dumps({**content, "tables": tables}))
    with pytest.raises(DamagedRunError, match=r"run\.json is damaged"):
        read(directory)


@pytest.mark.parametrize("text", ["", "5", "null", "[]", "{}", "[" * 100_000, '{"format": "1"}', '{"format": 1}'])
def test_what_is_no_manifest_is_damage(captured, text):
    """JSON that is none, nested for ever, or something else."""
    directory, run = captured
    (run / "run.json").write_text(text)
    with pytest.raises(DamagedRunError, match=r"run\.json is damaged"):
        read(directory)


def test_a_later_format_is_refused(captured, monkeypatch):
    """What a later version wrote may mean something else."""
    directory, run = captured
    manifest = read_manifest(run)
    monkeypatch.setattr("kerasteach.storage.manifest.FORMAT", 99)
    manifest.write(run / "run.json")
    monkeypatch.undo()
    with pytest.raises(DamagedRunError, match="format 99, of a later kerasteach; this one reads 1"):
        read(directory)


def test_versions_and_settings_may_be_edited(saved):
    """They describe where it was computed, and no number depends on them; another fact may not be."""
    content = json.loads((saved / "run.json").read_text())
    (saved / "run.json").write_text(json.dumps({**content, "versions": {"keras": "9"}}))
    assert load_run(saved)[0] == {"number": 1, "versions": {"keras": "9"}}
    (saved / "run.json").write_text(json.dumps({**content, "number": 2}))
    with pytest.raises(DamagedRunError, match="changed after it was written"):
        load_run(saved)


def test_an_unfinished_run_says_so_without_noise(tmp_path):
    """What is complete is read, also beside a part that is being written, and `attrs` say that it is not all."""
    stream = Stream(tmp_path, COLUMNS, {})
    stream.write({"gradients": gradients(0)}, {})
    (stream.path / "gradients-000002.parquet").write_bytes(b"half")
    (stream.path / ".kt-0123456789abcdef.parquet").write_bytes(b"half")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        frame = read(tmp_path)
    pd.testing.assert_frame_equal(frame, gradients(0))
    assert frame.attrs == {"finished": False}
    stream.write({"gradients": gradients(1)}, {})
    stream.finish()
    assert read(tmp_path).attrs == {"finished": True}
    assert len(read(tmp_path)) == 60


def test_the_next_writer_removes_temporary_files_of_a_killed_one(tmp_path):
    """But not those of a process, or another capture, that writes at this moment."""
    killed, alive = (Stream(tmp_path, COLUMNS, {}) for _ in range(2))
    left = [stream.path / ".kt-0123456789abcdef.parquet" for stream in (killed, alive)]
    for path in left:
        path.touch()
    (killed.path / ".kt-notes.txt").touch()
    del killed
    Stream(tmp_path, COLUMNS, {})
    assert [path.exists() for path in left] == [False, True]
    assert (tmp_path / "run-0001" / ".kt-notes.txt").exists()


def test_only_numbered_folders_are_runs(captured):
    """Other names beside them, in other alphabets too, are no runs, and none is taken for the next number."""
    directory, _ = captured
    for name in ("run-²", "run-١٢٣٤", "run-12", "run-0002x", "run-99999999999999999999999"):
        (directory / name).mkdir()
    (directory / "run-0002").touch()
    assert len(read(directory)) == 90
    assert Stream(directory, COLUMNS, {}).path.name == "run-0003"


@pytest.mark.parametrize("run", [0, -1, 1.5, "1", True, 2**64])
def test_the_number_of_a_run_is_a_whole_number(captured, run):
    """Everything else is refused by name."""
    with pytest.raises(ValueError, match="`run` must be a whole number"):
        read(captured[0], run=run)


@pytest.mark.parametrize("table", ["Gradients", "../gradients", 5, ["gradients"]])
def test_the_name_of_a_table_is_one_of_the_runs(captured, table):
    """Everything else is refused, with the names that there are."""
    with pytest.raises(ValueError, match="`table` must be one of gradients, histograms"):
        read(captured[0], table=table)


def test_no_pickled_array_is_read(saved):
    """An archive that would run code is damage, whatever run.json says of it."""
    np.savez(saved / "weights.npz", **{"0/w": np.array([{}], dtype=object)})
    manifest, content = read_manifest(saved), (saved / "weights.npz").read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    Manifest(manifest.facts, manifest.tables, {**manifest.files, "weights.npz": {"sha256": digest}}).write(
        saved / "run.json"
    )
    with pytest.raises(DamagedRunError, match=r"weights\.npz .* cannot be read"):
        load_arrays(saved, "weights")


def test_a_run_without_its_manifest_does_not_give_way_to_an_earlier_one(captured):
    """The error names the file that is missing; the earlier run is there by its number."""
    directory, first = captured
    earlier, later = read(directory), shutil.copytree(first, directory / "run-0002")
    (later / "run.json").unlink()
    with pytest.raises(DamagedRunError, match=r"run-0002.run\.json.*missing"):
        read(directory)
    pd.testing.assert_frame_equal(read(directory, run=1), earlier)


def test_one_runs_folder_is_read_wherever_it_is(captured, saved, tmp_path):
    """A folder that was moved and renamed is the run that it was; a saved comparison's is none."""
    directory, run = captured
    moved = shutil.copytree(run, tmp_path / "of last week")
    pd.testing.assert_frame_equal(read(moved), read(directory))
    with pytest.raises(FileNotFoundError, match="There is no such run"):
        read(saved)
