"""Files of exercises, read back by what the formats' own documentation says."""

import base64
import csv
import json
import re
import shutil
import xml.etree.ElementTree as ET

import nbclient
import nbformat
import pytest

import kerasteach as kt
from kerasteach.exercises.formats import FORMATS
from kerasteach.exercises.formats.sheet import Sheet, stems
from kerasteach.exercises.question import Number

CLASS = ["Müller, Anna", "Groß/Björn", 'O"Brien <script>$_x', "C#: {50 %} \\alpha ~ = ^"]
SECRET = "four of them"


@pytest.fixture(scope="module", params=["backprop", "gradient_ratio"])
def made(request):
    """Return exercises with formulas, and others with a figure."""
    return kt.exercises.make(request.param, CLASS, SECRET)


@pytest.fixture(scope="module")
def descents():
    """Return exercises of the kind that is quickest made."""
    return kt.exercises.make("descent", CLASS, SECRET)


def questions(exercises):
    """Return each question, in the order of the files."""
    return [question for exercise in exercises._by_student.values() for question in exercise.questions]


# Moodle XML, as docs.moodle.org/en/Moodle_XML_format and Moodle's own export have it: of each element its children (in
# this order; `*` any number of times, `?` once or never) and its attributes.
TEXT = (["text"], [])
MOODLE = {
    "quiz": (["question*"], []),
    "question category": (["category", "info?", "idnumber?"], ["type"]),
    "category": TEXT,
    "info": (["text"], ["format"]),
    "question numerical": (
        [
            *("name", "questiontext", "generalfeedback", "defaultgrade", "penalty", "hidden", "idnumber?", "answer*"),
            *("units?", "unitgradingtype?", "unitpenalty?", "showunits?", "unitsleft?"),
        ],
        ["type"],
    ),
    "name": TEXT,
    "questiontext": (["text", "file*"], ["format"]),
    "generalfeedback": (["text", "file*"], ["format"]),
    "answer": (["text", "feedback", "tolerance"], ["fraction", "format"]),
    "feedback": (["text", "file*"], ["format"]),
    "file": ([], ["name", "path", "encoding"]),
}


def check_element(element):
    """Assert that an element has the children and attributes that Moodle's format allows, and so on below it."""
    kind = f"question {element.get('type')}" if element.tag == "question" else element.tag
    children, attributes = MOODLE.get(kind, ([], []))
    assert sorted(element.attrib) == sorted(attributes), kind
    names = "".join(f"{child.tag} " for child in element)
    rule = "".join(f"({child.rstrip('*?')} ){child[len(child.rstrip('*?')) :]}" for child in children)
    assert re.fullmatch(rule, names), (kind, names)
    for child in element:
        check_element(child)


def test_moodle_xml_has_the_documented_structure(made, tmp_path):
    """Every element, its place, its attributes; formats, numbers and fractions are of the documented kinds."""
    path, _ = made.save(tmp_path, "moodle")
    assert path.read_bytes().startswith(b"<?xml version=")
    root = ET.fromstring(path.read_bytes())
    check_element(root)
    for answer in root.iter("answer"):
        float(answer.find("text").text)
        assert float(answer.find("tolerance").text) >= 0
        assert answer.get("fraction") in ("0", "100")
    assert {element.get("format") for element in root.iter() if element.get("format")} == {"html", "moodle_auto_format"}


def test_moodle_xml_has_a_category_for_each_student(made, tmp_path):
    """A slash in a name is doubled, as a category's path has it; every question follows its student's category."""
    root = ET.fromstring(made.save(tmp_path, "moodle")[0].read_bytes())
    kinds = "".join("c" if question.get("type") == "category" else "q" for question in root)
    each = len(questions(made)) // len(CLASS)
    assert kinds == ("c" + "q" * each) * len(CLASS)
    paths = [element.text for element in root.findall("question/category/text")]
    assert all(path.startswith("$course$/top/") for path in paths)
    assert [re.split("(?<!/)/(?!/)", path)[-1].replace("//", "/") for path in paths] == CLASS


