"""Publishes records with confluent-kafka, a client that knows nothing of Millrace.

Reads JSON lines. A line is a row, `{"topic": "<stem>", <column>: <value>, ...}`, written with the topic's format and
keyed by its key column; or any bytes, `{"topic": "<stem>", "raw": "<hex>" or null, "key": "<text>" or null,
"partition": <n>, "headers": {...}}`, where all but `topic` and `raw` may be left out. `{"topic": "<stem>", "row": {...},
"key": ..., "partition": ...}` is a row with another key or partition than it should have.

Prints one line at the end: how many were delivered.
"""

import argparse
import json
import sys

from confluent_kafka import Producer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext


class Topic:
    """What `--topic` says of one topic: stem:key=column,time=column[,schema=file][,format=json]."""

    def __init__(self, text, app, registry):
        self.stem, _, rest = text.partition(":")
        options = dict(part.split("=", 1) for part in rest.split(",") if part)
        self.name = f"{app}.{self.stem}"
        self.key, self.time = options["key"], options["time"]
        if options.get("format", "avro") == "json":
            self.serialize = lambda row: json.dumps(row).encode()
        else:
            with open(options["schema"], encoding="utf-8") as file:
                serializer = AvroSerializer(registry, file.read())
            context = SerializationContext(self.name, MessageField.VALUE)
            self.serialize = lambda row: serializer(row, context)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--registry", required=True)
    parser.add_argument("--app", required=True, help="the application: topics are named <app>.<stem>")
    parser.add_argument("--topic", action="append", required=True)
    parser.add_argument("--input", required=True, help="a file of JSON lines")
    parser.add_argument("--flush-every-ms", type=int, help="of record time; by default only at the end")
    return parser.parse_args()


def record(topic, line):
    """Key, value and further arguments of `produce`, and the record time or None."""
    more = {}
    if "partition" in line:
        more["partition"] = line["partition"]
    if "headers" in line:
        more["headers"] = line["headers"]
    if "raw" in line:
        value = None if line["raw"] is None else bytes.fromhex(line["raw"])
        return line.get("key"), value, more, None
    row = line.get("row") or {column: value for column, value in line.items() if column != "topic"}
    key = line["key"] if "key" in line else row[topic.key]
    return key, topic.serialize(row), more, row[topic.time]


def main():
    args = arguments()
    registry = SchemaRegistryClient({"url": args.registry})
    topics = {topic.stem: topic for topic in (Topic(text, args.app, registry) for text in args.topic)}
    producer = Producer({
        "bootstrap.servers": args.bootstrap,
        "partitioner": "murmur2_random",
        "enable.idempotence": True,
        "linger.ms": 5,
    })
    delivered, failed, flushed_at = 0, [], None

    def on_delivery(error, message):
        nonlocal delivered
        if error is None:
            delivered += 1
        else:
            failed.append(f"{message.topic()}: {error}")

    with open(args.input, encoding="utf-8") as lines:
        for text in lines:
            line = json.loads(text)
            topic = topics[line["topic"]]
            key, value, more, time = record(topic, line)
            if args.flush_every_ms and time is not None:
                if flushed_at is not None and time - flushed_at >= args.flush_every_ms:
                    producer.flush()
                    flushed_at = time
                elif flushed_at is None:
                    flushed_at = time
            while True:
                try:
                    producer.produce(topic.name, key=key, value=value, on_delivery=on_delivery, **more)
                    break
                except BufferError:
                    producer.poll(0.1)
            producer.poll(0)
    producer.flush()
    if failed:
        sys.exit(f"{len(failed)} records were not delivered, the first: {failed[0]}")
    print(f"delivered {delivered}")


main()
