//! The engine under test: `qualifyd replay`, as a user runs it.

use std::fs;
use std::process::Command;

use serde_json::Value;

use super::time;

/// The printed lines; an error: what the engine says on why it does not run.
pub fn replay(model: &str, input: &[u8], until: Option<i64>, scores: bool) -> Result<Vec<Value>, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let (model_file, input_file) = (folder.path().join("model.yaml"), folder.path().join("events.jsonl"));
    fs::write(&model_file, model).map_err(|error| error.to_string())?;
    fs::write(&input_file, input).map_err(|error| error.to_string())?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_qualifyd"));
    command.arg("replay").arg("--model").arg(&model_file).arg(&input_file);
    if let Some(until) = until {
        command.arg("--until").arg(time::write(until));
    }
    if scores {
        command.arg("--scores");
    }
    let output = command.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).map_err(|error| format!("not JSON: {error}")))
        .collect()
}
