//! `qualifyd topics`.

use super::settings;
use crate::config::Settings;
use crate::kafka::topics::{self, Creation, Severity, Topic};
use std::io::{self, Write};
use std::process::ExitCode;

/// List the topics that the daemon needs, and say what is wrong with them, or create those that are missing.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit status: 0 all is as it has to be, 1 something is wrong, 2 wrong usage or settings.

Examples:
  qualifyd topics --config qualifyd.yaml
  qualifyd topics --config qualifyd.yaml --create --partitions 12 --replication-factor 3"
)]
pub struct Args {
    #[command(flatten)]
    settings: settings::Args,
    /// Say what is there and what is wrong with it (this is the default).
    #[arg(long, conflicts_with = "create")]
    check: bool,
    /// Create the topics that are missing, with as many partitions as the input topic has; then check all.
    #[arg(long)]
    create: bool,
    /// Partitions of the input topic, should it be missing.
    #[arg(long, value_name = "N", requires = "create", value_parser = clap::value_parser!(i32).range(1..))]
    partitions: Option<i32>,
    /// Copies of each partition that is created; the cluster's default if not given.
    #[arg(long, value_name = "N", requires = "create", value_parser = clap::value_parser!(i32).range(1..))]
    replication_factor: Option<i32>,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Some(settings) = args.settings.load() else { return Ok(ExitCode::from(settings::UNUSABLE)) };
    let mut topics = topics::inspect(&settings)?;
    if args.create {
        let how = Creation { replicas: args.replication_factor, input_partitions: args.partitions };
        for created in topics::create(&settings, &topics, how)? {
            eprintln!("created {created}");
        }
        topics = topics::inspect(&settings)?;
    }
    let fine = print(&topics, &settings, &mut io::stdout().lock())?;
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints the topics, then the findings; true if nothing is wrong.
fn print(topics: &[Topic], settings: &Settings, out: &mut impl Write) -> io::Result<bool> {
    let width = topics.iter().map(|topic| topic.name.len()).max().unwrap_or(0).max(5);
    writeln!(out, "{:width$}  {:12}  partitions  copies  cleanup", "topic", "for")?;
    for topic in topics {
        write!(out, "{:width$}  {:12}  ", topic.name, topic.role.name())?;
        match &topic.found {
            None => writeln!(out, "missing")?,
            Some(found) => {
                let cleanup = found.setting("cleanup.policy").unwrap_or("?");
                writeln!(out, "{:10}  {:6}  {cleanup}", found.partitions, found.replicas)?;
            }
        }
    }
    if topics.iter().filter_map(|topic| topic.found.as_ref()).any(|found| found.settings.is_none()) {
        writeln!(
            out,
            "\nThe cluster does not tell the topics' settings: that takes the right DescribeConfigs."
        )?;
    }
    let findings = topics::judge(topics, settings);
    for finding in &findings {
        let sign = if finding.severity == Severity::Advice { "advice" } else { "wrong" };
        writeln!(out, "\n{sign}: {} {}", finding.topic, finding.message)?;
    }
    Ok(findings.iter().all(|finding| finding.severity == Severity::Advice))
}
