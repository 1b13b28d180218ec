//! Files of events for the offline commands: plain, gzip or zstd, or standard input, with progress on a terminal.

use anyhow::Context;
use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

const BUFFER: usize = 1 << 18;
const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Opens a file, or standard input for `-`. What is compressed is told by its first bytes, not by its name.
/// `read` counts the bytes taken from the file itself.
pub fn open(path: &Path, read: Rc<Cell<u64>>) -> anyhow::Result<Box<dyn BufRead>> {
    let raw: Box<dyn Read> = if path == Path::new("-") {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(path).with_context(|| format!("cannot open {}", path.display()))?)
    };
    let mut raw = BufReader::with_capacity(BUFFER, Counted { inner: raw, read });
    let start = raw.fill_buf().with_context(|| format!("cannot read {}", path.display()))?;
    if start.starts_with(&GZIP) {
        Ok(Box::new(BufReader::with_capacity(BUFFER, flate2::bufread::MultiGzDecoder::new(raw))))
    } else if start.starts_with(&ZSTD) {
        let decoder = zstd::Decoder::with_buffer(raw).context("cannot start to decompress zstd")?;
        Ok(Box::new(BufReader::with_capacity(BUFFER, decoder)))
    } else {
        Ok(Box::new(raw))
    }
}

/// The longest line that is kept whole: far beyond what an event may be, so that memory does not grow with a file that
/// has no line feeds.
pub const LONGEST_LINE: usize = 16 << 20;

/// Calls `each` with the number, from 1, and the text of every line, without its line feed.
pub fn each_line(input: &mut dyn BufRead, mut each: impl FnMut(u64, &[u8])) -> io::Result<()> {
    let (mut line, mut number) = (Vec::new(), 0);
    loop {
        line.clear();
        if input.take(LONGEST_LINE as u64).read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        number += 1;
        match line.pop_if(|last| *last == b'\n') {
            Some(_) => each(number, &line),
            None => {
                each(number, &line);
                input.skip_until(b'\n')?;
            }
        }
    }
}

struct Counted {
    inner: Box<dyn Read>,
    read: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.set(self.read.get() + count as u64);
        Ok(count)
    }
}

/// A line on standard error with rate and time left; nothing if that is no terminal.
pub struct Progress {
    /// Bytes of all files; `None` if one of them has no length (a pipe).
    total: Option<u64>,
    read: Rc<Cell<u64>>,
    started: Instant,
    shown: Instant,
    terminal: bool,
}

impl Progress {
    pub fn new(total: Option<u64>, read: Rc<Cell<u64>>) -> Progress {
        let now = Instant::now();
        Progress { total, read, started: now, shown: now, terminal: io::stderr().is_terminal() }
    }

    /// Shows how far it is, a few times a second at most.
    pub fn show(&mut self, events: u64) {
        if !self.terminal || self.shown.elapsed() < Duration::from_millis(250) {
            return;
        }
        self.shown = Instant::now();
        let seconds = self.started.elapsed().as_secs_f64();
        let rate = events as f64 / seconds;
        let mut line = format!("\r{events} events, {rate:.0}/s");
        if let Some(total) = self.total.filter(|&total| total > 0 && self.read.get() > 0) {
            let share = (self.read.get() as f64 / total as f64).min(1.0);
            let left = seconds / share - seconds;
            line.push_str(&format!(", {:.0} %, about {} left", share * 100.0, show_seconds(left)));
        }
        let _ = write!(io::stderr(), "{line}\x1b[K");
    }

    /// Takes the line away.
    pub fn end(&self) {
        if self.terminal {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }

    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}

fn show_seconds(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    match seconds {
        0..=59 => format!("{seconds} s"),
        60..=3599 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// The lengths of the files together, if all of them have one.
pub fn total_bytes<'a>(paths: impl Iterator<Item = &'a Path>) -> Option<u64> {
    paths.map(|path| path.metadata().ok().filter(|meta| meta.is_file()).map(|meta| meta.len())).sum()
}
