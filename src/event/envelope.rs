//! The envelope of an event (SPEC §1): kind, name, lead, time, message id. `null` and `""` count as absent in all of it.

use super::capture::{Capture, Shape};
use super::json::Scalar;
use super::plan::Envelope;
use super::scan::Scan;
use super::{Kind, Rejection, reject, time};

/// A lead's id has at most so many bytes.
pub(super) const MAX_LEAD_BYTES: usize = 512;

/// The fields of a time, the first present counts.
const TIMES: [Envelope; 7] = [
    Envelope::Timestamp,
    Envelope::OriginalTimestamp,
    Envelope::OriginalTimestampSnake,
    Envelope::SentAt,
    Envelope::SentAtSnake,
    Envelope::ReceivedAt,
    Envelope::ReceivedAtSnake,
];

const IDS: [Envelope; 4] =
    [Envelope::UserId, Envelope::UserIdSnake, Envelope::AnonymousId, Envelope::AnonymousIdSnake];

/// Who the event belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Lead<'a> {
    Missing,
    /// An id that breaks the rules.
    Bad(Envelope, &'a Capture),
    Id(Envelope, &'a str),
}

impl<'a> Lead<'a> {
    pub fn id(&self) -> Option<&'a str> {
        match *self {
            Lead::Id(_, id) => Some(id),
            _ => None,
        }
    }
}

impl Kind {
    const ALL: [Kind; 6] = [Kind::Track, Kind::Page, Kind::Screen, Kind::Identify, Kind::Group, Kind::Alias];

    /// As events name it, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Track => "track",
            Kind::Page => "page",
            Kind::Screen => "screen",
            Kind::Identify => "identify",
            Kind::Group => "group",
            Kind::Alias => "alias",
        }
    }
}

