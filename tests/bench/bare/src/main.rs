//! What the comparison needs besides its contenders: the stream, the right answer, readers of what came out. And one
//! contender: the job as a bare loop on librdkafka, the least that it can cost. Arguments are `key=value`.

mod job;
mod latency;
mod run;
mod store;
mod stream;
mod topics;
mod watch;
mod worker;

use anyhow::{Context, bail};
use std::collections::HashMap;
use std::str::FromStr;

pub struct Args(HashMap<String, String>);

impl Args {
    pub fn text(&self, key: &str) -> anyhow::Result<String> {
        self.0.get(key).cloned().with_context(|| format!("{key}= is missing"))
    }

    pub fn get<T: FromStr>(&self, key: &str, default: T) -> anyhow::Result<T> {
        match self.0.get(key) {
            None => Ok(default),
            Some(text) => text.parse().ok().with_context(|| format!("{key}={text} is not understood")),
        }
    }
}

fn main() -> anyhow::Result<()> {
    let mut words = std::env::args().skip(1);
    let command = words.next().unwrap_or_default();
    let pairs = words.map(|word| {
        let pair = word.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
        pair.with_context(|| format!("{word} is not key=value"))
    });
    let args = Args(pairs.collect::<anyhow::Result<_>>()?);
    match command.as_str() {
        "create" => topics::create(&args),
        "delete" => topics::delete(&args),
        "compact" => topics::compact(&args),
        "generate" => stream::generate(&args),
        "reference" => job::reference(&args),
        "run" => run::run(&args),
        "watch" => watch::watch(&args),
        "verify" => watch::verify(&args),
        "count" => watch::count(&args),
        "latency" => latency::latency(&args),
        _ => bail!("commands: create delete compact generate reference run watch verify count latency"),
    }
}
