//! Selling to people: they look, fill a cart and buy within days.

use super::{Answers, Lines, Offered, list, offered};

pub const STAGES: [Offered; 6] = [
    offered("visitor", "somebody who looks around", true),
    offered("lead", "we know who it is", true),
    offered("cart", "has put something into the cart", false),
    offered("checkout", "has begun to pay", false),
    offered("customer", "has bought", true),
    offered("dormant", "three months of silence", false),
];

pub fn model(answers: &Answers) -> String {
    let mut lines = Lines::default();
    let name = &answers.name;
    lines.add(format!("# How {name} follows its buyers. After each change `qualifyd check {name}.yaml` and"));
    lines.add(format!("# `qualifyd test tests`, and count the version up.\nmodel: {name}\nversion: 1\n"));
    signals(answers, &mut lines);
    scores(answers, &mut lines);
    funnel(answers, &mut lines);
    lines.text
}

fn signals(answers: &Answers, lines: &mut Lines) {
    lines.add("# What people do, by the content of their events.");
    lines.add("signals:");
    lines.add("  product_viewed:   { match: { event: Product Viewed }, label: Looked at a product }");
    lines.add(
        "  wished:           { match: { event: Product Added to Wishlist }, label: Put it on the wish list }",
    );
    lines.add("  added_to_cart:    { match: { event: Product Added }, label: Put it into the cart }");
    lines.add("  checkout_started: { match: { event: Checkout Started }, label: Began to pay }");
    lines.add("  ordered:          { match: { event: Order Completed }, label: Bought }");
    lines.add("  email_clicked:    { match: { event: Email Link Clicked }, label: Clicked in an e-mail }");
    lines.add("  unsubscribed:     { match: { event: Unsubscribed }, activity: false, label: Unsubscribed }");
    if answers.product_led {
        lines.add("  trial_started:    { match: { event: Trial Started }, label: Started a trial }");
        lines.add("  product_used:     { match: { event: Feature Used }, label: Used the product }");
    }
}

fn scores(answers: &Answers, lines: &mut Lines) {
    lines.add(
        "
# How close somebody is to buying. It fades within days.
scores:
  intent:
    range: [0, 100]
    groups:
      shop:
        range: [0, 80]
        decay: { half_life: 3d }
        points:
          product_viewed:   { points: 5, at_most: 4, per: 1d }
          wished:           10
          added_to_cart:    { points: 25, at_most: 2, per: 1d }
          checkout_started: { points: 40, at_most: 1, per: 1d }
      mail:
        decay: { half_life: 7d }
        points: { email_clicked: { points: 5, at_most: 2, per: 7d }, unsubscribed: -20 }",
    );
    if answers.product_led {
        lines.add(
            "      product:
        range: [0, 40]
        decay: { half_life: 7d }
        points: { trial_started: { points: 20, at_most: 1 }, product_used: { points: 5, at_most: 3, per: 1d } }",
        );
    }
    lines.add("    grades: { hot: 60, warm: 20, cold: 0 }");
}

fn funnel(answers: &Answers, lines: &mut Lines) {
    lines.add("\nstages:");
    for stage in &answers.stages {
        let rest = match *stage {
            "visitor" => "",
            "lead" => ", owner: marketing, action: invite",
            "cart" => ", owner: marketing, action: remind",
            "checkout" => ", owner: shop, action: help",
            "customer" => ", owner: service, action: delight",
            _ => ", owner: marketing, action: win back, side: true",
        };
        lines.add(format!("  - {{ name: {stage}{rest} }}"));
    }
    let (cart, checkout) = (answers.has("cart"), answers.has("checkout"));
    lines.add("\n# Tried from top to bottom; the first that fits is taken, then again from the top.");
    lines.add("transitions:");
    lines.add("  - { name: buy, from: any, to: customer, on: ordered }");
    let from = list(&answers.of(&["visitor", "lead", "cart", "customer"]));
    lines.add_if(
        checkout,
        format!("  - {{ name: begin_to_pay, from: {from}, to: checkout, on: checkout_started }}"),
    );
    lines.add_if(
        cart,
        "  - { name: fill_cart, from: [visitor, lead, customer], to: cart, on: added_to_cart }",
    );
    lines.add("  - { name: identify, from: visitor, to: lead, when: { identified: true } }");
    lines.add_if(checkout, "  - { name: give_up, from: checkout, to: lead, after: 2d }");
    lines.add_if(cart, "  - { name: leave_cart, from: cart, to: lead, after: 7d }");
    if answers.has("dormant") {
        lines.add("  - { name: sleep, from: [lead, customer], to: dormant, inactive_for: 90d }");
        lines.add("  - { name: wake, from: dormant, to: lead, on: activity }");
    }
    lines.add("\n# Who is told, and when not.");
    lines.add("alerts:");
    lines.add("  hot: { when: { grade.intent: hot, not: { stage: customer } }, rearm: { grade.intent: cold }, cooldown: 1d, route: offers }");
    lines.add_if(cart, "  reminder: { when: { stage: cart, not: { seen: { signal: added_to_cart, within: 4h } } }, cooldown: 7d, route: e-mail }   # four hours after the last thing went in");
    lines.add(
        "
# Which channel brought them: the first that fits names the touch.
attribution:
  channels:
    paid_search: { context.campaign.medium: { in: [cpc, ppc] } }
    paid_social: { context.campaign.medium: paid_social }
    email:       { any: [{ context.campaign.medium: email }, { event: Email Link Clicked }] }
  window: 30d
  models: [first, last, linear]
  credit: [customer]
  value: { ordered: properties.total }

# What records say of the lead, and how often its score goes out.
emit:
  traits: [email, first_name]
  scores: { on_change_of: 10, every: 10m }",
    );
}

