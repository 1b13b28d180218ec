//! Selling to companies: fit and engagement, marketing hands over to sales.

use super::{Answers, Lines, Offered, list, offered};

pub const STAGES: [Offered; 10] = [
    offered("visitor", "somebody whose name nobody knows", true),
    offered("lead", "we know who it is; marketing nurtures", true),
    offered("mql", "fits and is interested; handed to sales", false),
    offered("sal", "sales has accepted it", false),
    offered("sql", "sales has found a need and a budget", false),
    offered("opportunity", "a deal is open", false),
    offered("customer", "has bought", true),
    offered("recycled", "not now: nurture again", false),
    offered("disqualified", "not ever", false),
    offered("dormant", "half a year of silence", false),
];

/// The stages that sales works, in order.
pub const SALES: [&str; 4] = ["mql", "sal", "sql", "opportunity"];

/// What the product qualifies by.
const INVITED: &str = "seen: { signal: invited, distinct: properties.email, at_least: 3, within: 14d }";

/// What follows from the stages that were chosen.
struct Shape<'a> {
    answers: &'a Answers,
    /// The stages that sales works.
    sales: Vec<&'static str>,
    /// Where a lead is handed over to.
    handover: Option<&'static str>,
    /// Where a lead goes that the product has qualified.
    pql: Option<&'static str>,
    /// From where BANT leads on to `sql`.
    sell_from: Option<&'static str>,
}

impl<'a> Shape<'a> {
    fn of(answers: &'a Answers) -> Shape<'a> {
        let sales = answers.of(&SALES);
        let before_sql = answers.of(&["sal", "mql"]);
        Shape {
            answers,
            handover: sales.first().copied(),
            pql: if answers.product_led {
                answers.of(&["sql", "sal", "mql", "opportunity"]).first().copied()
            } else {
                None
            },
            sell_from: before_sql.first().copied().filter(|_| answers.has("sql")),
            sales,
        }
    }

    fn has(&self, stage: &str) -> bool {
        self.answers.has(stage)
    }

    fn accepts(&self) -> bool {
        self.has("mql") && self.has("sal")
    }

    fn opens_deals(&self) -> Vec<&'static str> {
        if self.has("opportunity") { self.answers.of(&["mql", "sal", "sql"]) } else { Vec::new() }
    }

    fn rejects(&self) -> bool {
        self.has("disqualified") && !self.sales.is_empty()
    }

    fn recycles(&self) -> bool {
        self.has("recycled") && self.handover.is_some()
    }

    fn pql_from(&self) -> Vec<&'static str> {
        let Some(target) = self.pql else { return Vec::new() };
        let before = ["lead", "mql", "sal", "sql"];
        let end = before.iter().position(|stage| *stage == target).unwrap_or(before.len());
        self.answers.of(&before[..end])
    }
}

pub fn model(answers: &Answers) -> String {
    let shape = Shape::of(answers);
    let mut lines = Lines::default();
    head(&shape, &mut lines);
    signals(&shape, &mut lines);
    scores(&shape, &mut lines);
    stages(&shape, &mut lines);
    transitions(&shape, &mut lines);
    rest(&shape, &mut lines);
    lines.text
}

fn head(shape: &Shape<'_>, lines: &mut Lines) {
    let name = &shape.answers.name;
    lines.add(format!(
        "# How {name} qualifies its leads. Written for marketing and sales to change together:"
    ));
    lines.add(format!("# after each change `qualifyd check {name}.yaml` and `qualifyd test tests`, and count the version up."));
    lines.add(format!("model: {name}\nversion: 1\n"));
    lines.add("# The numbers to argue about.");
    lines.add("thresholds:");
    lines.add_if(
        shape.handover.is_some(),
        "  qualified: 50   # engagement from which a lead that fits is handed to sales",
    );
    lines.add_if(shape.has("mql"), "  cool: 25        # engagement below which marketing takes it back");
    lines.add("  hot: 80         # engagement from which somebody is called at once");
    lines.add("\n# Replace these with your own on the first day.");
    lines.add("lists:");
    lines.add_if(shape.rejects(), "  internal: ['@example.com']                       # our own people");
    lines.add("  freemail: ['@gmail.com', '@outlook.com', '@yahoo.com', '@gmx.net', '@icloud.com']");
}

