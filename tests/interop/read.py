"""Reads topics with a Python Kafka client, parses each record with the CloudEvents SDK, and prints what it sees.

usage: read.py BROKERS TOPIC…; prints one JSON line per record.
"""

import json
import sys

from cloudevents.kafka import KafkaMessage, from_binary
from kafka import KafkaConsumer, TopicPartition

brokers, topics = sys.argv[1], sys.argv[2:]
consumer = KafkaConsumer(
    bootstrap_servers=brokers, isolation_level="read_committed", enable_auto_commit=False, group_id=None
)
partitions = [TopicPartition(topic, number) for topic in topics for number in consumer.partitions_for_topic(topic)]
consumer.assign(partitions)
consumer.seek_to_beginning()
ends = consumer.end_offsets(partitions)
while any(consumer.position(partition) < ends[partition] for partition in partitions):
    for records in consumer.poll(timeout_ms=1000).values():
        for record in records:
            event = from_binary(KafkaMessage(headers=dict(record.headers), key=record.key, value=record.value))
            attributes = {name: str(value) for name, value in event.get_attributes().items()}
            key = record.key.decode()
            print(json.dumps({"topic": record.topic, "key": key, "attributes": attributes, "data": event.get_data()}))
