//! The versions of the model that a partition's leads were written by: each lead says by a number which it was, and one
//! that another version wrote is taken over when it is next touched.

use super::codec::{self, Bounds, Corrupt, Told};
use super::lead::Lead;
use super::migrate::{Dropped, Migration};
use super::rules::Rules;
use super::tables::Tables;
use std::borrow::Cow;

/// Numbers and their name tables.
#[derive(Debug)]
pub struct Versions {
    known: Vec<(u32, Tables)>,
    /// The number of the present model.
    current: u32,
    /// How to take leads of other numbers over.
    older: Vec<Older>,
    /// What was lost on the way, in all.
    dropped: Dropped,
}

#[derive(Debug)]
struct Older {
    number: u32,
    bounds: Bounds,
    /// `None`: the names are the same, and only the number differs.
    migration: Option<Migration>,
}

impl Versions {
    pub fn new(rules: &Rules) -> Versions {
        let known = vec![(0, Tables::of(&rules.model))];
        Versions { known, current: 0, older: Vec::new(), dropped: Dropped::default() }
    }

    /// Takes up the tables that were kept, and adds those of the present model if none of them says the same. Returns
    /// the number and the tables that have to be kept too.
    pub fn restore(&mut self, kept: Vec<(u32, Tables)>, rules: &Rules) -> Option<(u32, &Tables)> {
        self.known = kept;
        self.change(rules)
    }

    /// Goes on with another version of the model; as [`Versions::restore`].
    pub fn change(&mut self, rules: &Rules) -> Option<(u32, &Tables)> {
        let present = Tables::of(&rules.model);
        let found = self.known.iter().find(|(_, tables)| *tables == present).map(|&(number, _)| number);
        self.current =
            found.unwrap_or_else(|| self.known.iter().map(|(number, _)| number + 1).max().unwrap_or(0));
        if found.is_none() {
            self.known.push((self.current, present));
        }
        let present = self.tables(self.current)?;
        let others = self.known.iter().filter(|(number, _)| *number != self.current);
        self.older = others
            .map(|(number, tables)| Older {
                number: *number,
                bounds: tables.bounds(),
                migration: (!tables.reads_like(present)).then(|| Migration::new(tables, rules)),
            })
            .collect();
        if found.is_some() { None } else { self.known.last().map(|(number, tables)| (*number, tables)) }
    }

    fn tables(&self, number: u32) -> Option<&Tables> {
        self.known.iter().find(|(known, _)| *known == number).map(|(_, tables)| tables)
    }

    /// Every number in use with its tables.
    pub fn known(&self) -> &[(u32, Tables)] {
        &self.known
    }

    /// The number for leads of the present model.
    pub fn current(&self) -> u32 {
        self.current
    }

    /// A later version of the present model by which leads were written.
    pub fn newer_than(&self, rules: &Rules) -> Option<u64> {
        let model = &rules.model;
        let same = self.known.iter().filter(|(_, tables)| tables.model == model.name);
        same.map(|(_, tables)| tables.version).max().filter(|&version| version > model.version)
    }

    /// What was lost when leads were taken over.
    pub fn dropped(&self) -> Dropped {
        self.dropped
    }

    /// Reads a lead's bytes, of whatever version, as a lead of the present model. Whether another version wrote them.
    ///
    /// # Errors
    /// If the bytes are not those of a lead of a known version.
    #[inline]
    pub fn decode(
        &mut self,
        rules: &Rules,
        bytes: &[u8],
        lead: &mut Lead,
        told: &mut Told,
        id: &mut String,
    ) -> Result<bool, Corrupt> {
        if self.older.is_empty() {
            let number = codec::decode(bytes, &rules.bounds, lead, told, id)?;
            return if number == self.current {
                Ok(false)
            } else {
                Err(Corrupt("name tables that are not known"))
            };
        }
        self.decode_any(rules, bytes, lead, told, id)
    }

    /// A lead's bytes, of whatever version, as the present model writes them; nothing is noted of what is lost. `None`: they
    /// are not those of a lead of a known version.
    pub fn renewed<'a>(&self, rules: &Rules, bytes: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        let number = codec::tables_of(bytes).ok()?;
        if number == self.current {
            return Some(Cow::Borrowed(bytes));
        }
        let older = self.older.iter().find(|older| older.number == number)?;
        let (mut lead, mut told, mut id) = (Lead::default(), Told::default(), String::new());
        codec::decode(bytes, &older.bounds, &mut lead, &mut told, &mut id).ok()?;
        if let Some(migration) = &older.migration {
            migration.apply(rules, &mut lead);
        }
        let mut renewed = Vec::new();
        codec::write_prefix(&mut renewed, &id);
        codec::encode(&lead, self.current, &mut told, &mut renewed);
        Some(Cow::Owned(renewed))
    }

    fn decode_any(
        &mut self,
        rules: &Rules,
        bytes: &[u8],
        lead: &mut Lead,
        told: &mut Told,
        id: &mut String,
    ) -> Result<bool, Corrupt> {
        let number = codec::tables_of(bytes)?;
        if number == self.current {
            codec::decode(bytes, &rules.bounds, lead, told, id)?;
            return Ok(false);
        }
        let older = self.older.iter().find(|older| older.number == number);
        let older = older.ok_or(Corrupt("name tables that are not known"))?;
        codec::decode(bytes, &older.bounds, lead, told, id)?;
        if let Some(migration) = &older.migration {
            self.dropped += migration.apply(rules, lead);
        }
        Ok(true)
    }
}