def test_moodle_xml_has_the_answers_and_their_feedback(made, tmp_path):
    """The right answer comes first with 100 %, then each typical mistake with 0 % and its own words."""
    root = ET.fromstring(made.save(tmp_path, "moodle")[0].read_bytes())
    elements = [question for question in root if question.get("type") == "numerical"]
    for element, question in zip(elements, questions(made), strict=True):
        right, *wrong = element.findall("answer")
        assert [answer.get("fraction") for answer in (right, *wrong)] == ["100", *["0"] * len(question.mistakes)]
        for answer, number in zip(wrong, question.mistakes, strict=True):
            assert float(answer.find("text").text) == pytest.approx(number.answer.value)
        assert float(right.find("tolerance").text) == pytest.approx(question.answer.tolerance)
        words = [answer.find("feedback/text").text for answer in (right, *wrong)]
        assert len(set(words)) == len(words)


def test_moodle_xml_holds_the_figure():
    """A question about a figure has it as a PNG file, and its text refers to it."""
    made = kt.exercises.make("slowest_layer", CLASS[:1], SECRET)
    sheet = [Sheet(CLASS[0], made.kind, made._by_student[CLASS[0]])]
    root = ET.fromstring(FORMATS["moodle"](sheet, False, str)["slowest_layer.xml"])
    for body in root.findall("question/questiontext"):
        assert base64.b64decode(body.find("file").text).startswith(b"\x89PNG")
        assert f'src="@@PLUGINFILE@@/{body.find("file").get("name")}"' in body.find("text").text


def gift(content):
    """Read GIFT strictly, as docs.moodle.org/en/GIFT_format describes it: categories, and numerical questions."""
    special, plain = r"\~=#{}:", []
    for part in content.strip().split("\n\n"):
        if part.startswith("$CATEGORY: "):
            plain.append(part)
            continue
        match = re.fullmatch(
            r"::(?P<name>(?:\\.|[^\\:])+)::\[html\](?P<text>(?:\\.|[^\\~=#{}:])+)\{#\n(?P<rest>.*)\}", part, re.S
        )
        assert match, part[:300]
        answers, general = [], ""
        for line in match["rest"].strip("\n").split("\n"):
            if line.startswith("\t####"):
                general = line[5:]
                continue
            answer = re.fullmatch(r"\t=%(\d+)%(-?[\d.]+):([\d.]+)#((?:\\.|[^\\~=#{}:])*)", line)
            assert answer, line
            answers.append((int(answer[1]), Number(float(answer[2]), float(answer[3])), unescaped(answer[4], special)))
        plain.append((unescaped(match["name"], special), unescaped(match["text"], special), answers, general))
    return plain


def unescaped(text, special):
    """Return a text without the backslashes before special characters."""
    found = re.sub(r"\\(.)", lambda match: {"n": "\n"}.get(match[1], match[1]), text)
    assert set(re.findall(r"\\(.)", text)) <= {*special, "n"}
    return found


@pytest.mark.parametrize("solutions", [False, True])
def test_gift_is_read_back(descents, tmp_path, solutions):
    """A parser finds every category, question, answer, tolerance and feedback as they were."""
    path, *_, key = descents.save(tmp_path, "gift", solutions=solutions)
    assert key.name == "descent-key.csv"
    parts = gift(path.read_text(encoding="utf-8"))
    assert [part for part in parts if isinstance(part, str)] == [
        f"$CATEGORY: $course$/top/Gradient descent/{name.replace('/', '//')}" for name in CLASS
    ]
    read = [part for part in parts if not isinstance(part, str)]
    for (_, text, answers, general), question in zip(read, questions(descents), strict=True):
        assert "<p>Gradient descent on \\(f(w) =" in text
        assert [percent for percent, *_ in answers] == [100, *[0] * len(question.mistakes)]
        numbers = [question.answer, *(mistake.answer for mistake in question.mistakes)]
        assert [number.value for _, number, _ in answers] == pytest.approx([number.value for number in numbers])
        assert bool(general) == solutions


