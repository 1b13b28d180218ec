//! What people read in a dead letter.

use super::{LIMITS, plan};
use crate::event::scan::Scanner;

fn detail(record: &str) -> String {
    let plan = plan(&[], &[]);
    let mut scanner = Scanner::default();
    let rejection = match scanner.scan(&plan, &LIMITS, record.as_bytes()) {
        Ok(scan) => scan.event(&LIMITS, None).map(|_| ()).unwrap_err(),
        Err(rejection) => rejection,
    };
    assert!(!rejection.detail.contains(char::is_control), "{}", rejection.detail);
    assert!(rejection.detail.len() <= 400, "{}", rejection.detail);
    rejection.detail
}

#[test]
fn details_say_what_is_wrong_and_where() {
    let cases = [
        (
            r#"{"a":1 "b":2}"#,
            "not JSON at byte offset 7: a comma is missing before the text that begins here, or a quote inside a text lacks its backslash",
        ),
        (
            "{\u{a0}\"a\":1}",
            "not JSON at byte offset 1: a field's name in double quotes is expected, not the character U+00A0",
        ),
        (
            r#"["a\x"]"#,
            r"not JSON at byte offset 3: a backslash in a text is followed by no JSON escape: write \\ for a backslash",
        ),
        (
            r#"{"type":"page","userId":"u""#,
            "not JSON at byte offset 27: `,` or `}` is expected after a field's value, not the end of the record: it was cut off",
        ),
        (
            r#"{"type":"page",}"#,
            "not JSON at byte offset 15: the comma before `}` has nothing after it: leave it out",
        ),
        (
            "\u{feff}{'type'}",
            "not JSON at byte offset 4: a text stands in single quotes: JSON takes double quotes only",
        ),
        (
            r#"{"a":NaN}"#,
            "not JSON at byte offset 5: `NaN` is no JSON number: send null or leave the field out",
        ),
        (
            r#"{"a":-Infinity}"#,
            "not JSON at byte offset 6: `Infinity` is no JSON number: send null or leave the field out",
        ),
        (
            r#"{"a":None}"#,
            "not JSON at byte offset 5: `None` is no JSON value: JSON writes true, false and null",
        ),
        (
            r#"{"a":007}"#,
            "not JSON at byte offset 5: a number begins with a needless 0: leave the 0 out, or send a text in double quotes",
        ),
        (
            r#"{"type":"trak"}"#,
            "`type` is \"trak\": it must be track, page, screen, identify, group or alias",
        ),
        (
            r#"{"action":"a\nb"}"#,
            "`action` is \"a\\nb\": it must be track, page, screen, identify, group or alias",
        ),
        (r#"{"type":3}"#, "`type` is the number 3: it must be track, page, screen, identify, group or alias"),
    ];
    for (record, expected) in cases {
        assert_eq!(detail(record), expected, "{record}");
    }
}

#[test]
fn details_keep_ids_and_addresses_to_themselves() {
    for record in [
        r#"{"type":"page","userId":{"name":"secret-id"}}"#.to_owned(),
        format!(r#"{{"type":"page","userId":"secret-id{}"}}"#, "x".repeat(600)),
        r#"{"type":"page","properties":{"email":'secret-id@example.com'}}"#.to_owned(),
        r#"{"type":"track","userId":"secret-id"}"#.to_owned(),
    ] {
        assert!(!detail(&record).contains("secret-id"), "{}", detail(&record));
    }
}

#[test]
fn details_quote_the_beginning_of_long_values_on_one_line() {
    let long = format!(r#"{{"type":"page","userId":"u","timestamp":"\u0007\r\n{}"}}"#, "é".repeat(5000));
    let detail = detail(&long);
    assert!(detail.contains('…') && detail.len() < 400, "{detail}");
}

#[test]
fn records_of_other_tools_are_told_what_they_are() {
    for (record, what) in [
        (
            r#"{"batch":[{"type":"track"}]}"#,
            "it is a batch: send each event in `batch` as a record of its own",
        ),
        (
            r#"{"specversion":"1.0","data":{}}"#,
            "it is a CloudEvents envelope: send the event that is its `data`",
        ),
        (r#"{"userId":"u"}"#, "set `type` to track, page, screen, identify, group or alias"),
    ] {
        let detail = detail(record);
        assert!(detail.ends_with(what), "{detail}");
    }
}