pub fn tests(answers: &Answers) -> String {
    let (cart, checkout) = (answers.has("cart"), answers.has("checkout"));
    let mut lines = Lines::default();
    lines.add(
        "# What must come of whom. Run them with `qualifyd test`, and add one for each rule that you add.",
    );
    lines.add(format!("model: ../{}.yaml\ntests:", answers.name));
    let mut steps = vec![
        "{ track: Product Viewed, times: 2, every: 1m, context: { campaign: { medium: cpc } } }",
        "{ at: 3m, track: Product Added to Wishlist }",
        "{ at: 4m, identify: { email: ana@mail.example } }",
        "{ at: 5m, expect: { stage: lead, scores: { intent: 20 }, transitions: [identify], nothing_else: true } }",
        "{ at: 1d, track: Email Link Clicked }",
        "{ at: 1d, track: Unsubscribed }",
    ];
    if answers.product_led {
        steps.extend(["{ at: 10d, track: Trial Started }", "{ at: 10d, track: Feature Used }"]);
    }
    steps.push("{ at: 30d, expect: { stage: lead, scores: { intent: { lt: 10 } }, grades: { intent: cold }, nothing_else: true } }");
    test(&mut lines, "Interest fades within days", &steps);
    let stage = |wanted: bool, stage: &'static str, transition: &'static str| match wanted {
        true => format!("stage: {stage}, transitions: [{transition}]"),
        false => "stage: visitor, transitions: []".to_owned(),
    };
    let in_cart = format!("{{ at: 1m, expect: {{ {} }} }}", stage(cart, "cart", "fill_cart"));
    let paying = match (cart, checkout) {
        (_, true) => "stage: checkout, transitions: [begin_to_pay]",
        (true, false) => "stage: cart, transitions: []",
        (false, false) => "stage: visitor, transitions: []",
    };
    let paying = format!("{{ at: 2m, expect: {{ {paying}, alerts: [hot] }} }}");
    test(
        &mut lines,
        "Who fills the cart and pays is a customer",
        &[
            "{ track: Product Added }",
            &in_cart,
            "{ at: 2m, track: Checkout Started }",
            &paying,
            "{ at: 3m, track: Order Completed, properties: { total: 59.9 } }",
            "{ at: 3m, expect: { stage: customer, transitions: [{ name: buy, value: 59.9 }], nothing_else: true } }",
        ],
    );
    if cart {
        test(
            &mut lines,
            "Who leaves a full cart is reminded once",
            &[
                "{ identify: { email: bo@mail.example } }",
                "{ at: 1h, track: Product Added }",
                "{ at: 6h, expect: { stage: cart, alerts: [{ name: reminder, at: 5h }] } }",
                "{ at: 9d, expect: { stage: lead, transitions: [{ name: leave_cart, at: 7d 1h }], nothing_else: true } }",
            ],
        );
    }
    if checkout {
        test(
            &mut lines,
            "Who gives up at the checkout is a lead again",
            &[
                "{ track: Checkout Started }",
                "{ at: 3d, expect: { stage: lead, transitions: [begin_to_pay, { name: give_up, at: 2d }] } }",
            ],
        );
    }
    if answers.has("dormant") {
        test(
            &mut lines,
            "Three months of silence, and a visit wakes the lead",
            &[
                "{ identify: { email: cy@mail.example } }",
                "{ at: 100d, expect: { stage: dormant, transitions: [identify, { name: sleep, at: 90d }] } }",
                "{ at: 101d, track: Product Viewed }",
                "{ at: 101d, expect: { stage: lead, transitions: [wake] } }",
            ],
        );
    }
    lines.text
}

fn test(lines: &mut Lines, name: &str, steps: &[&str]) {
    lines.add(format!("  - name: {name}\n    steps:"));
    steps.iter().for_each(|step| lines.add(format!("      - {step}")));
}