def test_gift_has_no_line_that_ends_a_question(made, tmp_path):
    """An empty line would end a question, and so the text of each is one line."""
    path = made.save(tmp_path, "gift")[0]
    assert len(gift(path.read_text(encoding="utf-8"))) == len(CLASS) + len(questions(made))


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """Return a notebook, with a right answer, a typical mistake, another wrong answer and none, and its questions."""
    exercises = kt.exercises.make("descent", CLASS[:1], SECRET)
    content = nbformat.read(exercises.save(tmp_path_factory.mktemp("notebook"), "notebook")[0], as_version=4)
    asked = questions(exercises)
    given = [asked[0].answer.value, asked[1].mistakes[0].answer.value, 1234.5]
    for cell, answer in zip(code_cells(content)[1:], given, strict=False):
        cell.source = cell.source.replace("answer = None", f"answer = {answer!r}")
    return content, asked


def code_cells(notebook):
    """Return a notebook's cells of code."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def check_verdicts(outputs, asked):
    """Assert that a right answer, a typical mistake, another wrong answer and none have what belongs to each."""
    assert outputs[0] == "✅ Right."
    assert outputs[1] == f"❌ {asked[1].mistakes[0].feedback}"
    assert outputs[2] == "❌ This is not right, and none of the typical mistakes."
    assert "no answer yet" in outputs[3]


@pytest.mark.slow
def test_a_notebook_checks_the_answers(notebook):
    """In a kernel of its own."""
    content, asked = notebook
    nbclient.NotebookClient(content, timeout=600, startup_timeout=600, kernel_name="python3").execute()
    check_verdicts([cell.outputs[0]["data"]["text/markdown"] for cell in code_cells(content)[1:]], asked)


def test_the_cells_of_a_notebook_check_the_answers(notebook):
    """The same cells in this process."""
    content, asked = notebook
    setup, *cells = (cell.source for cell in code_cells(content))
    known = {}
    exec(setup, known)
    for cell in cells:
        exec("\n".join([*cell.split("\n")[:-1], "found = " + cell.split("\n")[-1]]), known)
        known.setdefault("all", []).append(known["found"]._repr_markdown_())
    check_verdicts(known["all"], asked)


def test_a_notebook_is_valid_and_holds_no_answer(made, tmp_path):
    """Nbformat finds no fault, and no right answer stands in it, nor in a code that is unpacked."""
    from kerasteach.exercises.check import _decoded

    for path, exercise in zip(made.save(tmp_path, "notebook"), made._by_student.values(), strict=False):
        nbformat.validate(nbformat.read(path, as_version=4))
        content = json.loads(path.read_text(encoding="utf-8"))
        cells = content["cells"]
        source = "".join(cell["source"] for cell in cells)
        unpacked = "".join(json.dumps(_decoded(code)) for code in re.findall(r"['\"](e[\w=-]{99,})['\"]", source))
        assert unpacked.count('"salt"') == len(exercise.questions)
        for question in exercise.questions:
            assert f"{question.answer.value:.3f}" not in unpacked


def test_a_check_accepts_the_tolerance(descents):
    """An answer inside the tolerance is right, one further outside than a sixth of it is not."""
    from kerasteach.exercises.check import code_of

    for question in questions(descents)[:3]:
        code, answer = code_of(question, "salt", str), question.answer
        for share in (-1, -0.5, 0, 0.5, 1):
            assert kt.exercises.check(code, answer.value + share * answer.tolerance).correct
        for share in (-1.17, 1.17):
            assert not kt.exercises.check(code, answer.value + share * answer.tolerance).correct


@pytest.mark.parametrize("name", ["markdown", "latex"])
def test_a_sheet_has_its_questions_and_names_are_text(made, tmp_path, name):
    """Each student has a file; what is special in Markdown or LaTeX is escaped in a name; no solution."""
    paths = [path for path in made.save(tmp_path, name) if path.suffix in (".md", ".tex")]
    assert len(paths) == len(CLASS)
    for path, exercise in zip(paths, made._by_student.values(), strict=True):
        content = path.read_text(encoding="utf-8")
        assert "Solution" not in content
        assert all(re.sub(r"\$.*", "", question.text) in content for question in exercise.questions)
    third, last = (paths[place].read_text(encoding="utf-8") for place in (2, 3))
    assert ('O"Brien \\<script\\>\\$\\_x' if name == "markdown" else 'O"Brien <script>\\$\\_x') in third
    if name == "latex":
        assert r"C\#: \{50 \%\} \textbackslash{}alpha \textasciitilde{} = \textasciicircum{}" in last


def test_solutions_are_worked_step_by_step(tmp_path):
    """Of backpropagation, the explanation of the traced step, in the exercise's language; then the answers."""
    made = kt.exercises.make("backprop", CLASS[:1], SECRET, language="de")
    content = made.save(tmp_path, "markdown", solutions=True)[0].read_text(encoding="utf-8")
    solution = content[content.index("## Lösung") :]
    assert r"\frac{\partial E}{\partial w_{1}}" in solution
    assert "PlainSGD" in solution
    for answer in made.frame["answer"]:
        assert f"{answer:.4f}".rstrip("0") in solution


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_a_pdf_is_set(tmp_path):
    """A figure, formulas and names with special characters."""
    made = kt.exercises.make("slowest_layer", CLASS[2:], SECRET)
    paths = made.save(tmp_path, "pdf", solutions=True)
    assert [path.suffix for path in paths] == [".pdf", ".pdf", ".csv"]
    assert all(path.read_bytes().startswith(b"%PDF") for path in paths[:2])


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
def test_a_name_that_latex_cannot_set_is_named(tmp_path):
    """The error names the student, and formats that have all letters; no file is written."""
    made = kt.exercises.make("descent", ["Ada", "李"], SECRET)
    with pytest.raises(RuntimeError, match=r"cannot set the sheet of 李.*markdown"):
        made.save(tmp_path / "out", "pdf")
    assert not (tmp_path / "out").exists()


