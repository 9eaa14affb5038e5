import re
import shutil
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from kerasteach.plotting.run_figures import FIGURES
from kerasteach.report.about import About
from kerasteach.report.slides import write_slides
from kerasteach.report.slides.powerpoint import fitting_size
from kerasteach.report.slides.question import question
from kerasteach.tables.run import Run

ABOUT = About(
    "sigmoid_1 and <b>relu</b> on digits",
    {"license of the data": "CC BY 4.0"},
    lead="digits: 3 hidden layers of 4",
    call="result = kt.compare()",
    versions={"keras": "3.15"},
)
NETWORKS = {"sigmoid_1": 0.01, "<b>relu</b>": 0.5}  # by what the gradient is multiplied from layer to layer
NORMS = {"sigmoid_1": [1e-4, 1e-2, 1.0], "<b>relu</b>": [0.25, 0.5, 1.0]}


def tables(networks=tuple(NETWORKS), seeds=(0, 1)):
    """Return the tables of a comparison: the gradient of the first network vanishes, and its loss stays."""
    losses = {"sigmoid_1": [2.3, 2.29, 2.28], "<b>relu</b>": [2.3, 1.0, 0.5]}
    history = [
        (name, seed, epoch, "loss", loss + 0.02 * seed)
        for name in networks
        for seed in seeds
        for epoch, loss in enumerate(losses[name])
    ]
    gradients = [
        (name, seed, epoch, epoch, f"hidden_{depth}", depth, "bias", norm * (1 + 0.1 * seed))
        for name in networks
        for seed in seeds
        for epoch in range(2)
        for depth, norm in enumerate(NORMS[name], 1)
    ]
    columns = ["activation", "seed", "epoch", "step", "layer", "depth", "parameter", "norm"]
    return {
        "history": pd.DataFrame(history, columns=["activation", "seed", "epoch", "metric", "value"]),
        "gradients": pd.DataFrame(gradients, columns=columns),
    }


RUN = Run(tables())
SHOWN = ["learning_curves", "gradient_flow"]


@pytest.fixture(scope="module")
def presentation(tmp_path_factory):
    """Return the path of slides for PowerPoint, written once."""
    pytest.importorskip("pptx", reason="the extra `report` is not installed")
    return write_slides(tmp_path_factory.mktemp("slides") / "run.pptx", RUN, ABOUT, figures=SHOWN)


@pytest.fixture(scope="module")
def slides(presentation):
    """Return the slides, read back."""
    import pptx

    return list(pptx.Presentation(presentation).slides)


@pytest.fixture(scope="module")
def markdown(tmp_path_factory):
    """Return the folder of slides as Markdown for Quarto and Marp."""
    folder = tmp_path_factory.mktemp("markdown")
    for name in ("run.qmd", "marp.md"):
        write_slides(folder / name, RUN, ABOUT, figures=["gradient_flow"])
    return folder


def titles(slides):
    """Return the title of each slide."""
    return [slide.shapes.title.text_frame.text for slide in slides]


def notes(slide):
    """Return what the speaker sees."""
    return slide.notes_slide.notes_text_frame.text


def test_each_figure_has_a_slide_with_its_finding_as_title(slides):
    """A title, a question, a slide a figure, the call; the figures' titles are sentences of the numbers."""
    assert titles(slides) == [
        "sigmoid_1 and <b>relu</b> on digits",
        "Which network's first layer learns slowest at the start?",
        "<b>relu</b> ends with the lowest training loss, 0.51; sigmoid_1 with the highest, 2.29 (medians of 2 seeds)",
        "sigmoid_1: layer 1 gets 10,000 times less than layer 3 (median of 2 seeds)",
        "How these figures were made",
    ]


def test_the_answer_is_in_the_notes_of_the_question(slides):
    """It names the network, the factor to the next one, and the slide that shows it; the slide itself does not."""
    first = {name: np.median([norms[0], 1.1 * norms[0]]) for name, norms in NORMS.items()}
    factor = first["<b>relu</b>"] / first["sigmoid_1"]
    assert "Answer: sigmoid_1." in notes(slides[1])
    assert f"{factor:,.0f} times less than that of <b>relu</b>" in notes(slides[1])
    assert "Slide 4 shows it." in notes(slides[1])
    assert [shape.text_frame.text for shape in slides[1].shapes][1] == "A   sigmoid_1\nB   <b>relu</b>"


