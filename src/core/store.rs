//! Where leads are kept between inputs: their bytes in blocks of a few sizes, an index over their ids, and for each the
//! second for which it is armed.

use super::timers::push_lean;
use hashbrown::HashTable;

/// Not armed.
pub const NEVER: i64 = i64::MAX;

/// Block sizes: every 8 bytes up to 384, every 16 up to 512, every 128 up to 1,536; larger leads get their own memory.
const CLASSES: usize = 1 + 44 + 8 + 8;
const LARGEST_BLOCK: usize = 1_536;
/// Blocks per page: as many as the bits that tell which are in use. Small, so that a partition with few leads is small.
const PAGE_BLOCKS: usize = 64;
/// The class of leads with memory of their own.
const LARGE: u32 = CLASSES as u32;
/// A place is its class above and its number in the class below these bits.
const NUMBER_BITS: u32 = 26;

fn class_of(length: usize) -> Option<usize> {
    match length {
        0..=384 => Some(length.saturating_sub(32).div_ceil(8)),
        385..=512 => Some(44 + (length - 384).div_ceil(16)),
        513..=LARGEST_BLOCK => Some(52 + (length - 512).div_ceil(128)),
        _ => None,
    }
}

fn block_size(class: usize) -> usize {
    match class {
        0..=44 => 32 + class * 8,
        45..=52 => 384 + (class - 44) * 16,
        _ => 512 + (class - 52) * 128,
    }
}

/// The leads of a partition.
#[derive(Debug)]
pub struct Store {
    index: HashTable<Found>,
    leads: Vec<Entry>,
    /// Numbers without a lead that may be used again.
    free: Vec<u32>,
    classes: Vec<Class>,
    large: Vec<Box<[u8]>>,
    free_large: Vec<u32>,
}

/// A lead in the index: its number, and where its bytes are, so that a look-up waits for memory twice and not thrice.
#[derive(Debug, Clone, Copy)]
pub struct Found {
    pub lead: u32,
    place: u32,
}

/// In place of a second: the number stands for no lead. As a second it is never reached.
const GONE: [u32; 2] = halves(NEVER - 1);

/// One lead by its number; twelve bytes.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// Lower half of its id's hash, so that the index grows without reading every id.
    hash: u32,
    /// The second for which it is armed, or [`NEVER`]: the upper and the lower half.
    armed: [u32; 2],
}

/// Blocks of one size.
#[derive(Debug, Default)]
struct Class {
    pages: Vec<Page>,
    /// Pages that had room when they were noted here; some are noted twice or have none any more.
    roomy: Vec<u32>,
    /// Pages without memory.
    vacant: Vec<u32>,
}

#[derive(Debug, Default)]
struct Page {
    /// Empty while no block is in use: leads that grow together leave whole pages behind.
    memory: Box<[u8]>,
    /// One bit per block.
    used: u64,
}

impl Class {
    /// A free block's number.
    fn allocate(&mut self, size: usize) -> u32 {
        let page = loop {
            match self.roomy.last() {
                Some(&page) if self.has_room(page) => break page,
                Some(_) => _ = self.roomy.pop(),
                None => break self.add_page(size),
            }
        };
        let used = &mut self.pages[page as usize].used;
        let block = used.trailing_ones();
        *used |= 1 << block;
        page * PAGE_BLOCKS as u32 + block
    }

    fn has_room(&self, page: u32) -> bool {
        let page = &self.pages[page as usize];
        !page.memory.is_empty() && page.used != u64::MAX
    }

    fn add_page(&mut self, size: usize) -> u32 {
        let page = self.vacant.pop().unwrap_or_else(|| {
            self.pages.push(Page::default());
            self.pages.len() as u32 - 1
        });
        self.pages[page as usize].memory = vec![0; PAGE_BLOCKS * size].into();
        self.roomy.push(page);
        page
    }

    fn release(&mut self, number: u32) {
        let (at, block) = (number / PAGE_BLOCKS as u32, number % PAGE_BLOCKS as u32);
        let page = &mut self.pages[at as usize];
        let was_full = page.used == u64::MAX;
        page.used &= !(1 << block);
        if page.used == 0 {
            page.memory = Box::default();
            self.vacant.push(at);
        } else if was_full {
            self.roomy.push(at);
        }
    }

    fn heap_bytes(&self) -> usize {
        let memory: usize = self.pages.iter().map(|page| page.memory.len()).sum();
        memory
            + self.pages.capacity() * size_of::<Page>()
            + (self.roomy.capacity() + self.vacant.capacity()) * 4
    }
}

