"""What can be wrong with a table, in plain words: the same whoever reads it, the bot or a training process."""

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pipelines.errors import Refused

DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def shown(uri: str) -> str:
    """The file's name alone: addresses may carry passwords and tokens."""
    return f"`{uri.partition('?')[0].rstrip('/').rpartition('/')[2] or uri}`"


def checked_columns(columns: Sequence[str], name: str) -> tuple[str, ...]:
    """The header as it is. Raises Refused for one that is not separated by commas or names a column twice."""
    for delimiter, word in DELIMITERS.items():
        if len(columns) == 1 and delimiter in columns[0]:
            raise Refused(f"{name} separates its fields by {word}. Save it separated by commas.")
    twice = sorted({column for column in columns if list(columns).count(column) > 1})
    if twice:
        raise Refused(f"{name} has more than one column `{twice[0]}`. Give each column its own name.")
    return tuple(columns)


@contextmanager
def told_plainly(name: str) -> Iterator[None]:
    """Turns what every reader raises about the file itself into Refused; what else it raises passes."""
    try:
        yield
    except FileNotFoundError:
        raise Refused(f"{name} does not exist.") from None
    except PermissionError:
        raise Refused(f"{name} may not be read: permission denied.") from None
    except UnicodeDecodeError as mistake:
        byte = mistake.object[mistake.start]
        raise Refused(f"{name} is not UTF-8 (byte 0x{byte:02x}). Save it as UTF-8.") from None
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise Refused(f"{name} is a damaged or cut off .gz file.") from None
    except csv.Error as mistake:
        raise Refused(f"{name} is not a well-formed CSV: {last_words(mistake)}.") from None


def last_words(mistake: Exception) -> str:
    """What an error says, on one line of bounded length."""
    words = " ".join(str(mistake).split()).removeprefix("Error tokenizing data. C error: ")
    return (words or type(mistake).__name__)[:200].rstrip(".")
