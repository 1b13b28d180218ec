//! From what was decided to what is sent: names of topics and types, and the CloudEvents 1.0 headers in the binary
//! mode of the Kafka protocol binding (SPEC §8).

use crate::core::partition::{Output, Topic};
use crate::event::time::write_rfc3339;

/// The topic's name in `replay` and in the settings.
pub fn topic_name(topic: Topic) -> &'static str {
    match topic {
        Topic::Transitions => "transitions",
        Topic::Alerts => "alerts",
        Topic::Slas => "slas",
        Topic::Scores => "scores",
    }
}

/// `ce_type`.
pub fn event_type(topic: Topic) -> &'static str {
    match topic {
        Topic::Transitions => "qualifyd.transition.v1",
        Topic::Alerts => "qualifyd.alert.v1",
        Topic::Slas => "qualifyd.sla.v1",
        Topic::Scores => "qualifyd.score.v1",
    }
}

/// `ce_dataschema`: names the version and the file in `schemas/`. A URN, as the attribute has to be an absolute URI and
/// a schema has no home on the network.
pub fn data_schema(topic: Topic) -> &'static str {
    match topic {
        Topic::Transitions => "urn:qualifyd:v1:schemas/transition.schema.json",
        Topic::Alerts => "urn:qualifyd:v1:schemas/alert.schema.json",
        Topic::Slas => "urn:qualifyd:v1:schemas/sla.schema.json",
        Topic::Scores => "urn:qualifyd:v1:schemas/score.schema.json",
    }
}

/// Writes CloudEvents headers into buffers that are reused.
#[derive(Debug)]
pub struct CloudEvents {
    source: String,
    id: String,
    time: Vec<u8>,
}

impl CloudEvents {
    /// `ce_source` is `/qualifyd/<group>`: with it `ce_id` is unique, as CloudEvents asks.
    pub fn new(group: &str) -> CloudEvents {
        CloudEvents { source: format!("/qualifyd/{group}"), id: String::new(), time: Vec::new() }
    }

    /// The headers of a record. The binding prefixes every attribute but the content type.
    pub fn headers<'a>(&'a mut self, output: &Output<'a>) -> [(&'a str, Option<&'a [u8]>); 8] {
        write_id(&mut self.id, output);
        self.time.clear();
        write_rfc3339(&mut self.time, output.at_ms);
        let text = |text: &'a str| Some(text.as_bytes());
        [
            ("ce_specversion", text("1.0")),
            ("ce_id", text(&self.id)),
            ("ce_source", text(&self.source)),
            ("ce_type", text(event_type(output.topic))),
            ("ce_subject", text(output.lead)),
            ("ce_time", Some(&self.time)),
            ("ce_dataschema", text(data_schema(output.topic))),
            ("content-type", text("application/json")),
        ]
    }
}

/// `ce_id`: `<lead>/<seq>`.
pub fn write_id(id: &mut String, output: &Output<'_>) {
    use std::fmt::Write;
    id.clear();
    // Writing into a String does not fail.
    let _ = write!(id, "{}/{}", output.lead, output.seq);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_those_of_the_kafka_binding() {
        let output =
            Output { topic: Topic::Slas, lead: "ü/1", seq: 7, at_ms: 1_700_000_000_123, data: b"{}" };
        let mut events = CloudEvents::new("sales.eu");
        for _ in 0..2 {
            let headers = events.headers(&output).map(|(name, value)| {
                (name, std::str::from_utf8(value.expect("every header has a value")).expect("and it is text"))
            });
            let expected = [
                ("ce_specversion", "1.0"),
                ("ce_id", "ü/1/7"),
                ("ce_source", "/qualifyd/sales.eu"),
                ("ce_type", "qualifyd.sla.v1"),
                ("ce_subject", "ü/1"),
                ("ce_time", "2023-11-14T22:13:20.123Z"),
                ("ce_dataschema", "urn:qualifyd:v1:schemas/sla.schema.json"),
                ("content-type", "application/json"),
            ];
            assert_eq!(headers, expected);
        }
    }
}
