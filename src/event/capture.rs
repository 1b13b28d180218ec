//! Notes, while a record's JSON is read, where the values stand that the plan wants.

use super::json::{self, Key, Scalar, Visitor};
use super::plan::{NOWHERE, NodeId, Plan, ROOT, Slot, Table, Wanted};
use super::string;
use super::value::{Number, Value};

/// No capture.
const NONE: u32 = u32::MAX;
/// `Capture::through` of a path that goes through objects only.
const OBJECTS_ONLY: u8 = u8::MAX;
/// How many arrays and objects may be open at once (SPEC §1).
pub(super) const MAX_DEPTH: usize = 64;

/// A wanted value and where it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Capture {
    pub node: NodeId,
    /// In the text; of an escaped string: in [`Captures::unescaped`]. Strings are without their quotes.
    pub start: u32,
    pub end: u32,
    /// The node's next capture in the document.
    next: u32,
    pub shape: Shape,
    /// The depth in the trie of the outermost array that the path went through; [`OBJECTS_ONLY`] if there is none.
    through: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Scalar(Scalar),
    Array,
    Object,
}

/// The captures of one record; buffers that are reused from record to record.
#[derive(Debug, Default)]
pub(super) struct Captures {
    all: Vec<Capture>,
    /// By node.
    states: Vec<State>,
    /// The values of strings with escapes.
    unescaped: String,
    /// A key with escapes.
    key: String,
    /// Objects that were read so far, in all records.
    objects: u64,
    /// Objects that were read before this record.
    earlier: u64,
    places: Vec<Place>,
    repeats: Vec<Repeat>,
    /// Captures were dropped.
    dropped: bool,
    /// Bits of [`kept`](super::plan::kept): where kept traits stand in this record.
    kept: u8,
}

/// What is known of a node.
#[derive(Debug, Clone, Copy, Default)]
struct State {
    /// The number of the object in which it was met last; if that is of an earlier record, the rest does not count.
    object: u64,
    /// Its first and its last capture, or [`NONE`].
    first: u32,
    last: u32,
}

/// An open array or object of which something is wanted.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// [`NOWHERE`]: it is wanted as a whole, nothing in it is.
    node: NodeId,
    /// 0: an array.
    object: u64,
    /// Its own capture, or [`NONE`].
    capture: u32,
    /// The number of captures when it began.
    first: u32,
    through: u8,
}

/// A repeated key: of two equal keys of an object only the later one's value counts.
#[derive(Debug)]
struct Repeat {
    object: u64,
    node: NodeId,
    /// Captures at and beneath the node before this one do not count.
    from: u32,
}

impl Captures {
    /// Reads a record's JSON; returns how deep it is.
    pub fn read(&mut self, text: &str, plan: &Plan) -> Result<usize, json::Syntax> {
        self.all.clear();
        self.unescaped.clear();
        self.places.clear();
        self.repeats.clear();
        self.earlier = self.objects;
        self.dropped = false;
        self.kept = 0;
        if self.states.len() < plan.nodes.len() {
            self.states.resize(plan.nodes.len(), State::default());
        }
        let outside = Place { node: NOWHERE, object: 0, capture: NONE, first: 0, through: OBJECTS_ONLY };
        let mut walk = Walk {
            text,
            plan,
            place: outside,
            next: ROOT,
            wanted: Wanted::default(),
            skipped: 0,
            children: Table::default(),
            captures: self,
        };
        let depth = json::parse(text, &mut walk)?;
        if self.dropped {
            self.link_again(plan);
        }
        Ok(depth)
    }

    #[inline(always)]
    fn push(&mut self, capture: Capture, kept: u8) -> u32 {
        let index = self.all.len() as u32;
        self.link(index, &capture, kept);
        self.all.push(capture);
        index
    }

    /// Appends a capture to its node's chain.
    #[inline(always)]
    fn link(&mut self, index: u32, capture: &Capture, kept: u8) {
        let state = &mut self.states[capture.node as usize];
        if state.first == NONE {
            state.first = index;
        } else if let Some(last) = self.all.get_mut(state.last as usize) {
            last.next = index;
        }
        state.last = index;
        if capture.through == OBJECTS_ONLY {
            self.kept |= kept;
        }
    }

    /// Chains the captures that are left.
    #[cold]
    fn link_again(&mut self, plan: &Plan) {
        self.kept = 0;
        self.states.iter_mut().for_each(|state| state.first = NONE);
        for index in 0..self.all.len() {
            self.all[index].next = NONE;
            let capture = self.all[index];
            self.link(index as u32, &capture, plan.nodes[capture.node as usize].wanted.kept);
        }
    }

