//! How many leads are where: by stage, by grade, by SLA, and how many were ever in a stage. It follows every change of a
//! lead, so that nobody has to count.
//!
//! A lead counts as it was left by its last input. Its grades are those that its last score record told (so a model
//! without `emit.scores` has none): what decay did since is not an input.

use super::bits::Bits;
use super::lead::Lead;
use crate::model::Model;
use crate::model::compiled::{GradeId, SlaId, StageId};

/// Leads of one stage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InStage {
    /// Those that are in it.
    pub leads: i64,
    /// Those that are or were in it, each once.
    pub entered: i64,
}

/// Running SLAs of one kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Running {
    /// All that run.
    pub running: i64,
    /// Of these those that are due, and not past due.
    pub due: i64,
    /// Of these those that are past due.
    pub past_due: i64,
}

/// The leads of a partition, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    /// By stage.
    pub stages: Vec<InStage>,
    /// Leads that were in both of two stages: at `from * stages + to`, where `from` comes first in the model.
    both: Vec<i64>,
    /// By score and grade, the last entry of a score for none.
    pub grades: Vec<Vec<i64>>,
    /// By SLA.
    pub slas: Vec<Running>,
}

/// What of a lead is counted.
#[derive(Debug, Clone, Default)]
pub struct Mark {
    seq: u64,
    stage: StageId,
    been_in: Bits,
    /// By score; empty: it was not told.
    grades: Vec<Option<GradeId>>,
    slas: Vec<(SlaId, bool, bool)>,
}

impl Mark {
    /// Takes a lead's; the buffers are reused.
    #[inline]
    pub fn take(&mut self, lead: &Lead) {
        self.seq = lead.seq;
        self.stage = lead.stage;
        self.been_in.copy_from(&lead.been_in);
        self.grades.clear();
        self.grades.extend(lead.sent_scores.iter().map(|sent| sent.grade));
        self.slas.clear();
        self.slas.extend(lead.slas.iter().map(|held| (held.id, held.due_sent, held.past_due_sent)));
    }

    /// Whether the lead still counts as it did: all but the start of an SLA comes with a record.
    #[inline]
    fn is_of(&self, lead: &Lead) -> bool {
        self.seq == lead.seq && self.slas.len() == lead.slas.len()
    }
}

impl Census {
    /// Of no leads.
    pub fn new(model: &Model) -> Census {
        let stages = model.stages.len();
        Census {
            stages: vec![InStage::default(); stages],
            both: vec![0; stages * stages],
            grades: model.scores.iter().map(|score| vec![0; score.grades.len() + 1]).collect(),
            slas: vec![Running::default(); model.slas.len()],
        }
    }

    /// Leads that were in both stages, of which `from` comes before `to` in the model.
    pub fn in_both(&self, from: usize, to: usize) -> i64 {
        self.both.get(from * self.stages.len() + to).copied().unwrap_or(0)
    }

    /// A lead that was counted as `mark` has changed; so it is counted from now on.
    #[inline]
    pub fn change(&mut self, mark: &mut Mark, lead: &Lead) {
        if !mark.is_of(lead) {
            self.remove(mark);
            self.add_lead(mark, lead);
        }
    }

    /// Counts another lead; `mark` is a buffer.
    pub fn add_lead(&mut self, mark: &mut Mark, lead: &Lead) {
        mark.take(lead);
        self.add(mark, 1);
    }

    /// A lead that was counted so is gone.
    pub fn remove(&mut self, mark: &Mark) {
        self.add(mark, -1);
    }

    fn add(&mut self, mark: &Mark, leads: i64) {
        self.stages[usize::from(mark.stage)].leads += leads;
        let count = self.stages.len();
        for to in mark.been_in.iter() {
            self.stages[to].entered += leads;
            let before = mark.been_in.iter().take_while(|&from| from < to);
            before.for_each(|from| self.both[from * count + to] += leads);
        }
        for (grades, grade) in self.grades.iter_mut().zip(&mark.grades) {
            let none = grades.len() - 1;
            grades[grade.map_or(none, usize::from).min(none)] += leads;
        }
        for &(id, due, past_due) in &mark.slas {
            let running = &mut self.slas[usize::from(id)];
            running.running += leads;
            running.due += if due && !past_due { leads } else { 0 };
            running.past_due += if past_due { leads } else { 0 };
        }
    }

    /// Adds the leads of another partition, which are of the same model.
    pub fn merge(&mut self, other: &Census) {
        for (own, other) in self.stages.iter_mut().zip(&other.stages) {
            own.leads += other.leads;
            own.entered += other.entered;
        }
        self.both.iter_mut().zip(&other.both).for_each(|(own, other)| *own += other);
        let grades = self.grades.iter_mut().flatten().zip(other.grades.iter().flatten());
        grades.for_each(|(own, other)| *own += other);
        for (own, other) in self.slas.iter_mut().zip(&other.slas) {
            own.running += other.running;
            own.due += other.due;
            own.past_due += other.past_due;
        }
    }
}
