//! What senders get wrong.

use super::random::Random;

/// A broken copy of an event: each kind of rejection that a sender may cause.
pub fn broken(random: &mut Random, value: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(value);
    let without_ids = || text.replace("\"anonymousId\":", "\"visitor\":").replace("\"userId\":", "\"user\":");
    match random.below(8) {
        // Cut off on the way.
        0 => value[..value.len() / 2].to_vec(),
        1 => text.replacen(':', "=", 1).into_bytes(),
        // Latin-1 instead of UTF-8.
        2 => text
            .replacen('"', "\"\u{0}", 1)
            .into_bytes()
            .iter()
            .map(|&b| if b == 0 { 0xfc } else { b })
            .collect(),
        3 => without_ids().into_bytes(),
        4 => without_ids().replace("\"visitor\":", "\"anonymousId\":[],\"visitor\":").into_bytes(),
        5 => text.replacen("\"type\":\"", "\"type\":\"web_", 1).into_bytes(),
        6 => text.replacen("\"timestamp\":\"", "\"timestamp\":\"about ", 1).into_bytes(),
        // A batch where one event is expected.
        _ => [b"[", value, b"]"].concat(),
    }
}
