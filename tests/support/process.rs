//! A daemon as a process of its own, which a test may kill.

use super::daemon::Daemon;
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts the daemon as an instance of its group; `failpoints` as the variable `FAILPOINTS` has them.
    pub fn start(daemon: &Daemon, instance: &str, sets: &[&str], failpoints: &str) -> Process {
        let config = daemon.settings_file();
        let log = config.with_file_name(format!("{}.log", super::kafka::unique(instance)));
        let mut command = Command::new(env!("CARGO_BIN_EXE_qualifyd"));
        command.arg("run").arg("--config").arg(&config);
        command.arg("--set").arg(format!("kafka.instance={instance}"));
        command.args(
            daemon
                .sets()
                .iter()
                .map(String::as_str)
                .chain(sets.iter().copied())
                .flat_map(|set| ["--set", set]),
        );
        Process::spawn(command.env("FAILPOINTS", failpoints), log)
    }

    /// Starts a command whose log is kept.
    pub fn spawn(command: &mut Command, log: PathBuf) -> Process {
        let child = command
            .env("NO_COLOR", "1")
            .stdin(Stdio::null())
            .stderr(File::create(&log).expect("the log's file"))
            .spawn()
            .expect("the daemon starts");
        Process { child, log }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it as a machine that goes down does.
    pub fn kill(&mut self) {
        self.child.kill().expect("it is killed");
        self.child.wait().expect("its end");
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.id().to_string()]).status();
        assert!(sent.expect("kill starts").success(), "{name} is sent");
    }

    /// Whether it runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().expect("its state").is_none()
    }

    /// Whether it ends by itself within this time.
    pub fn ends_within(&mut self, time: Duration) -> bool {
        let start = Instant::now();
        while self.runs() {
            if start.elapsed() >= time {
                return false;
            }
            thread::sleep(Duration::from_millis(20));
        }
        true
    }

    /// Waits for its end; its exit status, none if it was killed.
    pub fn end(&mut self) -> Option<i32> {
        assert!(self.ends_within(PATIENCE), "it ends in time\n{}", self.log());
        self.child.wait().expect("its status").code()
    }

    /// Stops it in good order.
    pub fn stop(&mut self) {
        self.signal("TERM");
        assert_eq!(self.end(), Some(0), "a clean stop\n{}", self.log());
    }

    /// What it wrote to standard error so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until its log has this text.
    pub fn says(&mut self, text: &str) {
        let start = Instant::now();
        while !self.log().contains(text) {
            assert!(
                self.runs() || self.log().contains(text),
                "it says '{text}' before it ends\n{}",
                self.log()
            );
            assert!(start.elapsed() < PATIENCE, "it says '{text}' in time\n{}", self.log());
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("--- {}\n{}", self.log.display(), self.log());
        }
    }
}
