//! `qualifyd new`.

use crate::new::{Answers, Kind, write};
use anyhow::Context;
use clap::ValueEnum;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Start a model, with its tests, by a few questions.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Writes DIR/NAME.yaml and DIR/tests/NAME.test.yaml; both are yours to change. On a terminal it asks for
what is not given; elsewhere everything has a default.

Stages for b2b: visitor lead mql sal sql opportunity customer recycled disqualified dormant
Stages for b2c: visitor lead cart checkout customer dormant

Examples:
  qualifyd new
  qualifyd new models --name acme --kind b2b --product-led --stages mql,sql,recycled
  qualifyd new shop --name shop --kind b2c --yes && qualifyd test shop

Exit status: 0 fine, 1 it cannot be written, 2 wrong usage."
)]
pub struct Args {
    /// Where to write; it is made if it is not there.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// The model's name, also of its files: small letters, digits and dashes.
    #[arg(long, value_parser = name)]
    name: Option<String>,
    /// Who is sold to: companies or people.
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// People use the product before they buy.
    #[arg(long)]
    product_led: bool,
    /// Stages to keep; visitor, lead and customer are always there [default: all].
    #[arg(long, value_name = "STAGE,…", value_delimiter = ',')]
    stages: Option<Vec<String>>,
    /// Ask nothing.
    #[arg(long, short)]
    yes: bool,
}

/// A name that is good for a file, too.
fn name(text: &str) -> Result<String, String> {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    match text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(good) {
        true => Ok(text.to_owned()),
        false => Err("use small letters, digits and dashes, such as acme-b2b".to_owned()),
    }
}

pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let asks = !args.yes && io::stdin().is_terminal() && io::stderr().is_terminal();
    let answers = if asks { asked(args, &mut io::stdin().lock(), &mut io::stderr())? } else { given(args) };
    let answers = match answers {
        Ok(answers) => answers,
        Err(wrong) => {
            eprintln!("qualifyd: {wrong}");
            return Ok(ExitCode::from(2));
        }
    };
    let [model, tests] = write(&answers, &args.folder).context("the model cannot be written")?;
    println!("{}\n{}", model.display(), tests.display());
    eprintln!("Next: qualifyd test {}", args.folder.display());
    Ok(ExitCode::SUCCESS)
}

/// What the flags say, and defaults for the rest.
fn given(args: &Args) -> Result<Answers, String> {
    let name = args.name.clone().unwrap_or_else(|| "my-model".to_owned());
    let mut answers = Answers::new(name, args.kind.unwrap_or(Kind::B2b), args.product_led);
    if let Some(stages) = &args.stages {
        answers.choose(stages)?;
    }
    Ok(answers)
}

/// Asks for what the flags do not say; an empty answer takes what stands in brackets. What the flags say is taken, or
/// told to be wrong.
fn asked(
    args: &Args,
    from: &mut impl BufRead,
    to: &mut impl Write,
) -> anyhow::Result<Result<Answers, String>> {
    let name = match &args.name {
        Some(name) => name.clone(),
        None => ask(from, to, "What is the model called? [my-model]", |answer| match answer {
            "" => Ok("my-model".to_owned()),
            answer => name(answer),
        })?,
    };
    let kind =
        match args.kind {
            Some(kind) => kind,
            None => ask(from, to, "Do you sell to companies (b2b) or to people (b2c)? [b2b]", |answer| {
                match answer {
                    "" => Ok(Kind::B2b),
                    answer => Kind::from_str(answer, true).map_err(|_| "answer b2b or b2c".to_owned()),
                }
            })?,
        };
    let product_led = args.product_led
        || ask(from, to, "Do people use the product before they buy, as in a trial? (y/n) [n]", yes)?;
    let mut answers = Answers::new(name, kind, product_led);
    if let Some(stages) = &args.stages {
        return Ok(answers.choose(stages).map(|()| answers));
    }
    writeln!(to, "Stages, from top to bottom:")?;
    for stage in kind.stages() {
        let always = if stage.always { " (always there)" } else { "" };
        writeln!(to, "  {:13} {}{always}", stage.name, stage.what)?;
    }
    ask(from, to, "Which do you want? Names with commas between them [all]", |answer| {
        let names: Vec<String> =
            answer.split([',', ' ']).filter(|name| !name.is_empty()).map(str::to_owned).collect();
        if names.is_empty() || names == ["all"] { Ok(()) } else { answers.choose(&names) }
    })?;
    Ok(Ok(answers))
}

fn yes(answer: &str) -> Result<bool, String> {
    match answer.to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(true),
        "" | "n" | "no" => Ok(false),
        _ => Err("answer y or n".to_owned()),
    }
}

/// Asks until the answer can be understood.
fn ask<T>(
    from: &mut impl BufRead,
    to: &mut impl Write,
    question: &str,
    mut read: impl FnMut(&str) -> Result<T, String>,
) -> anyhow::Result<T> {
    loop {
        write!(to, "{question} ")?;
        to.flush()?;
        let mut answer = String::new();
        if from.read_line(&mut answer)? == 0 {
            anyhow::bail!("the answers ended too early; give them as flags, or --yes for the defaults");
        }
        match read(answer.trim()) {
            Ok(answer) => return Ok(answer),
            Err(wrong) => writeln!(to, "{wrong}")?,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> Args {
        Args { folder: ".".into(), name: None, kind: None, product_led: false, stages: None, yes: false }
    }

    fn answered(answers: &str) -> (anyhow::Result<Result<Answers, String>>, String) {
        let mut shown = Vec::new();
        let answers = asked(&args(), &mut answers.as_bytes(), &mut shown);
        (answers, String::from_utf8(shown).unwrap())
    }

    #[test]
    fn empty_answers_take_what_stands_in_brackets() {
        let (answers, _) = answered("\n\n\n\n");
        let answers = answers.unwrap().unwrap();
        assert_eq!(
            (answers.name.as_str(), answers.kind, answers.product_led),
            ("my-model", Kind::B2b, false)
        );
        assert_eq!(answers.model(), given(&args()).unwrap().model());
    }

    #[test]
    fn a_wrong_answer_is_asked_again() {
        let (answers, shown) = answered("My Model\nshop\nb2x\nb2c\nmaybe\ny\ncart,chekout\ncart\n");
        let answers = answers.unwrap().unwrap();
        assert_eq!((answers.name.as_str(), answers.kind, answers.product_led), ("shop", Kind::B2c, true));
        assert!(answers.model().contains("name: cart") && !answers.model().contains("name: checkout"));
        for told in ["small letters", "answer b2b or b2c", "answer y or n", "did you mean 'checkout'?"] {
            assert!(shown.contains(told), "{told}: {shown}");
        }
    }

    #[test]
    fn answers_that_end_are_told() {
        assert!(answered("shop\n").0.unwrap_err().to_string().contains("ended too early"));
    }
}
