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
    /// Where its key stands in [`Plan::keys`].
    key: (u32, u32),
    /// Where its children's hash table stands in [`Plan::tables`].
    table: (u32, u32),
}

/// A place in a hash table of keys; open addressing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    key: Key,
    /// [`NOWHERE`]: the slot is empty.
    node: NodeId,
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

    /// Good in all bits that a table's size leaves.
    #[inline(always)]
    fn hash(&self) -> usize {
        let mixed = self.head ^ self.tail.rotate_left(29) ^ u64::from(self.len);
        ((mixed ^ mixed >> 32).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize
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
    /// The nodes' hash tables of their children, one after the other.
    tables: Vec<Slot>,
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

    /// The hash table of the keys beneath a node; empty if there are none.
    #[inline(always)]
    pub(super) fn children(&self, node: NodeId) -> &[Slot] {
        match self.nodes.get(node as usize) {
            Some(node) => &self.tables[node.table.0 as usize..node.table.1 as usize],
            None => &[],
        }
    }

    /// The node of the key `text[start..end]` in a table of [`Plan::children`], or [`NOWHERE`].
    #[inline(always)]
    pub(super) fn child(&self, children: &[Slot], text: &[u8], start: usize, end: usize) -> NodeId {
        let key = Key::new(text, start, end);
        let mut at = key.hash();
        while let Some(slot) = children.get(at & children.len().wrapping_sub(1)) {
            if slot.node == NOWHERE {
                break;
            }
            if slot.key == key && (key.len <= 16 || self.key(slot.node) == &text[start..end]) {
                return slot.node;
            }
            at += 1;
        }
        NOWHERE
    }

    fn key(&self, node: NodeId) -> &[u8] {
        let (start, end) = self.nodes[node as usize].key;
        &self.keys[start as usize..end as usize]
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
            key: (self.keys.len() as u32, (self.keys.len() + key.len()) as u32),
            table: (0, 0),
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
        let (start, end) = self.nodes[node as usize].key;
        &self.keys[start as usize..end as usize]
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
        for (parent, children) in
            self.children.iter().enumerate().filter(|(_, children)| !children.is_empty())
        {
            // A quarter full at most: most keys of a record are not wanted and should meet an empty slot at once.
            let size = (children.len() * 4).next_power_of_two();
            let start = tables.len();
            tables.resize(start + size, Slot { key: Key::new(b"", 0, 0), node: NOWHERE });
            for &node in children {
                let key = Key::new(self.key(node), 0, self.key(node).len());
                let mut at = key.hash();
                while tables[start + (at & (size - 1))].node != NOWHERE {
                    at += 1;
                }
                tables[start + (at & (size - 1))] = Slot { key, node };
            }
            self.nodes[parent].table = (start as u32, tables.len() as u32);
        }
        Plan { nodes: self.nodes, envelope, tables, keys: self.keys, paths, traits }
    }
}