impl Default for Store {
    fn default() -> Self {
        let classes = (0..CLASSES).map(|_| Class::default()).collect();
        Store {
            index: HashTable::new(),
            leads: Vec::new(),
            free: Vec::new(),
            classes,
            large: Vec::new(),
            free_large: Vec::new(),
        }
    }
}

/// Spreads the 32 bits that are kept over the 64 that the table wants: it takes the lowest for the bucket and the
/// highest seven for the tag.
fn spread(hash: u32) -> u64 {
    u64::from(hash) | u64::from(hash.wrapping_mul(0x9e37_79b1)) << 32
}

const fn halves(second: i64) -> [u32; 2] {
    [(second >> 32) as u32, second as u32]
}

impl Store {
    pub fn len(&self) -> usize {
        self.index.len()
    }

    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Whether a number stands for a lead.
    pub fn is_there(&self, lead: u32) -> bool {
        self.leads.get(lead as usize).is_some_and(|entry| entry.armed != GONE)
    }

    /// The number after the last one that was ever given.
    pub fn numbers_end(&self) -> u32 {
        self.leads.len() as u32
    }

    /// The numbers of all leads.
    pub fn numbers(&self) -> impl Iterator<Item = u32> {
        (0..self.numbers_end()).filter(|&lead| self.is_there(lead))
    }

    /// The lead whose bytes begin with `prefix`.
    #[inline]
    pub fn find(&self, hash: u64, prefix: &[u8]) -> Option<Found> {
        let same = |found: &Found| self.block(found.place).starts_with(prefix);
        self.index.find(spread(hash as u32), same).copied()
    }

    /// The lead with a number.
    pub fn get(&self, lead: u32) -> Found {
        let hash = self.leads[lead as usize].hash;
        let found = self.index.find(spread(hash), |found| found.lead == lead);
        *found.expect("every lead with a number is in the index")
    }

    /// Adds a lead that is not there yet and returns its number.
    pub fn insert(&mut self, hash: u64, bytes: &[u8]) -> u32 {
        let lead = self.free.pop().unwrap_or_else(|| {
            push_lean(&mut self.leads, Entry { hash: 0, armed: GONE });
            self.leads.len() as u32 - 1
        });
        self.insert_again(lead, hash, bytes);
        lead
    }

    /// Adds a lead under a number that was another's, or its own before it was removed, and was not freed.
    pub fn insert_again(&mut self, lead: u32, hash: u64, bytes: &[u8]) {
        let hash = hash as u32;
        let place = self.allocate(bytes);
        self.leads[lead as usize] = Entry { hash, armed: halves(NEVER) };
        let leads = &self.leads;
        let new = Found { lead, place };
        self.index.insert_unique(spread(hash), new, |other| spread(leads[other.lead as usize].hash));
    }

    /// A lead's bytes.
    #[inline]
    pub fn bytes(&self, found: Found) -> &[u8] {
        self.block(found.place)
    }

    /// The bytes of every lead.
    pub fn all(&self) -> impl Iterator<Item = &[u8]> {
        self.index.iter().map(|found| self.block(found.place))
    }

    /// Gives a lead other bytes. What was found before for it is void.
    pub fn replace(&mut self, found: Found, bytes: &[u8]) {
        let class = found.place >> NUMBER_BITS;
        if class != LARGE && class_of(bytes.len() + 2) == Some(class as usize) {
            self.write(found.place, bytes);
            return;
        }
        self.release(found.place);
        let place = self.allocate(bytes);
        let hash = self.leads[found.lead as usize].hash;
        let entry = self.index.find_mut(spread(hash), |other| other.lead == found.lead);
        entry.expect("every lead with a number is in the index").place = place;
    }

    /// Removes a lead. Its number may stand for another one after [`Store::free`].
    pub fn remove(&mut self, found: Found) {
        let hash = self.leads[found.lead as usize].hash;
        if let Ok(entry) = self.index.find_entry(spread(hash), |other| other.lead == found.lead) {
            entry.remove();
        }
        self.release(found.place);
        self.leads[found.lead as usize].armed = GONE;
    }

    /// Gives the number of a lead that was removed to another one.
    pub fn free(&mut self, lead: u32) {
        self.free.push(lead);
    }

    #[inline]
    pub fn armed(&self, lead: u32) -> i64 {
        let [high, low] = self.leads[lead as usize].armed;
        i64::from(high) << 32 | i64::from(low)
    }

