//! A lead's bytes: what sits in memory, what goes to the changelog, what restores. One format, version 1.
//!
//! ```text
//! format · id · tables · flags · clock · … · lists
//! ```
//! Numbers are LEB128 varints, times are differences to the lead's clock or to their neighbour in a list, lists are
//! their length and their items, sets are bytes without trailing zeros, floats their big-endian bytes without trailing
//! zeros (small whole numbers take two). Indices are those of the model version whose name tables `tables` numbers.

use super::lead::*;
use super::pool::List;
use super::varint::{Reader, index_below, write_bits, write_f64, write_varint, write_zigzag};
use crate::model::Model;

/// The first byte of every lead.
const FORMAT: u8 = 1;

const IDENTIFIED: u8 = 1;
const ACTIVE: u8 = 1 << 1;
const SENT: u8 = 1 << 2;
const FIRED: u8 = 1 << 3;
const PENDING: u8 = 1 << 4;
const RESETS: u8 = 1 << 5;
const SLAS: u8 = 1 << 6;
const ALERTS: u8 = 1 << 7;

/// Of a contribution's head byte, whose low four bits are the length of its value.
const COUNT_IS_ONE: u8 = 1 << 4;
const HAS_TIMES: u8 = 1 << 5;
const HAS_SLOTS: u8 = 1 << 6;

/// Bytes that are not a lead's, or not one of this model's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the bytes of a lead: {0}")]
pub struct Corrupt(pub &'static str);

/// How many of each thing the model has: indices at or above are refused.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bounds {
    pub stages: usize,
    pub transitions: usize,
    pub contributions: usize,
    pub seen: usize,
    pub traits: usize,
    pub facts: usize,
    pub scores: usize,
    pub alerts: usize,
    pub slas: usize,
    pub channels: usize,
}

impl Bounds {
    pub fn of(model: &Model) -> Bounds {
        Bounds {
            stages: model.stages.len(),
            transitions: model.transitions.len(),
            contributions: model.contributions.len(),
            seen: model.seen.len(),
            traits: model.traits.len(),
            facts: model.facts.len(),
            scores: model.scores.len(),
            alerts: model.alerts.len(),
            slas: model.slas.len(),
            channels: model.attribution.as_ref().map_or(0, |attribution| attribution.channels.len()),
        }
    }
}

/// Appends what every lead with this id begins with; no other lead's bytes begin so.
pub fn write_prefix(out: &mut Vec<u8>, id: &str) {
    out.push(FORMAT);
    match pack_uuid(id) {
        Some(packed) => {
            out.push(0);
            out.extend_from_slice(&packed);
        }
        None => {
            write_varint(out, id.len() as u64 + 1);
            out.extend_from_slice(id.as_bytes());
        }
    }
}

/// The lead id at the front of a lead's bytes, appended to `out`.
pub fn read_id(bytes: &[u8], out: &mut String) -> Result<(), Corrupt> {
    read_prefix(&mut Reader::new(bytes), out)
}

fn read_prefix(reader: &mut Reader<'_>, out: &mut String) -> Result<(), Corrupt> {
    if reader.byte()? != FORMAT {
        return Err(Corrupt("unknown format"));
    }
    match reader.varint()? {
        0 => unpack_uuid(reader.take(16)?, out),
        length => {
            let id = reader.take(length as usize - 1)?;
            out.push_str(std::str::from_utf8(id).map_err(|_| Corrupt("the id is not UTF-8"))?);
        }
    }
    Ok(())
}

/// The 16 bytes of a UUID in its usual lowercase text form: ids are often UUIDs, and this saves 20 bytes of each lead.
fn pack_uuid(id: &str) -> Option<[u8; 16]> {
    let text = id.as_bytes();
    if text.len() != 36 {
        return None;
    }
    let mut packed = [0u8; 16];
    let mut nibble = 0;
    for (at, &byte) in text.iter().enumerate() {
        if matches!(at, 8 | 13 | 18 | 23) {
            if byte != b'-' {
                return None;
            }
            continue;
        }
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        packed[nibble / 2] |= digit << (4 * (1 - nibble % 2));
        nibble += 1;
    }
    Some(packed)
}

