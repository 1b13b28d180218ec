//! Any bytes as a model; one that loads is run on a few events.
#![no_main]

use libfuzzer_sys::fuzz_target;
use qualifyd::core::rules::Rules;
use qualifyd::model::Model;
use qualifyd_fuzz::{apply_all, check_kept};
use std::fmt::Write;
use std::sync::{Arc, LazyLock};

/// A quarter of an hour: models may ask for a record every second.
const PASS_MS: i64 = 15 * 60_000;

static EVENTS: LazyLock<String> = LazyLock::new(|| {
    let bodies = [
        r#""type":"track","event":"A","userId":"u","properties":{"n":1.7e308,"list":[{"k":"x"}],"total":12.5}"#,
        r#""type":"track","event":"A","userId":"u","properties":{"n":1.7e308,"email":"x@y"}"#,
        r#""type":"identify","userId":"u","traits":{"email":"x@gmail.com","company":{"name":"C","size":500},"title":"VP"}"#,
        r#""type":"page","userId":"u","context":{"page":{"path":"/pricing","referrer":"https://r"},"campaign":{"medium":"cpc"}}"#,
        r#""type":"track","event":"B","userId":"u","properties":{"n":-5,"points":40,"reason":"r"}"#,
        r#""type":"track","event":"Demo Requested","userId":"u","properties":{"n":"12"}"#,
        r#""type":"track","event":"Order Completed","userId":"v","properties":{"total":99}"#,
    ];
    let mut events = String::new();
    for (minute, body) in bodies.iter().enumerate() {
        let _ = write!(events, "i{{{body},\"timestamp\":\"2026-03-01T00:{minute:02}:00Z\"}}\n\n");
    }
    events
});

fuzz_target!(|text: &[u8]| {
    let mut read_file = |name: &str| match name.len() % 3 {
        0 => Err(std::io::ErrorKind::NotFound.into()),
        1 => Ok(b"x@gmail.com\nAcme\n\n  Globex".to_vec()),
        _ => Ok(b"\xff".to_vec()),
    };
    match Model::load("model.yaml", text, &mut read_file) {
        Ok(loaded) => {
            let rules = Arc::new(Rules::new(Arc::new(loaded.model)));
            check_kept(&rules, &apply_all(&rules, EVENTS.as_bytes(), PASS_MS));
        }
        Err(found) => {
            assert!(!found.is_empty(), "a refusal says why");
            for diagnostic in found {
                assert!(diagnostic.to_string().len() < 2_000, "{diagnostic}");
            }
        }
    }
});
