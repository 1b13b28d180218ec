//! The daemon on a real Apache Kafka.

mod support;

use support::{broker, kafka};

#[test]
fn broker_keeps_what_is_sent() {
    let start = std::time::Instant::now();
    broker::brokers();
    eprintln!("broker answered after {:?}", start.elapsed());
    let topic = kafka::unique("sent");
    kafka::create_topics(&[(&topic, 2)], &[]);
    let record = |partition, offset| kafka::Record {
        partition,
        offset,
        timestamp_ms: Some(1_000_000_000_000),
        key: Some(b"k".to_vec()),
        value: None,
        headers: vec![("h".into(), None), ("h".into(), Some(vec![0, 255]))],
    };
    let records = [record(0, 0), record(1, 0), record(1, 1)];
    kafka::send(&topic, &records);
    assert_eq!(kafka::read_committed(&topic), records);
    assert_eq!(kafka::committed_offsets("nobody", &topic), [None, None]);
}
