"""Text of a file in any encoding."""

from __future__ import annotations

import codecs
import re
import stat
from pathlib import Path

from kerasteach.validation import received

_BYTE_ORDER_MARKS = {  # the longer ones first: UTF-32's begins as UTF-16's
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_NOT_TEXT = {
    b"PK\x03\x04": "an Excel or other zipped file: save it as CSV there, or read it with pandas.read_excel",
    b"\xd0\xcf\x11\xe0": "an old Excel file: save it as CSV there, or read it with pandas.read_excel",
    b"\x1f\x8b": "a compressed file: unpack it first",
    b"PAR1": "a Parquet file: read it with pandas.read_parquet",
}
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x19\x1b-\x1f]")


def read_text(path: Path, encoding: str | None = None, *, argument: str = "data") -> str:
    r"""Return a file's text, with `\n` between its lines.

    Args:
        path: The file.
        encoding: How it was written. Defaults to `None`: by its byte order mark, else UTF-8, else Windows's Western
            European (which holds Latin-1).
        argument: What an error calls the file. Defaults to `"data"`.

    Raises:
        FileNotFoundError: If it does not exist.
        ValueError: If it is no regular file, is empty, or holds no text.
    """
    if not stat.S_ISREG(_mode(path, argument)):  # opening a named pipe would wait for a writer
        raise ValueError(
            f"`{argument}` must be a regular file, no directory, pipe or device. {received(argument, str(path))}"
        )
    content = path.read_bytes()
    if not content.strip(b"\0 \t\r\n"):
        raise ValueError(f"{path.name} must be a CSV file with a header line. Received: an empty file.")
    for start, what in _NOT_TEXT.items():
        if content.startswith(start):
            raise ValueError(f"{path.name} must be a text file. Received: {what}.")
    text = _decoded(content, path.name, encoding)
    if _CONTROL.search(text):
        raise ValueError(f"{path.name} must be a text file. Received: bytes that are no text.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _mode(path: Path, argument: str) -> int:
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        raise FileNotFoundError(f"`{argument}` must be a file that is there. {received(argument, str(path))}") from None


def _decoded(content: bytes, name: str, encoding: str | None) -> str:
    marked = encoding or _marked(content)
    for candidate in (marked,) if marked else ("utf-8", "cp1252", "latin-1"):  # Latin-1 decodes any bytes
        try:
            return content.decode(candidate)
        except LookupError:
            raise ValueError(f"`encoding` must be one that Python knows. {received('encoding', encoding)}") from None
        except UnicodeDecodeError:
            continue
    raise ValueError(f"{name} must be a text file in {marked}; `encoding` names another. Received: other bytes.")


def _marked(content: bytes) -> str | None:
    """Return the encoding that a byte order mark names, or the zeros in every other byte."""
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            return encoding
    start = content[: len(content) // 2 * 2][:2000]
    for encoding, zeros, others in (("utf-16-le", start[1::2], start[::2]), ("utf-16-be", start[::2], start[1::2])):
        if zeros.count(0) > 0.7 * len(zeros) and others.count(0) == 0:
            return encoding
    return None