fn signals(shape: &Shape<'_>, lines: &mut Lines) {
    lines.add("\n# What people do, by the content of their events.");
    lines.add("signals:");
    lines.add("  page_viewed:     { match: { kind: page }, label: Viewed a page }");
    lines.add("  pricing_viewed:  { match: { kind: page, context.page.path: { prefix: /pricing } }, label: Viewed pricing }");
    lines.add("  downloaded:      { match: { event: Document Downloaded }, label: Downloaded a document }");
    lines.add("  webinar:         { match: { event: Webinar Attended }, label: Attended a webinar }");
    lines.add("  demo_requested:  { match: { event: Demo Requested }, label: Requested a demo }");
    lines.add("  unsubscribed:    { match: { event: Unsubscribed }, activity: false, label: Unsubscribed }");
    lines.add(
        "  purchase:        { match: { event: { in: [Order Completed, Opportunity Won] } }, label: Bought }",
    );
    if shape.answers.product_led {
        lines.add("  # The product");
        lines.add("  trial_started:   { match: { event: Trial Started }, label: Started a trial }");
        lines.add("  product_used:    { match: { event: { in: [Project Created, Report Created] } }, label: Used the product }");
        lines.add_if(
            shape.pql.is_some(),
            "  invited:         { match: { event: Teammate Invited }, label: Invited a teammate }",
        );
    }
    lines.add("  # What our own people report. No sign of life of the lead: `activity: false`");
    lines.add("  contacted:       { match: { event: { in: [Call Logged, Sales Email Sent] } }, activity: false, label: Was contacted }");
    lines.add_if(
        shape.accepts(),
        "  accepted:        { match: { event: Lead Accepted }, activity: false, label: Accepted by sales }",
    );
    lines.add_if(
        shape.rejects(),
        "  rejected:        { match: { event: Lead Rejected }, activity: false, label: Rejected by sales }",
    );
    lines.add_if(
        !shape.opens_deals().is_empty(),
        "  deal_opened:     { match: { event: Opportunity Created }, activity: false, label: Opened a deal }",
    );
}

fn scores(shape: &Shape<'_>, lines: &mut Lines) {
    lines.add(
        "
# Engagement says how much they want us, fit how much we want them.
scores:
  engagement:
    range: [0, 100]
    inactivity: { after: 30d, points: -10, every: 30d }   # a month of silence costs ten points, each month anew
    groups:
      web:                              # nobody is qualified by reading alone: at most 30
        range: [0, 30]
        decay: { half_life: 14d }
        points:
          page_viewed:    { points: 1, at_most: 5, per: 1d }
          pricing_viewed: { points: 10, at_most: 2, per: 1d }
      content:
        range: [0, 35]
        decay: { half_life: 30d }
        points:
          downloaded: { points: 5, at_most: 3, per: 7d }
          webinar:    15
      direct:
        decay: { half_life: 60d }
        points:
          demo_requested: { points: 60, at_most: 1, per: 30d }",
    );
    if shape.answers.product_led {
        lines.add(
            "      product:
        range: [0, 45]
        decay: { half_life: 14d }
        points:
          trial_started: { points: 20, at_most: 1 }
          product_used:  { points: 5, at_most: 5, per: 1d }",
        );
    }
    lines.add(
        "      disengagement: { decay: { half_life: 90d }, points: { unsubscribed: -20 } }
  fit:                                  # describe your last twenty customers
    range: [0, 100]
    criteria:
      - first:                          # only the first that holds counts
          - { when: { traits.title: { regex: '(?i)\\b(owner|founder|chief|c[a-z]o|vp|head|director)\\b' } }, points: 40, label: Decision maker }
          - { when: { traits.title: { contains: manager } }, points: 20, label: Manager }
      - first:
          - { when: { traits.company.employees: { gte: 200 } }, points: 40, label: 200 employees or more }
          - { when: { traits.company.employees: { gte: 20 } }, points: 25, label: 20 to 199 employees }
      - { when: { traits.email: { suffix: $freemail } }, points: -20, label: Private e-mail address }
    grades: { A: 70, B: 40, C: 20, D: 0 }",
    );
    if shape.sell_from.is_some() {
        lines.add(
            "
# Filled in by sales during discovery.
qualifications:
  bant:
    budget:    { traits.budget: { gte: 10000 } }
    authority: { traits.authority: true }
    need:      { traits.need: { exists: true } }
    timeline:  { traits.timeline_days: { lte: 90 } }",
        );
    }
}

