//! Notes, while a record's JSON is read, where the values stand that the plan wants.

use super::json::{self, Scalar, Visitor};
use super::plan::{NOWHERE, NodeId, Plan, ROOT, Slot};
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
    /// By node: its first capture. Entries of nodes without captures are whatever earlier records left there; `first`
    /// tells them apart.
    heads: Vec<u32>,
    /// The values of strings with escapes.
    unescaped: String,
    /// A key with escapes.
    key: String,
    /// By node: the number of the object in which it was met last.
    met: Vec<u64>,
    /// Objects that were read so far, in all records.
    objects: u64,
    places: Vec<Place>,
    repeats: Vec<Repeat>,
    /// Bits of [`kept`](super::plan::kept): where kept traits stand in this record.
    kept: u8,
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
        if self.heads.len() < plan.nodes.len() {
            self.heads.resize(plan.nodes.len(), NONE);
            self.met.resize(plan.nodes.len(), 0);
        }
        let outside = Place { node: NOWHERE, object: 0, capture: NONE, first: 0, through: OBJECTS_ONLY };
        let mut walk = Walk {
            text,
            plan,
            place: outside,
            next: ROOT,
            wants_object: false,
            wants_other: false,
            skipped: 0,
            children: &[],
            captures: self,
        };
        let depth = json::parse(text, &mut walk)?;
        self.link(plan);
        Ok(depth)
    }

    /// Chains each node's captures, the last first. A head that an earlier record left may point to a capture of this
    /// one, but then not to one behind those that are still to come.
    fn link(&mut self, plan: &Plan) {
        self.kept = 0;
        for index in (0..self.all.len()).rev() {
            let Capture { node, through, .. } = self.all[index];
            let next = self.first(node);
            self.all[index].next = if next > index as u32 { next } else { NONE };
            self.heads[node as usize] = index as u32;
            if through == OBJECTS_ONLY {
                self.kept |= plan.nodes[node as usize].kept;
            }
        }
    }

    #[inline(always)]
    fn first(&self, node: NodeId) -> u32 {
        match self.heads.get(node as usize) {
            Some(&head) if self.all.get(head as usize).is_some_and(|capture| capture.node == node) => head,
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
    /// The value that comes next is itself wanted, if it is an object, and if it is anything else. An array's elements
    /// never are: only what is beneath them counts.
    wants_object: bool,
    wants_other: bool,
    /// Open arrays and objects inside of `place` of which nothing is wanted.
    skipped: usize,
    /// The keys that are wanted of the object in hand; empty if there are none.
    children: &'w [Slot],
}

impl Walk<'_> {
    /// Looks for what is wanted in the array or object in hand.
    #[inline(always)]
    fn go_on(&mut self) {
        // In an array an element follows, in an object a key, which sets all of this but `children`.
        self.next = if self.skipped == 0 { self.place.node } else { NOWHERE };
        (self.wants_object, self.wants_other) = (false, false);
        self.children = self.plan.children(self.next);
    }

    #[inline]
    fn capture(&mut self, shape: Shape, start: usize, end: usize) -> u32 {
        let index = self.captures.all.len() as u32;
        self.captures.all.push(Capture {
            node: self.next,
            start: start as u32,
            end: end as u32,
            next: NONE,
            shape,
            through: self.place.through,
        });
        index
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
    }

    #[cold]
    fn child_of_escaped(&mut self, start: usize, end: usize) -> NodeId {
        let mut key = std::mem::take(&mut self.captures.key);
        key.clear();
        string::unescape(&self.text[start..end], &mut key);
        let child = self.plan.child(self.children, key.as_bytes(), 0, key.len());
        self.captures.key = key;
        child
    }
}

impl Visitor for Walk<'_> {
    // Few against keys and scalars: out of line they leave the loop its registers.
    #[inline(never)]
    fn open(&mut self, object: bool, start: usize) {
        // A record that is too deep is only checked for being JSON: its captures are of no use.
        if self.next == NOWHERE || self.captures.places.len() == MAX_DEPTH {
            self.skipped += 1;
            return self.go_on();
        }
        let node = &self.plan.nodes[self.next as usize];
        let wanted = if object { self.wants_object } else { self.wants_other };
        let enter = if object { node.inner } else { node.elements };
        if !wanted && !enter {
            self.skipped += 1;
            return self.go_on();
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

    #[inline(never)]
    fn close(&mut self, end: usize) {
        if self.skipped > 0 {
            self.skipped -= 1;
        } else {
            if self.place.capture != NONE {
                self.captures.all[self.place.capture as usize].end = end as u32;
            }
            if self.captures.repeats.last().is_some_and(|repeat| repeat.object == self.place.object) {
                self.drop_repeated();
            }
            if let Some(outer) = self.captures.places.pop() {
                self.place = outer;
            }
        }
        self.go_on();
    }

    #[inline(always)]
    fn key(&mut self, start: usize, end: usize, escaped: bool) {
        if self.children.is_empty() {
            return;
        }
        self.next = match escaped {
            false => self.plan.child(self.children, self.text.as_bytes(), start, end),
            true => self.child_of_escaped(start, end),
        };
        if self.next == NOWHERE {
            (self.wants_object, self.wants_other) = (false, false);
            return;
        }
        let node = &self.plan.nodes[self.next as usize];
        (self.wants_object, self.wants_other) = (node.wants_object, node.wants_other);
        let met = std::mem::replace(&mut self.captures.met[self.next as usize], self.place.object);
        if met == self.place.object {
            self.note_repeat();
        }
    }

    #[inline(always)]
    fn scalar(&mut self, scalar: Scalar, start: usize, end: usize) {
        if !self.wants_other {
            return;
        }
        if scalar == Scalar::Escaped {
            let from = self.captures.unescaped.len();
            string::unescape(&self.text[start..end], &mut self.captures.unescaped);
            self.capture(Shape::Scalar(scalar), from, self.captures.unescaped.len());
        } else {
            self.capture(Shape::Scalar(scalar), start, end);
        }
    }
}
