"""Posts every alert to a webhook: Slack, a pager, a task list.

usage: alerts_to_webhook.py BROKERS TOPIC WEBHOOK
needs: pip install kafka-python lz4

An alert counts as read when the webhook has answered 2xx, so none is lost. One may be posted twice after a crash: the
header Idempotency-Key is the same then, and a receiver that knows it drops the second.
"""

import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition

ATTEMPTS = 8  # one second, two, four, …: about four minutes


def text(alert):
    """What the person who is called reads."""
    who = alert["traits"].get("email", alert["lead"])
    scores = ", ".join(f"{name} {value:g}" for name, value in alert["scores"].items())
    # A criterion of fit may have no label.
    why = "; ".join(f"{reason.get('label', reason['score'])} ({reason['points']:+g})" for reason in alert["reasons"])
    return f"{alert['alert']}: {who} is {alert['stage']} ({scores}). {why}"


def post(webhook, alert, key):
    """Posts until the webhook takes it. What the webhook calls wrong (4xx) is told and left out: it would stay wrong."""
    body = {"route": alert["route"], "priority": alert["priority"], "text": text(alert), "at": alert["at"]}
    headers = {"Content-Type": "application/json", "Idempotency-Key": key}
    request = urllib.request.Request(webhook, json.dumps(body).encode(), headers)
    for attempt in range(ATTEMPTS):
        try:
            with urllib.request.urlopen(request, timeout=10):
                return
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code not in (408, 429):
                print(f"{key} was refused: {error}", file=sys.stderr)
                return
            reason = error
        except OSError as error:
            reason = error
        print(f"{key} is posted again: {reason}", file=sys.stderr)
        time.sleep(2**attempt)
    # Nothing was committed: whoever starts this again goes on with this alert.
    sys.exit(f"{key} could not be posted")


def main(brokers, topic, webhook):
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=brokers,
        group_id="alerts-to-webhook",
        isolation_level="read_committed",  # else alerts that were taken back are posted, too
        auto_offset_reset="earliest",
        enable_auto_commit=False,  # it would count as read before it was posted
        max_poll_records=1,
        max_poll_interval_ms=600_000,  # longer than all attempts together
    )
    try:
        for record in consumer:
            headers = {name: value.decode() for name, value in record.headers}
            # Headers of HTTP are ASCII; leads' ids need not be.
            key = urllib.parse.quote(f"{headers['ce_source']}/{headers['ce_id']}")
            post(webhook, json.loads(record.value), key)
            place = TopicPartition(record.topic, record.partition)
            consumer.commit({place: OffsetAndMetadata(record.offset + 1, "", -1)})
    finally:
        consumer.close(autocommit=False)  # leaves the group, so that a successor need not wait


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
