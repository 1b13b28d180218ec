//! The leads that count most by a score. Workers only copy bytes, some leads at a time between two records; they are
//! judged here, and the list is kept for as long as it is worth: with a million leads it takes a while.

use super::ask::Refusal;
use super::lead::summary;
use super::{Shared, json_of, refuse};
use crate::core::codec::{self, Told};
use crate::core::inspect::decode;
use crate::core::judge::Judge;
use crate::core::lead::Lead;
use crate::core::memo::Memo;
use crate::core::rules::Rules;
use crate::model::Model;
use crate::model::compiled::{ScoreId, ScoreKind, StageId};
use crate::worker::working::Working;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Numbers of leads that a worker looks at in one go.
const SLICE: u32 = 2_000;
const DEFAULT_LIMIT: usize = 20;
const MOST: usize = 200;
/// Lists that are kept, how long at least, and for how many times as long as they took.
const KEPT: usize = 16;
const KEPT_FOR: Duration = Duration::from_secs(2);
const WORTH: u32 = 10;

/// Lists that were made a moment ago.
#[derive(Default)]
pub struct Kept(Vec<(Asked, Instant, Value)>);

/// The query as it came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    stage: Option<String>,
    /// `SCORE:GRADE`
    grade: Option<String>,
    /// A score.
    sort: Option<String>,
    limit: Option<usize>,
}

/// The query by the model's indices.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    stage: Option<StageId>,
    grade: Option<(ScoreId, Option<u8>)>,
    /// None: the model has no scores; the last activity decides.
    sort: Option<ScoreId>,
    limit: usize,
}

/// `/leads`.
pub(super) async fn leads(
    State(shared): State<Arc<Shared>>,
    query: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let Query(asked) = match query {
        Ok(asked) => asked,
        Err(error) => {
            let message = format!(
                "{}; the query takes stage, grade=SCORE:GRADE, sort=SCORE and limit",
                error.body_text()
            );
            return refuse(StatusCode::BAD_REQUEST, &message);
        }
    };
    if let Err(message) = wanted(&shared.in_force().rules.model, &asked) {
        return refuse(StatusCode::BAD_REQUEST, &message);
    }
    // One list is made at a time; who waits may find it made.
    let Ok(mut kept) = tokio::time::timeout(Duration::from_secs(30), shared.top.lock()).await else {
        return Refusal::Busy.response();
    };
    kept.0.retain(|(_, until, _)| *until > Instant::now());
    if let Some((_, _, list)) = kept.0.iter().find(|(of, _, _)| *of == asked) {
        return json_of(list);
    }
    let start = Instant::now();
    match make(&shared, &asked).await {
        Ok(list) => {
            if kept.0.len() >= KEPT {
                kept.0.remove(0);
            }
            let until = Instant::now() + KEPT_FOR.max(start.elapsed() * WORTH);
            kept.0.push((asked, until, list.clone()));
            json_of(&list)
        }
        Err(refusal) => refusal.response(),
    }
}

fn wanted(model: &Model, asked: &Asked) -> Result<Wanted, String> {
    let none_of = |what: &str, name: &str, names: Vec<&str>| {
        format!("'{name}' is no {what} of the model; it has {}", names.join(", "))
    };
    let score = |name: &str| {
        let found = model.scores.iter().position(|score| score.name == name).map(|at| at as ScoreId);
        found.ok_or_else(|| {
            none_of("score", name, model.scores.iter().map(|score| score.name.as_str()).collect())
        })
    };
    let stage = asked.stage.as_deref().filter(|name| !name.is_empty()).map(|name| {
        let found = model.stages.iter().position(|stage| stage.name == name).map(|at| at as StageId);
        found.ok_or_else(|| {
            none_of("stage", name, model.stages.iter().map(|stage| stage.name.as_str()).collect())
        })
    });
    let grade = asked.grade.as_deref().filter(|text| !text.is_empty()).map(|text| {
        let (name, grade) = text
            .split_once(':')
            .ok_or_else(|| format!("grade '{text}': write SCORE:GRADE, such as fit:A"))?;
        let id = score(name)?;
        let grades = &model.scores[usize::from(id)].grades;
        let found = grades.iter().position(|known| known.name == grade).map(|at| at as u8);
        match found {
            None if grade != "none" => {
                Err(none_of("grade", grade, grades.iter().map(|grade| grade.name.as_str()).collect()))
            }
            found => Ok((id, found)),
        }
    });
    let sort = match asked.sort.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => Some(score(name)?),
        None => main_score(model),
    };
    let limit = asked.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MOST);
    Ok(Wanted { stage: stage.transpose()?, grade: grade.transpose()?, sort, limit })
}

