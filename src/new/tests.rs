//! Whatever is answered: what is written passes `check` without warnings, its own tests, and these touch all of it.

use super::*;
use crate::core::rules::Rules;
use crate::model::Model;
use crate::testing::coverage::{Touched, percent};
use crate::testing::play::{Common, play};
use std::sync::Arc;

/// Every choice of stages.
fn choices(kind: Kind) -> Vec<Vec<String>> {
    let free: Vec<&str> =
        kind.stages().iter().filter(|stage| !stage.always).map(|stage| stage.name).collect();
    let chosen = |set: usize| free.iter().enumerate().filter(move |(at, _)| set >> at & 1 == 1);
    (0..1_usize << free.len()).map(|set| chosen(set).map(|(_, name)| (*name).to_owned()).collect()).collect()
}

#[track_caller]
fn check(kind: Kind, product_led: bool, stages: &[String]) {
    let mut answers = Answers::new("acme".to_owned(), kind, product_led);
    if answers.choose(stages).is_err() {
        let sales = stages.iter().any(|stage| b2b::SALES.contains(&stage.as_str()));
        assert!(!sales && stages.iter().any(|stage| ["recycled", "disqualified"].contains(&stage.as_str())));
        return;
    }
    let (model, tests) = (answers.model(), answers.tests());
    let loaded = Model::load("acme.yaml", model.as_bytes(), &mut |_| unreachable!());
    let loaded = loaded.unwrap_or_else(|found| panic!("{stages:?}: {found:#?}\n{model}"));
    assert!(loaded.warnings.is_empty(), "{stages:?}: {:#?}\n{model}", loaded.warnings);
    let rules = Arc::new(Rules::new(Arc::new(loaded.model)));
    let file = crate::testing::read("acme.test.yaml", tests.as_bytes());
    let file = file.unwrap_or_else(|found| panic!("{stages:?}: {found:#?}\n{tests}"));
    let names = crate::testing::check_names("acme.test.yaml", &file, &rules.model);
    names.unwrap_or_else(|found| panic!("{stages:?}: {found:#?}\n{tests}"));
    let mut touched = Touched::default();
    for test in &file.tests {
        let played = play(&rules, Common { start: None, tolerance: None }, test, &mut touched);
        let story = || {
            let lines = played.lines.iter().map(Vec::as_slice);
            crate::story::text::story(&crate::story::tell(&rules, "lead", lines, Some(played.until)))
        };
        let name = &test.name;
        assert!(played.failures.is_empty(), "{stages:?}: {name}: {:#?}\n{}", played.failures, story());
    }
    let covered = touched.of(&rules.model);
    assert_eq!(percent(&covered), 100.0, "{kind:?}, {product_led}, {stages:?}: {covered:#?}");
}

#[test]
fn every_choice_for_companies_is_sound() {
    for stages in choices(Kind::B2b) {
        [false, true].into_iter().for_each(|product_led| check(Kind::B2b, product_led, &stages));
    }
}

#[test]
fn every_choice_for_people_is_sound() {
    for stages in choices(Kind::B2c) {
        [false, true].into_iter().for_each(|product_led| check(Kind::B2c, product_led, &stages));
    }
}

#[test]
fn an_unknown_stage_is_told_with_what_may_be_meant() {
    let mut answers = Answers::new("acme".to_owned(), Kind::B2b, false);
    let wrong = answers.choose(&["opportunty".to_owned()]).unwrap_err();
    assert_eq!(wrong, "there is no stage 'opportunty' to choose: did you mean 'opportunity'?");
}

#[test]
fn nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let answers = Answers::new("acme".to_owned(), Kind::B2c, false);
    write(&answers, folder.path()).unwrap();
    let again = write(&answers, folder.path()).unwrap_err();
    assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
}