    #[inline]
    pub fn arm(&mut self, lead: u32, second: i64) {
        self.leads[lead as usize].armed = halves(second);
    }

    /// Bytes on the heap: blocks (in use and free), entries, index.
    pub fn heap_bytes(&self) -> [usize; 3] {
        let pages = self.classes.iter().map(Class::heap_bytes);
        let large: usize = self.large.iter().map(|block| block.len() + 16).sum();
        [
            pages.sum::<usize>() + large,
            self.leads.capacity() * size_of::<Entry>() + self.free.capacity() * 4,
            self.index.allocation_size(),
        ]
    }

    #[inline]
    fn block(&self, place: u32) -> &[u8] {
        let (class, number) = (place >> NUMBER_BITS, (place & ((1 << NUMBER_BITS) - 1)) as usize);
        if class == LARGE {
            return &self.large[number];
        }
        let size = block_size(class as usize);
        let page = &self.classes[class as usize].pages[number / PAGE_BLOCKS].memory;
        let block = &page[number % PAGE_BLOCKS * size..][..size];
        let length = usize::from(u16::from_le_bytes([block[0], block[1]]));
        &block[2..2 + length]
    }

    fn write(&mut self, place: u32, bytes: &[u8]) {
        let (class, number) = ((place >> NUMBER_BITS) as usize, (place & ((1 << NUMBER_BITS) - 1)) as usize);
        let size = block_size(class);
        let page = &mut self.classes[class].pages[number / PAGE_BLOCKS].memory;
        let block = &mut page[number % PAGE_BLOCKS * size..][..size];
        block[..2].copy_from_slice(&(bytes.len() as u16).to_le_bytes());
        block[2..2 + bytes.len()].copy_from_slice(bytes);
    }

    fn allocate(&mut self, bytes: &[u8]) -> u32 {
        let Some(class) = class_of(bytes.len() + 2) else { return self.allocate_large(bytes) };
        let number = self.classes[class].allocate(block_size(class));
        let place = (class as u32) << NUMBER_BITS | number;
        self.write(place, bytes);
        place
    }

    fn allocate_large(&mut self, bytes: &[u8]) -> u32 {
        let number = match self.free_large.pop() {
            Some(number) => {
                self.large[number as usize] = bytes.into();
                number
            }
            None => {
                self.large.push(bytes.into());
                self.large.len() as u32 - 1
            }
        };
        LARGE << NUMBER_BITS | number
    }

    fn release(&mut self, place: u32) {
        let (class, number) = (place >> NUMBER_BITS, place & ((1 << NUMBER_BITS) - 1));
        if class == LARGE {
            self.large[number as usize] = Box::default();
            self.free_large.push(number);
        } else {
            self.classes[class as usize].release(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_has_a_block_that_holds_it() {
        let mut before = 0;
        for length in 2..=LARGEST_BLOCK {
            let class = class_of(length).unwrap();
            assert!(block_size(class) >= length, "{length}");
            assert!(class == 0 || block_size(class - 1) < length, "{length} fits a smaller block");
            assert!(class == before || class == before + 1);
            before = class;
        }
        assert_eq!(before, CLASSES - 1);
        assert_eq!(class_of(LARGEST_BLOCK + 1), None);
    }

    #[test]
    fn leads_keep_their_bytes_while_they_grow_and_shrink() {
        let mut store = Store::default();
        let bytes = |lead: u32, length: usize| {
            let mut bytes = lead.to_le_bytes().to_vec();
            bytes.resize(length.max(4), lead as u8);
            bytes
        };
        let hash = |lead: u32| u64::from(lead).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 16;
        for lead in 0..500 {
            assert_eq!(store.insert(hash(lead), &bytes(lead, 4)), lead);
        }
        for round in 1..20_usize {
            for lead in 0..500 {
                store.replace(store.get(lead), &bytes(lead, (lead as usize * 37 + round * 211) % 3_000));
                store.arm(lead, i64::from(lead) << 30);
                assert_eq!(store.armed(lead), i64::from(lead) << 30);
            }
            for lead in 0..500 {
                let expected = bytes(lead, (lead as usize * 37 + round * 211) % 3_000);
                let found = store.find(hash(lead), &lead.to_le_bytes()).unwrap();
                assert_eq!((found.lead, store.bytes(found)), (lead, &expected[..]));
                assert_eq!(store.bytes(store.get(lead)), expected);
            }
        }
        assert!(store.find(hash(1), b"none").is_none());
    }
}
