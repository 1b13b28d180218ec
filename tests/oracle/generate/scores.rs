//! Random scores of every kind.

use super::super::doc::{Doc, list, map};
use super::Pace;
use super::conditions::{fit_condition, number};
use super::sections::Maker;

impl Maker<'_> {
    pub(super) fn scores(&mut self) -> Doc {
        let mut scores = vec![("engagement".to_string(), self.engagement("engagement"))];
        self.resettable.push("engagement".into());
        if self.rng.one_in(2) {
            scores.push(("extra".into(), self.engagement("extra")));
            self.resettable.push("extra".into());
        }
        if !self.rng.one_in(5) {
            scores.push(("fit".into(), self.fit("fit")));
        }
        if self.rng.one_in(3) {
            scores.push(("fit_two".into(), self.fit("fit_two")));
        }
        let mut parts: Vec<String> = scores.iter().map(|(name, _)| name.clone()).collect();
        if self.rng.one_in(2) {
            scores.push(("total".into(), self.sum(&parts)));
            parts.push("total".into());
        }
        if self.rng.one_in(2) {
            let parts = self.rng.some(&parts);
            let mut best = map([("max", list(parts.iter().map(|part| Doc::from(part.as_str()))))]);
            self.range_and_grades("best", &mut best);
            scores.push(("best".into(), best));
        }
        self.rng.shuffle(&mut scores);
        self.names.scores = scores.iter().map(|(name, _)| name.clone()).collect();
        Doc::Map(scores)
    }

    fn sum(&mut self, parts: &[String]) -> Doc {
        let mut weights = Doc::Map(Vec::new());
        for part in self.rng.some(parts) {
            weights.put(&part, Doc::from(*self.rng.pick(&[0.6, 0.4, 1.0, -0.5, 2.0, 0.25])));
        }
        let mut sum = map([("sum", weights)]);
        self.range_and_grades("total", &mut sum);
        sum
    }

    fn range(&mut self) -> Doc {
        let low = if self.rng.one_in(3) { Doc::from(()) } else { Doc::from(self.rng.between(-10, 0)) };
        let high = if self.rng.one_in(3) { Doc::from(()) } else { Doc::from(self.rng.between(20, 80)) };
        list([low, high])
    }

    fn range_and_grades(&mut self, name: &str, score: &mut Doc) {
        if self.rng.one_in(2) {
            let range = self.range();
            score.put("range", range);
        }
        if self.rng.one_in(3) {
            return;
        }
        let mut bars = vec![("A", 40), ("B", 20), ("C", 10), ("D", 0)];
        self.rng.shuffle(&mut bars);
        bars.truncate(self.rng.between(2, 4) as usize);
        self.names.graded.push((name.to_string(), bars.iter().map(|(grade, _)| grade.to_string()).collect()));
        let bars =
            bars.into_iter().map(|(grade, bar)| (grade.to_string(), Doc::from(bar + self.rng.between(0, 3))));
        score.put("grades", Doc::Map(bars.collect()));
    }

    fn inactivity(&mut self) -> Doc {
        let mut inactivity =
            map([("after", self.duration()), ("points", Doc::from(-self.rng.between(1, 10)))]);
        if self.rng.one_in(2) {
            let every = if self.pace == Pace::Fast { "20s" } else { "6h" };
            inactivity.put("every", Doc::from(every));
        }
        inactivity
    }

    fn engagement(&mut self, name: &str) -> Doc {
        let mut groups = Doc::Map(Vec::new());
        for n in 0..self.rng.between(1, 3) {
            let mut points = Doc::Map(Vec::new());
            for signal in self.rng.some(&self.names.signals) {
                let of_signal = self.points();
                points.put(&signal, of_signal);
            }
            let mut group = map([]);
            if self.rng.one_in(2) {
                let range = self.range();
                group.put("range", range);
            }
            if self.rng.one_in(2) {
                let decay = self.decay();
                group.put("decay", decay);
            }
            group.put("points", points);
            groups.put(&format!("g{n}"), group);
        }
        let mut score = map([("groups", groups)]);
        self.range_and_grades(name, &mut score);
        if self.rng.one_in(2) {
            let inactivity = self.inactivity();
            score.put("inactivity", inactivity);
        }
        if self.rng.one_in(6) {
            let criterion = self.criterion();
            score.put("criteria", list([criterion]));
        }
        score
    }

    fn decay(&mut self) -> Doc {
        if self.pace == Pace::Slow {
            return map([("window", self.duration())]);
        }
        let form = *self.rng.pick(&["half_life", "half_life", "lifespan", "window"]);
        map([(form, Doc::from(*self.rng.pick(&["20s", "1m", "2m", "5m", "500ms", "200s"])))])
    }

    fn points(&mut self) -> Doc {
        let fixed = match self.rng.below(4) {
            0 => Doc::from(-self.rng.between(0, 15)),
            _ => number(self.rng, 1, 25),
        };
        if self.rng.one_in(3) {
            return fixed;
        }
        let mut points = if self.rng.one_in(3) { self.drawn_points() } else { map([("points", fixed)]) };
        if self.rng.one_in(2) {
            points.put("at_most", Doc::from(self.rng.between(1, 3)));
            if !self.rng.one_in(3) {
                let per = self.duration();
                points.put("per", per);
            }
        }
        if self.rng.one_in(3) {
            let decay = self.decay();
            points.put("decay", decay);
        }
        points
    }

    fn drawn_points(&mut self) -> Doc {
        let mut points = map([(
            "from",
            Doc::from(*self.rng.pick(&["properties.n", "properties.items.n", "traits.budget"])),
        )]);
        if self.rng.one_in(2) {
            points.put("scale", Doc::from(*self.rng.pick(&[0.05, 2.0, -1.0, 0.5])));
        }
        if self.rng.one_in(2) {
            let (low, high) = (self.rng.between(-5, 3), self.rng.between(3, 15));
            points.put("range", list([Doc::from(low), Doc::from(high)]));
        }
        points
    }

    fn criterion(&mut self) -> Doc {
        let mut criterion = map([
            ("when", fit_condition(self.rng, &self.names, self.pace)),
            ("points", Doc::from(self.rng.between(-10, 25))),
        ]);
        if self.rng.one_in(2) {
            criterion.put("label", Doc::from(format!("Criterion {}", self.rng.below(9))));
        }
        criterion
    }

    fn fit(&mut self, name: &str) -> Doc {
        let mut criteria = Vec::new();
        for _ in 0..self.rng.between(1, 4) {
            if self.rng.one_in(3) {
                let first = vec![self.criterion(), self.criterion()];
                criteria.push(map([("first", list(first))]));
            } else {
                criteria.push(self.criterion());
            }
        }
        let mut score = map([("criteria", list(criteria))]);
        let mut bars = vec![("A", 30), ("B", 15), ("C", 5), ("D", -5)];
        self.rng.shuffle(&mut bars);
        self.names.graded.push((name.to_string(), bars.iter().map(|(grade, _)| grade.to_string()).collect()));
        let bars = bars.into_iter().map(|(grade, bar)| (grade.to_string(), Doc::from(bar)));
        score.put("grades", Doc::Map(bars.collect()));
        if self.rng.one_in(8) {
            let inactivity = self.inactivity();
            score.put("inactivity", inactivity);
        }
        score
    }
}
