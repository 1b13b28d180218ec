//! The dead-letter topic, read back and sent again (`qualifyd dead-letters`). What is sent again and the note of it
//! move in one transaction: the offset that the group `<group>-dead-letters` commits carries the note as its metadata.

use super::feed::Deliveries;
use super::reader::{Read, Reader};
use super::{ANSWER_TIMEOUT, Error, client_config};
use crate::config::Settings;
use crate::dead_letters::{Filter, Letter, Place, Resent};
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Header, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

/// Letters of one transaction.
const TRANSACTION_LETTERS: u64 = 1_000;
/// What a cluster keeps with an offset, if it is not told otherwise (`offset.metadata.max.bytes`).
const NOTE_BYTES: usize = 4_096;
const POLL: Duration = Duration::from_millis(100);
/// Larger than any topic accepts: what came once goes back.
const MESSAGE_MAX_BYTES: &str = "104857600";

/// The dead letters of a daemon, up to the end that the topic had when this was made.
pub struct DeadLetters<'a> {
    settings: &'a Settings,
    group: String,
    reader: Reader,
    offsets: Vec<Range<i64>>,
    resent: Vec<Resent>,
}

/// What became of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Resent,
    /// It is not whole, so it stays.
    Skipped,
}

impl<'a> DeadLetters<'a> {
    /// Asks where the topic begins and ends and what was sent again before; `forget`: as if nothing were.
    ///
    /// # Errors
    /// The cluster does not answer, has no such topic, or has a note that is not understood.
    pub fn new(settings: &'a Settings, forget: bool) -> Result<DeadLetters<'a>, Error> {
        let group = format!("{}-dead-letters", settings.kafka.group);
        let reader = Reader::new(&settings.kafka, &group)?;
        let offsets = reader.offsets(&settings.output.dead_letter)?;
        let mut letters =
            DeadLetters { settings, group, reader, resent: vec![Resent::default(); offsets.len()], offsets };
        if !forget {
            letters.read_notes()?;
        }
        Ok(letters)
    }

    fn topic(&self) -> &'a str {
        &self.settings.output.dead_letter
    }

    fn read_notes(&mut self) -> Result<(), Error> {
        let mut partitions = TopicPartitionList::new();
        partitions.add_partition_range(self.topic(), 0, self.offsets.len() as i32 - 1);
        let deadline = Instant::now() + ANSWER_TIMEOUT;
        let committed = loop {
            match self.reader.client().committed_offsets(partitions.clone(), ANSWER_TIMEOUT) {
                // A cluster may choose the group's coordinator at this question.
                Err(_) if Instant::now() < deadline => std::thread::sleep(POLL),
                answer => break answer.map_err(Error::Reading)?,
            }
        };
        for element in committed.elements() {
            if let Offset::Offset(_) = element.offset() {
                let note = Resent::parse(element.metadata());
                self.resent[element.partition() as usize] =
                    note.ok_or_else(|| Error::Notes(self.group.clone()))?;
            }
        }
        Ok(())
    }

    /// Whether the letter was sent again before.
    pub fn was_resent(&self, letter: &Letter<'_>) -> bool {
        self.resent[letter.partition as usize].contains(letter)
    }

    /// Hands every letter on, until told that it is enough.
    ///
    /// # Errors
    /// The cluster does not answer, or `handle` failed.
    pub fn each<E: From<Error>>(
        &self,
        mut handle: impl FnMut(&Letter<'_>) -> Result<bool, E>,
    ) -> Result<(), E> {
        let mut open: BTreeMap<i32, i64> = BTreeMap::new();
        let mut from = Vec::new();
        for (partition, offsets) in self.offsets.iter().enumerate().filter(|(_, offsets)| !offsets.is_empty())
        {
            open.insert(partition as i32, offsets.end);
            from.push((self.topic(), partition as i32, offsets.start));
        }
        self.reader.begin(&from)?;
        let mut heard = Instant::now();
        while !open.is_empty() {
            match self.reader.next(POLL)? {
                Read::Record(message) => {
                    heard = Instant::now();
                    let Some(&end) = open.get(&message.partition()) else { continue };
                    if message.offset() < end && !handle(&letter(&message))? {
                        return Ok(());
                    }
                    if message.offset() + 1 >= end {
                        open.remove(&message.partition());
                    }
                }
                // After the last letter stands the mark of its transaction.
                Read::End(partition) => {
                    open.remove(&partition);
                }
                Read::Nothing if heard.elapsed() > ANSWER_TIMEOUT => {
                    let reason = KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut);
                    return Err(Error::Reading(reason).into());
                }
                Read::Nothing => {}
            }
        }
        Ok(())
    }