    #[inline(always)]
    fn first(&self, node: NodeId) -> u32 {
        match self.states.get(node as usize) {
            Some(state) if state.object > self.earlier => state.first,
            _ => NONE,
        }
    }

    /// Whether the node has any captures.
    #[inline]
    pub fn has(&self, node: NodeId) -> bool {
        self.first(node) != NONE
    }

    /// The node's captures in the order of the document.
    #[inline]
    pub fn at(&self, node: NodeId) -> At<'_> {
        At { all: &self.all, next: self.first(node) }
    }

    /// Whether kept traits stand in any of these places (bits of [`kept`](super::plan::kept)).
    pub fn has_kept(&self, places: u8) -> bool {
        self.kept & places != 0
    }

    /// The text of a capture: the value of a string, else its JSON.
    #[inline]
    pub fn text<'a>(&'a self, record: &'a str, capture: &Capture) -> &'a str {
        let text = match capture.shape {
            Shape::Scalar(Scalar::Escaped) => &self.unescaped,
            _ => record,
        };
        &text[capture.start as usize..capture.end as usize]
    }

    pub fn value<'a>(&'a self, record: &'a str, capture: &Capture) -> Value<'a> {
        let text = self.text(record, capture);
        match capture.shape {
            Shape::Scalar(Scalar::Null) => Value::Null,
            Shape::Scalar(Scalar::True) => Value::Bool(true),
            Shape::Scalar(Scalar::False) => Value::Bool(false),
            Shape::Scalar(Scalar::Number) => Value::Number(Number(text)),
            Shape::Scalar(Scalar::Plain | Scalar::Escaped) => Value::String(text.into()),
            Shape::Array => Value::Array(text),
            Shape::Object => Value::Object(text),
        }
    }
}

impl Capture {
    /// `null` and `""` count as absent in the envelope, and remove a kept trait.
    pub fn is_empty(&self) -> bool {
        match self.shape {
            Shape::Scalar(Scalar::Null) => true,
            Shape::Scalar(Scalar::Plain | Scalar::Escaped) => self.start == self.end,
            _ => false,
        }
    }

    pub fn is_string(&self) -> bool {
        matches!(self.shape, Shape::Scalar(Scalar::Plain | Scalar::Escaped))
    }

    /// The path to it went through objects only.
    pub fn through_objects(&self) -> bool {
        self.through == OBJECTS_ONLY
    }

    /// The path to it went through no array at this depth of the trie or above.
    pub fn through_objects_to(&self, depth: u8) -> bool {
        self.through > depth
    }
}

/// The captures of one node.
#[derive(Debug, Clone)]
pub(super) struct At<'a> {
    all: &'a [Capture],
    next: u32,
}

impl<'a> Iterator for At<'a> {
    type Item = &'a Capture;

    #[inline]
    fn next(&mut self) -> Option<&'a Capture> {
        let capture = self.all.get(self.next as usize)?;
        self.next = capture.next;
        Some(capture)
    }
}

/// Walks the plan's trie along with the JSON.
struct Walk<'w> {
    text: &'w str,
    plan: &'w Plan,
    captures: &'w mut Captures,
    /// The innermost open array or object of which something is wanted.
    place: Place,
    /// The node of the value that comes next, or [`NOWHERE`].
    next: NodeId,
    /// Whether the value that comes next is itself wanted. An array's elements never are: only what is beneath them
    /// counts.
    wanted: Wanted,
    /// Open arrays and objects inside of `place` of which nothing is wanted.
    skipped: usize,
    /// The keys that are wanted of the object in hand.
    children: Table<'w>,
}

impl<'w> Walk<'w> {
    /// Goes on in the array or object in hand: an element follows, or a key, which sets all of this but `children`.
    #[inline(always)]
    fn go_on(&mut self) {
        self.next = self.place.node;
        self.wanted = Wanted::default();
        self.children = self.plan.children(self.next);
    }

    /// Goes into an array or object of which nothing is wanted.
    #[inline(always)]
    fn skip(&mut self) {
        self.skipped += 1;
        self.next = NOWHERE;
        self.wanted = Wanted::default();
        self.children = Table::default();
    }

    /// Goes into an array or object at a node.
    #[inline(never)]
    fn enter(&mut self, object: bool, start: usize) {
        let node = &self.plan.nodes[self.next as usize];
        let wanted = if object { self.wanted.object } else { self.wanted.other };
        let enter = if object { node.inner } else { node.elements };
        // A record that is too deep is only checked for being JSON: its captures are of no use.
        if !(wanted || enter) || self.captures.places.len() == MAX_DEPTH {
            return self.skip();
        }
        let capture = match wanted {
            true => self.capture(if object { Shape::Object } else { Shape::Array }, start, start),
            false => NONE,
        };
        self.captures.places.push(self.place);
        self.captures.objects += u64::from(object);
        self.place = Place {
            node: if enter { self.next } else { NOWHERE },
            object: if object { self.captures.objects } else { 0 },
            capture,
            first: self.captures.all.len() as u32,
            through: if object { self.place.through } else { self.place.through.min(node.depth) },
        };
        self.go_on();
    }

