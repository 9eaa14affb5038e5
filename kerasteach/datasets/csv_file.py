"""CSV files of spreadsheets, data archives and pandas, read as a table of text."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from itertools import islice
from pathlib import Path

import pandas as pd

from kerasteach.datasets.column_values import numbers
from kerasteach.datasets.tables import names_of, no_header, shortened
from kerasteach.datasets.text_file import read_text
from kerasteach.validation import choice, received, text

_SEPARATORS = (",", ";", "\t", "|")
_SPACES = r"\s+"
_SAMPLE = 200  # rows that decide the separator
_COMMA_NUMBER = r"\s*[+-]?\d*,\d+(?:[eE][+-]?\d+)?\s*"
_POINT_NUMBER = r"\s*[+-]?\d*\.\d+\s*"
_THOUSANDS = r"\s*[+-]?[1-9]\d{0,2},\d{3}\s*"  # or a number with three decimals


def read_table(
    path: Path, sep: str | None = None, decimal: str | None = None, encoding: str | None = None
) -> pd.DataFrame:
    r"""Return a CSV file's columns as text, with points in decimal numbers.

    Unlike in `pandas.read_csv`, no column silently becomes an index, and no text a missing value.

    Args:
        path: The file, with a header line.
        sep: What separates columns; `r"\s+"` is any number of spaces. Defaults to `None`: the comma, semicolon, tab,
            bar or spaces that give the rows as many fields as the header.
        decimal: `"."` or `","`. Defaults to `None`: a comma where the numbers of a column can be read no other way.
        encoding: As `read_text` takes it. Defaults to `None`.

    Raises:
        FileNotFoundError: If it does not exist.
        ValueError: If it cannot be read; the message names the line or the column.
    """
    content = read_text(path, None if encoding is None else text("encoding", encoding))
    decimal = None if decimal is None else choice("decimal", decimal, (".", ","))
    first, _, rest = content.partition("\n")
    if first.lower().startswith("sep=") and len(first) == 5:  # a line of Excel's
        content, sep = rest, sep or first[4]
    sep = _separator(content) if sep is None else _checked_separator(sep)
    try:
        header = _checked_header(path.name, content, sep)
        frame = pd.read_csv(
            StringIO(content),
            sep=sep,
            dtype=str,
            na_filter=False,
            skipinitialspace=True,
            index_col=False,
            usecols=range(len(header)),
        ).fillna("")
    except (csv.Error, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ValueError(f"{path.name} must be a CSV file with a header line. Received: {error}.") from None
    frame.columns = pd.Index(header, dtype=object)
    frame = frame[(frame != "").any(axis=1)].reset_index(drop=True)
    return _with_points(path.name, _named(frame), sep, decimal)


def _separator(content: str) -> str:
    """Return the separator that gives most rows as many fields as the header; of several the one with most fields."""
    fits: dict[str, tuple[float, int]] = {}
    for sep in (*_SEPARATORS, _SPACES):
        if sep == _SPACES and fits:
            break
        try:
            counts = [len(row) for _, row in islice(_rows(content, sep), _SAMPLE)]
        except csv.Error:
            continue
        if counts and counts[0] > 1 and (sep != _SPACES or len(set(counts)) == 1):
            fits[sep] = (sum(count == counts[0] for count in counts) / len(counts), counts[0])
    return max(fits, key=lambda sep: fits[sep], default=",")


def _checked_separator(sep: str) -> str:
    if not isinstance(sep, str) or (sep != _SPACES and (len(sep) != 1 or sep in '\r\n"')):
        raise ValueError(f'`sep` must be one character, or r"\\s+" for any number of spaces. {received("sep", sep)}')
    return sep


def _rows(content: str, sep: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the line number and the fields of each row that is not blank."""
    if sep == _SPACES:
        yield from ((number, line.split()) for number, line in enumerate(content.split("\n"), 1) if line.strip())
    else:
        reader = csv.reader(StringIO(content), delimiter=sep, skipinitialspace=True)
        yield from ((reader.line_num, row) for row in reader if row)


def _checked_header(file: str, content: str, sep: str) -> list[str]:
    """Return the columns' names, or raise ValueError where one stands twice or a row has more fields."""
    rows = _rows(content, sep)
    header = [name.strip() for name in next(rows)[1]]
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise ValueError(
            f"{file} must have columns of different names. Received: twice {shortened(twice, 6)}.{no_header(header)}"
        )
    for number, row in rows:
        if any(field.strip() for field in row[len(header) :]):
            raise ValueError(
                f"{file} must have as many fields in each row as in the header. "
                f"Received: {len(row)} in line {number}, {len(header)} in the header."
            )
    return header


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    """Leave out columns without name and values; name others without a name as pandas does."""
    kept = [place for place, name in enumerate(frame) if name or (frame.iloc[:, place] != "").any()]
    names = [frame.columns[place] or f"Unnamed: {place}" for place in kept]
    names = [
        name if frame.columns[place] or name not in frame else f"{name}.1"
        for place, name in zip(kept, names, strict=True)
    ]
    return frame.iloc[:, kept].set_axis(pd.Index(names, dtype=object), axis=1)


def _with_points(file: str, frame: pd.DataFrame, sep: str, decimal: str | None) -> pd.DataFrame:
    """Replace decimal commas by points in the columns of numbers."""
    if decimal == ".":
        return frame
    commas = [name for name in names_of(frame) if _has_commas(frame[name])]
    certain = decimal == "," or sep == ";"  # Excel separates by semicolons where its numbers have commas
    if not certain and all(frame[name].str.fullmatch(f"{_THOUSANDS}|[^,]*").all() for name in commas):
        return frame  # also without any
    for name in commas:
        frame[name] = frame[name].str.replace(",", ".", regex=False)
    points = [name for name in names_of(frame) if name not in commas and frame[name].str.fullmatch(_POINT_NUMBER).any()]
    if points and (commas or decimal == ","):
        raise ValueError(
            f"{file} must have decimal commas or decimal points. Received: commas in {', '.join(commas) or 'none'}, "
            f"points in {', '.join(points)}; `decimal` says which are meant, and thousands need no separator."
        )
    return frame


def _has_commas(column: pd.Series) -> bool:
    """Return whether a column holds numbers, some of which have one comma."""
    commas = column.str.contains(",", regex=False)
    if not commas.any() or not column[commas].str.fullmatch(_COMMA_NUMBER).all():
        return False
    return not isinstance(numbers(column[~commas]), str)
