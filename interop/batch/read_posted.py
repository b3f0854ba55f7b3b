"""Reads posted records as docs and DESIGN say what a row is: in plain Python, none of pinflow's code. Gives typed raw rows and what is no row."""
import base64
import json

TEXT, WHOLE, SMALL, REAL = "text", "whole", "small", "real"
COLUMNS = {
    "pin": {"index": WHOLE, "unique_id": TEXT, "title": TEXT, "description": TEXT, "poster_name": TEXT, "follower_count": TEXT, "tag_list": TEXT, "is_image_or_video": TEXT,
            "image_src": TEXT, "downloaded": SMALL, "save_location": TEXT, "category": TEXT},
    "geo": {"ind": WHOLE, "timestamp": TEXT, "latitude": REAL, "longitude": REAL, "country": TEXT},
    "user": {"ind": WHOLE, "first_name": TEXT, "last_name": TEXT, "age": SMALL, "date_joined": TEXT},
}
MOST_BYTES, MOST_LEVELS, MOST_WRAPS = 1 << 20, 64, 3


class NoRow(Exception):
    pass


class Number(str):
    """A number as it was spelled."""


class Word:
    """true or false, which no column takes."""


def levels(value):
    if isinstance(value, tuple):
        return 1 + max((levels(item) for _, item in value), default=0)
    if isinstance(value, list):
        return 1 + max(map(levels, value), default=0)
    return 0


def refused(_):
    raise NoRow("no JSON")


def parse(spelling):
    def members(pairs):
        return tuple((key, Word() if isinstance(value, bool) else value) for key, value in pairs)
    try:
        return json.loads(spelling, object_pairs_hook=members, parse_int=Number, parse_float=Number, parse_constant=refused)
    except (ValueError, RecursionError):
        raise NoRow("no JSON") from None


def number(spelling, kind):
    try:
        value = json.loads(spelling.strip(" \t\r\n"), parse_constant=refused)
    except ValueError:
        raise NoRow("no number") from None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise NoRow("no number")
    if kind == REAL:
        return float(value)
    bits = 31 if kind == SMALL else 63
    if value != int(value) or not -(2**bits) <= value < 2**bits:
        raise NoRow("no whole number")
    return int(value)


def cell(value, kind):
    if value is None:
        return None
    if isinstance(value, (Word, tuple, list, bool)):
        raise NoRow("a type that no column takes")
    value_is_text = not isinstance(value, Number)
    if kind == TEXT:
        if value_is_text:
            value.encode()  # Half of a surrogate pair is a UnicodeEncodeError, which is a ValueError.
        return str(value)
    if value_is_text and not value.strip(" \t\r\n"):
        return None
    return number(value, kind)


def row(kind, raw):
    """The typed raw row of a record; raises NoRow where it is none."""
    if not raw or len(raw) > MOST_BYTES:
        raise NoRow("nothing, or too much")
    try:
        value = parse(raw.decode())
        for wraps in range(MOST_WRAPS + 1):
            if isinstance(value, str) and not isinstance(value, Number):
                value = parse(value)
            elif isinstance(value, tuple) and dict(value).get("records") is not None:
                records = dict(value)["records"]
                if not isinstance(records, list) or len(records) != 1 or not isinstance(records[0], tuple) or "value" not in dict(records[0]):
                    raise NoRow("an envelope of not one record")
                value = dict(records[0])["value"]
            else:
                break
            if wraps == MOST_WRAPS:
                raise NoRow("wrapped too often")
        if not isinstance(value, tuple) or levels(value) > MOST_LEVELS:
            raise NoRow("no object")
        columns = COLUMNS[kind]
        known = next(iter(columns))
        made = dict.fromkeys(columns)
        seen = set()
        for key, item in value:
            column = known if key in ("ind", "index") else key
            if column in columns and column not in seen:
                seen.add(column)
                made[column] = cell(item, columns[column])
        if made[known] is None:
            raise NoRow("no id")
        return made
    except ValueError as failure:
        raise NoRow(str(failure)) from None


def read(path):
    """Returns the rows of each kind with their places in the log and among all that was posted, and the places of what is no row."""
    rows, no_rows = {kind: [] for kind in COLUMNS}, {kind: [] for kind in COLUMNS}
    with open(path, encoding="ascii") as file:
        for place, line in enumerate(file):
            kind, partition, offset, value = json.loads(line)
            try:
                rows[kind].append({**row(kind, None if value is None else base64.b64decode(value)), "source_partition": partition, "source_offset": offset,
                                   "posted": place})
            except NoRow:
                no_rows[kind].append([partition, offset])
    return rows, no_rows
