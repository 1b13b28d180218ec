//! A lead into its bytes.

use super::*;
use crate::core::lead::{Lead, SentScore};
use crate::core::varint::{write_bits, write_f64, write_varint, write_zigzag};

/// Appends the lead's bytes after its prefix (see [`write_prefix`]). `tables` numbers the name tables of the model.
pub fn encode(lead: &Lead, tables: u32, told: &mut Told, out: &mut Vec<u8>) {
    told.begin(lead.clock);
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
    told.write(out, lead.first_seen);
    told.write(out, lead.entered_at);
    if let Some(at) = lead.last_activity {
        told.write(out, at);
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
    encode_held(lead, told, out);
    encode_seen(lead, told, out);
    encode_traits(lead, told, out);
    encode_past(lead, told, out);
    encode_decisions(lead, told, out);
    lead.message_ids.encode(told, out);
}

fn encode_held(lead: &Lead, told: &mut Told, out: &mut Vec<u8>) {
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
        told.write(out, held.last_at);
        if let Some((_, times)) = lead.times.get(held.times).split_last() {
            head |= HAS_TIMES;
            if !times.is_empty() {
                head |= MORE_TIMES;
                write_varint(out, times.len() as u64);
                times.iter().for_each(|&time| told.write(out, time));
            }
        }
        if !held.slots.is_empty() {
            head |= HAS_SLOTS;
            let slots = lead.slots.get(held.slots);
            write_varint(out, slots.len() as u64);
            for slot in slots {
                told.write(out, slot.time);
                let at = out.len();
                out.push(0);
                out[at] = write_f64(out, slot.points);
                write_varint(out, u64::from(slot.count));
            }
        }
        out[head_at] = head;
    }
}

fn encode_seen(lead: &Lead, told: &mut Told, out: &mut Vec<u8>) {
    write_varint(out, lead.seen.len() as u64);
    let mut id_before = 0;
    for seen in &lead.seen {
        write_varint(out, u64::from(seen.id - id_before));
        id_before = seen.id;
        let sightings = lead.sightings.get(seen.sightings);
        write_varint(out, (sightings.len() as u64) << 1 | u64::from(seen.hashed));
        if sightings.is_empty() {
            write_varint(out, u64::from(seen.count));
        }
        for sighting in sightings {
            told.write(out, sighting.time);
            if seen.hashed {
                out.extend_from_slice(&sighting.value.to_le_bytes());
            }
        }
    }
}

fn encode_traits(lead: &Lead, told: &mut Told, out: &mut Vec<u8>) {
    write_varint(out, lead.traits.len() as u64);
    let mut id_before = 0;
    for held in &lead.traits {
        write_varint(out, u64::from(held.id - id_before));
        id_before = held.id;
        told.write(out, held.time);
        // Most traits are texts: their quotes go into the length.
        let text = lead.text.get(held.text);
        let quoted = text.len() >= 2 && text[0] == b'"';
        let inner = if quoted { &text[1..text.len() - 1] } else { text };
        write_varint(out, (inner.len() as u64) << 1 | u64::from(quoted));
        out.extend_from_slice(inner);
    }
}

fn encode_past(lead: &Lead, told: &mut Told, out: &mut Vec<u8>) {
    write_varint(out, lead.touches.len() as u64);
    for touch in &lead.touches {
        write_varint(out, u64::from(touch.channel));
        told.write(out, touch.time);
    }
    write_varint(out, lead.history.len() as u64);
    for past in &lead.history {
        write_varint(out, u64::from(past.transition));
        write_varint(out, u64::from(past.from));
        told.write(out, past.at);
    }
}

fn encode_decisions(lead: &Lead, told: &mut Told, out: &mut Vec<u8>) {
    if !lead.resets.is_empty() {
        write_varint(out, lead.resets.len() as u64);
        for reset in &lead.resets {
            write_varint(out, u64::from(reset.score));
            told.write(out, reset.until);
        }
    }
    if !lead.slas.is_empty() {
        write_varint(out, lead.slas.len() as u64);
        for sla in &lead.slas {
            let sent = u64::from(sla.past_due_sent) << 1 | u64::from(sla.due_sent);
            write_varint(out, u64::from(sla.id) << 2 | sent);
            told.write(out, sla.started_at);
        }
    }
    if !lead.alerts.is_empty() {
        write_varint(out, lead.alerts.len() as u64);
        for alert in &lead.alerts {
            let state = u64::from(alert.fired_at.is_some()) << 1 | u64::from(alert.disarmed);
            write_varint(out, u64::from(alert.id) << 2 | state);
            if let Some(at) = alert.fired_at {
                told.write(out, at);
            }
        }
    }
    if let Some(sent) = lead.sent {
        told.write(out, sent.at);
        write_varint(out, u64::from(sent.stage));
        write_varint(out, lead.sent_scores.len() as u64);
        lead.sent_scores.iter().for_each(|score| write_score(out, score));
        write_bits(out, &lead.sent_missing);
    }
}

/// Scores of fewer millionths are kept as these, which is what their rounding leaves of them.
const MOST_MILLIONTHS: f64 = 1e15;

/// Whole scores take one or two bytes, others up to five.
fn write_score(out: &mut Vec<u8>, score: &SentScore) {
    out.push(score.grade.map_or(0, |grade| grade.saturating_add(1)));
    let millionths = (score.value * 1e6).round();
    if millionths.abs() >= MOST_MILLIONTHS {
        write_varint(out, FLOAT);
        out.extend_from_slice(&score.value.to_le_bytes());
        return;
    }
    let millionths = millionths as i64;
    let (number, unit) = match millionths.unsigned_abs() {
        number if number % 1_000_000 == 0 => (number / 1_000_000, UNITS),
        number if number % 10_000 == 0 => (number / 10_000, HUNDREDTHS),
        number => (number, MILLIONTHS),
    };
    write_varint(out, number << 3 | u64::from(millionths < 0) << 2 | unit);
}