def test_notes_have_the_numbers_and_how_to_read_them(slides):
    """The loss of each network with its range, and what stands along the axes."""
    assert "sigmoid_1: training loss 2.29 (2.28 to 2.3, 2 seeds)" in notes(slides[2])
    assert "Vertical: the loss on the training data" in notes(slides[2])


@pytest.mark.slow
def test_pictures_have_a_description_and_stand_inside_the_slide(slides):
    """Each is described for those who cannot see it; nothing reaches over the edge, and nothing over the title."""
    for slide in slides[2:4]:
        picture = next(shape for shape in slide.shapes if shape.shape_type == 13)
        assert "Horizontal axis:" in picture._element.nvPicPr.cNvPr.get("descr")
        assert picture.top >= slide.shapes.title.top + slide.shapes.title.height
        assert picture.left >= 0
        assert picture.left + picture.width <= 13.333 * 914400
        assert picture.top + picture.height <= 7.5 * 914400
        assert picture.width > 0.8 * 13.333 * 914400


def test_the_first_slide_says_what_was_trained_on_what(slides):
    """And how many networks and epochs there are."""
    text = [shape.text_frame.text for shape in slides[0].shapes][1]
    assert text == "digits: 3 hidden layers of 4\n2 networks, 3 epochs"


def test_the_last_slide_has_call_versions_and_license(slides):
    """What makes the figures again, and what a data set asks for, as text."""
    text = "\n".join(shape.text_frame.text for shape in slides[-1].shapes)
    assert "result = kt.compare()" in text
    assert "keras 3.15" in text
    assert "License of the data: CC BY 4.0" in text


def test_a_long_text_gets_a_smaller_size():
    """Twice the lines need smaller letters; the smallest is the end."""
    sizes = [fitting_size(["a" * length], 1.0, (28, 20, 14)) for length in (40, 200, 5000)]
    assert sizes == [28, 20, 14]


def test_quarto_has_a_slide_a_heading_and_notes_apart(markdown):
    """Names stay text, the picture is beside the file, notes are Quarto's."""
    text = (markdown / "run.qmd").read_text(encoding="utf-8")
    assert text.startswith('---\ntitle: "sigmoid_1 and <b>relu</b> on digits"\n')
    assert re.findall("^## (.*)", text, re.MULTILINE) == [
        "Which network's first layer learns slowest at the start?",
        r"sigmoid\_1\: layer 1 gets 10,000 times less than layer 3 \(median of 2 seeds\)",
        "How these figures were made",
    ]
    assert text.count("::: {.notes}") == 3
    (picture,) = re.findall(r"!\[\]\((.*?)\)", text)
    assert (markdown / picture).read_bytes().startswith(b"\x89PNG")
    assert re.findall(r"(?<!\\)<b", re.sub('fig-alt=".*?"', "", text.split("---", 2)[2])) == []


@pytest.mark.slow
def test_marp_has_notes_as_comments_that_end_where_they_should(markdown):
    """As many comments begin as end; four slides are divided by three rules."""
    text = (markdown / "marp.md").read_text(encoding="utf-8")
    assert text.startswith("---\nmarp: true\n")
    assert text.count("<!--") == text.count("-->") == 5  # the class of the first slide, and four notes
    assert len(re.findall("^---$", text, re.MULTILINE)) == 2 + 3
    assert "# sigmoid" in text