fn stages(shape: &Shape<'_>, lines: &mut Lines) {
    lines.add("\n# The funnel from top to bottom, then the side tracks.");
    lines.add("stages:");
    for stage in &shape.answers.stages {
        let rest = match *stage {
            "visitor" => "",
            "lead" => ", owner: marketing, action: nurture",
            "mql" => ", owner: marketing, action: hand over",
            "sal" => ", owner: sales, action: qualify, requires: [traits.email]",
            "sql" => ", owner: sales, action: sell",
            "opportunity" => ", owner: sales, action: close",
            "customer" => ", owner: success, action: onboard",
            "recycled" => ", owner: marketing, action: nurture again, side: true",
            "disqualified" => ", owner: sales, side: true",
            _ => ", owner: marketing, action: leave alone, side: true",
        };
        lines.add(format!("  - {{ name: {stage}{rest} }}"));
    }
}

fn transitions(shape: &Shape<'_>, lines: &mut Lines) {
    lines.add("\n# Tried from top to bottom; the first that fits is taken, then again from the top.");
    lines.add("transitions:");
    if shape.rejects() {
        lines.add("  - { name: employee, from: [visitor, lead], to: disqualified, when: { traits.email: { suffix: $internal } } }");
        let from = list(&shape.sales);
        lines.add(format!(
            "  - {{ name: reject, from: {from}, to: disqualified, on: rejected, reason: properties.reason }}"
        ));
    }
    lines.add("  - { name: win, from: any, to: customer, on: purchase }");
    lines.add("  - { name: identify, from: visitor, to: lead, when: { identified: true } }");
    if let (Some(to), from @ [_, ..]) = (shape.pql, &shape.pql_from()[..]) {
        lines.add(format!("  - {{ name: pql, from: {}, to: {to}, when: {{ {INVITED} }} }}", list(from)));
    }
    lines.add_if(shape.accepts(), "  - { name: accept, from: mql, to: sal, on: accepted }");
    if let from @ [_, ..] = &shape.opens_deals()[..] {
        lines.add(format!(
            "  - {{ name: open_deal, from: {}, to: opportunity, on: deal_opened }}",
            list(from)
        ));
    }
    if let Some(from) = shape.sell_from {
        lines.add(format!(
            "  - {{ name: sell, from: {from}, to: sql, when: {{ qualified.bant: {{ at_least: 3 }} }} }}"
        ));
    }
    if let Some(to) = shape.handover {
        let when = "when: { score.engagement: { gte: $qualified }, grade.fit: { at_least: C } }";
        lines.add(format!("  - {{ name: qualify, from: lead, to: {to}, {when} }}"));
        let requalify = format!("  - {{ name: requalify, from: recycled, to: {to}, on: activity, {when} }}");
        lines.add_if(shape.recycles(), requalify);
    }
    if shape.has("mql") {
        // What sends a lead to `mql` must keep it from leaving at once.
        let unless = if shape.pql == Some("mql") { format!(", not: {{ {INVITED} }}") } else { String::new() };
        let when = format!("score.engagement: {{ lt: $cool }}{unless}");
        lines.add(format!("  - {{ name: cool, from: mql, to: lead, when: {{ {when} }} }}"));
    }
    if let (true, Some(from)) = (shape.recycles(), shape.handover) {
        lines.add(format!("  - {{ name: handback, from: {from}, to: recycled, after: 21d, reset: [engagement] }}   # sales did not take it on"));
    }
    if shape.has("dormant") {
        let from = list(
            &shape
                .answers
                .of(&["lead", "recycled"])
                .into_iter()
                .filter(|stage| *stage == "lead" || shape.recycles())
                .collect::<Vec<_>>(),
        );
        lines.add(format!("  - {{ name: sleep, from: {from}, to: dormant, inactive_for: 180d }}"));
        lines.add("  - { name: wake, from: dormant, to: lead, on: activity }");
    }
}

