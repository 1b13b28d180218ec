//! The leads of a worker.

use crate::job::State;
use compact_str::CompactString;
use hashbrown::HashMap;

#[derive(Default)]
pub struct Store {
    places: HashMap<CompactString, u32, foldhash::fast::RandomState>,
    pub leads: Vec<Lead>,
    /// Places of leads that the changelog has not heard of.
    pub dirty: Vec<u32>,
}

pub struct Lead {
    pub key: CompactString,
    pub state: State,
    pub partition: i32,
    pub is_dirty: bool,
}

impl Store {
    #[inline]
    pub fn place(&mut self, key: &str, partition: i32) -> usize {
        if let Some(&place) = self.places.get(key) {
            return place as usize;
        }
        let place = self.leads.len();
        let key = CompactString::new(key);
        self.places.insert(key.clone(), place as u32);
        self.leads.push(Lead { key, state: State::default(), partition, is_dirty: false });
        place
    }

    #[inline]
    pub fn mark(&mut self, place: usize) {
        let lead = &mut self.leads[place];
        if !lead.is_dirty {
            lead.is_dirty = true;
            self.dirty.push(place as u32);
        }
    }
}
