use super::{LIMITS, RECORD_MS, outcome, plan, with_event};
use crate::event::scan::Scanner;
use crate::event::{Kind, Reason};

/// The lead that a record belongs to.
fn lead(fields: &str) -> Result<String, Reason> {
    lead_of("track", fields)
}

fn lead_of(kind: &str, fields: &str) -> Result<String, Reason> {
    let json = format!(r#"{{"type":"{kind}","event":"E",{fields}}}"#);
    with_event(&json, Some(RECORD_MS), |event| {
        event.map(|event| event.lead.to_owned()).map_err(|rejection| rejection.reason)
    })
}

#[test]
fn kind_comes_from_type_else_action_in_any_case() {
    let cases = [
        (r#""type":"track""#, Ok(Kind::Track)),
        (r#""type":"PAGE""#, Ok(Kind::Page)),
        (r#""type":"Screen""#, Ok(Kind::Screen)),
        (r#""action":"identify""#, Ok(Kind::Identify)),
        (r#""type":null,"action":"group""#, Ok(Kind::Group)),
        (r#""type":"","action":"alias""#, Ok(Kind::Alias)),
        (r#""\u0074ype":"tr\u0061ck""#, Ok(Kind::Track)),
        (r#""type":"track ""#, Err(Reason::UnknownKind)),
        (r#""type":"unknown","action":"track""#, Err(Reason::UnknownKind)),
        (r#""type":7,"action":"track""#, Err(Reason::UnknownKind)),
        (r#""type":["track"]"#, Err(Reason::UnknownKind)),
        (r#""x":1"#, Err(Reason::UnknownKind)),
        (r#""type":null"#, Err(Reason::UnknownKind)),
    ];
    for (fields, expected) in cases {
        let json = format!(r#"{{{fields},"event":"E","userId":"u"}}"#);
        let kind =
            with_event(&json, Some(RECORD_MS), |event| event.map(|event| event.kind).map_err(|r| r.reason));
        assert_eq!(kind, expected, "{fields}");
    }
}

#[test]
fn lead_is_the_first_id_that_is_present() {
    let cases = [
        (r#""userId":"u","anonymousId":"a""#, "u"),
        (r#""user_id":"u","anonymousId":"a""#, "u"),
        (r#""userId":"","user_id":"s""#, "s"),
        (r#""userId":null,"anonymousId":"a""#, "a"),
        (r#""anonymous_id":"a""#, "a"),
        (r#""userId":" u ""#, " u "),
        (r#""userId":"a\/b\u00e9""#, "a/bé"),
        (r#""userId":42"#, "42"),
        (r#""userId":-7"#, "-7"),
        (r#""userId":-0"#, "0"),
        (r#""userId":0"#, "0"),
        (r#""userId":9223372036854775807"#, "9223372036854775807"),
        (r#""userId":-9223372036854775808"#, "-9223372036854775808"),
        (r#""userId":"one","userId":"two""#, "two"),
    ];
    for (fields, expected) in cases {
        assert_eq!(lead(fields).as_deref(), Ok(expected), "{fields}");
    }
}

#[test]
fn an_id_of_another_type_has_no_fallback() {
    for id in ["true", "{}", "[]", "[1]", "1.0", "1e3", "9223372036854775808", "-9223372036854775809", "0.5"]
    {
        assert_eq!(lead(&format!(r#""userId":{id},"anonymousId":"a""#)), Err(Reason::BadLead), "{id}");
    }
}

#[test]
fn an_id_has_at_most_512_bytes_of_its_value() {
    assert!(lead(&format!(r#""userId":"{}""#, "x".repeat(512))).is_ok());
    assert_eq!(lead(&format!(r#""userId":"{}""#, "x".repeat(513))), Err(Reason::BadLead));
    assert!(lead(&format!(r#""userId":"{}""#, r"\u00e9".repeat(256))).is_ok());
    assert_eq!(lead(&format!(r#""userId":"{}""#, "é".repeat(257))), Err(Reason::BadLead));
    let email = format!("{}@example.com", "x".repeat(512));
    assert_eq!(lead(&format!(r#""traits":{{"email":"{email}"}}"#)), Err(Reason::BadLead));
}

#[test]
fn an_email_stands_in_for_an_id() {
    let cases = [
        ("track", r#""traits":{"email":"Ann@Example.COM"}"#, Some("ann@example.com")),
        ("track", r#""traits":{"email":"\u0041@b"}"#, Some("a@b")),
        ("track", r#""traits":{"email":"ÄNN@x"}"#, Some("Änn@x")),
        ("track", r#""context":{"traits":{"email":"c@x"}},"properties":{"email":"p@x"}"#, Some("c@x")),
        ("track", r#""properties":{"email":"p@x"}"#, Some("p@x")),
        ("track", r#""traits":{"email":"none"},"properties":{"email":"p@x"}"#, Some("p@x")),
        ("track", r#""traits":{"email":["a@x"]},"properties":{"email":"p@x"}"#, Some("p@x")),
        ("track", r#""traits":{"email":null},"context":{"traits":{"email":"c@x"}}"#, Some("c@x")),
        ("track", r#""traits":[{"email":"a@x"}]"#, None),
        ("track", r#""context":{"traits":[{"email":"a@x"}]}"#, None),
        ("track", r#""properties":[{"email":"a@x"}]"#, None),
        ("track", r#""email":"a@x""#, None),
        ("group", r#""traits":{"email":"info@acme.com"}"#, None),
        ("group", r#""traits":{"email":"info@acme.com"},"context":{"traits":{"email":"c@x"}}"#, Some("c@x")),
        ("group", r#""traits":{"email":"info@acme.com"},"properties":{"email":"p@x"}"#, Some("p@x")),
    ];
    for (kind, fields, expected) in cases {
        assert_eq!(
            lead_of(kind, fields),
            expected.map(str::to_owned).ok_or(Reason::MissingLead),
            "{kind} {fields}"
        );
    }
}

#[test]
fn a_user_id_or_a_persons_email_identifies() {
    let cases = [
        ("track", r#""userId":"u""#, true),
        ("track", r#""anonymousId":"a""#, false),
        ("track", r#""anonymousId":"a","traits":{"email":"x"}"#, true),
        ("track", r#""anonymousId":"a","traits":{"email":7}"#, true),
        ("track", r#""anonymousId":"a","traits":{"email":""}"#, false),
        ("track", r#""anonymousId":"a","traits":{"email":null}"#, false),
        ("track", r#""anonymousId":"a","context":{"traits":{"email":"a@b"}}"#, true),
        ("track", r#""anonymousId":"a","traits":{"email":null},"context":{"traits":{"email":"a@b"}}"#, false),
        ("track", r#""anonymousId":"a","properties":{"email":"a@b"}"#, false),
        ("track", r#""properties":{"email":"a@b"}"#, false),
        ("track", r#""traits":{"email":"a@b"}"#, true),
        ("group", r#""anonymousId":"a","traits":{"email":"a@b"}"#, false),
        ("group", r#""anonymousId":"a","traits":{"email":null},"context":{"traits":{"email":"a@b"}}"#, true),
    ];
    for (kind, fields, expected) in cases {
        let json = format!(r#"{{{fields},"event":"E","type":"{kind}"}}"#);
        let identifies = with_event(&json, Some(RECORD_MS), |event| event.unwrap().identifies);
        assert_eq!(identifies, expected, "{kind} {fields}");
    }
}

#[test]
fn name_is_the_event_of_a_track_and_the_name_of_a_page() {
    let cases = [
        (r#""type":"track","event":"Signed Up","name":"N""#, Some("Signed Up")),
        (r#""type":"page","event":"E","name":"Home""#, Some("Home")),
        (r#""type":"screen","name":"Home","properties":{"name":"P"}"#, Some("Home")),
        (r#""type":"page","name":"","properties":{"name":"P"}"#, Some("P")),
        (r#""type":"page","name":5,"properties":{"name":"P"}"#, Some("P")),
        (r#""type":"page","properties":{"name":7}"#, None),
        (r#""type":"page","properties":[{"name":"P"}]"#, None),
        (r#""type":"page""#, None),
        (r#""type":"identify","event":"E","name":"N""#, None),
        (r#""type":"page","properties":{"name":"x"},"properties":{}"#, None),
    ];
    for (fields, expected) in cases {
        let json = format!(r#"{{{fields},"userId":"u"}}"#);
        let name = with_event(&json, Some(RECORD_MS), |event| event.unwrap().name.map(str::to_owned));
        assert_eq!(name.as_deref(), expected, "{fields}");
    }
}

#[test]
fn a_track_needs_a_name() {
    for event in [r#""x":1"#, r#""event":"""#, r#""event":null"#, r#""event":5"#, r#""event":["E"]"#] {
        let json = format!(r#"{{"type":"track","userId":"u",{event}}}"#);
        assert_eq!(outcome(json.as_bytes()), Err(Reason::MissingName), "{event}");
    }
}

#[test]
fn message_id_is_a_string_or_none() {
    let cases = [
        (r#""messageId":"m""#, Some("m")),
        (r#""message_id":"m""#, Some("m")),
        (r#""messageId":"","message_id":"s""#, Some("s")),
        (r#""messageId":5,"message_id":"s""#, None),
        (r#""messageId":"a\"b""#, Some("a\"b")),
        (r#""x":1"#, None),
    ];
    for (fields, expected) in cases {
        let json = format!(r#"{{{fields},"userId":"u","type":"alias"}}"#);
        let id = with_event(&json, Some(RECORD_MS), |event| event.unwrap().message_id.map(str::to_owned));
        assert_eq!(id.as_deref(), expected, "{fields}");
    }
}

#[test]
fn records_are_checked_in_the_order_of_the_reasons() {
    let deep = |inner: &str| format!("{}{inner}{}", "[".repeat(65), "]".repeat(65));
    let cases = [
        (" ".repeat(262_145), Reason::TooLarge),
        (deep("x"), Reason::NotJson),
        (deep("1"), Reason::TooDeep),
        ("[1]".to_owned(), Reason::NotObject),
        (r#"{"userId":true,"timestamp":"x"}"#.to_owned(), Reason::UnknownKind),
        (r#"{"type":"track","timestamp":"x"}"#.to_owned(), Reason::MissingLead),
        (r#"{"type":"track","userId":true,"timestamp":"x"}"#.to_owned(), Reason::BadLead),
        (r#"{"type":"track","userId":"u","timestamp":"x"}"#.to_owned(), Reason::MissingName),
        (r#"{"type":"track","userId":"u","event":"E","timestamp":"x"}"#.to_owned(), Reason::BadTime),
    ];
    for (record, reason) in cases {
        assert_eq!(outcome(record.as_bytes()), Err(reason), "{}", &record[..record.len().min(80)]);
    }
}

#[test]
fn a_scanner_takes_nothing_over_from_record_to_record() {
    let (few, many) = (plan(&[], &[]), plan(&["properties.a", "traits.b.c", "context.d"], &["email", "b.c"]));
    let rich = br#"{"type":"page","name":"N","userId":"u","messageId":"m","timestamp":5,"traits":{"email":"a@b","b":{"c":1}}}"#;
    let poor = br#"{"type":"page","anonymousId":"a"}"#;
    let mut scanner = Scanner::default();
    for plan in [&few, &many, &few, &many] {
        let scan = scanner.scan(plan, &LIMITS, rich).unwrap();
        assert!(scan.event(&LIMITS, None).unwrap().identifies);
        let scan = scanner.scan(plan, &LIMITS, poor).unwrap();
        let event = scan.event(&LIMITS, Some(RECORD_MS)).unwrap();
        assert_eq!((event.lead, event.name, event.message_id), ("a", None, None));
        assert_eq!((event.identifies, event.time_ms), (false, RECORD_MS));
        assert!(!scan.has_kept_traits());
    }
}
