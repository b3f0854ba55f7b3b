"""Produces numbered pins to a Kafka topic of several partitions by librdkafka, the same bytes to whomever it feeds; tells as one line of JSON what
was acknowledged. With --rate records begin at even times whatever the broker does, and FILE gets a line for each partition: its number, the offset of
its first record here, and the moment (monotonic clock, microseconds) at which each was acknowledged.

    feed_kafka.py --bootstrap HOST:PORT --topic NAME --partitions N --begin MILLISECONDS --first N --records N [--rate N --stamps FILE]
"""
import argparse
import json
import sys
import time

import confluent_kafka

# What cleaning has to do, in turn: follower counts, sentinels, the prefix of a place.
DIRT = [
    ('"12k"', '"A quiet corner for reading"', '"Reader %d"', '"Local save in /data/home-decor"'),
    ('"1.5k"', '"Ten lamps for small rooms"', '"Reader %d"', '"Local save in /data/home-decor"'),
    ('"467"', '"No Title Data Available"', '"Reader %d"', '"/data/home-decor"'),
    ('"2M"', '"Chairs that one can sit in all day"', '"Reader %d"', '"Local save in /data/diy"'),
    ('"User Info Error"', '"  "', '"User Info Error"', 'null'),
    ('"1,234"', '"Plans to print and to hang up"', '"Reader %d"', '"Local save in /data/diy"'),
    ('"90k"', '"Ein Regal f\\u00fcr Noten"', '"Reader %d"', '"Local save in /data/art"'),
]
TEXT = ("Small rooms, deep chairs and a lamp: what a reading corner needs and what it does not. With plans to print and a list of what to look for at the next market, "
        "so that the afternoon is not spent on searching alone.")


def pin(number):
    followers, title, poster, place = DIRT[number % len(DIRT)]
    poster = poster % (number % 5000) if "%" in poster else poster
    return (f'{{"index":{number},"unique_id":"00000000-0000-4000-8000-{number:012d}","title":{title},"description":"{TEXT}","poster_name":{poster},"follower_count":{followers},'
            f'"tag_list":"Reading Corner,Small Rooms,Lamps,Chairs,Books,Home Ideas,Plans,Quiet,Afternoon","is_image_or_video":"image",'
            f'"image_src":"https://images.example/originals/{number:012d}.jpg","downloaded":1,"save_location":{place},"category":"home-decor"}}')


class Feed:
    def __init__(self, options):
        self.options = options
        self.producer = confluent_kafka.Producer({"bootstrap.servers": options.bootstrap, "acks": "all", "queue.buffering.max.messages": 200_000,
                                                  "queue.buffering.max.kbytes": 262_144, "batch.size": 1_000_000, "linger.ms": 5, "enable.idempotence": True})
        self.stamps = {}
        self.failed = []

    def delivered(self, error, record):
        if error:
            self.failed.append(str(error))
            return
        self.stamps.setdefault(record.partition(), []).append((record.offset(), time.monotonic_ns() // 1000))

    def counted(self, error, _):
        if error:
            self.failed.append(str(error))

    def produce(self, number, report):
        while True:
            try:
                self.producer.produce(self.options.topic, pin(number), partition=number % self.options.partitions, timestamp=self.options.begin + number // 100, on_delivery=report)
                return
            except BufferError:
                self.producer.poll(0.05)

    def as_fast_as_it_goes(self):
        for number in range(self.options.first, self.options.first + self.options.records):
            self.produce(number, self.counted)
            if number % 1000 == 0:
                self.producer.poll(0)

    def at_a_rate(self):
        begin = time.monotonic()
        for sent in range(self.options.records):
            due = begin + sent / self.options.rate
            while (left := due - time.monotonic()) > 0:
                self.producer.poll(min(left, 0.001))
            self.produce(self.options.first + sent, self.delivered)
            if sent % 50 == 0:
                self.producer.poll(0)

    def run(self):
        begin = time.monotonic()
        if self.options.rate:
            self.at_a_rate()
        else:
            self.as_fast_as_it_goes()
        left = self.producer.flush(120)
        if left or self.failed:
            raise SystemExit(f"{left} records were not acknowledged, {len(self.failed)} failed: {self.failed[:1]}")
        if self.options.stamps:
            with open(self.options.stamps, "w", encoding="ascii") as file:
                for partition, stamps in self.stamps.items():
                    stamps.sort()
                    file.write(" ".join([str(partition), str(stamps[0][0]), *(str(at) for _, at in stamps)]) + "\n")
        used = time.process_time()
        print(json.dumps({"records": self.options.records, "seconds": time.monotonic() - begin, "cpu_seconds": used}))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--partitions", type=int, required=True)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--records", type=int, required=True)
    parser.add_argument("--begin", type=int, required=True, help="time of the first record, so that both sides store the same; lately, or retention takes them")
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--stamps", default="")
    Feed(parser.parse_args()).run()


if __name__ == "__main__":
    sys.exit(main())
