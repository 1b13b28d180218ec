//! `qualifyd dead-letters`: what a dead letter says, which of them are meant, and which were sent again already.

use std::collections::BTreeMap;
use std::fmt::Write;

/// A rejected record as it stands in the dead-letter topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter<'a> {
    pub partition: i32,
    pub offset: i64,
    /// When it was rejected, in ms.
    pub rejected_ms: Option<i64>,
    /// Why, and what to fix; empty if the record is no dead letter of the daemon's.
    pub reason: &'a str,
    pub detail: &'a str,
    /// Where it stood before.
    pub topic: &'a str,
    pub from_partition: Option<i32>,
    pub from_offset: Option<i64>,
    /// The record's own timestamp, in ms.
    pub timestamp_ms: Option<i64>,
    /// What was left out as it was too large.
    pub truncated: Option<&'a str>,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    /// The record's own headers.
    pub headers: Vec<(&'a str, Option<&'a [u8]>)>,
}

/// Which record of the dead-letter topic.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    pub partition: i32,
    pub offset: i64,
    pub timestamp_ms: Option<i64>,
}

impl<'a> Letter<'a> {
    /// Reads a record of the dead-letter topic.
    pub fn read(
        place: Place,
        key: Option<&'a [u8]>,
        value: Option<&'a [u8]>,
        headers: impl Iterator<Item = (&'a str, Option<&'a [u8]>)>,
    ) -> Letter<'a> {
        let mut headers: Vec<(&str, Option<&[u8]>)> = headers.collect();
        // The daemon adds its headers after the record's own, among which may be some of the same names.
        let own = headers.iter().rposition(|(name, _)| *name == "qualifyd-reason").unwrap_or(headers.len());
        let added = headers.split_off(own);
        let text = |name: &str| {
            let (_, value) = added.iter().find(|(header, _)| *header == name)?;
            std::str::from_utf8((*value)?).ok()
        };
        Letter {
            partition: place.partition,
            offset: place.offset,
            rejected_ms: place.timestamp_ms,
            reason: text("qualifyd-reason").unwrap_or_default(),
            detail: text("qualifyd-detail").unwrap_or_default(),
            topic: text("qualifyd-topic").unwrap_or_default(),
            from_partition: text("qualifyd-partition").and_then(|number| number.parse().ok()),
            from_offset: text("qualifyd-offset").and_then(|number| number.parse().ok()),
            timestamp_ms: text("qualifyd-timestamp").and_then(|ms| ms.parse().ok()).filter(|&ms| ms >= 0),
            truncated: text("qualifyd-truncated"),
            key,
            value,
            headers,
        }
    }

    /// Whether it can be sent again as it was.
    pub fn is_whole(&self) -> bool {
        !self.reason.is_empty() && self.truncated.is_none()
    }
}

/// Which dead letters are meant.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Any of these reasons; all if empty.
    pub reasons: Vec<String>,
    /// Rejected at this moment (ms) or later.
    pub since_ms: Option<i64>,
}

impl Filter {
    pub fn holds(&self, letter: &Letter<'_>) -> bool {
        let reason = self.reasons.is_empty() || self.reasons.iter().any(|reason| reason == letter.reason);
        reason && self.since_ms.is_none_or(|since| letter.rejected_ms.is_none_or(|at| at >= since))
    }
}

/// The letters of one partition that were sent again: for each reason ranges of offsets, in which every whole letter of
/// that reason was. It is kept as the metadata of a committed offset, so it has to be short.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resent {
    reasons: BTreeMap<String, Vec<(i64, i64)>>,
}

impl Resent {
    /// Reads a note; `None` if it is none.
    pub fn parse(note: &str) -> Option<Resent> {
        let mut reasons = BTreeMap::new();
        for part in note.split(';').filter(|part| !part.is_empty()) {
            let (reason, ranges) = part.split_once(':')?;
            let range = |range: &str| {
                let (first, last) = range.split_once('-')?;
                let (first, last) = (first.parse().ok()?, last.parse().ok()?);
                (first <= last).then_some((first, last))
            };
            reasons.insert(reason.to_owned(), ranges.split(',').map(range).collect::<Option<Vec<_>>>()?);
        }
        Some(Resent { reasons })
    }

    /// `not_json:0-12,20-30;bad_time:4-9`: first and last offsets.
    pub fn note(&self) -> String {
        let mut note = String::new();
        for (reason, ranges) in &self.reasons {
            let separator = if note.is_empty() { "" } else { ";" };
            let ranges: Vec<String> = ranges.iter().map(|(first, last)| format!("{first}-{last}")).collect();
            let _ = write!(note, "{separator}{reason}:{}", ranges.join(","));
        }
        note
    }

    pub fn contains(&self, letter: &Letter<'_>) -> bool {
        let ranges = self.reasons.get(letter.reason).map_or(&[][..], Vec::as_slice);
        // One that is not whole is never sent, and no gap between those that are.
        letter.is_whole() && ranges.iter().any(|(first, last)| (first..=last).contains(&&letter.offset))
    }

