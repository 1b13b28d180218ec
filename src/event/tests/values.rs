use super::compact;
use crate::event::{Number, Value};

#[test]
fn arrays_count_as_their_elements_and_those_of_arrays_in_them() {
    let text = r#"[ 1, "a,]\"", [ [], [true, null] ], {"x": [9], "]": "}"}, -0.5 ]"#;
    let mut seen = Vec::new();
    assert!(!Value::Array(text).any_element(&mut |value| {
        seen.push(compact(value));
        false
    }));
    assert_eq!(seen, ["1", r#""a,]\"""#, "true", "null", r#"{"x":[9],"]":"}"}"#, "-0.5"]);
    assert!(!Value::Array("[]").any_element(&mut |_| true));
    assert!(Value::Bool(true).any_element(&mut |value| *value == Value::Bool(true)));
}

#[test]
fn it_stops_at_the_first_element_that_passes() {
    let mut calls = 0;
    assert!(Value::Array("[1,2,3]").any_element(&mut |value| {
        calls += 1;
        value.as_number() == Some(2.0)
    }));
    assert_eq!(calls, 2);
}

#[test]
fn numbers_and_strings_that_are_json_numbers_have_a_number() {
    let number = |text: &'static str| Value::String(text.into()).as_number();
    for (text, expected) in [("5", 5.0), ("-5.25", -5.25), ("1e3", 1000.0), ("-0", 0.0), ("0.1", 0.1)] {
        assert_eq!(number(text), Some(expected), "{text}");
        assert_eq!(Value::Number(Number(text)).as_number(), Some(expected), "{text}");
    }
    for text in [
        "", " 5", "5 ", "+5", "05", "5.", ".5", "0x10", "1e400", "-1e400", "NaN", "inf", "1_000", "5a",
        "true",
    ] {
        assert_eq!(number(text), None, "{text}");
    }
    assert_eq!(Value::Bool(true).as_number(), None);
    assert_eq!(Value::Array("[5]").as_number(), None);
}

#[test]
fn numbers_are_the_nearest_double() {
    for text in [
        "0",
        "-0",
        "7",
        "123456789012345",
        "-999999999999999",
        "12345678901234567890",
        "0.1",
        "1e-400",
        "5e300",
    ] {
        assert_eq!(Number(text).as_f64().to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
    }
}

#[test]
fn compact_json_has_one_form() {
    let cases = [
        ("[ ]", "[]"),
        ("{ \"a\" : [ 1 , 2 ] , \"b\" : { } }", r#"{"a":[1,2],"b":{}}"#),
        (r#"["\u0041\/\u00e9\ud83d\ude00"]"#, r#"["A/é😀"]"#),
        (r#"["\u0000\u001F\u000a\b\f\r\t\"\\"]"#, r#"["\u0000\u001f\n\b\f\r\t\"\\"]"#),
        (r#"{"\u0061":1,"b":2,"a":3}"#, r#"{"b":2,"a":3}"#),
        (r#"{"a":{"x":1,"x":2},"a":{"y":[{"z":1,"z":2,"z":3}]}}"#, r#"{"a":{"y":[{"z":3}]}}"#),
        (r#"[1.50,1E5,-0,true,false,null,"",[[]]]"#, r#"[1.50,1E5,-0,true,false,null,"",[[]]]"#),
        (r#"{"a":",","b":[","],"":{}}"#, r#"{"a":",","b":[","],"":{}}"#),
    ];
    for (text, expected) in cases {
        let value = if text.starts_with('{') { Value::Object(text) } else { Value::Array(text) };
        assert_eq!(compact(&value), expected, "{text}");
        let Some(Value::Array(again) | Value::Object(again)) = Value::from_compact(expected.as_bytes())
        else {
            panic!("{expected} does not read back")
        };
        assert_eq!(again, expected);
    }
}

#[test]
fn compact_json_reads_back() {
    let values = [
        Value::Null,
        Value::Bool(true),
        Value::Bool(false),
        Value::Number(Number("-1.50e3")),
        Value::String("".into()),
        Value::String("a\"\\\n\u{1}é\u{7f}😀/".into()),
        Value::Array("[1,[2]]"),
        Value::Object(r#"{"a":{}}"#),
    ];
    for value in values {
        assert_eq!(Value::from_compact(compact(&value).as_bytes()), Some(value));
    }
    for bytes in
        [&b""[..], b" 1", b"1 ", b"tru", b"[1", b"{]", b"\"a", b"\"\xff\"", b"1 2", b"nul", b"[1]x", b"\""]
    {
        assert_eq!(Value::from_compact(bytes), None, "{bytes:?}");
    }
}
