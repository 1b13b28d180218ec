//! Random valid models that use every section of the model file.

use super::super::doc::{Doc, list, map};
use super::conditions::{Names, REGIONS, TAGS, condition, matcher};
use super::{Pace, Rng};

pub(super) struct Maker<'a> {
    pub(super) rng: &'a mut Rng,
    pub(super) pace: Pace,
    pub(super) names: Names,
    /// Scores with groups: what `reset` may name.
    pub(super) resettable: Vec<String>,
}

pub fn model(rng: &mut Rng, pace: Pace) -> Doc {
    let signals = (0..rng.between(4, 7)).map(|n| format!("s{n}")).collect();
    let names = Names {
        signals,
        scores: Vec::new(),
        graded: Vec::new(),
        qualifications: Vec::new(),
        stages: Vec::new(),
    };
    Maker { rng, pace, names, resettable: Vec::new() }.model()
}

impl Maker<'_> {
    fn model(&mut self) -> Doc {
        let mut model = map([
            ("model", Doc::from("random")),
            ("version", Doc::from(self.rng.between(1, 9))),
            ("thresholds", map([("t0", Doc::from(5)), ("t1", Doc::from(12.5)), ("t2", Doc::from(20))])),
            (
                "lists",
                map([
                    ("l0", list(TAGS[1..4].iter().map(|tag| Doc::from(*tag)))),
                    ("l1", list([Doc::from("@gmail.com"), Doc::from("@Yahoo.com")])),
                ]),
            ),
        ]);
        model.put("signals", self.signals());
        model.put("scores", self.scores());
        self.names.stages = (0..self.rng.between(4, 6)).map(|n| format!("stage{n}")).collect();
        if !self.rng.one_in(4) {
            model.put("qualifications", self.qualifications());
        }
        model.put("stages", self.stages());
        model.put("transitions", self.transitions());
        if !self.rng.one_in(5) {
            model.put("alerts", self.alerts());
        }
        if !self.rng.one_in(5) {
            model.put("slas", self.slas());
        }
        if !self.rng.one_in(4) {
            model.put("attribution", self.attribution());
        }
        if !self.rng.one_in(8) {
            model.put("emit", self.emit());
        }
        if self.rng.one_in(3) {
            model.put("spend", spend());
        }
        model
    }

    pub(super) fn duration(&mut self) -> Doc {
        self.pace.duration(self.rng)
    }

    fn signal(&mut self) -> Doc {
        Doc::from(self.rng.pick(&self.names.signals).as_str())
    }

    fn stage(&mut self) -> Doc {
        Doc::from(self.rng.pick(&self.names.stages).as_str())
    }

    fn condition(&mut self) -> Doc {
        condition(self.rng, &self.names, self.pace)
    }

    fn on(&mut self) -> Doc {
        if self.rng.one_in(5) { Doc::from("activity") } else { self.signal() }
    }

    fn signals(&mut self) -> Doc {
        let mut signals = Doc::Map(Vec::new());
        for name in self.names.signals.clone() {
            let mut signal = map([("match", matcher(self.rng))]);
            if self.rng.one_in(3) {
                signal.put("activity", Doc::from(self.rng.one_in(4)));
            }
            if self.rng.one_in(3) {
                signal.put("label", Doc::from(format!("Label of {name}")));
            }
            signals.put(&name, signal);
        }
        signals
    }

    fn qualifications(&mut self) -> Doc {
        let mut all = Doc::Map(Vec::new());
        for n in 0..self.rng.between(1, 2) {
            let mut criteria = Doc::Map(Vec::new());
            let count = self.rng.between(1, 3);
            for c in 0..count {
                let condition = self.condition();
                criteria.put(&format!("c{c}"), condition);
            }
            all.put(&format!("q{n}"), criteria);
            self.names.qualifications.push((format!("q{n}"), count));
        }
        all
    }

    fn stages(&mut self) -> Doc {
        let mut stages = Vec::new();
        for (n, name) in self.names.stages.clone().iter().enumerate() {
            let mut stage = map([("name", Doc::from(name.as_str()))]);
            if self.rng.one_in(2) {
                stage.put("owner", Doc::from(*self.rng.pick(&["marketing", "sales"])));
            }
            if self.rng.one_in(3) {
                stage.put("action", Doc::from("nurture"));
            }
            if n > 1 && self.rng.one_in(3) {
                let fields = self.rng.some(&["traits.email", "traits.title", "traits.company.size"]);
                stage.put("requires", list(fields.into_iter().map(Doc::from)));
            }
            if n > 2 && self.rng.one_in(3) {
                stage.put("side", Doc::from(true));
            }
            stages.push(stage);
        }
        list(stages)
    }

    fn transitions(&mut self) -> Doc {
        let count = self.rng.between(5, 10);
        list((0..count).map(|n| self.transition(n)).collect::<Vec<_>>())
    }

    fn transition(&mut self, n: i64) -> Doc {
        let mut stages = self.names.stages.clone();
        self.rng.shuffle(&mut stages);
        let to = stages.remove(0);
        let from = match self.rng.below(5) {
            0 => Doc::from("any"),
            // The initial stage often, so that leads get under way.
            1 if to != "stage0" => Doc::from("stage0"),
            2 => Doc::from(stages[0].as_str()),
            _ => list(self.rng.some(&stages).into_iter().map(Doc::from)),
        };
        let mut transition =
            map([("name", Doc::from(format!("tr{n}"))), ("from", from), ("to", Doc::from(to))]);
        let part = self.rng.below(8);
        if part < 3 {
            let on = self.on();
            transition.put("on", on);
        }
        if part == 3 {
            let after = self.duration();
            transition.put("after", after);
        }
        if part == 4 {
            let period = self.duration();
            transition.put("inactive_for", period);
        }
        if part > 4 || self.rng.one_in(3) {
            let when = self.condition();
            transition.put("when", when);
        }
        if self.rng.one_in(4) {
            let scores = self.rng.some(&self.resettable);
            transition.put("reset", list(scores.into_iter().map(Doc::from)));
        }
        if part < 3 && self.rng.one_in(2) {
            transition.put(
                "reason",
                Doc::from(*self.rng.pick(&["properties.tag", "properties.items.sku", "event"])),
            );
        }
        transition
    }

    fn alerts(&mut self) -> Doc {
        let mut alerts = Doc::Map(Vec::new());
        for n in 0..self.rng.between(1, 3) {
            let mut alert = map([]);
            if self.rng.one_in(3) {
                let on = self.on();
                alert.put("on", on);
                if self.rng.one_in(3) {
                    let when = self.condition();
                    alert.put("when", when);
                }
            } else {
                let when = self.condition();
                alert.put("when", when);
                if self.rng.one_in(3) {
                    let rearm = self.condition();
                    alert.put("rearm", rearm);
                }
            }
            if self.rng.one_in(2) {
                let cooldown = self.duration();
                alert.put("cooldown", cooldown);
            }
            let route = self.route();
            alert.put("route", route);
            if self.rng.one_in(2) {
                alert.put("priority", Doc::from("high"));
            }
            alerts.put(&format!("alert{n}"), alert);
        }
        alerts
    }

    fn route(&mut self) -> Doc {
        if self.rng.one_in(2) {
            return Doc::from("sdr");
        }
        let region = map([("traits.region", Doc::from(*self.rng.pick(&REGIONS)))]);
        let mut routes = vec![map([("when", region), ("to", Doc::from("near"))])];
        routes.push(map([("when", self.condition()), ("to", Doc::from("middle"))]));
        if self.rng.one_in(2) {
            routes.push(map([("to", Doc::from("far"))]));
        }
        list(routes)
    }

    fn moment(&mut self, may_leave: bool) -> Doc {
        match self.rng.below(4) {
            0 => map([("enter", self.stage())]),
            1 if may_leave => map([("leave", self.stage())]),
            _ => map([("on", self.on())]),
        }
    }

    fn slas(&mut self) -> Doc {
        let mut slas = Doc::Map(Vec::new());
        for n in 0..self.rng.between(1, 3) {
            let mut sla = map([("start", self.moment(false)), ("stop", self.moment(true))]);
            if self.rng.one_in(2) {
                let cancel = self.moment(true);
                sla.put("cancel", cancel);
            }
            let (due, past_due) = match self.pace {
                Pace::Fast => (["500ms", "3s", "20s", "2m"], ["3s", "4s", "90s", "4m"]),
                Pace::Slow => (["10s", "1m", "1h", "2d"], ["20s", "1h", "1d", "1w"]),
            };
            let choice = self.rng.below(4) as usize;
            sla.put("due", Doc::from(due[choice]));
            if self.rng.one_in(2) {
                sla.put("past_due", Doc::from(past_due[choice]));
            }
            slas.put(&format!("sla{n}"), sla);
        }
        slas
    }

    fn attribution(&mut self) -> Doc {
        let channels = map([
            ("paid", map([("context.campaign.medium", list([Doc::from("cpc"), Doc::from("ppc")]))])),
            ("referral", map([("context.page.referrer", map([("exists", Doc::from(true))]))])),
            ("any_medium", map([("context.campaign.medium", map([("exists", Doc::from(true))]))])),
        ]);
        let mut models = vec![
            Doc::from("first"),
            Doc::from("last"),
            Doc::from("linear"),
            map([("time_decay", map([("half_life", self.duration())]))]),
            position(self.rng),
        ];
        self.rng.shuffle(&mut models);
        models.truncate(self.rng.between(1, 5) as usize);
        let mut attribution = map([
            ("channels", channels),
            ("touches", Doc::from(self.rng.between(1, 5))),
            ("models", list(models)),
            ("credit", list(self.rng.some(&self.names.stages).into_iter().map(Doc::from))),
        ]);
        match self.rng.below(3) {
            0 => {}
            1 => attribution.put("gap", Doc::from("0s")),
            _ => {
                let gap = self.duration();
                attribution.put("gap", gap);
            }
        }
        if self.rng.one_in(2) {
            let window = self.duration();
            attribution.put("window", window);
        }
        if self.rng.one_in(2) {
            let mut value = Doc::Map(Vec::new());
            for signal in self.names.signals.clone() {
                value.put(&signal, Doc::from(*self.rng.pick(&["properties.n", "properties.items.n"])));
            }
            attribution.put("value", value);
        }
        attribution
    }

    fn emit(&mut self) -> Doc {
        let traits = ["email", "company.name", "company", "tags", "bio", "title"];
        let mut emit = map([("traits", list(self.rng.some(&traits).into_iter().map(Doc::from)))]);
        if !self.rng.one_in(4) {
            let mut scores = map([("on_change_of", Doc::from(*self.rng.pick(&[0.5, 1.0, 5.0, 20.0])))]);
            if self.rng.one_in(2) {
                let every = self.duration();
                scores.put("every", every);
            }
            emit.put("scores", scores);
        }
        emit
    }
}

fn spend() -> Doc {
    map([
        ("match", map([("event", Doc::from("Ad Spend Recorded"))])),
        ("channel", Doc::from("properties.tag")),
        ("amount", Doc::from("properties.n")),
    ])
}

fn position(rng: &mut Rng) -> Doc {
    let (first, last) = *rng.pick(&[(0.4, 0.4), (0.5, 0.25), (0.25, 0.75), (0.125, 0.5)]);
    map([("position", map([("first", Doc::from(first)), ("last", Doc::from(last))]))])
}