fn rest(shape: &Shape<'_>, lines: &mut Lines) {
    lines.add("\n# Who is called, and when not.");
    lines.add("alerts:");
    lines.add("  hot_lead: { when: { score.engagement: { gte: $hot }, grade.fit: { at_least: B } }, rearm: { score.engagement: { lt: 60 } }, cooldown: 1d, route: sales, priority: high }");
    lines.add("  contact_me: { on: demo_requested, cooldown: 10m, route: sales, priority: high }");
    lines.add("\n# Promises with a clock.");
    lines.add("slas:");
    lines.add(
        "  speed_to_lead: { start: { on: demo_requested }, stop: { on: contacted }, due: 5m, past_due: 30m }",
    );
    lines.add_if(
        shape.accepts(),
        "  acceptance:    { start: { enter: mql }, stop: { enter: sal }, cancel: { leave: mql }, due: 2d }",
    );
    let credit: Vec<&str> = shape.sales.iter().copied().chain(["customer"]).collect();
    lines.add(format!(
        "
# Which channel brought them: the first that fits names the touch.
attribution:
  channels:
    paid_search: {{ context.campaign.medium: {{ in: [cpc, ppc] }} }}
    email:       {{ context.campaign.medium: email }}
    referral:    {{ kind: page, context.page.referrer: {{ exists: true, not: {{ prefix: 'https://www.example.com' }} }} }}
  window: 180d
  models: [first, last, linear]
  credit: [{}]

# What records say of the lead, and how often its score goes out.
emit:
  traits: [email, title, company.name]
  scores: {{ on_change_of: 5, every: 1h }}",
        credit.join(", ")
    ));
}

pub fn tests(answers: &Answers) -> String {
    let shape = Shape::of(answers);
    let mut lines = Lines::default();
    lines.add(
        "# What must come of whom. Run them with `qualifyd test`, and add one for each rule that you add.",
    );
    lines.add(format!("model: ../{}.yaml\ntests:", answers.name));
    nurture_tests(&shape, &mut lines);
    if let Some(handover) = shape.handover {
        sales_tests(&shape, handover, &mut lines);
    }
    side_tests(&shape, &mut lines);
    lines.text
}

/// The one whom everybody wants.
const BUYER: &str = "{ identify: { email: ana@acme.example, title: Head of Operations, company: { name: Acme, employees: 300 } } }";

fn test(lines: &mut Lines, name: &str, steps: &[String]) {
    lines.add(format!("  - name: {name}\n    steps:"));
    steps.iter().for_each(|step| lines.add(format!("      - {step}")));
}

fn nurture_tests(shape: &Shape<'_>, lines: &mut Lines) {
    let mut steps = vec![
        "{ page: /product, context: { campaign: { medium: cpc } } }".to_owned(),
        "{ at: 1m, page: /pricing }".to_owned(),
        "{ at: 2m, track: Document Downloaded, traits: { email: bo@gmail.com, title: Student } }".to_owned(),
        "{ at: 1d, track: Webinar Attended }".to_owned(),
    ];
    if shape.answers.product_led {
        steps.push("{ at: 1d, track: Trial Started }".to_owned());
        steps.push("{ at: 1d, track: Project Created }".to_owned());
    }
    steps.push("{ at: 2d, expect: { stage: lead, grades: { fit: D }, transitions: [identify], reasons: [Attended a webinar], nothing_else: true } }".to_owned());
    steps.push("{ at: 2d, track: Unsubscribed }".to_owned());
    steps.push(
        "{ at: 60d, expect: { stage: lead, scores: { engagement: 0 }, nothing_else: true } }".to_owned(),
    );
    test(lines, "Who reads much but does not fit stays with marketing", &steps);
    let steps = [
        "{ track: Demo Requested }".to_owned(),
        "{ at: 4m, track: Call Logged }".to_owned(),
        "{ at: 1h, expect: { stage: visitor, alerts: [contact_me], slas: [speed_to_lead met] } }".to_owned(),
        "{ at: 40d, track: Demo Requested }".to_owned(),
        "{ at: 41d, expect: { alerts: [contact_me], slas: [speed_to_lead due, speed_to_lead past_due], running: [speed_to_lead] } }".to_owned(),
    ];
    test(lines, "Who asks for a demo is called within five minutes", &steps);
    let steps = [
        BUYER.to_owned(),
        "{ at: 1d, track: Order Completed }".to_owned(),
        "{ at: 1d, expect: { stage: customer, transitions: [identify, win] } }".to_owned(),
    ];
    test(lines, "Who buys is a customer, whoever it is", &steps);
    let steps = [
        BUYER.to_owned(),
        "{ at: 1d, page: /pricing, times: 2, every: 1h }".to_owned(),
        "{ at: 2d, track: Demo Requested }".to_owned(),
        format!(
            "{{ at: 2d, expect: {{ stage: {}, grades: {{ fit: A }}, scores: {{ engagement: {{ gte: 80 }} }}, alerts: [hot_lead, contact_me] }} }}",
            shape.handover.unwrap_or("lead")
        ),
    ];
    test(lines, "Who fits and shows much interest is hot", &steps);
}