    /// Goes out of `place`.
    #[inline(never)]
    fn leave(&mut self, end: usize) {
        if let Some(capture) = self.captures.all.get_mut(self.place.capture as usize) {
            capture.end = end as u32;
        }
        if self.captures.repeats.last().is_some_and(|repeat| repeat.object == self.place.object) {
            self.drop_repeated();
        }
        if let Some(outer) = self.captures.places.pop() {
            self.place = outer;
        }
        self.go_on();
    }

    #[inline(always)]
    fn capture(&mut self, shape: Shape, start: usize, end: usize) -> u32 {
        let (start, end, through) = (start as u32, end as u32, self.place.through);
        let capture = Capture { node: self.next, start, end, next: NONE, shape, through };
        self.captures.push(capture, self.wanted.kept)
    }

    #[cold]
    fn note_repeat(&mut self) {
        let (object, node) = (self.place.object, self.next);
        let from = self.captures.all.len() as u32;
        let repeats = &mut self.captures.repeats;
        match repeats.iter_mut().rev().take_while(|repeat| repeat.object == object).find(|r| r.node == node) {
            Some(repeat) => repeat.from = from,
            None => repeats.push(Repeat { object, node, from }),
        }
    }

    /// Forgets what stood under repeated keys of the object that ends here.
    #[cold]
    fn drop_repeated(&mut self) {
        let Captures { all, repeats, .. } = &mut *self.captures;
        let own = repeats.iter().rev().take_while(|repeat| repeat.object == self.place.object).count();
        let own = repeats.len() - own..;
        let first = self.place.first as usize;
        let mut kept = first;
        for index in first..all.len() {
            let repeated = repeats[own.clone()].iter().any(|repeat| {
                index < repeat.from as usize && self.plan.is_within(all[index].node, repeat.node)
            });
            if !repeated {
                all[kept] = all[index];
                kept += 1;
            }
        }
        all.truncate(kept);
        repeats.truncate(own.start);
        self.captures.dropped = true;
    }

    #[inline(never)]
    fn capture_escaped(&mut self, start: usize, end: usize) {
        let from = self.captures.unescaped.len();
        string::unescape(&self.text[start..end], &mut self.captures.unescaped);
        self.capture(Shape::Scalar(Scalar::Escaped), from, self.captures.unescaped.len());
    }

    #[cold]
    fn child_of_escaped(&mut self, start: usize, end: usize) -> Option<&'w Slot> {
        let mut key = std::mem::take(&mut self.captures.key);
        key.clear();
        string::unescape(&self.text[start..end], &mut key);
        let child = self.plan.child(self.children, string::word(key.as_bytes()), || key.as_bytes());
        self.captures.key = key;
        child
    }
}

impl Visitor for Walk<'_> {
    #[inline(always)]
    fn open(&mut self, object: bool, start: usize) {
        if self.next == NOWHERE { self.skip() } else { self.enter(object, start) }
    }

    #[inline(always)]
    fn close(&mut self, end: usize) {
        match self.skipped {
            0 => self.leave(end),
            1 => {
                self.skipped = 0;
                self.go_on();
            }
            _ => self.skipped -= 1,
        }
    }

    #[inline(always)]
    fn key(&mut self, key: Key) {
        if self.children.is_empty() {
            return;
        }
        let child = match key {
            Key { escaped: true, start, end, .. } => self.child_of_escaped(start, end),
            Key { start, end, word, .. } => {
                self.plan.child(self.children, word, || &self.text.as_bytes()[start..end])
            }
        };
        let Some(&Slot { node, wanted, .. }) = child else {
            self.next = NOWHERE;
            self.wanted = Wanted::default();
            return;
        };
        (self.next, self.wanted) = (node, wanted);
        let state = &mut self.captures.states[node as usize];
        let object = std::mem::replace(&mut state.object, self.place.object);
        if object <= self.captures.earlier {
            state.first = NONE;
        } else if object == self.place.object {
            self.note_repeat();
        }
    }

    #[inline(always)]
    fn scalar(&mut self, scalar: Scalar, start: usize, end: usize) {
        if !self.wanted.other {
            return;
        }
        if scalar == Scalar::Escaped {
            self.capture_escaped(start, end);
        } else {
            self.capture(Shape::Scalar(scalar), start, end);
        }
    }
}
