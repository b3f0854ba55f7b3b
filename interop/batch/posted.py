"""What is posted: rows with repeats, in other orders, with times in both spellings, with dirt, and records that can be no rows. One sequence a
kind and partition, the same for the topic (batch lane) and for the stream (stream lane). Written down as JSON lines, for who computes answers.
"""
import base64
import json
import random

KINDS = ("pin", "geo", "user")
ID = {"pin": "index", "geo": "ind", "user": "ind"}
COUNTS = ("1.5k", "2M", "1,234", "1,234,567", " 7k ", "7 k", "12K", "3m", "2B", "0.5k", "467.0", "1.5", "1.2345k", "12,34", "12kk", "k", "-3", "ten", "", "  ", "NaN", "User Info Error",
          "9999999999999", "\u0663k", "5k\n", "0", None)
TIMES = ("2020-02-29 23:59:59", "2021-02-29 10:00:00", "2021-06-01", "2021-06-01T00:30:00+02:00", "2018-01-01T00:00:00Z", "2022-12-31 23:30:00-0130", "2019-07-07 07:07:07.123456",
         " 2019-07-07T07:07:07 ", "2020-13-01 00:00:00", "2020-01-01 25:00:00", "yesterday", "07/07/2019 10:00", "1577836800", "", None, "2017-12-31 23:59:59.9", "2019-3-1 10:00:00", "2019-05-05 10:00")
TEXTS = ("None", "null", "NaNoWriMo plans", " ends with a blank ", "\u00a0\u200b", "\u3000\ufeff\t", "", "No Title Data Available", "no title data available", "User Info Error",
         "No description available", "No description available Story format", "a\u00a0\n\u00a0b", "Let's \"bake\" \\ 30+", "\U0001d4d5\U0001f331", "\u0627\u0644", "e\u0301", "\ufffd", "\u0099",
         "Image src error.", "N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e", "%_;--", None)


def text(row):
    return json.dumps(row, ensure_ascii=False).encode()


def broken(kind, rng):
    """Records that are no rows of a kind. What they name as their id is that of a post that is there."""
    known = ID[kind]
    other = {"pin": b'{"index":3,"title":{"a":1}}', "geo": b'{"ind":3,"latitude":"north"}', "user": b'{"ind":3,"age":"old"}'}[kind]
    wrapped = json.dumps({known: 4})
    for _ in range(4):
        wrapped = json.dumps(wrapped)
    made = [b"", None, b"not json", b"[1,2]", b"17", b"null", b'"just words"', b'{"title":"no number"}', b'{"index":"index","ind":"ind"}', b"{}", b'{"%s":1.5}' % known.encode(),
            b'{"%s":true}' % known.encode(), b'{"%s":null}' % known.encode(), b'{"%s":" "}' % known.encode(), b'{"%s":3,"title":"\xff"}' % known.encode(), b'{"%s":3' % known.encode(),
            b'{"%s":3} {}' % known.encode(), b'{"%s":NaN}' % known.encode(), b'{"%s":99999999999999999999}' % known.encode(), b'{"%s":3,"more":[1,}' % known.encode(), other, wrapped.encode(),
            b'{"records":[{"value":{"%s":3}},{"value":{"%s":4}}]}' % (known.encode(), known.encode()), b'{"%s":3,"more":%s}' % (known.encode(), b"[" * 70 + b"]" * 70),
            b'{"pinflow.raw":"e30="}', b'{"%s":3,"category":"\\ud800","country":"\\ud800","first_name":"\\ud800"}' % known.encode()]
    rng.shuffle(made)
    return made


def spelled(kind, row, rng):
    """The same record as another program would write it: a repeat in content that is none in bytes."""
    row = dict(row)
    for column in ("timestamp", "date_joined"):
        if column in row and isinstance(row[column], str) and len(row[column]) == 19:
            row[column] = row[column].replace(" ", "T") if rng.random() < 0.7 else row[column] + "Z"
    known = ID[kind]
    way = rng.randrange(8)
    if way == 0:  # A number as text.
        row[known] = f" {row[known]} "
    elif way == 1:  # Members in another order, one given again.
        return b"{" + b",".join(text({key: row[key]})[1:-1] for key in reversed(row)) + b',"' + known.encode() + b'":1}'
    elif way == 2:  # As text in text.
        return json.dumps(json.dumps(row)).encode()
    elif way == 3:  # The whole request in place of its value.
        return text({"records": [{"value": row}]})
    elif way == 4:  # The id under its other name, and a member that nobody knows.
        row = {("ind" if known == "index" else "index"): row.pop(known), **row, "unknown": {"a": [1, None, "x"]}}
    elif way == 5:  # Lines between the tokens.
        return json.dumps(row, indent=1).encode()
    elif way == 6:  # A whole number as another one.
        return text(row).replace(f'"{known}": {row[known]}'.encode(), f'"{known}": {row[known]}.0'.encode())
    return text(row)


