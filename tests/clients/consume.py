"""Reads records with confluent-kafka, a client that knows nothing of Millrace, and prints each as one JSON line:
`{"key", "partition", "offset", "headers", "value"}`. Ends after `--count` records, or with an error after
`--timeout-s` seconds.
"""

import argparse
import json
import sys
import time
import uuid

from confluent_kafka import Consumer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--registry", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--timeout-s", type=float, default=60)
    args = parser.parse_args()

    deserialize = AvroDeserializer(SchemaRegistryClient({"url": args.registry}))
    context = SerializationContext(args.topic, MessageField.VALUE)
    consumer = Consumer({
        "bootstrap.servers": args.bootstrap,
        "group.id": f"foreign-{uuid.uuid4()}",
        "auto.offset.reset": "earliest",
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
    })
    consumer.subscribe([args.topic])
    deadline = time.monotonic() + args.timeout_s
    read = 0
    while read < args.count:
        if time.monotonic() > deadline:
            sys.exit(f"{args.topic}: {read} records of {args.count} within {args.timeout_s} s")
        message = consumer.poll(0.5)
        if message is None:
            continue
        if message.error():
            sys.exit(f"{args.topic}: {message.error()}")
        read += 1
        print(json.dumps({
            "key": message.key() and message.key().decode(),
            "partition": message.partition(),
            "offset": message.offset(),
            "headers": {name: value.decode() for name, value in message.headers() or []},
            "value": deserialize(message.value(), context),
        }, default=lambda value: int(value.timestamp() * 1000) if hasattr(value, "timestamp") else str(value)))
    consumer.close()


main()
