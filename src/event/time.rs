//! Times: reading what producers send (SPEC §1), writing RFC 3339.

/// Reads a time from text; `None` if it is none of the forms of SPEC §1 or lies before 1970 or after 9999.
pub fn parse_text(_text: &str) -> Option<i64> {
    todo!()
}

/// Appends `2026-03-01T00:00:00.000Z`.
pub fn write_rfc3339(_out: &mut Vec<u8>, _ms: i64) {
    todo!()
}

/// 9999-12-31T23:59:59.999Z: the latest time that there is, ms.
pub const LATEST_MS: i64 = 253_402_300_799_999;
