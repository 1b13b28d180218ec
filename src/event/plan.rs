//! Which fields of a record are wanted: a trie over keys, compiled once from the model.

use crate::model::Model;
use crate::model::compiled::{EventPath, PathId, TraitId, TraitPath};

/// Index into [`Plan::nodes`].
pub(super) type NodeId = u32;
/// No node: nothing beneath is wanted.
pub(super) const NOWHERE: NodeId = NodeId::MAX;
/// The record itself.
pub(super) const ROOT: NodeId = 0;

/// The fields that every record is searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Envelope {
    Type,
    Action,
    UserId,
    UserIdSnake,
    AnonymousId,
    AnonymousIdSnake,
    Event,
    Name,
    MessageId,
    MessageIdSnake,
    Timestamp,
    OriginalTimestamp,
    OriginalTimestampSnake,
    SentAt,
    SentAtSnake,
    ReceivedAt,
    ReceivedAtSnake,
    TraitsEmail,
    ContextTraitsEmail,
    PropertiesEmail,
    PropertiesName,
}

/// Where the envelope's fields stand, in the order of [`Envelope`].
const ENVELOPE: [&[&str]; 21] = [
    &["type"],
    &["action"],
    &["userId"],
    &["user_id"],
    &["anonymousId"],
    &["anonymous_id"],
    &["event"],
    &["name"],
    &["messageId"],
    &["message_id"],
    &["timestamp"],
    &["originalTimestamp"],
    &["original_timestamp"],
    &["sentAt"],
    &["sent_at"],
    &["receivedAt"],
    &["received_at"],
    &["traits", "email"],
    &["context", "traits", "email"],
    &["properties", "email"],
    &["properties", "name"],
];

impl Envelope {
    /// The field's path as people write it.
    pub(super) fn name(self) -> String {
        ENVELOPE[self as usize].join(".")
    }
}

/// Of a node that belongs to a kept trait: where it stands.
pub(super) mod kept {
    /// In `traits` of any kind but group.
    pub const OWN: u8 = 1;
    /// In a group's `traits`.
    pub const GROUP: u8 = 2;
    /// In `context.traits`.
    pub const BENEATH: u8 = 4;
}

/// These are objects, or count as absent; so an array there is not stepped into.
const SECTIONS: [&[u8]; 3] = [b"properties", b"context", b"traits"];

/// The depth of `context.traits`.
pub(super) const CONTEXT_TRAITS_DEPTH: u8 = 2;

/// A place in the trie.
#[derive(Debug)]
pub(super) struct Node {
    pub parent: NodeId,
    /// Steps from the root.
    pub depth: u8,
    /// The value here is wanted if it is an object.
    pub wants_object: bool,
    /// The value here is wanted if it is anything else.
    pub wants_other: bool,
    /// Something beneath is wanted, if this is an object.
    pub inner: bool,
    /// Something beneath is wanted in the elements, if this is an array.
    pub elements: bool,
    /// Bits of [`kept`].
    pub kept: u8,
    key: Key,
    key_start: u32,
    /// Where the table of the children's keys starts.
    table: u32,
    /// Shift of the hash: 64 − the table's bits.
    shift: u32,
}

/// What a key is compared by: for up to 16 bytes this is all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    head: u64,
    tail: u64,
    len: u32,
}

impl Key {
    /// The key at `text[start..end]`. What follows it in the text makes loading it cheap.
    #[inline(always)]
    fn new(text: &[u8], start: usize, end: usize) -> Key {
        let len = end - start;
        let word =
            |at: usize| text.get(at..).and_then(|rest| rest.first_chunk().copied()).map(u64::from_le_bytes);
        let (head, tail) = match (word(start), len) {
            (Some(head), 8..) => (head, word(end - 8).unwrap_or(0)),
            (Some(head), _) => (head & ((1 << (len * 8)) - 1), 0),
            (None, _) => {
                (text[start..end].iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)), 0)
            }
        };
        Key { head, tail, len: len as u32 }
    }

    #[inline(always)]
    fn hash(&self) -> u64 {
        let mixed = self.head ^ self.tail.rotate_left(29) ^ u64::from(self.len);
        (mixed ^ mixed >> 32).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }
}

/// Where a field is looked for: `own` (`group`, if the event is of that kind), else `beneath`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Places {
    pub own: NodeId,
    pub group: NodeId,
    pub beneath: NodeId,
}

/// Which paths to look for: a trie over keys, compiled once from the model.
#[derive(Debug)]
pub struct Plan {
    pub(super) nodes: Vec<Node>,
    envelope: [NodeId; ENVELOPE.len()],
    /// The nodes' hash tables of their children, one after the other; open addressing.
    tables: Vec<NodeId>,
    keys: Vec<u8>,
    paths: Vec<Places>,
    traits: Vec<Places>,
}

impl Plan {
    pub fn new(model: &Model) -> Plan {
        Self::of(&model.event_paths, &model.traits)
    }

    pub fn of(paths: &[EventPath], traits: &[TraitPath]) -> Plan {
        let mut builder = Builder::default();
        let envelope = ENVELOPE.map(|path| builder.insert(path.iter().copied()));
        let paths = paths.iter().map(|path| builder.event_path(path)).collect();
        let traits = traits
            .iter()
            .map(|path| {
                let places = builder.traits(&path.steps);
                for (node, bit) in
                    [(places.own, kept::OWN), (places.group, kept::GROUP), (places.beneath, kept::BENEATH)]
                {
                    if let Some(node) = builder.nodes.get_mut(node as usize) {
                        node.kept |= bit;
                    }
                }
                places
            })
            .collect();
        builder.finish(envelope, paths, traits)
    }