impl<'a> Scan<'a> {
    /// The field's value; of a field in `context.traits` only if that is an object.
    #[inline]
    fn raw(&self, field: Envelope) -> Option<&'a Capture> {
        self.captures.at(self.plan.envelope(field)).find(|capture| capture.through_objects())
    }

    /// The field's value, unless it counts as absent.
    #[inline]
    pub(super) fn present(&self, field: Envelope) -> Option<&'a Capture> {
        self.raw(field).filter(|capture| !capture.is_empty())
    }

    fn first_present(&self, fields: &[Envelope]) -> Option<(Envelope, &'a Capture)> {
        fields.iter().find_map(|&field| Some((field, self.present(field)?)))
    }

    /// The field's value if it is a string, but not an empty one.
    fn string(&self, field: Envelope) -> Option<&'a str> {
        self.present(field).filter(|capture| capture.is_string()).map(|capture| self.captured_text(capture))
    }

    pub(super) fn find_kind(&self) -> Result<Kind, Rejection> {
        let Some((field, capture)) = self.first_present(&[Envelope::Type, Envelope::Action]) else {
            return Err(reject::missing_kind(self.text));
        };
        let text = self.captured_text(capture);
        let find = |is: fn(&str, &str) -> bool| Kind::ALL.into_iter().find(|kind| is(text, kind.name()));
        // Nearly always it is in lower case.
        find(|text, name| text == name)
            .or_else(|| find(str::eq_ignore_ascii_case))
            .filter(|_| capture.is_string())
            .ok_or_else(|| reject::unknown_kind(field, capture.shape, text))
    }

    pub(super) fn find_name(&self, kind: Kind) -> Option<&'a str> {
        match kind {
            Kind::Track => self.string(Envelope::Event),
            Kind::Page | Kind::Screen => {
                self.string(Envelope::Name).or_else(|| self.string(Envelope::PropertiesName))
            }
            Kind::Identify | Kind::Group | Kind::Alias => None,
        }
    }

    /// The first e-mail address: where it stands, and as it is written there.
    fn find_email(&self) -> Option<(Envelope, &'a str)> {
        [Envelope::TraitsEmail, Envelope::ContextTraitsEmail, Envelope::PropertiesEmail]
            .into_iter()
            .filter(|&field| !(field == Envelope::TraitsEmail && self.kind() == Kind::Group))
            .filter_map(|field| Some((field, self.string(field)?)))
            .find(|(_, text)| text.contains('@'))
    }

    /// Finds the lead; an e-mail address is lowercased into the buffer.
    pub(super) fn find_lead(&self, buffer: &'a mut String) -> Lead<'a> {
        if let Some((field, capture)) = self.first_present(&IDS) {
            let text = self.captured_text(capture);
            return match capture.shape {
                Shape::Scalar(Scalar::Plain | Scalar::Escaped) if text.len() <= MAX_LEAD_BYTES => {
                    Lead::Id(field, text)
                }
                Shape::Scalar(Scalar::Number) if text == "-0" => Lead::Id(field, "0"),
                // With a fraction or an exponent it does not parse; without, JSON writes an integer in one way only.
                Shape::Scalar(Scalar::Number) if text.parse::<i64>().is_ok() => Lead::Id(field, text),
                _ => Lead::Bad(field, capture),
            };
        }
        let Some((field, email)) = self.find_email() else { return Lead::Missing };
        if email.len() > MAX_LEAD_BYTES {
            return self.raw(field).map_or(Lead::Missing, |capture| Lead::Bad(field, capture));
        }
        buffer.clear();
        buffer.push_str(email);
        buffer.make_ascii_lowercase();
        Lead::Id(field, buffer)
    }

    pub(super) fn valid_lead(&self) -> Result<&'a str, Rejection> {
        match self.lead {
            Lead::Id(_, id) => Ok(id),
            Lead::Bad(field, capture) => {
                Err(reject::bad_lead(field, capture.shape, self.captured_text(capture)))
            }
            Lead::Missing => Err(reject::missing_lead(self.kind())),
        }
    }

    pub(super) fn missing_name(&self) -> Rejection {
        reject::missing_name(self.present(Envelope::Event).map(|capture| capture.shape))
    }

    /// Whether the event carries a `userId` or a person's trait `email`, whatever its type. As for every trait, the one
    /// in `traits` hides that of `context.traits`, even if it is null.
    pub(super) fn identifies(&self) -> bool {
        if matches!(self.lead, Lead::Id(Envelope::UserId | Envelope::UserIdSnake, _)) {
            return true;
        }
        let own = self.raw(Envelope::TraitsEmail).filter(|_| self.kind() != Kind::Group);
        own.or_else(|| self.raw(Envelope::ContextTraitsEmail)).is_some_and(|email| !email.is_empty())
    }

    /// A message id of another type is none; the other spelling is not asked then.
    pub(super) fn message_id(&self) -> Option<&'a str> {
        let (_, capture) = self.first_present(&[Envelope::MessageId, Envelope::MessageIdSnake])?;
        capture.is_string().then(|| self.captured_text(capture))
    }

    /// The time that the event tells, else the record's.
    pub(super) fn time_ms(&self, record_time_ms: Option<i64>) -> Result<i64, Rejection> {
        match self.first_present(&TIMES) {
            Some((field, capture)) => self
                .read_time(capture)
                .ok_or_else(|| reject::bad_time(field, capture.shape, self.captured_text(capture))),
            None => {
                let record_time_ms = record_time_ms.ok_or_else(reject::missing_time)?;
                time::in_range(record_time_ms).ok_or_else(|| reject::bad_record_time(record_time_ms))
            }
        }
    }

    fn read_time(&self, capture: &Capture) -> Option<i64> {
        match capture.shape {
            Shape::Scalar(Scalar::Number) => time::parse_number(self.captured_text(capture)),
            Shape::Scalar(Scalar::Plain | Scalar::Escaped) => time::parse_text(self.captured_text(capture)),
            _ => None,
        }
    }

    /// `receivedAt` as a time, if it is there and readable: `replay` takes it for the record's timestamp.
    pub fn received_at_ms(&self) -> Option<i64> {
        let (_, capture) = self.first_present(&[Envelope::ReceivedAt, Envelope::ReceivedAtSnake])?;
        self.read_time(capture)
    }
}
