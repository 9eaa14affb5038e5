import pytest

import kerasteach as kt
from kerasteach.exercises.students import names_of


def listed(tmp_path, content, encoding="utf-8", **options):
    """Return the students of a file with this content."""
    path = tmp_path / "students.csv"
    path.write_bytes(content.encode(encoding))
    return names_of(path, **options)


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("Müller, Anna;1\nGroß, Björn;2\n", "utf-8"),
        ("Müller, Anna;1\r\nGroß, Björn;2\r\n", "cp1252"),
        ("Müller, Anna;1\nGroß, Björn;2\n", "latin-1"),
        ("Müller, Anna;1\nGroß, Björn;2\n", "utf-8-sig"),
        ("Müller, Anna\t1\nGroß, Björn\t2\n", "utf-16"),
        ("Name;Nummer\nMüller, Anna;1\n\nGroß, Björn;2\n;\n", "utf-8"),
        ('"Müller, Anna",1\n"Groß, Björn",2', "utf-8"),
        ('student\n"Müller, Anna"\n"Groß, Björn"', "utf-8"),
        ("  Müller,  Anna ;1\n Groß, Björn;2\n", "utf-8"),
    ],
)
def test_lists_of_usual_forms_are_read(tmp_path, content, encoding):
    """With and without a header line; semicolons, tabs and commas; byte order marks; Latin-1; blank lines."""
    assert listed(tmp_path, content, encoding) == ["Müller, Anna", "Groß, Björn"]


def test_a_column_is_chosen_by_its_name(tmp_path):
    """The letters' case does not matter."""
    content = "Vorname;Nachname;Matrikelnummer\nAnna;Groß;17\nAnna;Klein;18\n"
    assert listed(tmp_path, content, column="matrikelnummer") == ["17", "18"]


def test_an_unknown_column_is_refused_with_those_there_are(tmp_path):
    """The error names the columns, and the nearest."""
    with pytest.raises(ValueError, match=r"`column` must be one of students.csv: Name, Nummer.*Did you mean 'Nummer'"):
        listed(tmp_path, "Name;Nummer\nAnna;1\n", column="Numer")


@pytest.mark.parametrize("other", ["Anna", "anna", " Anna ", "ANNA"])
def test_duplicates_are_refused_by_name(tmp_path, other):
    """Two of one name would have the same exercise; so would two spellings that a file system may take for one."""
    with pytest.raises(ValueError, match=r"`students` must have each name once.*`column`.*Received: twice (?i:anna)"):
        listed(tmp_path, f"Name;Nummer\nAnna;1\nBen;2\n{other};3\n")


def test_two_ways_to_write_an_umlaut_are_one_name():
    """A composed letter, and a letter with a combining mark."""
    with pytest.raises(ValueError, match="each name once"):
        names_of(["M\u00fcller", "Mu\u0308ller"])


@pytest.mark.parametrize(
    ("students", "error", "match"),
    [
        ([], ValueError, "must have a student"),
        (["Anna", ""], ValueError, "must have a name each"),
        (["Anna\x07"], ValueError, "must have a name each"),
        ([1, 2], TypeError, "must be names, as text"),
        (3, TypeError, "must be a list of names"),
        ("no-such-file.csv", FileNotFoundError, "`students` must be a file that is there"),
    ],
)
def test_other_lists_are_refused(students, error, match):
    """The error names `students`, and what was received."""
    with pytest.raises(error, match=match):
        names_of(students)


def test_a_file_that_is_no_text_is_refused(tmp_path):
    """An Excel file's first bytes are those of a zipped file."""
    (tmp_path / "students.csv").write_bytes(b"PK\x03\x04 and so on")
    with pytest.raises(ValueError, match="an Excel"):
        names_of(tmp_path / "students.csv")


def test_a_short_secret_is_refused_and_not_shown():
    """A secret that can be guessed protects nobody; an error's text may be seen by others."""
    with pytest.raises(ValueError, match="at least 8 characters") as caught:
        kt.exercises.make("descent", ["Anna"], "s3cr3t")
    assert "s3cr3t" not in str(caught.value)