fn sales_tests(shape: &Shape<'_>, handover: &str, lines: &mut Lines) {
    let demo = "{ at: 1d, track: Demo Requested }".to_owned();
    let qualified = format!(
        "{{ at: 1d, expect: {{ stage: {handover}, transitions: [identify, qualify], alerts: [contact_me] }} }}"
    );
    let begin = [BUYER.to_owned(), demo, qualified];
    let with = |rest: &[&str]| -> Vec<String> {
        begin.iter().cloned().chain(rest.iter().map(|step| (*step).to_owned())).collect()
    };
    if shape.accepts() {
        let steps = with(&[
            "{ at: 1d 3h, track: Lead Accepted }",
            "{ at: 1d 3h, expect: { stage: sal, transitions: [accept], slas: [speed_to_lead due, speed_to_lead past_due, acceptance met] } }",
        ]);
        test(lines, "Sales accepts within two days", &steps);
    }
    if let Some(from) = shape.sell_from {
        let accept = if from == "sal" && handover == "mql" {
            vec!["{ at: 1d 3h, track: Lead Accepted }"]
        } else {
            Vec::new()
        };
        let discovery = "{ at: 3d, identify: { budget: 20000, authority: true, need: reports } }";
        let sold = "{ at: 3d, expect: { stage: sql, qualified: { bant: [authority, budget, need] } } }";
        test(
            lines,
            "Three points of BANT make an opportunity worth selling to",
            &with(&[accept, vec![discovery, sold]].concat()),
        );
    }
    if !shape.opens_deals().is_empty() {
        let steps =
            with(&["{ at: 5d, track: Opportunity Created }", "{ at: 5d, expect: { stage: opportunity } }"]);
        test(lines, "A deal that is opened is an opportunity", &steps);
    }
    if shape.pql.is_some() && !shape.pql_from().is_empty() {
        let steps = [
            BUYER.to_owned(),
            "{ at: 1d, track: Teammate Invited, properties: { email: bo@acme.example } }".to_owned(),
            "{ at: 2d, track: Teammate Invited, properties: { email: cy@acme.example } }".to_owned(),
            "{ at: 2d, track: Teammate Invited, properties: { email: cy@acme.example } }".to_owned(),
            "{ at: 2d, expect: { stage: lead } }".to_owned(),
            "{ at: 3d, track: Teammate Invited, properties: { email: di@acme.example } }".to_owned(),
            format!(
                "{{ at: 3d, expect: {{ stage: {}, transitions: [pql] }} }}",
                shape.pql.unwrap_or(handover)
            ),
        ];
        test(lines, "Who brings three colleagues is qualified by the product", &steps);
    }
    if shape.rejects() {
        let steps = with(&[
            "{ at: 2d, track: Lead Rejected, properties: { reason: no use for it } }",
            "{ at: 2d, expect: { stage: disqualified, transitions: [{ name: reject, reason: no use for it }] } }",
        ]);
        test(lines, "Sales rejects, and says why", &steps);
    }
    if shape.recycles() {
        let back = "{ at: 30d, expect: { stage: recycled, scores: { engagement: 0 }, transitions: [{ name: handback, at: 22d }] } }";
        let steps = with(&[
            back,
            "{ at: 40d, track: Demo Requested }",
            &format!("{{ at: 40d, expect: {{ stage: {handover}, transitions: [requalify] }} }}"),
        ]);
        test(lines, "Who is not taken on is nurtured again, and comes back by new interest", &steps);
    }
    if shape.has("mql") {
        let steps = with(&[
            "{ at: 2d, track: Unsubscribed, times: 2, every: 1h }",
            "{ at: 3d, expect: { stage: lead, transitions: [cool] } }",
        ]);
        test(lines, "Who turns away cools", &steps);
    }
}

fn side_tests(shape: &Shape<'_>, lines: &mut Lines) {
    if shape.rejects() {
        let steps = [
            "{ identify: { email: me@example.com, title: Head of Sales } }".to_owned(),
            "{ expect: { stage: disqualified, transitions: [employee], nothing_else: true } }".to_owned(),
        ];
        test(lines, "Our own people are no leads", &steps);
    }
    if shape.has("dormant") {
        let steps = [
            BUYER.to_owned(),
            "{ at: 200d, expect: { stage: dormant, transitions: [identify, { name: sleep, at: 180d }] } }"
                .to_owned(),
            "{ at: 201d, page: /product }".to_owned(),
            "{ at: 201d, expect: { stage: lead, transitions: [wake] } }".to_owned(),
        ];
        test(lines, "Half a year of silence, and a visit wakes the lead", &steps);
    }
}
