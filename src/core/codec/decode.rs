//! A lead out of its bytes.

use super::*;
use crate::core::lead::*;
use crate::core::pool::List;
use crate::core::varint::index_below;

/// Reads a lead's bytes into `lead`, whose buffers are reused, and its id into `id`. Returns the number of its name
/// tables. Never panics, whatever the bytes; allocates no more than a small multiple of their length. Bytes from
/// elsewhere need [`MessageIds::check`](super::message_ids::MessageIds::check) too, which costs more than the rest.
pub fn decode(
    bytes: &[u8],
    bounds: &Bounds,
    lead: &mut Lead,
    told: &mut Told,
    id: &mut String,
) -> Result<u32, Corrupt> {
    lead.clear();
    id.clear();
    let reader = &mut Reader::new(bytes);
    read_prefix(reader, id)?;
    let tables = read_tables(reader)?;
    let flags = reader.byte()?;
    lead.clock = reader.zigzag()?;
    // Decoding subtracts from the clock: a clock in the range of SPEC §1 keeps all of it inside i64.
    if !(0..=crate::event::time::LATEST_MS).contains(&lead.clock) {
        return Err(Corrupt("the clock is out of range"));
    }
    told.begin(lead.clock);
    lead.identified = flags & IDENTIFIED != 0;
    lead.first_seen = told.read(reader)?;
    lead.entered_at = told.read(reader)?;
    if flags & ACTIVE != 0 {
        lead.last_activity = Some(told.read(reader)?);
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
    decode_held(reader, bounds, told, lead)?;
    decode_seen(reader, bounds, told, lead)?;
    decode_traits(reader, bounds, told, lead)?;
    decode_past(reader, bounds, told, lead)?;
    decode_decisions(reader, bounds, flags, told, lead)?;
    lead.message_ids.decode(told, reader)?;
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

/// The next of a list of ascending times.
fn next_time(reader: &mut Reader<'_>, told: &mut Told, before: &mut i64) -> Result<i64, Corrupt> {
    let time = told.read(reader)?;
    if time < *before {
        return Err(Corrupt("times out of order"));
    }
    *before = time;
    Ok(time)
}

fn decode_held(
    reader: &mut Reader<'_>,
    bounds: &Bounds,
    told: &mut Told,
    lead: &mut Lead,
) -> Result<(), Corrupt> {
    let mut before = None;
    for _ in 0..reader.length(3)? {
        let id = next_id(reader, &mut before, bounds.contributions)?;
        let head = reader.byte()?;
        let value = reader.f64(head & 15)?;
        let count = if head & COUNT_IS_ONE != 0 { 1 } else { reader.u32()? };
        let last_at = told.read(reader)?;
        let mut held = Held { id, value, count, last_at, times: List::default(), slots: List::default() };
        if head & HAS_TIMES != 0 {
            let more = if head & MORE_TIMES != 0 { reader.length(1)? } else { 0 };
            let mut before = 0;
            for _ in 0..more {
                let time = next_time(reader, told, &mut before)?;
                lead.times.push(&mut held.times, time);
            }
            if before > last_at {
                return Err(Corrupt("times out of order"));
            }
            lead.times.push(&mut held.times, last_at);
        }
        if head & HAS_SLOTS != 0 {
            let mut before = 0;
            for _ in 0..reader.length(3)? {
                let time = next_time(reader, told, &mut before)?;
                let length = reader.byte()?;
                let slot = Slot { time, points: reader.f64(length)?, count: reader.u32()? };
                lead.slots.push(&mut held.slots, slot);
            }
        }
        lead.held.push(held);
    }
    Ok(())
}

fn decode_seen(
    reader: &mut Reader<'_>,
    bounds: &Bounds,
    told: &mut Told,
    lead: &mut Lead,
) -> Result<(), Corrupt> {
    let mut before = None;
    for _ in 0..reader.length(3)? {
        let id = next_id(reader, &mut before, bounds.seen)?;
        let head = reader.varint()?;
        let mut seen = SeenHeld { id, count: 0, hashed: head & 1 != 0, sightings: List::default() };
        let length = head >> 1;
        if length == 0 {
            seen.count = reader.u32()?;
        }
        let mut before = 0;
        // Each takes a byte at least, so a length that lies ends with the bytes.
        for _ in 0..length {
            let time = next_time(reader, told, &mut before)?;
            let value = if seen.hashed { u64::from_le_bytes(reader.array()?) } else { 0 };
            lead.sightings.push(&mut seen.sightings, Sighting { time, value });
        }
        lead.seen.push(seen);
    }
    Ok(())
}

fn decode_traits(
    reader: &mut Reader<'_>,
    bounds: &Bounds,
    told: &mut Told,
    lead: &mut Lead,
) -> Result<(), Corrupt> {
    let mut before = None;
    for _ in 0..reader.length(3)? {
        let id = next_id(reader, &mut before, bounds.traits)?;
        let time = told.read(reader)?;
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

fn decode_past(
    reader: &mut Reader<'_>,
    bounds: &Bounds,
    told: &mut Told,
    lead: &mut Lead,
) -> Result<(), Corrupt> {
    for _ in 0..reader.length(2)? {
        let channel = reader.index(bounds.channels)?;
        lead.touches.push(Touch { channel, time: told.read(reader)? });
    }
    let length = reader.length(3)?;
    if length > HISTORY {
        return Err(Corrupt("too long a history"));
    }
    for _ in 0..length {
        let transition = reader.index(bounds.transitions)?;
        let from = reader.index(bounds.stages)?;
        lead.history.push(Past { transition, from, at: told.read(reader)? });
    }
    Ok(())
}

fn decode_decisions(
    reader: &mut Reader<'_>,
    bounds: &Bounds,
    flags: u8,
    told: &mut Told,
    lead: &mut Lead,
) -> Result<(), Corrupt> {
    if flags & RESETS != 0 {
        for _ in 0..reader.length(2)? {
            let score = reader.index(bounds.scores)?;
            lead.resets.push(Reset { score, until: told.read(reader)? });
        }
    }
    if flags & SLAS != 0 {
        for _ in 0..reader.length(2)? {
            let head = reader.varint()?;
            let id = index_below(head >> 2, bounds.slas)?;
            let (due_sent, past_due_sent) = (head & 1 != 0, head & 2 != 0);
            sorted(lead.slas.last().map(|before| before.id), id)?;
            lead.slas.push(SlaHeld { id, started_at: told.read(reader)?, due_sent, past_due_sent });
        }
    }
    if flags & ALERTS != 0 {
        for _ in 0..reader.length(1)? {
            let head = reader.varint()?;
            let id = index_below(head >> 2, bounds.alerts)?;
            let fired_at = if head & 2 != 0 { Some(told.read(reader)?) } else { None };
            sorted(lead.alerts.last().map(|before| before.id), id)?;
            lead.alerts.push(AlertHeld { id, disarmed: head & 1 != 0, fired_at });
        }
    }
    if flags & SENT != 0 {
        let at = told.read(reader)?;
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

fn read_score(reader: &mut Reader<'_>) -> Result<SentScore, Corrupt> {
    let grade = reader.byte()?.checked_sub(1);
    let head = reader.varint()?;
    let (number, negative) = ((head >> 3) as f64, head & 4 != 0);
    let value = match head & 3 {
        UNITS => number,
        HUNDREDTHS => number / 1e2,
        MILLIONTHS => number / 1e6,
        _ => f64::from_le_bytes(reader.array()?),
    };
    if !value.is_finite() {
        return Err(Corrupt("a score that is no number"));
    }
    Ok(SentScore { value: if negative { -value } else { value }, grade })
}