def dirty(kind, row, rng):
    """The same post, changed: other values, many of them strange."""
    row = dict(row)
    if kind == "pin":
        row["follower_count"] = rng.choice(COUNTS)
        for column in rng.sample(("title", "description", "poster_name", "tag_list", "image_src", "category"), 2):
            row[column] = rng.choice(TEXTS)
        if rng.random() < 0.2:
            row["save_location"] = rng.choice(("/data/art", "Local save in ", "Local save in  /data/x", "", None))
        if rng.random() < 0.1:
            row["title"] = 1234
    elif kind == "geo":
        row["timestamp"] = rng.choice(TIMES)
        if rng.random() < 0.3:
            row["country"] = rng.choice(("", "\u00a0", None, "Cote d'Ivoire", "Elsewhere"))
        if rng.random() < 0.3:
            row["latitude"] = rng.choice((None, "12.5", "", -0.0, 1e-7, 90))
    else:
        row["age"] = rng.choice((17, 18, 24, 25, 35, 36, 50, 51, 99, None, "28", 28.0, -1))
        if rng.random() < 0.5:
            row["date_joined"] = rng.choice(TIMES)
        if rng.random() < 0.3:
            row["first_name"] = rng.choice(("", " ", None, "\u00c9ric", "Mary Ann"))
        if rng.random() < 0.2:
            row["last_name"] = rng.choice(("", None, "O'Neil"))
    return row


class Posts:
    """The sequence of a pipeline, day by day."""

    def __init__(self, rows, seed, partitions):
        self.rows = {kind: list(rows[kind]) for kind in KINDS}
        self.rng = random.Random(seed)
        self.partitions = partitions
        self.records = []  # (kind, partition, offset, bytes or None)
        self._ends = {}

    def _add(self, kind, number, value):
        partition = number % self.partitions
        offset = self._ends.get((kind, partition), 0)
        self._ends[kind, partition] = offset + 1
        self.records.append((kind, partition, offset, value))

    def plain(self, share=1.0):
        """Each row once, in order; of `share` < 1 some are late."""
        late = {kind: [] for kind in KINDS}
        for kind in KINDS:
            for row in self.rows[kind]:
                if self.rng.random() < share:
                    self._add(kind, row[ID[kind]], text(row))
                else:
                    late[kind].append(row)
        return late

    def late(self, rows):
        for kind in KINDS:
            for row in rows[kind]:
                self._add(kind, row[ID[kind]], text(row))

    def again(self):
        """All rows again, shuffled, each spelled anew, some of them twice; broken records between them. Changes no answer."""
        for kind in KINDS:
            values = [(row[ID[kind]], spelled(kind, row, self.rng)) for row in self.rows[kind] for _ in range(1 + (self.rng.random() < 0.1))]
            values += [(self.rng.randrange(100), value) for value in broken(kind, self.rng)]
            self.rng.shuffle(values)
            for number, value in values:
                self._add(kind, number, value)

    def changed(self, share):
        """Some posts again with other values, some of them several times: the last counts."""
        for kind in KINDS:
            for place, row in enumerate(self.rows[kind]):
                while self.rng.random() < share:
                    self.rows[kind][place] = dirty(kind, row, self.rng)
                    self._add(kind, row[ID[kind]], text(self.rows[kind][place]))

    def write(self, path):
        with open(path, "w", encoding="ascii") as file:
            for kind, partition, offset, value in self.records:
                file.write(json.dumps([kind, partition, offset, None if value is None else base64.b64encode(value).decode()]) + "\n")


def produce(bootstrap, records, names):
    """Gives the records to the topics and streams by a Kafka client; each must get the offset that it has in the sequence."""
    import confluent_kafka  # pylint: disable=import-outside-toplevel  # Needed by this step alone.
    wrong = []

    def expects(offset):
        def acknowledged(error, message):
            if error or message.offset() != offset:
                wrong.append(f"{message.topic()} {message.partition()}: {error or message.offset()}, not {offset}")
        return acknowledged

    producer = confluent_kafka.Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 5, "queue.buffering.max.messages": 1_000_000})
    for kind, partition, offset, value in records:
        for name in names:
            producer.produce(name.format(kind), value, partition=partition, on_delivery=expects(offset))
        producer.poll(0)
    left = producer.flush(120)
    if left or wrong:
        raise RuntimeError(f"{left} records were not acknowledged; {wrong[:3]}")
