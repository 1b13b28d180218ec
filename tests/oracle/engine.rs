//! The engine under test: `qualifyd replay`, as a user runs it.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::time;

/// No case keeps the engine busy for a tenth of it.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub enum Failure {
    /// What the engine says on why it does not run.
    Refuses(String),
    /// It does not come to an end.
    Stuck,
}

/// The printed lines.
pub fn replay(model: &str, input: &[u8], until: Option<i64>, scores: bool) -> Result<Vec<Value>, Failure> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name);
    fs::write(file("model.yaml"), model).expect("a model file");
    fs::write(file("events.jsonl"), input).expect("an events file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_qualifyd"));
    command.arg("replay").arg("--model").arg(file("model.yaml")).arg(file("events.jsonl"));
    command.args(until.iter().flat_map(|until| ["--until".to_string(), time::write(*until)]));
    command.args(scores.then_some("--scores"));
    command
        .stdout(File::create(file("out")).expect("a file"))
        .stderr(File::create(file("err")).expect("a file"));
    let Some(status) = ended(command.spawn().expect("the engine starts")) else { return Err(Failure::Stuck) };
    if !status.success() {
        return Err(Failure::Refuses(read(&file("err"))));
    }
    let lines = read(&file("out"));
    Ok(lines.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect())
}

fn read(file: &Path) -> String {
    String::from_utf8_lossy(&fs::read(file).expect("a readable file")).into_owned()
}

/// None: it had to be stopped.
fn ended(mut engine: Child) -> Option<ExitStatus> {
    let start = Instant::now();
    loop {
        if let Some(status) = engine.try_wait().expect("a child process") {
            return Some(status);
        }
        if start.elapsed() > PATIENCE {
            engine.kill().expect("it ends");
            engine.wait().expect("it ended");
            return None;
        }
        sleep(Duration::from_millis(1));
    }
}
