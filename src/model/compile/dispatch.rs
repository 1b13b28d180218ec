//! Which signals and channels an event can match at all, by its name and kind.

use super::test::KINDS;
use crate::event::Value;
use crate::model::compiled::{Dispatch, Field};
use crate::model::matcher::{Matcher, Op, Scalar, Test};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// A matcher of more names is found by its kinds: tables must not grow with matchers times names.
const MAX_NAMES: usize = 64;

/// Makes the tables of matchers, and notes behind each what they leave open.
pub fn dispatch<'a>(matchers: impl Iterator<Item = (&'a Matcher, &'a mut Matcher)>) -> Dispatch {
    let mut dispatch = Dispatch::default();
    for (id, (matcher, left_open)) in (0..=u16::MAX).zip(matchers) {
        let names = names(matcher);
        *left_open = rest(matcher, names.as_ref());
        match names {
            Some(names) => {
                for name in names {
                    dispatch.by_name.entry(name.to_owned()).or_default().push(id);
                }
            }
            None => {
                for (kind, possible) in kinds(matcher).into_iter().enumerate() {
                    if possible {
                        dispatch.by_kind[kind].push(id);
                    }
                }
            }
        }
    }
    dispatch
}

/// The matcher without what a look-up by these names, or else by its kinds, has decided.
fn rest(matcher: &Matcher, names: Option<&BTreeSet<&str>>) -> Matcher {
    let decided = |part: &Matcher| match names {
        Some(names) => only_names(part).is_some_and(|allowed| names.is_subset(&allowed)),
        None => matches!(part, Matcher::Field(Field::Kind, _)),
    };
    match matcher {
        part if decided(part) => Matcher::ALWAYS,
        Matcher::All(all) => Matcher::All(all.iter().filter(|part| !decided(part)).cloned().collect()),
        other => other.clone(),
    }
}

/// The names that pass, if a matcher asks for nothing else.
fn only_names(matcher: &Matcher) -> Option<BTreeSet<&str>> {
    match matcher {
        Matcher::Field(Field::Name, Test { exists: None, not: None, ops }) if ops.len() == 1 => {
            names(matcher)
        }
        _ => None,
    }
}

/// The names of all events that can match, in lower case; `None` if they cannot be told, or are too many.
fn names(matcher: &Matcher) -> Option<BTreeSet<&str>> {
    let names = match matcher {
        Matcher::All(all) => all.iter().filter_map(names).min_by_key(BTreeSet::len),
        Matcher::Any(any) => any.iter().try_fold(BTreeSet::new(), |mut all, branch| {
            all.extend(names(branch)?);
            (all.len() <= MAX_NAMES).then_some(all)
        }),
        Matcher::Field(Field::Name, test) => test.ops.iter().find_map(|op| match op {
            Op::Equals(Scalar::Text(text)) => Some(BTreeSet::from([text.as_str()])),
            // Names are texts: what else the list holds never matches.
            Op::In(items) if items.texts.len() <= MAX_NAMES => {
                Some(items.texts.iter().map(String::as_str).collect())
            }
            _ => None,
        }),
        Matcher::Field(..) | Matcher::Not(_) => None,
    };
    names.filter(|names| names.len() <= MAX_NAMES)
}

/// The kinds of events that can match.
fn kinds(matcher: &Matcher) -> [bool; 6] {
    match matcher {
        Matcher::All(all) => {
            all.iter().map(kinds).fold([true; 6], |a, b| std::array::from_fn(|i| a[i] && b[i]))
        }
        Matcher::Any(any) => {
            any.iter().map(kinds).fold([false; 6], |a, b| std::array::from_fn(|i| a[i] || b[i]))
        }
        Matcher::Field(Field::Kind, test) => KINDS.map(|(name, _)| holds_for(test, name)),
        // Only tracks, pages and screens have names.
        Matcher::Field(Field::Name, test) if !test.holds(std::iter::empty()) => {
            [true, true, true, false, false, false]
        }
        Matcher::Field(..) | Matcher::Not(_) => [true; 6],
    }
}

fn holds_for(test: &Test, text: &str) -> bool {
    test.holds(std::iter::once(Value::String(Cow::Borrowed(text))))
}
