use super::{compact, plan, values_at, with_event, with_scan};
use crate::event::Value;
use crate::event::scan::Scanner;
use crate::model::compiled::Field;

/// The values at a path in a track with these fields.
fn values(path: &str, fields: &str) -> Vec<String> {
    values_at(path, &format!(r#"{{"type":"track","event":"E","userId":"u",{fields}}}"#))
}

/// A kept trait in an event of this kind: `None` if absent, `null` if removed.
fn kept(kind: &str, name: &str, fields: &str) -> Option<String> {
    let json = format!(r#"{{{fields},"type":"{kind}"}}"#);
    with_scan(&plan(&[], &[name]), &json, |scan| {
        let value = scan.kept_trait(0).map(|value| compact(&value));
        assert!(scan.has_kept_traits() || value.is_none());
        value
    })
}

#[test]
fn paths_find_values_of_every_type() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("properties.a", r#""properties":{"a":1.50}"#, &["1.50"]),
        ("properties.a", r#""properties":{"a":null}"#, &["null"]),
        ("properties.a", r#""properties":{"a":""}"#, &[r#""""#]),
        ("properties.a", r#""properties":{"a":"x\ty\/z"}"#, &[r#""x\ty/z""#]),
        ("properties.a", r#""properties":{"a":true,"b":false}"#, &["true"]),
        ("properties.a", r#""properties":{"a":{"b": 1}}"#, &[r#"{"b":1}"#]),
        ("properties.a.b", r#""properties":{"a":{"b": 1}}"#, &["1"]),
        ("properties.a.b", r#""properties":{"a":1}"#, &[]),
        ("properties.a.b", r#""properties":{"a.b":1}"#, &[]),
        ("properties.a", r#""properties":{"A":1}"#, &[]),
        ("properties.a", r#""properties":{"\u0061":1}"#, &["1"]),
        (
            "properties.long_key_of_17_x",
            r#""properties":{"long_key_of_17_x":1,"long_key_oO_17_x":2}"#,
            &["1"],
        ),
        (
            "properties.aaaaaaaabbbbcccccccc",
            r#""properties":{"aaaaaaaaXXXXcccccccc":1,"aaaaaaaabbbbcccccccc":2}"#,
            &["2"],
        ),
        ("properties.ключ", r#""properties":{"ключ":1}"#, &["1"]),
        (
            "context.page.path",
            r#""context":{"page":{"path":"/a"}},"properties":{"page":{"path":"/b"}}"#,
            &[r#""/a""#],
        ),
        ("properties.a", r#""context":{"properties":{"a":1}}"#, &[]),
        ("properties.type", r#""properties":{"type":"t"}"#, &[r#""t""#]),
    ];
    for (path, fields, expected) in cases {
        assert_eq!(values(path, fields), *expected, "{path} in {fields}");
    }
}

#[test]
fn paths_step_into_every_element_of_arrays_on_their_way() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("properties.a.b", r#""properties":{"a":[{"b":1},{"c":0},5,{"b":2}]}"#, &["1", "2"]),
        ("properties.a.b", r#""properties":{"a":[[{"b":1}],[[{"b":[2]}]],[]]}"#, &["1", "[2]"]),
        (
            "properties.a.b.c",
            r#""properties":{"a":[{"b":[{"c":1},{"c":2}]},{"b":{"c":3}}]}"#,
            &["1", "2", "3"],
        ),
        ("properties.a", r#""properties":{"a":[1, [2], {"a":3}]}"#, &[r#"[1,[2],{"a":3}]"#]),
        ("properties.a", r#""properties":[{"a":1}]"#, &[]),
        ("context.a", r#""context":[{"a":1}]"#, &[]),
        ("traits.a", r#""traits":[{"a":1}]"#, &[]),
        ("traits.a", r#""context":{"traits":[{"a":1}]}"#, &[]),
        ("context.traits.a", r#""context":{"traits":[{"a":1}]}"#, &["1"]),
        ("traits.a.b", r#""context":{"traits":{"a":[{"b":1},{"b":2}]}}"#, &["1", "2"]),
        ("traits.a.b", r#""traits":{"a":[{"b":1},{"b":2}]},"context":{"traits":{"a":{"b":3}}}"#, &["1", "2"]),
    ];
    for (path, fields, expected) in cases {
        assert_eq!(values(path, fields), *expected, "{path} in {fields}");
    }
}

#[test]
fn a_path_and_what_lies_beneath_it_can_both_be_asked_for() {
    let json = r#"{"type":"page","properties":{"a":[{"b":1},{"b":[2]}]}}"#;
    with_scan(&plan(&["properties.a", "properties.a.b"], &[]), json, |scan| {
        let values = |id| scan.values(Field::Path(id)).map(|value| compact(&value)).collect::<Vec<_>>();
        assert_eq!(values(0), [r#"[{"b":1},{"b":[2]}]"#]);
        assert_eq!(values(1), ["1", "[2]"]);
    });
}

#[test]
fn of_repeated_keys_the_last_counts() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("properties.a", r#""properties":{"a":1,"a":2}"#, &["2"]),
        ("properties.a", r#""properties":{"a":1,"\u0061":2}"#, &["2"]),
        ("properties.a", r#""properties":{"a":1},"properties":{"b":2}"#, &[]),
        ("properties.a", r#""properties":{"a":1},"properties":null"#, &[]),
        ("properties.a", r#""properties":null,"properties":{"a":1}"#, &["1"]),
        ("properties.a.b", r#""properties":{"a":{"b":1,"b":2},"a":{"b":3,"b":4}}"#, &["4"]),
        ("properties.a.b", r#""properties":{"a":{"b":1},"a":5}"#, &[]),
        ("properties.a.b", r#""properties":{"a":[{"b":1,"b":2},{"b":3},{"b":4,"b":[]}]}"#, &["2", "3", "[]"]),
        ("properties.a.b", r#""properties":{"a":[{"b":1}],"a":[{"b":2},{"b":3}]}"#, &["2", "3"]),
        ("properties.a.b", r#""properties":{"a":{"b":1}},"x":0,"properties":{"a":[{"b":8,"b":9}]}"#, &["9"]),
        ("traits.a", r#""traits":{"a":1},"context":{"traits":{"a":2}},"traits":{}"#, &["2"]),
    ];
    for (path, fields, expected) in cases {
        assert_eq!(values(path, fields), *expected, "{path} in {fields}");
    }
}

#[test]
fn traits_hide_context_traits_path_by_path() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("traits.a", r#""context":{"traits":{"a":2}},"traits":{"a":1}"#, &["1"]),
        ("traits.a", r#""context":{"traits":{"a":2}},"traits":{"a":null}"#, &["null"]),
        ("traits.a", r#""context":{"traits":{"a":2}},"traits":{"b":1}"#, &["2"]),
        ("traits.a.b", r#""context":{"traits":{"a":{"b":2}}},"traits":{"a":{"c":1}}"#, &["2"]),
        ("traits.a.b", r#""context":{"traits":{"a":{"b":2}}},"traits":{"a":null}"#, &["2"]),
        ("traits.a", r#""context":{"traits":{"a":2}},"traits":"text""#, &["2"]),
        ("traits.a", r#""context":{"traits":"text"},"traits":{}"#, &[]),
    ];
    for (path, fields, expected) in cases {
        assert_eq!(values(path, fields), *expected, "{path} in {fields}");
    }
}

#[test]
fn a_groups_traits_stand_under_company() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("traits.company.name", r#""traits":{"name":"Acme"}"#, &[r#""Acme""#]),
        ("traits.company.name", r#""traits":{"company":{"name":"Acme"}}"#, &[]),
        ("traits.company.company.name", r#""traits":{"company":{"name":"Acme"}}"#, &[r#""Acme""#]),
        ("traits.name", r#""traits":{"name":"Acme"}"#, &[]),
        ("traits.email", r#""traits":{"email":"a@b"},"context":{"traits":{"email":"c@d"}}"#, &[r#""c@d""#]),
        ("traits.company.name", r#""context":{"traits":{"company":{"name":"Beneath"}}}"#, &[r#""Beneath""#]),
        (
            "traits.company.name",
            r#""traits":{"name":null},"context":{"traits":{"company":{"name":"B"}}}"#,
            &["null"],
        ),
        ("traits.company", r#""traits":{"name":"Acme"}"#, &[r#"{"name":"Acme"}"#]),
        ("traits.company", r#""traits":"Acme","context":{"traits":{"company":"B"}}"#, &[r#""B""#]),
        ("traits.company", r#""traits":[],"context":{"traits":{"company":"B"}}"#, &[r#""B""#]),
    ];
    for (path, fields, expected) in cases {
        for json in [format!(r#"{{"type":"group",{fields}}}"#), format!(r#"{{{fields},"type":"GROUP"}}"#)] {
            assert_eq!(values_at(path, &json), *expected, "{path} in {json}");
        }
    }
}

#[test]
fn kind_name_and_lead_are_fields() {
    let json = r#"{"type":"Track","event":"Signed Up","userId":7}"#;
    with_scan(&plan(&[], &[]), json, |scan| {
        let value = |field| scan.values(field).collect::<Vec<_>>();
        assert_eq!(value(Field::Kind), [Value::String("track".into())]);
        assert_eq!(value(Field::Name), [Value::String("Signed Up".into())]);
        assert_eq!(value(Field::Lead), [Value::String("7".into())]);
    });
    with_scan(&plan(&[], &[]), r#"{"type":"page","userId":true}"#, |scan| {
        assert_eq!(scan.values(Field::Name).count(), 0);
        assert_eq!(scan.values(Field::Lead).count(), 0);
    });
}

#[test]
fn scalar_and_number_take_the_first_value_that_is_not_null() {
    let cases = [
        (r#"{"a":5}"#, Some("5"), Some(5.0)),
        (r#"{"a":"5e1"}"#, Some(r#""5e1""#), Some(50.0)),
        (r#"{"a":" 5"}"#, Some(r#"" 5""#), None),
        (r#"{"a":true}"#, Some("true"), None),
        (r#"{"a":[5]}"#, None, None),
        (r#"{"a":{"b":5}}"#, None, None),
        (r#"{"a":null}"#, None, None),
        ("{}", None, None),
    ];
    for (properties, scalar, number) in cases {
        let json = format!(r#"{{"type":"page","properties":{properties}}}"#);
        with_scan(&plan(&["properties.a"], &[]), &json, |scan| {
            assert_eq!(
                scan.scalar(Field::Path(0)).map(|value| compact(&value)).as_deref(),
                scalar,
                "{properties}"
            );
            assert_eq!(scan.number(Field::Path(0)), number, "{properties}");
        });
    }
    let json = r#"{"type":"page","properties":{"a":[{"b":null},{"b":7},{"b":8}]}}"#;
    with_scan(&plan(&["properties.a.b"], &[]), json, |scan| {
        assert_eq!(scan.number(Field::Path(0)), Some(7.0))
    });
}

#[test]
fn kept_traits_are_present_removed_or_absent() {
    let cases = [
        ("identify", "a", r#""traits":{"a":1}"#, Some("1")),
        ("track", "a", r#""traits":{"a":1}"#, Some("1")),
        ("identify", "a", r#""traits":{"a":null}"#, Some("null")),
        ("identify", "a", r#""traits":{"a":""}"#, Some("null")),
        ("identify", "a", r#""traits":{"a":" "}"#, Some(r#"" ""#)),
        ("identify", "a", r#""traits":{"a":null},"context":{"traits":{"a":1}}"#, Some("null")),
        ("identify", "a", r#""context":{"traits":{"a":1}}"#, Some("1")),
        ("identify", "a", r#""traits":{},"context":{"traits":{"a":1}}"#, Some("1")),
        ("identify", "company.name", r#""traits":{"company":null}"#, None),
        ("identify", "company.name", r#""traits":{"company":{"name":"A"}}"#, Some(r#""A""#)),
        ("identify", "company.name", r#""traits":{"company":[{"name":"A"}]}"#, None),
        (
            "identify",
            "company.name",
            r#""traits":{"company":[{"name":"A"}]},"context":{"traits":{"company":{"name":"B"}}}"#,
            Some(r#""B""#),
        ),
        ("identify", "a", r#""context":{"traits":[{"a":1}]}"#, None),
        ("identify", "a", r#""traits":{"a":[1, {"b" : 2}]}"#, Some(r#"[1,{"b":2}]"#)),
        ("group", "company.name", r#""traits":{"name":"A"}"#, Some(r#""A""#)),
        ("group", "company", r#""traits":{"name":"A"}"#, Some(r#"{"name":"A"}"#)),
        ("group", "company", r#""traits":null"#, None),
        ("group", "company.name", r#""context":{"traits":{"company":{"name":"B"}}}"#, Some(r#""B""#)),
        ("group", "email", r#""traits":{"email":"info@acme.com"}"#, None),
        ("group", "email", r#""context":{"traits":{"email":"a@b"}}"#, Some(r#""a@b""#)),
    ];
    for (kind, name, fields, expected) in cases {
        assert_eq!(kept(kind, name, fields).as_deref(), expected, "{kind} {name} {fields}");
    }
}

#[test]
fn a_trait_of_more_than_1_kib_of_compact_json_is_not_in_the_event() {
    let text = |bytes| format!("\"{}\"", "x".repeat(bytes));
    let cases = [
        (text(1022), true),
        (text(1023), false),
        (format!("\"{}\"", r"\u0041".repeat(1022)), true),
        (format!("\"{}\"", r"\n".repeat(511)), true),
        (format!("\"{}x\"", r"\n".repeat(511)), false),
        (format!("[{}{}]", text(1020), " ".repeat(500)), true),
        (format!("[{}]", text(1021)), false),
        (format!(r#"{{"a":{},"a":1}}"#, text(2000)), true),
        (format!("1{}", "0".repeat(200)), true),
        (format!("0.{}", "0".repeat(1023)), false),
    ];
    for (value, fits) in cases {
        let json = format!(
            r#"{{"type":"identify","userId":"u","traits":{{"bio":{value}}},"context":{{"traits":{{"bio":1}}}}}}"#
        );
        let plan = plan(&[], &["bio", "email"]);
        let mut scanner = Scanner::default();
        let scan = scanner.scan(&plan, &super::LIMITS, json.as_bytes()).unwrap();
        let event = scan.event(&super::LIMITS, Some(0)).unwrap();
        assert_eq!(event.scan.kept_trait(0).is_some(), fits, "{value}");
        assert_eq!(event.dropped_traits, u32::from(!fits), "{value}");
    }
}

#[test]
fn most_events_carry_no_kept_trait() {
    let has = |fields: &str| {
        let json = format!(r#"{{"type":"page",{fields}}}"#);
        with_scan(&plan(&["traits.b"], &["a", "company.name"]), &json, |scan| scan.has_kept_traits())
    };
    assert!(!has(r#""traits":{"b":1}"#));
    assert!(!has(r#""traits":{"name":1}"#));
    assert!(!has(r#""traits":{"a":1},"traits":{}"#));
    assert!(has(r#""traits":{"a":1}"#));
    assert!(has(r#""context":{"traits":{"company":{"name":null}}}"#));
    with_event(r#"{"type":"page","userId":"u"}"#, Some(0), |event| {
        assert!(!event.unwrap().scan.has_kept_traits());
    });
}

#[test]
fn many_repeated_keys_take_no_quadratic_time() {
    let elements = r#"{"b":1},"#.repeat(15_000);
    let json = format!(
        r#"{{"type":"page","properties":{{"a":[{elements}0],{}"c":1}}}}"#,
        r#""c":1,"#.repeat(20_000)
    );
    assert_eq!(values_at("properties.a.b", &json).len(), 15_000);
    let json = format!(r#"{{"type":"page","properties":{{{}"c":1}}}}"#, r#""c":{"d":[1,2]},"#.repeat(16_000));
    assert_eq!(values_at("properties.c", &json), ["1"]);
}

#[test]
fn a_reused_scanner_forgets_the_record_before() {
    let plan = plan(&["properties.a.x", "properties.b"], &[]);
    let mut scanner = Scanner::default();
    for (fields, a, b) in [
        (r#""a":[{"x":1},{"x":2}],"b":3"#, 2, 1),
        (r#""a":[{"x":1},{"x":2}],"b":3"#, 2, 1),
        (r#""b":3"#, 0, 1),
        (r#""b":1,"a":{"x":2}"#, 1, 1),
        (r#""c":1"#, 0, 0),
    ] {
        let json = format!(r#"{{"type":"page","properties":{{{fields}}}}}"#);
        let scan = scanner.scan(&plan, &super::LIMITS, json.as_bytes()).unwrap();
        // At most so many, so that a chain without an end fails instead of running on.
        let count = |path| scan.values(Field::Path(path)).take(9).count();
        assert_eq!((count(0), count(1)), (a, b), "{fields}");
    }
}

#[test]
fn keys_are_told_apart_at_every_length() {
    let key = |length: usize, last: char| "k".repeat(length) + &last.to_string();
    for length in 0..40 {
        let path = format!("properties.{}", key(length, 'a'));
        for (member, expected) in [
            (key(length, 'a'), &["1"][..]),
            (key(length, 'b'), &[]),
            (key(length + 1, 'a'), &[]),
            (key(length, 'a') + "\\u0000", &[]),
            ("\\u006b".repeat(length) + "a", &["1"]),
            ("\\u0000".repeat(length), &[]),
            (String::new(), &[]),
        ] {
            // Behind it the text goes on, or ends soon.
            for rest in ["", r#","z":"and so on, for more than a window""#] {
                let fields = format!(r#""properties":{{"{member}":1{rest}}}"#);
                assert_eq!(values(&path, &fields), expected, "{fields}");
            }
        }
    }
}