    /// The node beneath `parent` with the key `text[start..end]`, or [`NOWHERE`].
    #[inline(always)]
    pub(super) fn child(&self, parent: NodeId, text: &[u8], start: usize, end: usize) -> NodeId {
        let key = Key::new(text, start, end);
        let parent = &self.nodes[parent as usize];
        let mut slot = (key.hash() >> parent.shift) as usize;
        let mask = (1usize << (64 - parent.shift)) - 1;
        loop {
            let child = self.tables[parent.table as usize + slot];
            if child == NOWHERE {
                return NOWHERE;
            }
            let node = &self.nodes[child as usize];
            if node.key == key && (key.len <= 16 || self.key(node) == &text[start..end]) {
                return child;
            }
            slot = (slot + 1) & mask;
        }
    }

    fn key(&self, node: &Node) -> &[u8] {
        let start = node.key_start as usize;
        &self.keys[start..start + node.key.len as usize]
    }

    /// Whether the node is `ancestor` or beneath it.
    pub(super) fn is_within(&self, mut node: NodeId, ancestor: NodeId) -> bool {
        while node > ancestor {
            // A parent's number is smaller than its children's.
            node = self.nodes[node as usize].parent;
        }
        node == ancestor
    }

    #[inline(always)]
    pub(super) fn envelope(&self, field: Envelope) -> NodeId {
        self.envelope[field as usize]
    }

    /// # Panics
    /// If the path is not of the model that the plan was made for.
    pub(super) fn path(&self, id: PathId) -> Places {
        self.paths[usize::from(id)]
    }

    /// # Panics
    /// If the trait is not of the model that the plan was made for.
    pub(super) fn kept_trait(&self, id: TraitId) -> Places {
        self.traits[usize::from(id)]
    }

    pub(super) fn kept_traits(&self) -> impl Iterator<Item = TraitId> + use<> {
        0..self.traits.len() as TraitId
    }
}

#[derive(Default)]
struct Builder {
    nodes: Vec<Node>,
    children: Vec<Vec<NodeId>>,
    keys: Vec<u8>,
}

impl Builder {
    fn node(&mut self, parent: NodeId, key: &str) -> NodeId {
        let id = self.nodes.len() as NodeId;
        let depth = self.nodes.get(parent as usize).map_or(0, |parent| parent.depth.saturating_add(1));
        self.nodes.push(Node {
            parent,
            depth,
            wants_object: false,
            wants_other: false,
            inner: false,
            elements: false,
            kept: 0,
            key: Key::new(key.as_bytes(), 0, key.len()),
            key_start: self.keys.len() as u32,
            table: 0,
            shift: 0,
        });
        self.keys.extend_from_slice(key.as_bytes());
        self.children.push(Vec::new());
        id
    }

    /// The node at the path, which is wanted from now on.
    fn insert<'k>(&mut self, path: impl Iterator<Item = &'k str>) -> NodeId {
        if self.nodes.is_empty() {
            self.node(ROOT, "");
        }
        let mut node = ROOT;
        for key in path {
            let known = |&&child: &&NodeId| self.key(child) == key.as_bytes();
            node = match self.children[node as usize].iter().find(known) {
                Some(&child) => child,
                None => {
                    let child = self.node(node, key);
                    let parent = &mut self.nodes[node as usize];
                    parent.inner = true;
                    parent.elements = parent.depth > 1;
                    self.children[node as usize].push(child);
                    child
                }
            };
        }
        let section = self.nodes[node as usize].depth == 1 && SECTIONS.contains(&self.key(node));
        self.nodes[node as usize].wants_object = true;
        self.nodes[node as usize].wants_other = !section;
        node
    }

    fn key(&self, node: NodeId) -> &[u8] {
        let node = &self.nodes[node as usize];
        &self.keys[node.key_start as usize..][..node.key.len as usize]
    }

    fn event_path(&mut self, path: &EventPath) -> Places {
        let (first, steps) = match path {
            EventPath::Properties(steps) => ("properties", steps),
            EventPath::Context(steps) => ("context", steps),
            EventPath::Traits(steps) => return self.traits(steps),
        };
        let node = self.insert(std::iter::once(first).chain(steps.iter().map(String::as_str)));
        Places { own: node, group: node, beneath: NOWHERE }
    }

    fn traits(&mut self, steps: &[String]) -> Places {
        let steps = || steps.iter().map(String::as_str);
        let own = self.insert(std::iter::once("traits").chain(steps()));
        let group = match steps().next() {
            Some("company") => self.insert(std::iter::once("traits").chain(steps().skip(1))),
            _ => NOWHERE,
        };
        Places { own, group, beneath: self.insert(["context", "traits"].into_iter().chain(steps())) }
    }

    fn finish(mut self, envelope: [NodeId; ENVELOPE.len()], paths: Vec<Places>, traits: Vec<Places>) -> Plan {
        let mut tables = Vec::new();
        for (parent, children) in self.children.iter().enumerate() {
            // A quarter full at most: most keys of a record are not wanted and should meet an empty slot at once.
            let size = (children.len() * 4).next_power_of_two().max(2);
            let table = tables.len();
            tables.resize(table + size, NOWHERE);
            let shift = 64 - size.trailing_zeros();
            self.nodes[parent].table = table as u32;
            self.nodes[parent].shift = shift;
            for &child in children {
                let mut slot = (self.nodes[child as usize].key.hash() >> shift) as usize;
                while tables[table + slot] != NOWHERE {
                    slot = (slot + 1) & (size - 1);
                }
                tables[table + slot] = child;
            }
        }
        Plan { nodes: self.nodes, envelope, tables, keys: self.keys, paths, traits }
    }
}