fn unpack_uuid(packed: &[u8], out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (at, byte) in packed.iter().enumerate() {
        if matches!(at, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        out.push(char::from(DIGITS[usize::from(byte >> 4)]));
        out.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}

/// Appends the lead's bytes after its prefix (see [`write_prefix`]). `tables` numbers the name tables of the model.
pub fn encode(lead: &Lead, tables: u32, out: &mut Vec<u8>) {
    write_varint(out, u64::from(tables));
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    out.push(
        flag(lead.identified, IDENTIFIED)
            | flag(lead.last_activity.is_some(), ACTIVE)
            | flag(lead.sent.is_some(), SENT)
            | flag(!lead.fired_by_time.is_empty(), FIRED)
            | flag(!lead.pending.is_empty(), PENDING)
            | flag(!lead.resets.is_empty(), RESETS)
            | flag(!lead.slas.is_empty(), SLAS)
            | flag(!lead.alerts.is_empty(), ALERTS),
    );
    write_zigzag(out, lead.clock);
    write_ago(out, lead.clock, lead.first_seen);
    write_ago(out, lead.clock, lead.entered_at);
    if let Some(at) = lead.last_activity {
        write_ago(out, lead.clock, at);
    }
    write_varint(out, lead.seq);
    write_varint(out, u64::from(lead.stage));
    write_bits(out, &lead.been_in);
    write_bits(out, &lead.facts);
    if !lead.fired_by_time.is_empty() {
        write_bits(out, &lead.fired_by_time);
    }
    if !lead.pending.is_empty() {
        write_bits(out, &lead.pending);
    }
    encode_held(lead, out);
    encode_seen(lead, out);
    encode_traits(lead, out);
    encode_flat_lists(lead, out);
    encode_decisions(lead, out);
    lead.message_ids.encode(lead.clock, out);
}

fn write_ago(out: &mut Vec<u8>, clock: i64, time: i64) {
    write_varint(out, clock.wrapping_sub(time) as u64);
}

/// Ascending times: the first as its distance to the clock, the others to the one before.
fn write_times(out: &mut Vec<u8>, clock: i64, times: impl Iterator<Item = i64>) {
    let mut last = None;
    for time in times {
        match last {
            None => write_ago(out, clock, time),
            Some(before) => write_ago(out, time, before),
        }
        last = Some(time);
    }
}

fn encode_held(lead: &Lead, out: &mut Vec<u8>) {
    write_varint(out, lead.held.len() as u64);
    let mut id_before = 0;
    for held in &lead.held {
        write_varint(out, u64::from(held.id - id_before));
        id_before = held.id;
        let head_at = out.len();
        out.push(0);
        let mut head = write_f64(out, held.value);
        if held.count == 1 {
            head |= COUNT_IS_ONE;
        } else {
            write_varint(out, u64::from(held.count));
        }
        write_ago(out, lead.clock, held.last_at);
        if !held.times.is_empty() {
            head |= HAS_TIMES;
            let times = lead.times.get(held.times);
            write_varint(out, times.len() as u64);
            write_times(out, lead.clock, times.iter().copied());
        }
        if !held.slots.is_empty() {
            head |= HAS_SLOTS;
            let slots = lead.slots.get(held.slots);
            write_varint(out, slots.len() as u64);
            write_times(out, lead.clock, slots.iter().map(|slot| slot.time));
            for slot in slots {
                let at = out.len();
                out.push(0);
                out[at] = write_f64(out, slot.points);
                write_varint(out, u64::from(slot.count));
            }
        }
        out[head_at] = head;
    }
}

fn encode_seen(lead: &Lead, out: &mut Vec<u8>) {
    write_varint(out, lead.seen.len() as u64);
    let mut id_before = 0;
    for seen in &lead.seen {
        write_varint(out, u64::from(seen.id - id_before));
        id_before = seen.id;
        let sightings = lead.sightings.get(seen.sightings);
        write_varint(out, (sightings.len() as u64) << 1 | u64::from(seen.hashed));
        if sightings.is_empty() {
            write_varint(out, u64::from(seen.count));
            continue;
        }
        write_times(out, lead.clock, sightings.iter().map(|sighting| sighting.time));
        if seen.hashed {
            sightings.iter().for_each(|sighting| out.extend_from_slice(&sighting.value.to_le_bytes()));
        }
    }
}

fn encode_traits(lead: &Lead, out: &mut Vec<u8>) {
    write_varint(out, lead.traits.len() as u64);
    let (mut id_before, mut time_before) = (0, lead.clock);
    for held in &lead.traits {
        write_varint(out, u64::from(held.id - id_before));
        id_before = held.id;
        write_zigzag(out, time_before.wrapping_sub(held.time));
        time_before = held.time;
        // Most traits are texts: their quotes go into the length.
        let text = lead.text.get(held.text);
        let quoted = text.len() >= 2 && text[0] == b'"';
        let inner = if quoted { &text[1..text.len() - 1] } else { text };
        write_varint(out, (inner.len() as u64) << 1 | u64::from(quoted));
        out.extend_from_slice(inner);
    }
}

fn encode_flat_lists(lead: &Lead, out: &mut Vec<u8>) {
    write_varint(out, lead.touches.len() as u64);
    let mut time_before = lead.clock;
    for touch in &lead.touches {
        write_varint(out, u64::from(touch.channel));
        write_zigzag(out, time_before.wrapping_sub(touch.time));
        time_before = touch.time;
    }
    write_varint(out, lead.history.len() as u64);
    time_before = lead.clock;
    for past in lead.history.iter().rev() {
        write_varint(out, u64::from(past.transition));
        write_varint(out, u64::from(past.from));
        write_ago(out, time_before, past.at);
        time_before = past.at;
    }
}

fn encode_decisions(lead: &Lead, out: &mut Vec<u8>) {
    if !lead.resets.is_empty() {
        write_varint(out, lead.resets.len() as u64);
        for reset in &lead.resets {
            write_varint(out, u64::from(reset.score));
            write_ago(out, lead.clock, reset.until);
        }
    }
    if !lead.slas.is_empty() {
        write_varint(out, lead.slas.len() as u64);
        for sla in &lead.slas {
            let sent = u64::from(sla.past_due_sent) << 1 | u64::from(sla.due_sent);
            write_varint(out, u64::from(sla.id) << 2 | sent);
            write_ago(out, lead.clock, sla.started_at);
        }
    }
    if !lead.alerts.is_empty() {
        write_varint(out, lead.alerts.len() as u64);
        for alert in &lead.alerts {
            let state = u64::from(alert.fired_at.is_some()) << 1 | u64::from(alert.disarmed);
            write_varint(out, u64::from(alert.id) << 2 | state);
            if let Some(at) = alert.fired_at {
                write_ago(out, lead.clock, at);
            }
        }
    }
    if let Some(sent) = lead.sent {
        write_ago(out, lead.clock, sent.at);
        write_varint(out, u64::from(sent.stage));
        write_varint(out, lead.sent_scores.len() as u64);
        for score in &lead.sent_scores {
            write_score(out, score);
        }
        write_bits(out, &lead.sent_missing);
    }
}

/// Scores of fewer millionths are kept as these, which is what their rounding leaves of them.
const MOST_MILLIONTHS: f64 = 1e15;

fn write_score(out: &mut Vec<u8>, score: &SentScore) {
    out.push(score.grade.map_or(0, |grade| grade.saturating_add(1)));
    let millionths = (score.value * 1e6).round();
    if millionths.abs() < MOST_MILLIONTHS {
        let millionths = millionths as i64;
        write_varint(out, (millionths.unsigned_abs() << 2) | u64::from(millionths < 0) << 1);
    } else {
        write_varint(out, 1);
        out.extend_from_slice(&score.value.to_le_bytes());
    }
}

fn read_score(reader: &mut Reader<'_>) -> Result<SentScore, Corrupt> {
    let grade = reader.byte()?.checked_sub(1);
    let head = reader.varint()?;
    let value = match head & 1 {
        0 => {
            let value = (head >> 2) as f64 / 1e6;
            if head & 2 != 0 { -value } else { value }
        }
        _ => f64::from_le_bytes(reader.array()?),
    };
    if !value.is_finite() {
        return Err(Corrupt("a score that is no number"));
    }
    Ok(SentScore { value, grade })
}

/// Reads a lead's bytes into `lead`, whose buffers are reused, and its id into `id`. Returns the number of its name
/// tables. Never panics, whatever the bytes; allocates no more than a small multiple of their length. Bytes from
/// elsewhere need [`MessageIds::check`](super::message_ids::MessageIds::check) too, which costs more than the rest.
pub fn decode(bytes: &[u8], bounds: &Bounds, lead: &mut Lead, id: &mut String) -> Result<u32, Corrupt> {
    lead.clear();
    id.clear();
    let reader = &mut Reader::new(bytes);
    read_prefix(reader, id)?;
    let tables = u32::try_from(reader.varint()?).map_err(|_| Corrupt("name tables out of range"))?;
    let flags = reader.byte()?;
    lead.clock = reader.zigzag()?;
    // Decoding subtracts from the clock: a clock in the range of SPEC §1 keeps all of it inside i64.
    if !(0..=crate::event::time::LATEST_MS).contains(&lead.clock) {
        return Err(Corrupt("the clock is out of range"));
    }
    lead.identified = flags & IDENTIFIED != 0;
    lead.first_seen = reader.ago(lead.clock)?;
    lead.entered_at = reader.ago(lead.clock)?;
    if flags & ACTIVE != 0 {
        lead.last_activity = Some(reader.ago(lead.clock)?);
    }
    lead.seq = reader.varint()?;
    lead.stage = reader.index(bounds.stages)?;
    reader.bits(&mut lead.been_in, bounds.stages)?;
    reader.bits(&mut lead.facts, bounds.facts)?;
    if flags & FIRED != 0 {
        reader.bits(&mut lead.fired_by_time, bounds.transitions)?;
    }
    if flags & PENDING != 0 {
        reader.bits(&mut lead.pending, bounds.transitions)?;
    }
    decode_held(reader, bounds, lead)?;
    decode_seen(reader, bounds, lead)?;
    decode_traits(reader, bounds, lead)?;
    decode_flat_lists(reader, bounds, lead)?;
    decode_decisions(reader, bounds, flags, lead)?;
    lead.message_ids.decode(lead.clock, reader)?;
    if reader.is_empty() { Ok(tables) } else { Err(Corrupt("trailing bytes")) }
}

/// The next id of a list that is sorted by id without repeats.
fn next_id(reader: &mut Reader<'_>, before: &mut Option<u16>, bound: usize) -> Result<u16, Corrupt> {
    let step = reader.varint()?;
    let id = u64::from(before.unwrap_or(0)).checked_add(step).filter(|&id| id < bound as u64);
    let id = id.ok_or(Corrupt("an index out of range"))? as u16;
    if *before == Some(id) {
        return Err(Corrupt("a repeated index"));
    }
    *before = Some(id);
    Ok(id)
}

/// A list of ascending times, as [`write_times`] wrote it.
fn next_time(reader: &mut Reader<'_>, clock: i64, before: &mut Option<i64>) -> Result<i64, Corrupt> {
    let time = match *before {
        None => reader.ago(clock)?,
        Some(before) => {
            let step = reader.varint()?;
            let time = i64::try_from(step).ok().and_then(|step| before.checked_add(step));
            time.filter(|&time| time <= clock).ok_or(Corrupt("a time after the clock"))?
        }
    };
    *before = Some(time);
    Ok(time)
}

fn decode_held(reader: &mut Reader<'_>, bounds: &Bounds, lead: &mut Lead) -> Result<(), Corrupt> {
    let mut before = None;
    for _ in 0..reader.length(4)? {
        let id = next_id(reader, &mut before, bounds.contributions)?;
        let head = reader.byte()?;
        let value = reader.f64(head & 15)?;
        let count = if head & COUNT_IS_ONE != 0 { 1 } else { reader.u32()? };
        let last_at = reader.ago(lead.clock)?;
        let mut held = Held { id, value, count, last_at, times: List::default(), slots: List::default() };
        if head & HAS_TIMES != 0 {
            let mut before = None;
            for _ in 0..reader.length(1)? {
                let time = next_time(reader, lead.clock, &mut before)?;
                lead.times.push(&mut held.times, time);
            }
        }
        if head & HAS_SLOTS != 0 {
            let mut before = None;
            let slots = reader.length(3)?;
            for _ in 0..slots {
                let time = next_time(reader, lead.clock, &mut before)?;
                lead.slots.push(&mut held.slots, Slot { time, points: 0.0, count: 0 });
            }
            for at in 0..slots {
                let length = reader.byte()?;
                let points = reader.f64(length)?;
                let count = reader.u32()?;
                let slot = &mut lead.slots.get_mut(held.slots)[at];
                (slot.points, slot.count) = (points, count);
            }
        }
        lead.held.push(held);
    }
    Ok(())
}

fn decode_seen(reader: &mut Reader<'_>, bounds: &Bounds, lead: &mut Lead) -> Result<(), Corrupt> {
    let mut before = None;
    for _ in 0..reader.length(3)? {
        let id = next_id(reader, &mut before, bounds.seen)?;
        let head = reader.varint()?;
        let mut seen = SeenHeld { id, count: 0, hashed: head & 1 != 0, sightings: List::default() };
        let length = (head >> 1) as usize;
        if length == 0 {
            seen.count = reader.u32()?;
        }
        if length > reader.left() {
            return Err(Corrupt("a list longer than its bytes"));
        }
        let mut before = None;
        for _ in 0..length {
            let time = next_time(reader, lead.clock, &mut before)?;
            lead.sightings.push(&mut seen.sightings, Sighting { time, value: 0 });
        }
        if seen.hashed {
            for at in 0..length {
                lead.sightings.get_mut(seen.sightings)[at].value = u64::from_le_bytes(reader.array()?);
            }
        }
        lead.seen.push(seen);
    }
    Ok(())
}

fn decode_traits(reader: &mut Reader<'_>, bounds: &Bounds, lead: &mut Lead) -> Result<(), Corrupt> {
    let (mut before, mut time) = (None, lead.clock);
    for _ in 0..reader.length(3)? {
        let id = next_id(reader, &mut before, bounds.traits)?;
        time = reader.before(time, lead.clock)?;
        let head = reader.varint()?;
        let inner = reader.take((head >> 1) as usize)?;
        if std::str::from_utf8(inner).is_err() {
            return Err(Corrupt("a trait that is not UTF-8"));
        }
        // Encoding takes an opening quote for that of a text.
        if head & 1 == 0 && inner.first() == Some(&b'"') {
            return Err(Corrupt("a text without its quotes"));
        }
        let mut text = lead.text.list(&[]);
        if head & 1 != 0 {
            lead.text.push(&mut text, b'"');
            lead.text.extend(&mut text, inner);
            lead.text.push(&mut text, b'"');
        } else {
            lead.text.extend(&mut text, inner);
        }
        lead.traits.push(TraitHeld { id, time, text });
    }
    Ok(())
}

fn decode_flat_lists(reader: &mut Reader<'_>, bounds: &Bounds, lead: &mut Lead) -> Result<(), Corrupt> {
    let mut time = lead.clock;
    for _ in 0..reader.length(2)? {
        let channel = reader.index(bounds.channels)?;
        time = reader.before(time, lead.clock)?;
        lead.touches.push(Touch { channel, time });
    }
    let mut time = lead.clock;
    let length = reader.length(3)?;
    if length > HISTORY {
        return Err(Corrupt("too long a history"));
    }
    for _ in 0..length {
        let transition = reader.index(bounds.transitions)?;
        let from = reader.index(bounds.stages)?;
        time = reader.ago(time)?;
        lead.history.push(Past { transition, from, at: time });
    }
    lead.history.reverse();
    Ok(())
}

fn decode_decisions(
    reader: &mut Reader<'_>,
    bounds: &Bounds,
    flags: u8,
    lead: &mut Lead,
) -> Result<(), Corrupt> {
    if flags & RESETS != 0 {
        for _ in 0..reader.length(2)? {
            let score = reader.index(bounds.scores)?;
            lead.resets.push(Reset { score, until: reader.ago(lead.clock)? });
        }
    }
    if flags & SLAS != 0 {
        for _ in 0..reader.length(2)? {
            let head = reader.varint()?;
            let id = index_below(head >> 2, bounds.slas)?;
            let (due_sent, past_due_sent) = (head & 1 != 0, head & 2 != 0);
            sorted(lead.slas.last().map(|before| before.id), id)?;
            lead.slas.push(SlaHeld { id, started_at: reader.ago(lead.clock)?, due_sent, past_due_sent });
        }
    }
    if flags & ALERTS != 0 {
        for _ in 0..reader.length(1)? {
            let head = reader.varint()?;
            let id = index_below(head >> 2, bounds.alerts)?;
            let fired_at = if head & 2 != 0 { Some(reader.ago(lead.clock)?) } else { None };
            sorted(lead.alerts.last().map(|before| before.id), id)?;
            lead.alerts.push(AlertHeld { id, disarmed: head & 1 != 0, fired_at });
        }
    }
    if flags & SENT != 0 {
        let at = reader.ago(lead.clock)?;
        lead.sent = Some(SentAt { at, stage: reader.index(bounds.stages)? });
        let length = reader.length(2)?;
        if length != bounds.scores {
            return Err(Corrupt("another number of scores"));
        }
        for _ in 0..length {
            lead.sent_scores.push(read_score(reader)?);
        }
        reader.bits(&mut lead.sent_missing, bounds.traits)?;
    }
    Ok(())
}

fn sorted(before: Option<u16>, id: u16) -> Result<(), Corrupt> {
    if before.is_some_and(|before| before >= id) { Err(Corrupt("indices out of order")) } else { Ok(()) }
}
