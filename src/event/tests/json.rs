use super::outcome;
use crate::event::Reason;

/// Judges a JSON text as a property of a page.
fn accepts(text: impl AsRef<[u8]>) -> bool {
    let record = [br#"{"type":"page","userId":"u","properties":{"v":"#, text.as_ref(), b"}}"].concat();
    match outcome(&record) {
        Ok(()) => true,
        Err(Reason::NotJson) => false,
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn what_json_allows() {
    let texts = [
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-0.0",
        "10",
        "1.0e+10",
        "1E-2",
        "0e1",
        "0E+00",
        "123456789012345678901234567890",
        "1e308",
        "-1.7976931348623157e308",
        "1e-400",
        "0e999999999999999999999",
        "1e-999999999999999999999",
        "\"\"",
        "\"\\u0000\"",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\\uD83D\\uDE00\"",
        "\"\\ud800\\udc00\"",
        "\"\u{7f}\u{80}\u{2028}\"",
        "\"é\\u00E9\"",
        "[]",
        "[ ]",
        "{}",
        "{ }",
        "[1 , 2]",
        "\t\n\r [1]",
        "{\"\":0}",
        "{\"a\":1,\"a\":2}",
        "[[],{}]",
        "\"\\uFFFF\"",
    ];
    for text in texts {
        assert!(accepts(text), "{text}");
    }
    assert!(accepts("0.".to_owned() + &"1".repeat(10_000)));
    assert!(accepts("9".repeat(308)));
}

#[test]
fn what_json_does_not_allow() {
    let texts = [
        "",
        "nul",
        "nulll",
        "True",
        "NaN",
        "Infinity",
        "-Infinity",
        "-",
        "+1",
        "01",
        "-01",
        "1.",
        ".5",
        "1.e1",
        "1e",
        "1e+",
        "0x1",
        "1e400",
        "-1e400",
        "1.7976931348623159e308",
        "1_0",
        "1 2",
        "\"",
        "\"\\",
        "\"\\x\"",
        "\"\\u12\"",
        "\"\\u12G4\"",
        "\"\\U0041\"",
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800\\ud800\"",
        "\"\\ud800x\"",
        "\"\\ud800\\n\"",
        "\"\\udc00\\ud800\"",
        "\"\\u+123\"",
        "\"a\nb\"",
        "\"\t\"",
        "\"\u{0}\"",
        "'a'",
        "[",
        "]",
        "[1",
        "[1,]",
        "[,1]",
        "[1,,2]",
        "[1 2]",
        "{",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,}",
        "{,}",
        "{a:1}",
        "{1:1}",
        "{\"a\" 1}",
        "{\"a\"::1}",
        "{\"a\":1 \"b\":2}",
        "[1}",
        "{\"a\":1]",
        "[\"a\":1]",
        "/* */1",
        "1 // one",
        "\u{a0}1",
        "\u{feff}1",
        "undefined",
        "[\u{b}1]",
        "[1]]",
        "{}}",
        "\"a\"\"b\"",
    ];
    for text in texts {
        assert!(!accepts(text), "{text}");
    }
    assert!(!accepts("9".repeat(400)));
}

#[test]
fn strings_end_where_they_end_at_any_alignment() {
    for length in 0..40 {
        for offset in 0..8 {
            let (plain, pad) = ("x".repeat(length), " ".repeat(offset));
            assert!(accepts(format!("{pad}\"{plain}\"")), "{length} {offset}");
            assert!(accepts(format!("{pad}\"{plain}\\n{plain}\"")), "{length} {offset}");
            assert!(accepts(format!("{pad}\"{plain}é😀{plain}\"")), "{length} {offset}");
            for bad in ["\n", "\u{1f}", "\\", "\\u00"] {
                assert!(!accepts(format!("{pad}\"{plain}{bad}\"")), "{length} {offset} {bad:?}");
            }
        }
    }
}

#[test]
fn only_utf8_is_json() {
    for bytes in [
        &b"\"\xff\""[..],
        b"\"\xc0\xaf\"",
        b"\"\xed\xa0\x80\"",
        b"\"\xf4\x90\x80\x80\"",
        b"\"\xe2\x82\"",
        b"\xff",
    ] {
        assert!(!accepts(bytes), "{bytes:x?}");
    }
    let utf16: Vec<u8> = r#"{"type":"page"}"#.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(outcome(&utf16), Err(Reason::NotJson));
}

#[test]
fn whole_records() {
    let page = r#"{"type":"page","userId":"u"}"#;
    let cases = [
        ("", Err(Reason::NotJson)),
        (" \n", Err(Reason::NotJson)),
        ("\u{feff}", Err(Reason::NotJson)),
        (page, Ok(())),
        (&format!(" {page}\n\t"), Ok(())),
        (&format!("\u{feff}{page}"), Ok(())),
        (&format!("\u{feff} {page}"), Ok(())),
        (&format!("\u{feff}\u{feff}{page}"), Err(Reason::NotJson)),
        (&format!(" \u{feff}{page}"), Err(Reason::NotJson)),
        (&format!("{page}{page}"), Err(Reason::NotJson)),
        (&format!("{page},"), Err(Reason::NotJson)),
        (&format!("{page}\u{0}"), Err(Reason::NotJson)),
        ("[]", Err(Reason::NotObject)),
        ("\"text\"", Err(Reason::NotObject)),
        ("7", Err(Reason::NotObject)),
        ("null", Err(Reason::NotObject)),
    ];
    for (record, expected) in cases {
        assert_eq!(outcome(record.as_bytes()), expected, "{record:?}");
    }
    for end in 0..page.len() {
        assert_eq!(outcome(&page.as_bytes()[..end]), Err(Reason::NotJson), "{}", &page[..end]);
    }
}

#[test]
fn depth() {
    let nested = |open: &str, inner: &str, close: &str, n: usize| {
        format!("{}{inner}{}", open.repeat(n), close.repeat(n))
    };
    // The record and `properties` are two of the 64.
    assert!(accepts(nested("[", "", "]", 62)));
    assert!(accepts(nested("{\"a\":", "1", "}", 62)));
    let page = |value: String| format!(r#"{{"type":"page","userId":"u","properties":{{"v":{value}}}}}"#);
    for n in [63, 64, 65, 127, 128, 129, 1000, 50_000] {
        for record in [nested("[", "", "]", n), nested("[{\"a\":", "[]", "}]", n / 2 + 1)] {
            assert_eq!(outcome(page(record).as_bytes()), Err(Reason::TooDeep), "{n}");
        }
        assert_eq!(outcome(page(nested("[", "", "}", n)).as_bytes()), Err(Reason::NotJson), "{n}");
    }
    for open in ["[", "{\"a\":", "[{\"a\":"] {
        let record = open.repeat(262_144 / open.len());
        assert_eq!(outcome(record.as_bytes()), Err(Reason::NotJson));
    }
    assert_eq!(outcome(nested("[", "", "]", 131_072).as_bytes()), Err(Reason::TooDeep));
}

#[test]
fn deep_arrays_on_a_wanted_path_are_bounded() {
    let record = format!(
        r#"{{"type":"page","userId":"u","properties":{{"v":{}{}}}}}"#,
        r#"[{"a":"#.repeat(20_000),
        "1}]".to_owned() + &"}]".repeat(19_999)
    );
    let plan = super::plan(&["properties.v.a", "properties.v.a.a.a"], &[]);
    let mut scanner = crate::event::scan::Scanner::default();
    let rejection = scanner.scan(&plan, &super::LIMITS, record.as_bytes()).unwrap_err();
    assert_eq!(rejection.reason, Reason::TooDeep);
}

#[test]
fn too_large_comes_first() {
    assert_eq!(outcome(&vec![b'['; 262_145]), Err(Reason::TooLarge));
    assert_eq!(outcome(&vec![b'['; 262_144]), Err(Reason::NotJson));
}