    /// Sends the letters that are meant, and were not sent again before, back to the input topic: at most `limit`. Tells
    /// of each.
    ///
    /// # Errors
    /// The cluster does not answer or does not take them; what was told of since the last commit is taken back then.
    pub fn resend(
        &mut self,
        filter: &Filter,
        limit: u64,
        mut tell: impl FnMut(&Letter<'_>, Fate),
    ) -> Result<(), Error> {
        let mut sender = Sender::new(self)?;
        let sent = self.each(|letter| {
            if sender.count >= limit {
                return Ok(false);
            }
            if let Some(fate) = sender.offer(letter, filter)? {
                tell(letter, fate);
            }
            Ok(true)
        });
        match sent.and_then(|()| sender.commit()) {
            Ok(()) => {
                self.resent = sender.resent;
                Ok(())
            }
            Err(error) => {
                sender.abort();
                Err(error)
            }
        }
    }
}

fn letter<'m>(message: &'m BorrowedMessage<'_>) -> Letter<'m> {
    let place = Place {
        partition: message.partition(),
        offset: message.offset(),
        timestamp_ms: message.timestamp().to_millis(),
    };
    let headers = message.headers().into_iter().flat_map(Headers::iter);
    let headers = headers.map(|header| (header.key, header.value));
    Letter::read(place, message.key(), message.payload(), headers)
}

/// The transaction in which letters go back.
struct Sender<'a> {
    producer: BaseProducer<Deliveries>,
    /// Names the group when offsets are committed.
    member: Reader,
    settings: &'a Settings,
    input_partitions: i32,
    resent: Vec<Resent>,
    /// The last whole letter of each partition and reason.
    last: BTreeMap<(i32, String), i64>,
    open: u64,
    /// Letters that went back.
    count: u64,
}

impl<'a> Sender<'a> {
    fn new(letters: &DeadLetters<'a>) -> Result<Sender<'a>, Error> {
        let settings = letters.settings;
        let owned = [
            // One name for all: whoever comes later ends what an earlier one left open.
            ("transactional.id", letters.group.as_str()),
            ("message.max.bytes", MESSAGE_MAX_BYTES),
            ("partitioner", "murmur2_random"),
        ];
        let producer: BaseProducer<Deliveries> =
            client_config(&settings.kafka, &[("compression.type", "lz4")], &owned)
                .create_with_context(Deliveries::default())
                .map_err(Error::Client)?;
        let member = Reader::new(&settings.kafka, &letters.group)?;
        let input_partitions = member.offsets(&settings.input.topics[0])?.len() as i32;
        let brokers = settings.kafka.brokers.clone();
        producer
            .init_transactions(ANSWER_TIMEOUT)
            .map_err(|reason| Error::Unreachable { brokers, reason })?;
        let (resent, last) = (letters.resent.clone(), BTreeMap::new());
        Ok(Sender { producer, member, settings, input_partitions, resent, last, open: 0, count: 0 })
    }

    /// Sends a letter if it is meant and was not sent before.
    fn offer(&mut self, letter: &Letter<'_>, filter: &Filter) -> Result<Option<Fate>, Error> {
        if !letter.is_whole() {
            return Ok(filter.holds(letter).then_some(Fate::Skipped));
        }
        let before = self.last.insert((letter.partition, letter.reason.to_owned()), letter.offset);
        let resent = &mut self.resent[letter.partition as usize];
        if resent.contains(letter) {
            resent.join(letter, before);
            return Ok(None);
        }
        if !filter.holds(letter) {
            return Ok(None);
        }
        if self.open == 0 {
            self.producer.begin_transaction().map_err(Error::NotResent)?;
        }
        self.send(letter)?;
        self.resent[letter.partition as usize].add(letter, before);
        self.open += 1;
        self.count += 1;
        if self.open >= TRANSACTION_LETTERS {
            self.commit()?;
        }
        Ok(Some(Fate::Resent))
    }

    fn send(&self, letter: &Letter<'_>) -> Result<(), Error> {
        let headers = letter
            .headers
            .iter()
            .fold(OwnedHeaders::new(), |headers, &(key, value)| headers.insert(Header { key, value }));
        let topic = &self.settings.input.topics[0];
        let mut record = BaseRecord::<[u8], [u8]>::to(topic).headers(headers);
        // Where its lead is, however its sender chose partitions.
        let partition = letter.from_partition.filter(|&number| number < self.input_partitions);
        record.partition = partition.filter(|_| letter.topic == topic);
        record.key = letter.key;
        record.payload = letter.value;
        record.timestamp = letter.timestamp_ms;
        while let Err((error, returned)) = self.producer.send(record) {
            match error {
                KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull) => {
                    self.producer.poll(POLL);
                    record = returned;
                }
                reason => return Err(Error::NotSent { topic: topic.clone(), reason }),
            }
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), Error> {
        if std::mem::take(&mut self.open) == 0 {
            return Ok(());
        }
        let mut offsets = TopicPartitionList::new();
        for (partition, resent) in self.resent.iter().enumerate().filter(|(_, resent)| resent.end() > 0) {
            let note = resent.note();
            if note.len() > NOTE_BYTES {
                return Err(Error::NotesTooLong);
            }
            let mut element = offsets.add_partition(&self.settings.output.dead_letter, partition as i32);
            element.set_offset(Offset::Offset(resent.end())).map_err(Error::Reading)?;
            element.set_metadata(note);
        }
        let group = self.member.client().group_metadata();
        let group =
            group.ok_or(Error::Reading(KafkaError::ClientCreation("the client has no group".into())))?;
        self.producer
            .send_offsets_to_transaction(&offsets, &group, ANSWER_TIMEOUT)
            .and_then(|()| self.producer.commit_transaction(ANSWER_TIMEOUT))
            .map_err(Error::NotResent)
    }

    fn abort(&self) {
        if let Err(error) = self.producer.abort_transaction(ANSWER_TIMEOUT) {
            tracing::warn!(%error, "the open transaction was not taken back");
        }
    }
}
