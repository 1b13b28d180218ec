//! `qualifyd dead-letters`.

use super::settings;
use crate::dead_letters::{Filter, Letter};
use crate::event::Reason;
use crate::event::time::write_rfc3339;
use crate::kafka;
use crate::kafka::dead_letters::{DeadLetters, Fate};
use clap::ValueEnum;
use clap::builder::PossibleValuesParser;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

/// Characters of a value that the list shows.
const EXCERPT: usize = 160;

/// List the records that were rejected, with reasons, and send them again after a fix.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "--resend sends each record back to the input topic as it was: key, value, headers, timestamp, partition. What was sent again
is remembered with the sending, in one transaction, so that the next --resend leaves it out, whatever its conditions.

Examples:
  qualifyd dead-letters --config qualifyd.yaml --summary
  qualifyd dead-letters --config qualifyd.yaml --reason bad_time --since 2026-03-01 --limit 20
  qualifyd dead-letters --config qualifyd.yaml --resend --reason too_large --dry-run"
)]
pub struct Args {
    #[command(flatten)]
    settings: settings::Args,
    /// Only those rejected for this reason; may be given several times.
    #[arg(long, value_name = "REASON", value_parser = PossibleValuesParser::new(Reason::ALL.map(Reason::name)))]
    reason: Vec<String>,
    /// Only those rejected at this time or later.
    #[arg(long, value_name = "TIME", value_parser = super::parse_time)]
    since: Option<i64>,
    /// At most so many, the oldest of each partition first.
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Only count them, by reason.
    #[arg(long, conflicts_with = "resend")]
    summary: bool,
    /// Send them back to the input topic, but those that were sent again before.
    #[arg(long)]
    resend: bool,
    /// With --resend: send also what was sent again before.
    #[arg(long, requires = "resend")]
    from_beginning: bool,
    /// With --resend: only say what would be sent.
    #[arg(long, requires = "resend")]
    dry_run: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// A JSON object a line.
    Json,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Some(settings) = args.settings.load() else { return Ok(ExitCode::from(settings::UNUSABLE)) };
    let mut letters = DeadLetters::new(&settings, args.from_beginning)?;
    let filter = Filter { reasons: args.reason.clone(), since_ms: args.since };
    let limit = args.limit.unwrap_or(u64::MAX);
    let mut out = BufWriter::new(io::stdout().lock());
    match (args.resend, args.summary) {
        (true, _) => resend(args, &mut letters, &filter, limit, &mut out)?,
        (false, true) => summary(args.format, &letters, &filter, limit, &mut out)?,
        (false, false) => list(args.format, &letters, &filter, limit, &mut out)?,
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// The letters that are meant, at most so many.
fn each(
    letters: &DeadLetters<'_>,
    filter: &Filter,
    limit: u64,
    mut handle: impl FnMut(&Letter<'_>) -> io::Result<()>,
) -> anyhow::Result<u64> {
    let mut count = 0;
    letters.each(|letter| {
        if filter.holds(letter) && count < limit {
            handle(letter).map_err(anyhow::Error::from)?;
            count += 1;
        }
        Ok::<bool, anyhow::Error>(count < limit)
    })?;
    Ok(count)
}

fn list(
    format: Format,
    letters: &DeadLetters<'_>,
    filter: &Filter,
    limit: u64,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let count =
        each(letters, filter, limit, |letter| print(format, letter, letters.was_resent(letter), out))?;
    if count == 0 {
        eprintln!("no dead letters");
    }
    Ok(())
}

/// How many of a reason.
#[derive(Debug, Default)]
struct Count {
    letters: u64,
    resent: u64,
    first_ms: Option<i64>,
    last_ms: Option<i64>,
    example: String,
}

fn summary(
    format: Format,
    letters: &DeadLetters<'_>,
    filter: &Filter,
    limit: u64,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let mut counts: BTreeMap<String, Count> = BTreeMap::new();
    each(letters, filter, limit, |letter| {
        let count = counts.entry(letter.reason.to_owned()).or_default();
        count.letters += 1;
        count.resent += u64::from(letters.was_resent(letter));
        count.first_ms = count.first_ms.into_iter().chain(letter.rejected_ms).min();
        count.last_ms = count.last_ms.max(letter.rejected_ms);
        letter.detail.clone_into(&mut count.example);
        Ok(())
    })?;
    if format == Format::Text {
        writeln!(
            out,
            "{:>9}  {:>9}  {:12}  {:19}  {:19}  latest detail",
            "letters", "resent", "reason", "first", "last"
        )?;
    }
    for (reason, Count { letters, resent, first_ms, last_ms, example }) in counts {
        let (first, last) = (time(first_ms), time(last_ms));
        match format {
            Format::Text => writeln!(
                out,
                "{letters:>9}  {resent:>9}  {:12}  {}  {}  {example}",
                shown(&reason),
                short(&first),
                short(&last)
            )?,
            Format::Json => {
                let line = json!({ "reason": reason, "letters": letters, "resent": resent, "first": first, "last": last, "detail": example });
                writeln!(out, "{line}")?;
            }
        }
    }
    Ok(())
}

fn resend(
    args: &Args,
    letters: &mut DeadLetters<'_>,
    filter: &Filter,
    limit: u64,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let (mut sent, mut skipped) = (0_u64, 0_u64);
    let mut failed = Ok(());
    let mut tell = |letter: &Letter<'_>, fate: Fate| {
        let printed = match fate {
            Fate::Resent => {
                sent += 1;
                print(args.format, letter, false, out)
            }
            Fate::Skipped => {
                skipped += 1;
                let place = format!("{}/{}", letter.partition, letter.offset);
                let why = letter.truncated.map_or("it is no dead letter of qualifyd's".to_owned(), |parts| {
                    format!(
                        "its {parts} did not fit into the topic, get it from where it came from ({})",
                        origin(letter)
                    )
                });
                eprintln!("skipped {place}: {why}");
                Ok(())
            }
        };
        if failed.is_ok() {
            failed = printed;
        }
    };
    if args.dry_run {
        let mut count = 0;
        letters.each::<kafka::Error>(|letter| {
            if filter.holds(letter) && !letters.was_resent(letter) {
                let fate = if letter.is_whole() { Fate::Resent } else { Fate::Skipped };
                count += u64::from(fate == Fate::Resent);
                tell(letter, fate);
            }
            Ok(count < limit)
        })?;
    } else {
        letters.resend(filter, limit, tell)?;
    }
    failed?;
    let verb = if args.dry_run { "would be sent again" } else { "sent again" };
    eprintln!("{sent} {verb}, {skipped} skipped");
    Ok(())
}

fn print(format: Format, letter: &Letter<'_>, resent: bool, out: &mut impl Write) -> io::Result<()> {
    match format {
        Format::Json => writeln!(out, "{}", to_json(letter, resent)),
        Format::Text => {
            let time = time(letter.rejected_ms);
            let again = if resent { "  (sent again)" } else { "" };
            let key = letter.key.map_or("no key".to_owned(), |key| format!("key {}", excerpt(key)));
            writeln!(
                out,
                "{}  {}  {}  {key}{again}\n    {}\n    {}",
                short(&time),
                shown(letter.reason),
                origin(letter),
                letter.detail,
                letter.value.map_or("no value".to_owned(), excerpt)
            )
        }
    }
}

fn to_json(letter: &Letter<'_>, resent: bool) -> Value {
    let mut shown = json!({
        "partition": letter.partition,
        "offset": letter.offset,
        "rejected": time(letter.rejected_ms),
        "reason": letter.reason,
        "detail": letter.detail,
        "from": {
            "topic": letter.topic,
            "partition": letter.from_partition,
            "offset": letter.from_offset,
            "timestamp": time(letter.timestamp_ms)
        },
        "resent": resent
    });
    if let Some(truncated) = letter.truncated {
        shown["truncated"] = truncated.into();
    }
    for (name, bytes) in [("key", letter.key), ("value", letter.value)] {
        match bytes.map(std::str::from_utf8) {
            None => shown[name] = Value::Null,
            Some(Ok(text)) => shown[name] = text.into(),
            // Not UTF-8: the bytes themselves.
            Some(Err(_)) => shown[format!("{name}_hex")] = hex(bytes.unwrap_or_default()).into(),
        }
    }
    shown
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn origin(letter: &Letter<'_>) -> String {
    let number = |number: Option<i64>| number.map_or("?".to_owned(), |number| number.to_string());
    format!(
        "{}/{}/{}",
        letter.topic,
        number(letter.from_partition.map(i64::from)),
        number(letter.from_offset)
    )
}

fn shown(reason: &str) -> &str {
    if reason.is_empty() { "(foreign)" } else { reason }
}

/// The beginning, safe for a terminal.
fn excerpt(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4 * EXCERPT)]);
    let safe = |letter: char| if letter.is_control() { '·' } else { letter };
    let mut shown: String = text.chars().take(EXCERPT).map(safe).collect();
    if shown.len() < bytes.len() {
        shown.push('…');
    }
    shown
}

fn time(ms: Option<i64>) -> Option<String> {
    let mut text = Vec::new();
    write_rfc3339(&mut text, ms?);
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// To the second.
fn short(time: &Option<String>) -> String {
    let text = time.as_ref().and_then(|time| time.get(..19));
    text.map_or("no time            ".to_owned(), |time| time.replace('T', " "))
}
