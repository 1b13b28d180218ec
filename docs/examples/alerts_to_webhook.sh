#!/usr/bin/env bash
# Posts every alert of one partition to a webhook; start one for each partition.
#
# usage: alerts_to_webhook.sh BROKERS TOPIC PARTITION WEBHOOK FOLDER
# needs: kafka-console-consumer.sh (of Apache Kafka), jq, curl
#
# The folder keeps where to go on. It is written when the webhook has answered 2xx, so no alert is lost; one may be posted
# twice after a crash, with the same Idempotency-Key.
set -euo pipefail
[ $# -eq 5 ] || { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }
brokers=$1 topic=$2 partition=$3 webhook=$4 place=$5/$2-$3

# read_committed: else alerts that were taken back are posted, too.
kafka-console-consumer.sh --bootstrap-server "$brokers" --topic "$topic" --partition "$partition" \
    --offset "$(cat "$place" 2>/dev/null || echo earliest)" --isolation-level read_committed \
    --property print.offset=true --property print.value=true |
while IFS=$'\t' read -r offset alert; do
    offset=${offset#Offset:}
    # Headers of HTTP are ASCII; leads' ids need not be.
    key=$(jq -r '"\(.lead)/\(.seq)" | @uri' <<<"$alert")
    body=$(jq -c '{ route, priority, at, text: "\(.alert): \(.traits.email // .lead) is \(.stage). \([.reasons[] | "\(.label // .score) (\(.points))"] | join("; "))" }' <<<"$alert")
    until status=$(curl --silent --output /dev/null --max-time 10 --write-out '%{http_code}' \
            --header 'Content-Type: application/json' --header "Idempotency-Key: $key" --data-binary @- "$webhook" <<<"$body") \
            && case $status in 5??|408|429) false ;; esac; do
        echo "$key is posted again" >&2
        sleep 2
    done
    case $status in 2??) ;; *) echo "$key was refused: $status" >&2 ;; esac
    echo $((offset + 1)) >"$place.new" && mv "$place.new" "$place"
done
