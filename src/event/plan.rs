//! Which fields of a record are wanted: a trie over keys, compiled once from the model.

use super::string;
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

/// What is wanted at a place in the trie.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wanted {
    /// The value, if it is an object.
    pub object: bool,
    /// The value, if it is anything else.
    pub other: bool,
    /// Bits of [`kept`].
    pub kept: u8,
}

/// A place in the trie.
#[derive(Debug)]
pub(super) struct Node {
    pub parent: NodeId,
    /// Steps from the root.
    pub depth: u8,
    pub wanted: Wanted,
    /// Something beneath is wanted, if this is an object.
    pub inner: bool,
    /// Something beneath is wanted in the elements, if this is an array.
    pub elements: bool,
    /// Where its key stands in [`Plan::keys`].
    key: (u32, u32),
    /// Where its children's table stands in [`Plan::slots`], and its shift.
    table: (u32, u32, u32),
}

/// The hash table of the keys beneath a node; open addressing.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Table<'p> {
    slots: &'p [Slot],
    /// What a hash is shifted by to give a place.
    shift: u32,
}

impl Table<'_> {
    #[inline(always)]
    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

/// A place in a [`Table`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    /// The key's; see [`string::word`].
    word: u128,
    /// [`NOWHERE`]: the slot is empty.
    pub node: NodeId,
    pub wanted: Wanted,
}

/// The word of an empty slot: no text has a byte of 0xfe.
const NO_WORD: u128 = 0xfe;

/// The higher a bit, the better.
#[inline(always)]
fn hash(word: u128) -> u64 {
    (word as u64 ^ ((word >> 64) as u64).rotate_left(29)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
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
    /// The nodes' tables of their children, one after the other.
    slots: Vec<Slot>,
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
                        node.wanted.kept |= bit;
                    }
                }
                places
            })
            .collect();
        builder.finish(envelope, paths, traits)
    }

    /// The keys beneath a node; empty if there are none.
    #[inline(always)]
    pub(super) fn children(&self, node: NodeId) -> Table<'_> {
        match self.nodes.get(node as usize) {
            Some(&Node { table: (start, end, shift), .. }) => {
                Table { slots: &self.slots[start as usize..end as usize], shift }
            }
            None => Table::default(),
        }
    }

    /// What a table of [`Plan::children`] has for the key of this [word](string::word); a long key is looked at whole.
    #[inline(always)]
    pub(super) fn child<'p, 't>(
        &'p self,
        children: Table<'p>,
        word: u128,
        key: impl Fn() -> &'t [u8],
    ) -> Option<&'p Slot> {
        let mut at = (hash(word) >> children.shift) as usize;
        loop {
            let slot = children.slots.get(at & (children.slots.len() - 1))?;
            if slot.word == word && (word >> 120 == 0xff || self.key(slot.node) == key()) {
                return Some(slot);
            }
            if slot.node == NOWHERE {
                return None;
            }
            at += 1;
        }
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
            wanted: Wanted::default(),
            inner: false,
            elements: false,
            key: (self.keys.len() as u32, (self.keys.len() + key.len()) as u32),
            table: (0, 0, 0),
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
        self.nodes[node as usize].wanted.object = true;
        self.nodes[node as usize].wanted.other = !section;
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
        let mut slots = Vec::new();
        for (parent, children) in
            self.children.iter().enumerate().filter(|(_, children)| !children.is_empty())
        {
            // A quarter full at most: most keys of a record are not wanted and should meet an empty slot at once.
            let size = (children.len() * 4).next_power_of_two();
            let (start, shift) = (slots.len(), 64 - size.trailing_zeros());
            slots.resize(start + size, Slot { word: NO_WORD, node: NOWHERE, wanted: Wanted::default() });
            for &node in children {
                let word = string::word(self.key(node));
                let mut at = (hash(word) >> shift) as usize;
                while slots[start + (at & (size - 1))].node != NOWHERE {
                    at += 1;
                }
                slots[start + (at & (size - 1))] =
                    Slot { word, node, wanted: self.nodes[node as usize].wanted };
            }
            self.nodes[parent].table = (start as u32, slots.len() as u32, shift);
        }
        Plan { nodes: self.nodes, envelope, slots, keys: self.keys, paths, traits }
    }
}
