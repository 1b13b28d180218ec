//! `qualifyd test`.

use crate::testing::report::{self, Style};
use crate::testing::{coverage, run};
use anyhow::Context;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Run the tests of models that their owners have written in YAML.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A test is one lead's story: events at times since the start, and what is expected when.

  # yaml-language-server: $schema=../../../schemas/test.schema.json
  model: ../b2b-saas.yaml
  tests:
    - name: A decision maker who asks for a demo is handed over at once
      steps:
        - { identify: { email: ana@acme.example, title: VP Operations } }
        - { at: 1d, page: /pricing, times: 3, every: 1d }
        - { at: 4d, track: Demo Requested }
        - { at: 4d, expect: { stage: mql, transitions: [identify, hand_raise] } }
        - { at: 30d, expect: { stage: recycled, scores: { engagement: { lt: 20 } } } }

Examples:
  qualifyd test deploy/models
  qualifyd test --filter pricing --coverage deploy/models/tests/b2b-saas.test.yaml
  qualifyd test --min-coverage 100 --junit report.xml deploy/models

Exit status: 0 all pass, 1 a test fails or a file has mistakes or too little is covered, 2 wrong usage."
)]
pub struct Args {
    /// Files of tests, or folders in which all *.test.yaml are meant.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Run only tests whose name contains this, whatever the case.
    #[arg(long, value_name = "TEXT")]
    filter: Option<String>,
    /// Also write a report for build servers.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// How to print what came of it.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Tell which signals, transitions, alerts and SLAs no test touches.
    #[arg(long)]
    coverage: bool,
    /// Fail if less of a model than this takes part in its tests, in percent.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    min_coverage: Option<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let paths = run::find(&args.paths).context("cannot look for files of tests")?;
    if paths.is_empty() {
        eprintln!("qualifyd: no file ends in {}", run::ENDING);
        return Ok(ExitCode::from(2));
    }
    let results = run::run(&paths, args.filter.as_deref());
    if let Some(path) = &args.junit {
        let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        let mut file = BufWriter::new(file);
        report::junit(&results, &mut file).and_then(|()| file.flush())?;
    }
    // Takes colours out where nobody can see them.
    let mut out = anstream::stdout().lock();
    let least = f64::from(args.min_coverage.unwrap_or(0));
    let too_little = results.models.values().any(|model| coverage::percent(&model.covered()) < least);
    match args.format {
        Format::Text => {
            report::text(&results, args.coverage || too_little, Style { colour: true }, &mut out)?
        }
        Format::Json => writeln!(out, "{:#}", report::json(&results))?,
    }
    if too_little {
        eprintln!("qualifyd: less than {least} % of a model takes part in its tests");
    }
    if results.tests().next().is_none() && results.broken() == 0 {
        eprintln!("qualifyd: no test's name contains '{}'", args.filter.as_deref().unwrap_or(""));
        return Ok(ExitCode::from(2));
    }
    let fine = results.failed() == 0 && results.broken() == 0 && !too_little;
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
