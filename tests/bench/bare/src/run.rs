//! The job as a bare loop, until SIGTERM.

use crate::Args;
use crate::worker::Worker;
use std::thread;
use std::time::{Duration, Instant};

#[derive(Clone)]
pub struct Settings {
    pub brokers: String,
    pub input: String,
    pub output: String,
    pub changelog: String,
    pub group: String,
    pub partitions: i32,
    pub workers: i32,
    pub exactly_once: bool,
    pub interval: Duration,
    /// How soon a transition that waits is committed; none: not before the interval is over.
    pub early: Option<Duration>,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let early = args.get("early_ms", 0)?;
    let settings = Settings {
        brokers: args.text("brokers")?,
        input: args.text("input")?,
        output: args.text("output")?,
        changelog: args.text("changelog")?,
        group: args.text("group")?,
        partitions: args.get("partitions", 4)?,
        workers: args.get("workers", 2)?,
        exactly_once: args.get("exactly_once", 1)? == 1,
        interval: Duration::from_millis(args.get("interval_ms", 100)?),
        early: Some(Duration::from_millis(early)).filter(|early| !early.is_zero()),
    };
    let mut workers = Vec::new();
    for number in 0..settings.workers {
        workers.push(Worker::new(settings.clone(), number)?);
    }
    let start = Instant::now();
    let (mut records, mut leads) = (0, 0);
    let restored = thread::scope(|scope| {
        let threads: Vec<_> =
            workers.iter_mut().map(|worker| scope.spawn(|| (worker.restore(), worker.leads()))).collect();
        threads.into_iter().map(|thread| thread.join()).collect::<Vec<_>>()
    });
    for restored in restored {
        let (read, kept) = restored.map_err(|_| anyhow::anyhow!("a worker panicked"))?;
        records += read?;
        leads += kept;
    }
    println!("RESTORED records={records} leads={leads} seconds={:.3}", start.elapsed().as_secs_f64());
    let threads: Vec<_> = workers.into_iter().map(|mut worker| thread::spawn(move || worker.run())).collect();
    for thread in threads {
        thread.join().map_err(|_| anyhow::anyhow!("a worker panicked"))??;
    }
    Ok(())
}