def test_without_pdflatex_a_pdf_is_refused(descents, tmp_path, monkeypatch):
    """The error says what to install, and which formats need nothing; nothing is written."""
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(RuntimeError, match=r"pdflatex.*TeX Live.*format='pdf'.*markdown"):
        descents.save(tmp_path / "out", "pdf")
    assert not (tmp_path / "out").exists()


def test_the_marking_key_has_every_question(descents, tmp_path):
    """A row a question: student, question, answer, tolerance."""
    rows = list(csv.DictReader(descents.save(tmp_path, "moodle")[-1].read_text(encoding="utf-8").splitlines()))
    assert [row["student"] for row in rows[::4]] == CLASS
    assert list(rows[0]) == ["student", "question", "answer", "tolerance"]
    assert [float(row["answer"]) for row in rows] == [question.answer.value for question in questions(descents)]


def test_existing_files_stay(descents, tmp_path):
    """Without `overwrite` nothing is written where one of the files exists."""
    (tmp_path / "descent-key.csv").write_text("mine")
    with pytest.raises(FileExistsError, match=r"overwrite=True.*descent-key\.csv"):
        descents.save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["descent-key.csv"]
    descents.save(tmp_path, overwrite=True)
    assert (tmp_path / "descent-key.csv").read_text() != "mine"


def test_files_of_similar_names_differ():
    """Names that a file system could take for one get a number."""
    sheets = [Sheet(name, "descent", None) for name in ("a b", "A/B", "a.b", "???", "x" * 300)]
    names = [stem for _, stem in stems(sheets, True)]
    assert len({name.casefold() for name in names}) == 5
    assert all(re.fullmatch(r"[\w-]{1,100}", name) for name in names)


@pytest.mark.parametrize("code", ["", "eJabc", "not a code", "e30="])
def test_a_damaged_code_is_refused(code):
    """The error names the argument and shows what was received."""
    with pytest.raises(ValueError, match=r"`code`.*Received"):
        kt.exercises.check(code, 1.0)