/// The score that is made of others, else the first.
fn main_score(model: &Model) -> Option<ScoreId> {
    let made_of_others = |kind: &ScoreKind| !matches!(kind, ScoreKind::Points(_));
    let at = model.scores.iter().position(|score| made_of_others(&score.kind));
    (!model.scores.is_empty()).then(|| at.unwrap_or(0) as ScoreId)
}

/// Leads that a worker copied.
#[derive(Default)]
struct Slice {
    /// The partition they are of, its model and stream time, and the number to go on from; `None`: all were looked at.
    from: Option<(i32, Arc<Rules>, i64, Option<u32>)>,
    leads: Vec<Vec<u8>>,
}

fn copy(partitions: &mut dyn Iterator<Item = (i32, &Working)>, places: &BTreeMap<i32, Option<u32>>) -> Slice {
    let place = |number: i32| places.get(&number).copied().unwrap_or(Some(0));
    let mut partitions = partitions;
    let next =
        Iterator::find_map(&mut partitions, |(number, working)| Some((number, working, place(number)?)));
    let Some((number, working, start)) = next else { return Slice::default() };
    let (mut leads, mut at) = (Vec::new(), start);
    while at < start + SLICE {
        match working.leads.lead_copied(at) {
            None => break,
            Some(bytes) => leads.extend(bytes),
        }
        at += 1;
    }
    let goes_on = (at == start + SLICE).then_some(at);
    let rules = working.leads.rules().clone();
    Slice { from: Some((number, rules, working.leads.stream_time_ms(), goes_on)), leads }
}

/// A lead on the list, the largest score first; ties in any order that is always the same.
type Ranked = Reverse<(Score, Reverse<Vec<u8>>, i64)>;

/// A score that can be compared: it is never NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Score(f64);

impl Eq for Score {}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Score {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

async fn make(shared: &Shared, asked: &Asked) -> Result<Value, Refusal> {
    let rules = shared.in_force().rules;
    let mut places = BTreeMap::new();
    let mut best: BinaryHeap<Ranked> = BinaryHeap::new();
    loop {
        let permit = shared.turn().await?;
        let known = places.clone();
        let slices = shared.ask(move |partitions| copy(partitions, &known)).await?;
        drop(permit);
        if slices.iter().all(|slice| slice.from.is_none()) {
            break;
        }
        for Slice { from, leads } in slices {
            let Some((number, of, stream_time, goes_on)) = from else { continue };
            places.insert(number, goes_on);
            // While a new model comes in, some are still judged by the one before.
            let Ok(wanted) = wanted(&of.model, asked) else { continue };
            let now = shared.now(stream_time);
            let kept = std::mem::take(&mut best);
            let ranked = tokio::task::spawn_blocking(move || rank(&of, wanted, leads, now, kept)).await;
            best = ranked.map_err(|_| Refusal::Silent)?;
        }
    }
    let best = best.into_sorted_vec();
    let leads = best.iter().filter_map(|Reverse((_, Reverse(bytes), now))| {
        let (id, lead) = decode(&rules, bytes).ok()?;
        Some(summary(&rules, &lead, &id, *now))
    });
    Ok(json!({ "leads": leads.collect::<Vec<_>>() }))
}

fn rank(
    rules: &Rules,
    wanted: Wanted,
    leads: Vec<Vec<u8>>,
    now: i64,
    mut best: BinaryHeap<Ranked>,
) -> BinaryHeap<Ranked> {
    let (mut lead, mut told, mut id, mut memo) =
        (Lead::default(), Told::default(), String::new(), Memo::default());
    for bytes in leads {
        if codec::decode(&bytes, &rules.bounds, &mut lead, &mut told, &mut id).is_err()
            || wanted.stage.is_some_and(|stage| stage != lead.stage)
        {
            continue;
        }
        memo.clear();
        let mut judge = Judge::at(&rules.model, &lead, now.max(lead.clock), &mut memo);
        if wanted.grade.is_some_and(|(score, grade)| judge.grade(score) != grade) {
            continue;
        }
        let score = match wanted.sort {
            Some(score) => judge.value(score),
            None => lead.last_activity.unwrap_or(0) as f64,
        };
        best.push(Reverse((Score(score), Reverse(bytes), now)));
        if best.len() > wanted.limit {
            best.pop();
        }
    }
    best
}
