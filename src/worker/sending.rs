//! Puts a batch into the transaction: outputs, dead letters, changelog.

use super::Error;
use super::batch::{Batch, DeadLetter};
use super::working::Working;
use crate::changelog::{self, Meta};
use crate::config::Settings;
use crate::core::effects::{Output, Topic};
use crate::kafka::native::{Producer, Refused};
use crate::output::CloudEvents;
use std::time::Duration;

const DEAD_LETTERS: usize = 4;
const CHANGELOG: usize = 5;

/// The topics that are written to, in the order of their numbers: as [`Topic`] has them, dead letters, changelog.
pub fn topics(settings: &Settings) -> [String; 6] {
    let output = &settings.output;
    [
        output.transitions.clone(),
        output.alerts.clone(),
        output.slas.clone(),
        output.scores.clone(),
        output.dead_letter.clone(),
        settings.kafka.changelog(),
    ]
}

/// Writes records; its buffers are reused.
#[derive(Debug)]
pub struct Sending {
    topics: [String; 6],
    events: CloudEvents,
    alert_max_age: Duration,
    value: Vec<u8>,
}

impl Sending {
    pub fn new(settings: &Settings) -> Sending {
        Sending {
            topics: topics(settings),
            events: CloudEvents::new(&settings.kafka.group),
            alert_max_age: settings.limits.alert_max_age,
            value: Vec::new(),
        }
    }

    /// Sends what was decided, and what was rejected. Returns how many alerts were too old to be sent: from
    /// before `alerts_from_ms` ([`Sending::alerts_from`]).
    pub fn send_batch(
        &mut self,
        producer: &Producer,
        batch: &Batch,
        alerts_from_ms: i64,
    ) -> Result<u64, Error> {
        let mut suppressed = 0;
        for output in batch.effects.outputs() {
            if output.topic == Topic::Alerts && output.at_ms < alerts_from_ms {
                // It keeps its number, so that readers see that one is missing.
                suppressed += 1;
                continue;
            }
            self.send_output(producer, &output)?;
        }
        for letter in &batch.dead_letters {
            self.send_dead_letter(producer, letter)?;
        }
        Ok(suppressed)
    }

    /// Alerts of before this clock, ms, are not sent: a backfill must not page people.
    pub fn alerts_from(&self, now_ms: i64) -> i64 {
        now_ms.saturating_sub(i64::try_from(self.alert_max_age.as_millis()).unwrap_or(i64::MAX))
    }

    fn send_output(&mut self, producer: &Producer, output: &Output<'_>) -> Result<(), Error> {
        let place = match output.topic {
            Topic::Transitions => 0,
            Topic::Alerts => 1,
            Topic::Slas => 2,
            Topic::Scores => 3,
        };
        let headers = self.events.headers(output);
        let sent = producer.send_with(
            producer.target(place),
            Some(output.lead.as_bytes()),
            Some(output.data),
            headers,
        );
        self.check(sent, place)
    }

    fn check(&self, sent: Result<(), Refused>, place: usize) -> Result<(), Error> {
        match sent {
            Ok(()) => Ok(()),
            Err(Refused::TooLarge) => Err(Error::TooLarge(self.topics[place].clone())),
            Err(Refused::Failed(fault)) => Err(crate::kafka::Error::Aborted(fault).into()),
        }
    }

    /// Sends a rejected record on as it came, with the reason. One that is too large for the topic goes without its
    /// value; if key and headers alone are, without these too.
    fn send_dead_letter(&self, producer: &Producer, letter: &DeadLetter) -> Result<(), Error> {
        for truncated in [None, Some("value"), Some("value, headers"), Some("value, headers, key")] {
            let keeps = |part: &str| truncated.is_none_or(|parts| !parts.contains(part));
            let key = letter.key.as_deref().filter(|_| keeps("key"));
            let value = letter.value.as_deref().filter(|_| keeps("value"));
            let added = self.dead_letter_headers(letter, truncated);
            let own = letter.headers.iter().filter(|_| keeps("headers"));
            let own = own.map(|(name, value)| (name.as_str(), value.as_deref()));
            let added = added.iter().map(|(name, value)| (*name, Some(value.as_bytes())));
            match producer.send_with(producer.target(DEAD_LETTERS), key, value, own.chain(added)) {
                Err(Refused::TooLarge) => {}
                sent => return self.check(sent, DEAD_LETTERS),
            }
        }
        Err(Error::TooLarge(self.topics[DEAD_LETTERS].clone()))
    }

    fn dead_letter_headers(
        &self,
        letter: &DeadLetter,
        truncated: Option<&str>,
    ) -> Vec<(&'static str, String)> {
        // Kafka's own sign of a record without a timestamp.
        let timestamp = letter.timestamp_ms.unwrap_or(-1).to_string();
        let mut headers = vec![
            ("qualifyd-reason", letter.rejection.reason.name().to_owned()),
            ("qualifyd-detail", letter.rejection.detail.clone()),
            ("qualifyd-topic", letter.topic.clone()),
            ("qualifyd-partition", letter.partition.to_string()),
            ("qualifyd-offset", letter.offset.to_string()),
            ("qualifyd-timestamp", timestamp),
        ];
        headers.extend(truncated.map(|parts| ("qualifyd-truncated", parts.to_owned())));
        headers
    }

    /// Sends what a partition has to keep.
    pub fn send_changes(
        &mut self,
        producer: &Producer,
        number: i32,
        working: &mut Working,
    ) -> Result<(), Error> {
        let target = producer.target(CHANGELOG);
        let mut value = std::mem::take(&mut self.value);
        for (key, tables) in working.unwritten_tables() {
            let sent = producer.send(target, Some(number), &key, Some(&tables));
            self.check(sent, CHANGELOG)?;
        }
        for change in working.leads.changed() {
            let (key, value) = changelog::write_lead(&change, &mut value);
            let sent = producer.send(target, Some(number), key, value);
            self.check(sent, CHANGELOG)?;
        }
        working.meta().write(&mut value);
        let sent = producer.send(target, Some(number), &Meta::KEY, Some(&value));
        self.value = value;
        self.check(sent, CHANGELOG)
    }
}
