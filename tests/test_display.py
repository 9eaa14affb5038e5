import pandas as pd

from kerasteach.display import Displayed, View


class Result(Displayed):
    def __init__(self, *view):
        self.view = View(*view)

    def _view(self):
        return self.view


def test_a_shell_shows_the_head_of_a_table():
    """Of many rows the first five are shown, and how many there are."""
    shown = repr(Result("Losses", pd.DataFrame({"loss": range(1000)}), (".plot()", ".frame"))).splitlines()
    assert shown[0] == "Losses"
    assert shown[1:7] == ["   loss", "0     0", "1     1", "2     2", "3     3", "4     4"]
    assert shown[7:] == ["... 1,000 rows, 1 columns", "Next: .plot(), .frame"]


def test_a_result_without_a_table_is_one_line():
    """An empty table is not shown either."""
    assert repr(Result("Nothing recorded")) == repr(Result("Nothing recorded", pd.DataFrame())) == "Nothing recorded"


def test_a_notebook_shows_no_markup_of_names():
    """A title, a cell, a column and a call that look like HTML are escaped."""
    bad = "<img src=x onerror=alert(1)>"
    html = Result(bad, pd.DataFrame({bad: [bad]}), (bad,))._repr_html_()
    assert "<img" not in html
    assert html.count("&lt;img") == 4
