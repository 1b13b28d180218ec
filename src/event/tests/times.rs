use super::{RECORD_MS, with_event, with_scan};
use crate::event::Reason;
use crate::event::time::{parse_text, write_rfc3339};

fn rfc3339(ms: i64) -> String {
    let mut out = Vec::new();
    write_rfc3339(&mut out, ms);
    String::from_utf8(out).unwrap()
}

/// Event time and whether it was clamped, of an event with these fields.
fn time(fields: &str, record_ms: Option<i64>) -> Result<(i64, bool), Reason> {
    let json = format!(r#"{{"type":"page","userId":"u",{fields}}}"#);
    with_event(&json, record_ms, |event| {
        event.map(|event| (event.time_ms, event.clamped)).map_err(|r| r.reason)
    })
}

#[test]
fn text_times() {
    let cases = [
        ("2026-03-01T00:00:00.000Z", "2026-03-01T00:00:00.000Z"),
        ("2026-03-01t12:34:56z", "2026-03-01T12:34:56.000Z"),
        ("2026-03-01 12:34:56", "2026-03-01T12:34:56.000Z"),
        ("2026-03-01T12:34:56.7", "2026-03-01T12:34:56.700Z"),
        ("2026-03-01T12:34:56.789999999999999Z", "2026-03-01T12:34:56.789Z"),
        ("2026-03-01T12:34:56+01:00", "2026-03-01T11:34:56.000Z"),
        ("2026-03-01T00:30:00.5+0130", "2026-02-28T23:00:00.500Z"),
        ("2026-03-01T23:30:00-0130", "2026-03-02T01:00:00.000Z"),
        ("2026-03-01T23:30:00-00:00", "2026-03-01T23:30:00.000Z"),
        ("2024-02-29", "2024-02-29T00:00:00.000Z"),
        ("2000-02-29T23:59:59.999Z", "2000-02-29T23:59:59.999Z"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
        ("1969-12-31T23:30:00-01:00", "1970-01-01T00:30:00.000Z"),
        ("9999-12-31T23:59:59.9999Z", "9999-12-31T23:59:59.999Z"),
        ("1609459200", "2021-01-01T00:00:00.000Z"),
        ("1609459200123", "2021-01-01T00:00:00.123Z"),
        ("0", "1970-01-01T00:00:00.000Z"),
        ("00000000000000001609459200", "2021-01-01T00:00:00.000Z"),
    ];
    for (text, expected) in cases {
        assert_eq!(parse_text(text).map(rfc3339).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn texts_that_are_no_times() {
    let texts = [
        "",
        " ",
        "now",
        "-1",
        "+5",
        "1609459200.5",
        "1e9",
        " 1609459200",
        "１２３",
        "2026-3-1",
        "2026-03-01T",
        "2026-03-01T12:34",
        "2026-03-01T12:34:56.",
        "2026-03-01T12:34:56.Z",
        "2026-03-01T12:34:56,5Z",
        "2026-03-01T12:34:56 Z",
        "2026-03-01T12:34:56Z ",
        " 2026-03-01",
        "2026-03-01 ",
        "2026-03-01  12:34:56",
        "2026-03-01_12:34:56",
        "2026-03-01T24:00:00Z",
        "2026-03-01T12:60:00Z",
        "2026-03-01T23:59:60Z",
        "2026-02-29",
        "2100-02-29",
        "2026-04-31",
        "2026-00-01",
        "2026-13-01",
        "2026-01-00",
        "2026-01-32",
        "2026-03-01T12:34:56+1",
        "2026-03-01T12:34:56+01",
        "2026-03-01T12:34:56+24:00",
        "2026-03-01T12:34:56+01:60",
        "2026-03-01T12:34:56+01:00Z",
        "2026-03-01T12:34:56 +01:00",
        "2026-03-01Z",
        "2026-03-01T12:34:56GMT",
        "1969-12-31T23:59:59.999Z",
        "1970-01-01T00:00:00+00:01",
        "0001-01-01",
        "9999-12-31T23:59:59-00:01",
        "10000-01-01",
        "03/01/2026",
        "253402300800000",
        "99999999999999999999999999",
        "2026-03-01T1é:00:00Z",
        "20é6-03-01",
    ];
    for text in texts {
        assert_eq!(parse_text(text), None, "{text}");
    }
}

#[test]
fn number_times() {
    let cases = [
        ("1609459200", Ok(1_609_459_200_000)),
        ("1609459200.123", Ok(1_609_459_200_123)),
        ("1609459200.1235", Ok(1_609_459_200_124)),
        ("1609459200.1234999999999999999999", Ok(1_609_459_200_123)),
        ("1609459200123", Ok(1_609_459_200_123)),
        ("1609459200123.5", Ok(1_609_459_200_124)),
        ("1.609459200123e9", Ok(1_609_459_200_123)),
        ("1.609459200123E+12", Ok(1_609_459_200_123)),
        ("16094592001230e-1", Ok(1_609_459_200_123)),
        ("99999999999", Ok(99_999_999_999_000)),
        ("99999999999.9999", Ok(100_000_000_000_000)),
        ("100000000000", Ok(100_000_000_000)),
        ("1e11", Ok(100_000_000_000)),
        ("0", Ok(0)),
        ("-0", Ok(0)),
        ("0e999", Ok(0)),
        ("0.0004", Ok(0)),
        ("0.0005", Ok(1)),
        ("0.00049999", Ok(0)),
        ("1e-300", Ok(0)),
        ("-0.0004", Ok(0)),
        ("-0.0005", Err(Reason::BadTime)),
        ("-1", Err(Reason::BadTime)),
        ("253402300799999", Ok(253_402_300_799_999)),
        ("253402300799999.4", Ok(253_402_300_799_999)),
        ("253402300799999.5", Err(Reason::BadTime)),
        ("253402300800000", Err(Reason::BadTime)),
        ("1e300", Err(Reason::BadTime)),
        ("true", Err(Reason::BadTime)),
        ("{}", Err(Reason::BadTime)),
        (r#""2026-03-01""#, Ok(RECORD_MS)),
        (r#""2026\u002d03-01""#, Ok(RECORD_MS)),
    ];
    for (number, expected) in cases {
        assert_eq!(time(&format!(r#""timestamp":{number}"#), None).map(|time| time.0), expected, "{number}");
    }
}

#[test]
fn the_first_time_that_is_present_counts() {
    let cases = [
        (r#""timestamp":1,"originalTimestamp":2,"sentAt":3,"receivedAt":4"#, Ok(1000)),
        (r#""timestamp":null,"originalTimestamp":2,"sentAt":3"#, Ok(2000)),
        (r#""timestamp":"","original_timestamp":2,"sentAt":3"#, Ok(2000)),
        (r#""sent_at":3,"receivedAt":4"#, Ok(3000)),
        (r#""sentAt":"","sent_at":3,"receivedAt":4"#, Ok(3000)),
        (r#""received_at":4"#, Ok(4000)),
        (r#""x":1"#, Ok(RECORD_MS)),
        (r#""timestamp":"soon","sentAt":3"#, Err(Reason::BadTime)),
        (r#""timestamp":[],"sentAt":3"#, Err(Reason::BadTime)),
    ];
    for (fields, expected) in cases {
        assert_eq!(time(fields, Some(RECORD_MS)).map(|time| time.0), expected, "{fields}");
    }
    assert_eq!(time(r#""x":1"#, None), Err(Reason::BadTime));
    assert_eq!(time(r#""x":1"#, Some(-5)), Err(Reason::BadTime));
    assert_eq!(time(r#""x":1"#, Some(i64::MAX)), Err(Reason::BadTime));
}

#[test]
fn a_time_far_ahead_of_the_record_is_set_to_the_records() {
    let at = |ms: i64| time(&format!(r#""timestamp":"{}""#, rfc3339(ms)), Some(RECORD_MS));
    assert_eq!(at(RECORD_MS + 300_000), Ok((RECORD_MS + 300_000, false)));
    assert_eq!(at(RECORD_MS + 300_001), Ok((RECORD_MS, true)));
    assert_eq!(at(5), Ok((5, false)));
    // A record's timestamp that is no time cannot stand in for the event's.
    for ms in [-1_000_000, i64::MIN] {
        assert_eq!(time(r#""timestamp":"2026-03-01""#, Some(ms)), Err(Reason::BadTime));
    }
    assert_eq!(time(r#""timestamp":0"#, Some(-2)), Ok((0, false)));
    assert_eq!(time(r#""timestamp":"2999-01-01""#, None).map(|time| time.1), Ok(false));
}

#[test]
fn received_at_is_read_if_it_can_be() {
    let received = |fields: &str| {
        let json = format!(r#"{{"type":"page","timestamp":1,{fields}}}"#);
        with_scan(&super::plan(&[], &[]), &json, |scan| scan.received_at_ms())
    };
    assert_eq!(received(r#""receivedAt":"2026-03-01""#), Some(RECORD_MS));
    assert_eq!(received(r#""received_at":7"#), Some(7000));
    assert_eq!(received(r#""receivedAt":"?""#), None);
    assert_eq!(received(r#""x":1"#), None);
}

#[test]
fn every_day_reads_back() {
    let day_ms = 86_400_000;
    for day in (0..2_932_897).step_by(61) {
        let ms = day * day_ms + day % day_ms;
        assert_eq!(parse_text(&rfc3339(ms)), Some(ms));
    }
    assert_eq!(rfc3339(-1), "1969-12-31T23:59:59.999Z");
}

/// A fourth digit of the fraction is cut off, and takes a text out of the form that is read as a whole.
#[test]
fn the_usual_form_is_read_like_any_other() {
    let usual = "2024-02-29T23:59:58.076Z";
    for at in 0..usual.len() {
        for byte in 0..0x80u8 {
            let mut text = usual.as_bytes().to_vec();
            text[at] = byte;
            let text = String::from_utf8(text).unwrap();
            if at == usual.len() - 1 {
                assert_eq!(parse_text(&text).is_some(), matches!(byte, b'Z' | b'z' | b'0'..=b'9'), "{text}");
            } else {
                let longer = format!("{}0Z", &text[..usual.len() - 1]);
                // Without its dot the fraction is none, and neither form is a time.
                assert_eq!(parse_text(&text), parse_text(&longer), "{text}");
            }
        }
    }
    for text in ["2023-02-29", "2024-02-30", "2024-13-01", "2024-00-10", "2024-01-00", "1969-12-31"] {
        assert_eq!(parse_text(&format!("{text}T00:00:00.000Z")), None, "{text}");
    }
    for clock in ["24:00:00", "23:60:00", "23:59:60"] {
        assert_eq!(parse_text(&format!("2024-01-01T{clock}.000Z")), None, "{clock}");
    }
}
