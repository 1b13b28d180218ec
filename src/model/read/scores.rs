//! Scores.

use super::Reader;
use crate::model::ast::{
    Criterion, CriterionEntry, Decay, Duration, Group, Inactivity, Points, PointsRule, Score,
};
use crate::model::yaml::{Node, NodeKind};

type FromDuration = fn(Duration) -> Decay;

impl Reader<'_> {
    pub(super) fn score(&mut self, node: &Node) -> Score {
        let Some(mut map) = self.map(node, "a score") else { return Score::default() };
        let score = Score {
            range: map.optional(self, "range", Reader::range),
            groups: map.optional(self, "groups", |r, n| r.named(n, Reader::group)).unwrap_or_default(),
            criteria: map
                .optional(self, "criteria", |r, n| r.several(n, Reader::criterion_entry))
                .unwrap_or_default(),
            inactivity: map.optional(self, "inactivity", Reader::inactivity),
            sum: map.optional(self, "sum", |r, n| r.named(n, Reader::number)).unwrap_or_default(),
            max: map.optional(self, "max", |r, n| r.several(n, Reader::text)).unwrap_or_default(),
            grades: map.optional(self, "grades", |r, n| r.named(n, Reader::number)).unwrap_or_default(),
        };
        let own = ["groups", "criteria", "inactivity"].into_iter().find(|key| map.has(key));
        let kinds = [own, map.has("sum").then_some("sum"), map.has("max").then_some("max")];
        let kinds: Vec<_> = kinds.into_iter().flatten().collect();
        match kinds.as_slice() {
            [] => self.error(
                map.start(),
                "this score is made of nothing",
                "give it groups, criteria, inactivity, sum or max",
            ),
            [_] => {}
            [first, second, ..] => self.error(
                map.key(second),
                format!("a score cannot have both `{first}` and `{second}`"),
                "make two scores, and a third that sums them",
            ),
        }
        map.finish(self);
        score
    }

    fn group(&mut self, node: &Node) -> Group {
        let Some(mut map) = self.map(node, "a group") else { return Group::default() };
        let group = Group {
            range: map.optional(self, "range", Reader::range),
            decay: map.optional(self, "decay", Reader::decay),
            points: map.required(self, "points", |r, n| r.named(n, Reader::points)),
        };
        map.finish(self);
        group
    }

    fn decay(&mut self, node: &Node) -> Decay {
        if let NodeKind::Scalar(text, _) = &node.kind
            && text == "none"
        {
            return Decay::None;
        }
        let NodeKind::Map(_) = &node.kind else {
            self.mismatch(node, "`none`, `{ half_life: 30d }`, `{ lifespan: 30d }` or `{ window: 30d }`");
            return Decay::None;
        };
        let Some(mut map) = self.map(node, "a decay") else { return Decay::None };
        let kinds: [(&str, FromDuration); 3] =
            [("half_life", Decay::HalfLife), ("lifespan", Decay::Lifespan), ("window", Decay::Window)];
        let given: Vec<_> = kinds
            .into_iter()
            .filter_map(|(key, decay)| map.optional(self, key, Reader::period).map(decay))
            .collect();
        if map.entries.len() != 1 {
            self.error(
                node.span,
                "a decay has exactly one of half_life, lifespan, window",
                "write `decay: { half_life: 30d }`",
            );
        }
        map.finish(self);
        given.first().copied().unwrap_or(Decay::None)
    }

    fn points(&mut self, node: &Node) -> Points {
        let NodeKind::Map(_) = &node.kind else { return Points::Number(self.number(node)) };
        let Some(mut map) = self.map(node, "a points rule") else { return Points::Rule(Box::default()) };
        let rule = PointsRule {
            points: map.optional(self, "points", Reader::number),
            from: map.optional(self, "from", Reader::field),
            scale: map.optional(self, "scale", Reader::literal).map(|scale| scale.value),
            range: map.optional(self, "range", Reader::range),
            decay: map.optional(self, "decay", Reader::decay),
            at_most: map.optional(self, "at_most", Reader::count),
            per: map.optional(self, "per", Reader::period),
        };
        match (map.has("points"), map.has("from")) {
            (false, false) => self.error(
                map.start(),
                "a points rule needs `points` or `from`",
                "`points: 5`, or `from: properties.points` to read them from the event",
            ),
            (true, true) => self.error(
                map.key("from"),
                "a points rule has either `points` or `from`, not both",
                "remove one of them",
            ),
            _ => {}
        }
        for key in ["scale", "range"] {
            if map.has(key) && !map.has("from") {
                self.error(
                    map.key(key),
                    format!("`{key}` belongs to `from`"),
                    "remove it, or read the points from the event with `from: properties.…`",
                );
            }
        }
        if map.has("per") && !map.has("at_most") {
            self.error(
                map.key("per"),
                "`per` belongs to `at_most`",
                "write how many count in that time: `at_most: 3`",
            );
        }
        map.finish(self);
        Points::Rule(Box::new(rule))
    }

    fn criterion_entry(&mut self, node: &Node) -> CriterionEntry {
        match self.map(node, "a criterion") {
            Some(mut map) if map.has("first") => {
                map.what = "a criterion with `first`";
                let first = map.optional(self, "first", |r, n| r.several(n, Reader::criterion_of_first));
                map.finish(self);
                CriterionEntry::First(first.unwrap_or_default())
            }
            Some(_) => CriterionEntry::One(self.criterion(node)),
            None => CriterionEntry::First(Vec::new()),
        }
    }

    fn criterion_of_first(&mut self, node: &Node) -> Criterion {
        if let NodeKind::Map(entries) = &node.kind
            && let Some((name, _)) = entries.iter().find(|(name, _)| name.value == "first")
        {
            self.error(
                name.span,
                "a `first` cannot stand inside another",
                "write all of its criteria into one list",
            );
            return Criterion::default();
        }
        self.criterion(node)
    }

    fn criterion(&mut self, node: &Node) -> Criterion {
        let Some(mut map) = self.map(node, "a criterion") else { return Criterion::default() };
        let criterion = Criterion {
            when: map.required(self, "when", Reader::condition),
            points: map.required(self, "points", Reader::number),
            label: map.optional(self, "label", Reader::text),
        };
        map.finish(self);
        criterion
    }

    fn inactivity(&mut self, node: &Node) -> Inactivity {
        let Some(mut map) = self.map(node, "`inactivity`") else { return Inactivity::default() };
        let inactivity = Inactivity {
            after: map.required(self, "after", Reader::duration),
            points: map.required(self, "points", Reader::number),
            every: map.optional(self, "every", Reader::period),
        };
        map.finish(self);
        inactivity
    }
}