    /// Notes a letter; `before` is the offset of the whole letter of the same reason that stands before it, if there is
    /// one.
    pub fn add(&mut self, letter: &Letter<'_>, before: Option<i64>) {
        let ranges = self.reasons.entry(letter.reason.to_owned()).or_default();
        let offset = letter.offset;
        match ranges.iter_mut().find(|(_, last)| Some(*last) == before) {
            Some((_, last)) => *last = offset,
            None => ranges.push((offset, offset)),
        }
        ranges.sort_unstable();
    }

    /// Unites ranges between which no letter of the reason stands: `before` is noted and comes right before `letter`,
    /// which is, too.
    pub fn join(&mut self, letter: &Letter<'_>, before: Option<i64>) {
        let Some(ranges) = self.reasons.get_mut(letter.reason) else { return };
        let earlier = ranges.iter().position(|(_, last)| Some(*last) == before);
        let later = ranges.iter().position(|(first, _)| *first == letter.offset);
        if let (Some(earlier), Some(later)) = (earlier, later)
            && earlier != later
        {
            ranges[earlier].1 = ranges[later].1;
            ranges.remove(later);
        }
    }

    /// The offset after the last letter that is noted.
    pub fn end(&self) -> i64 {
        self.reasons.values().flatten().map(|(_, last)| last + 1).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(reason: &str, offset: i64) -> Letter<'_> {
        let place = Place { partition: 0, offset, timestamp_ms: Some(offset * 1000) };
        let headers = [("qualifyd-reason", Some(reason.as_bytes()))];
        Letter::read(place, None, None, headers.into_iter())
    }

    #[test]
    fn a_letter_gives_back_the_record_as_it_was() {
        let headers: [(&str, Option<&[u8]>); 8] = [
            ("trace", Some(b"\xff")),
            ("qualifyd-reason", Some(b"of the sender")),
            ("qualifyd-reason", Some(b"bad_time")),
            ("qualifyd-detail", Some(b"fix it")),
            ("qualifyd-topic", Some(b"engagement")),
            ("qualifyd-partition", Some(b"3")),
            ("qualifyd-offset", Some(b"17")),
            ("qualifyd-timestamp", Some(b"-1")),
        ];
        let place = Place { partition: 1, offset: 5, timestamp_ms: Some(9) };
        let read = Letter::read(place, Some(b"k"), None, headers.into_iter());
        assert_eq!(read.headers, headers[..2]);
        assert_eq!((read.reason, read.detail, read.topic), ("bad_time", "fix it", "engagement"));
        assert_eq!((read.from_partition, read.from_offset, read.timestamp_ms), (Some(3), Some(17), None));
        assert!(read.is_whole());
        let cut = headers.into_iter().chain([("qualifyd-truncated", Some(&b"value"[..]))]);
        assert!(!Letter::read(place, None, None, cut).is_whole());
        assert!(!Letter::read(place, None, None, headers.into_iter().take(1)).is_whole(), "no dead letter");
    }

    #[test]
    fn filters_by_reason_and_time() {
        let filter = Filter { reasons: vec!["bad_time".into()], since_ms: Some(5_000) };
        assert!(filter.holds(&letter("bad_time", 5)));
        assert!(!filter.holds(&letter("bad_time", 4)));
        assert!(!filter.holds(&letter("not_json", 5)));
        assert!(Filter::default().holds(&letter("not_json", 0)));
    }

    #[test]
    fn notes_are_short_and_exact() {
        let mut resent = Resent::default();
        // Offsets 1 and 4 are letters of another reason; 5 was left out.
        for (offset, before) in [(0, None), (2, Some(0)), (3, Some(2)), (7, Some(5))] {
            resent.add(&letter("bad_time", offset), before);
        }
        resent.add(&letter("not_json", 1), None);
        assert_eq!(resent.note(), "bad_time:0-3,7-7;not_json:1-1");
        assert_eq!(Resent::parse(&resent.note()), Some(resent.clone()));
        assert_eq!(resent.end(), 8);
        assert!(resent.contains(&letter("bad_time", 2)) && !resent.contains(&letter("bad_time", 5)));
        assert!(!resent.contains(&letter("not_json", 2)));
        resent.add(&letter("bad_time", 5), Some(3));
        resent.join(&letter("bad_time", 7), Some(5));
        assert_eq!(resent.note(), "bad_time:0-7;not_json:1-1");
    }

    #[test]
    fn other_metadata_is_no_note() {
        for note in ["resent", "bad_time:", "bad_time:3", "bad_time:4-3", "a:1-x"] {
            assert_eq!(Resent::parse(note), None, "{note}");
        }
        assert_eq!(Resent::parse(""), Some(Resent::default()));
    }
}
