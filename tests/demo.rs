//! The demonstration without Kafka.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

fn demo(flags: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_qualifyd"));
    // Settings of the environment are for real clusters.
    command.arg("demo").args(flags).env("QUALIFYD__KAFKA__BROKERS", "nowhere.invalid:1");
    command
}

#[test]
fn a_whole_stream_runs_and_ends_by_itself() {
    let output =
        demo(&["--leads", "200", "--days", "120", "--speed", "3000000"]).output().expect("it starts");
    let shown = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success(), "{shown}{}", String::from_utf8_lossy(&output.stderr));
    for part in [
        "visitor → lead",
        "→ mql",
        "▲ ",
        "past due",
        "  visitor           200  ██",
        "  beside it    recycled ",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[test]
fn an_interrupt_ends_it_in_good_order() {
    let mut process = demo(&["--speed", "500000"]).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(process.stdout.take().expect("its output"));
    let mut line = String::new();
    while !line.contains('→') {
        line.clear();
        assert!(lines.read_line(&mut line).expect("it writes") > 0, "it shows something");
    }
    let interrupted = Command::new("kill").args(["-INT", &process.id().to_string()]).status();
    assert!(interrupted.expect("kill starts").success());
    let mut rest = String::new();
    lines.read_to_string(&mut rest).expect("it writes");
    assert!(rest.contains("  SLAs         met "), "the funnel in the end: {rest}");
    assert_eq!(process.wait().expect("its status").code(), Some(0));
}
