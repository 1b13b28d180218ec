"""Copies a topic to one with another number of partitions: the records of all partitions merged in the order of their
timestamps, each with its key, value, headers and timestamp, to the partition that its key belongs to (murmur2, as Java's
clients choose it).

usage: copy_topic.py BROKERS FROM TO [--from-end-of TO]
needs: pip install kafka-python lz4

It ends at the end that FROM has when it begins. With --from-end-of it goes on after what an earlier run has copied: each
copy says in the header "copied-from" where it comes from.
"""

import heapq
import sys

from kafka import KafkaConsumer, KafkaProducer, TopicPartition

HEADER = "copied-from"


def reader(brokers):
    return KafkaConsumer(
        bootstrap_servers=brokers, isolation_level="read_committed", enable_auto_commit=False, group_id=None
    )


def records(brokers, partition, start, end):
    """The records of one partition up to its end; each partition has a client of its own, so that none runs ahead."""
    consumer = reader(brokers)
    consumer.assign([partition])
    consumer.seek(partition, start)
    while consumer.position(partition) < end:
        for record in consumer.poll(timeout_ms=1000, max_records=500).get(partition, []):
            if record.offset < end:
                yield record
    consumer.close()


def ends(consumer, topic):
    numbers = consumer.partitions_for_topic(topic) or sys.exit(f"there is no topic {topic}")
    places = [TopicPartition(topic, number) for number in sorted(numbers)]
    return consumer.beginning_offsets(places), consumer.end_offsets(places)


def copied(brokers, consumer, topic):
    """Where to go on in each partition of the original, by the headers of the copies."""
    begins, finishes = ends(consumer, topic)
    next_offsets = {}
    for place, start in begins.items():
        for record in records(brokers, place, start, finishes[place]):
            number, offset = dict(record.headers).get(HEADER, b"-1/0").split(b"/")
            next_offsets[int(number)] = max(next_offsets.get(int(number), 0), int(offset) + 1)
    return next_offsets


def main(brokers, source, target, go_on):
    consumer = reader(brokers)
    ends(consumer, target)
    starts, finishes = ends(consumer, source)
    done = copied(brokers, consumer, target) if go_on else {}
    streams = [
        records(brokers, place, max(start, done.get(place.partition, 0)), finishes[place])
        for place, start in starts.items()
    ]
    producer = KafkaProducer(bootstrap_servers=brokers, acks="all", enable_idempotence=True, compression_type="lz4")
    count = 0
    # Equal times keep the order of each partition, as merge does.
    for record in heapq.merge(*streams, key=lambda record: record.timestamp):
        headers = [(name, value) for name, value in record.headers if name != HEADER]
        headers.append((HEADER, f"{record.partition}/{record.offset}".encode()))
        sent = producer.send(target, record.value, record.key, headers, timestamp_ms=record.timestamp)
        sent.add_errback(lambda error: print(f"not copied: {error}", file=sys.stderr))
        count += 1
    producer.flush()
    print(f"{count} records copied", file=sys.stderr)


if __name__ == "__main__":
    if len(sys.argv) not in (4, 6) or sys.argv[4:] not in ([], ["--from-end-of", sys.argv[3]]):
        sys.exit(__doc__)
    main(*sys.argv[1:4], len(sys.argv) == 6)
