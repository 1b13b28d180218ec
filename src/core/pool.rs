//! Short lists inside one reused vector, so that decoding a lead allocates nothing once the buffers have grown.

use std::marker::PhantomData;

/// A list in a [`Pool`].
#[derive(Debug)]
pub struct List<T> {
    start: u32,
    len: u32,
    of: PhantomData<T>,
}

impl<T> Clone for List<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for List<T> {}

impl<T> Default for List<T> {
    fn default() -> Self {
        List { start: 0, len: 0, of: PhantomData }
    }
}

impl<T> List<T> {
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// The memory of many short lists. A list that must grow while it is not the last is copied to the end; what it leaves
/// behind goes with the next `clear`.
#[derive(Debug, Clone)]
pub struct Pool<T> {
    items: Vec<T>,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Pool { items: Vec::new() }
    }
}

impl<T: Copy> Pool<T> {
    pub fn clear(&mut self) {
        self.items.clear();
    }

    #[inline]
    pub fn get(&self, list: List<T>) -> &[T] {
        &self.items[list.start as usize..(list.start + list.len) as usize]
    }

    #[inline]
    pub fn get_mut(&mut self, list: List<T>) -> &mut [T] {
        &mut self.items[list.start as usize..(list.start + list.len) as usize]
    }

    /// A new list with these items.
    pub fn list(&mut self, items: &[T]) -> List<T> {
        let start = self.items.len() as u32;
        self.items.extend_from_slice(items);
        List { start, len: items.len() as u32, of: PhantomData }
    }

    /// Adds an item at the end of a list.
    #[inline]
    pub fn push(&mut self, list: &mut List<T>, item: T) {
        self.make_last(list);
        self.items.push(item);
        list.len += 1;
    }

    /// Adds items at the end of a list.
    pub fn extend(&mut self, list: &mut List<T>, items: &[T]) {
        self.make_last(list);
        self.items.extend_from_slice(items);
        list.len += items.len() as u32;
    }

    pub fn insert(&mut self, list: &mut List<T>, at: usize, item: T) {
        self.make_last(list);
        self.items.insert(list.start as usize + at, item);
        list.len += 1;
    }

    /// Removes the item at `at`; the others keep their order.
    pub fn remove(&mut self, list: &mut List<T>, at: usize) {
        self.get_mut(*list)[at..].rotate_left(1);
        list.len -= 1;
    }

    /// Keeps the items for which `keep` holds, in their order.
    pub fn retain(&mut self, list: &mut List<T>, keep: impl Fn(&T) -> bool) {
        let mut kept = 0;
        let items = self.get_mut(*list);
        for at in 0..items.len() {
            if keep(&items[at]) {
                items[kept] = items[at];
                kept += 1;
            }
        }
        list.len = kept as u32;
    }

    fn make_last(&mut self, list: &mut List<T>) {
        let end = (list.start + list.len) as usize;
        if end != self.items.len() {
            let start = self.items.len() as u32;
            self.items.extend_from_within(list.start as usize..end);
            list.start = start;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_grow_apart_from_each_other() {
        let mut pool = Pool::default();
        let (mut a, mut b) = (pool.list(&[1, 2]), pool.list(&[7]));
        pool.push(&mut a, 3);
        pool.insert(&mut b, 0, 6);
        pool.push(&mut b, 8);
        pool.remove(&mut a, 1);
        assert_eq!((pool.get(a), pool.get(b)), (&[1, 3][..], &[6, 7, 8][..]));
        pool.retain(&mut b, |&item| item != 7);
        assert_eq!(pool.get(b), [6, 8]);
    }
}