def test_a_file_that_exists_stays_unless_it_may_be_replaced(tmp_path):
    """Neither the file nor a picture beside it is overwritten unasked; nothing else is left in the folder."""
    path, picture = tmp_path / "run.md", tmp_path / "run_figures" / "gradient_flow.png"
    picture.parent.mkdir()
    picture.write_bytes(b"mine")
    with pytest.raises(FileExistsError, match=r"gradient_flow\.png"):
        write_slides(path, RUN, ABOUT, figures="gradient_flow")
    assert picture.read_bytes() == b"mine"
    write_slides(path, RUN, ABOUT, figures="gradient_flow", overwrite=True)
    with pytest.raises(FileExistsError, match=r"run\.md"):
        write_slides(path, RUN, ABOUT, figures="gradient_flow")
    assert sorted(file.name for file in tmp_path.rglob("*")) == ["gradient_flow.png", "run.md", "run_figures"]


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        ("run.odp", {}, r"`path` must end in \.pptx, \.qmd, \.md"),
        ("run.qmd", {"format": "marp"}, "`format` must be one of"),
        ("run.md", {"figures": ["test_scores"]}, "`figures` must fit the run"),
    ],
)
def test_what_cannot_be_written_is_refused_before_anything_is_drawn(tmp_path, path, options, message):
    """The error names the argument; no file is there."""
    with pytest.raises(ValueError, match=message):
        write_slides(tmp_path / path, RUN, ABOUT, **options)
    assert not list(tmp_path.iterdir())


def test_without_python_pptx_the_error_says_what_to_install(tmp_path, monkeypatch):
    """And nothing is written."""
    monkeypatch.setitem(sys.modules, "pptx", None)
    with pytest.raises(ImportError, match=r'pip install .*"python-pptx>=1\.0"'):
        write_slides(tmp_path / "run.pptx", RUN, ABOUT, figures="gradient_flow")
    assert not list(tmp_path.iterdir())


def test_each_figure_of_a_run_has_a_sentence_on_how_to_read_it():
    """A new figure gets one, too."""
    assert all(figure.reading for figure in FIGURES.values())


def changed(table, **columns):
    """Return the run with other values in a table."""
    return Run(tables() | {table: tables()[table].assign(**columns)})


ONE = {name: table[table["activation"] == "sigmoid_1"] for name, table in tables(seeds=(0,)).items()}
ZEROS = pd.DataFrame({"epoch": 0, "depth": [1, 2], "layer": ["a", "b"], "zero_fraction": [0.1, 0.5]})


@pytest.mark.parametrize(
    ("run", "asked", "answer"),
    [
        (RUN, "first layer learns slowest", r"sigmoid_1\. .* 2,500 times less"),
        (changed("gradients", norm=1.0), "lowest training loss", r"<b>relu</b>: 0\.51, before sigmoid_1 with 2\.29"),
        (Run({"gradients": ONE["gradients"]}), "Which layer", r"Layer 1\. .* 10,000 times less than layer 3"),
        (
            Run({"history": ONE["history"].assign(value=[2.0, 1.5, 0.9])}),
            "half of what",
            r"After epoch 3: .* 0\.9 then",
        ),
        (Run({"activations": ZEROS}), "most zeros", "b: 50 % of its outputs"),
        (changed("gradients", norm=1.0), "lowest", "which all agree"),
        (Run({"history": ONE["history"]}), "ten times as large", "does not answer"),
    ],
)
def test_the_question_is_one_that_the_run_answers(run, asked, answer):
    """The first that it answers clearly; where it answers none, the question says so."""
    found = question(run)
    assert asked in found.text
    assert re.search(answer, found.answer)


def test_seeds_that_disagree_decide_no_question():
    """A network that is slowest with one seed and not with the other is no answer."""
    gradients = tables()["gradients"]
    swapped = gradients["seed"] == 1
    other = gradients["activation"].map(dict(zip(NETWORKS, reversed(NETWORKS), strict=True)))
    run = Run({"gradients": gradients.assign(activation=other.where(swapped, gradients["activation"]))})
    assert "learning rate ten times" in question(run).text


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("soffice") and shutil.which("pdfinfo")), reason="needs LibreOffice and Poppler")
def test_libreoffice_opens_the_slides(presentation, tmp_path):
    """It makes a page of each, in 16:9."""
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    call = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(presentation)]
    subprocess.run(call, check=True, capture_output=True)
    made = subprocess.run(["pdfinfo", tmp_path / "run.pdf"], check=True, capture_output=True, text=True).stdout
    assert re.search(r"Pages: +5\n", made)
    width, height = map(float, re.search(r"Page size: +([\d.]+) x ([\d.]+)", made).groups())
    assert width / height == pytest.approx(16 / 9, rel=1e-3)
