//! The stories of leads: who they are, what they want, and what becomes of it. The b2b-saas model reads them; they know
//! nothing of its points.

use super::calendar::Rhythm;
use super::journey::{Fields, Journey, Value};
use super::people::Kind;
use super::random::Random;
use super::site::{Entry, SectionOf};
use SectionOf::{Blog, Careers, Compare, Docs, Home, Pricing, Product, Resources};
use Value::{Flag, Number, Owned, Text};

/// What kind of story a lead has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persona {
    /// Comes by once or twice and never says who they are.
    Passerby,
    /// Likes what we write.
    Reader,
    /// A small business that tries the product.
    SmallBusiness,
    /// A larger company with a project, and a committee.
    Enterprise,
    Student,
    Applicant,
    Competitor,
    Colleague,
    /// Fills in forms with an address that is none.
    Bogus,
    /// Was there before all of this.
    Customer,
}

impl Persona {
    pub fn draw(random: &mut Random) -> Persona {
        random.weighted(&[
            (54.0, Persona::Passerby),
            (17.0, Persona::Reader),
            (10.0, Persona::SmallBusiness),
            (8.0, Persona::Enterprise),
            (3.0, Persona::Student),
            (3.0, Persona::Applicant),
            (0.8, Persona::Competitor),
            (0.5, Persona::Colleague),
            (1.5, Persona::Bogus),
            (0.8, Persona::Customer),
        ])
    }

    pub fn kind(self) -> Kind {
        match self {
            Persona::Passerby | Persona::Reader | Persona::Bogus => Kind::Professional,
            Persona::SmallBusiness | Persona::Customer => Kind::SmallBusiness,
            Persona::Enterprise => Kind::Enterprise,
            Persona::Student => Kind::Student,
            Persona::Applicant => Kind::Applicant,
            Persona::Competitor => Kind::Competitor,
            Persona::Colleague => Kind::Colleague,
        }
    }

    pub fn rhythm(self) -> Rhythm {
        match self {
            Persona::Student | Persona::Applicant | Persona::Passerby => Rhythm::Leisure,
            _ => Rhythm::Office,
        }
    }

    /// Tells the story.
    pub fn tell(self, j: &mut Journey) {
        match self {
            Persona::Passerby => passerby(j),
            Persona::Reader => reader(j),
            Persona::SmallBusiness => small_business(j),
            Persona::Enterprise => enterprise(j),
            Persona::Student => student(j),
            Persona::Applicant => applicant(j),
            Persona::Competitor => competitor(j),
            Persona::Colleague => colleague(j),
            Persona::Bogus => bogus(j),
            Persona::Customer => customer_of_old(j),
        }
    }
}

fn passerby(j: &mut Journey) {
    let visits: &[&[SectionOf]] =
        &[&[Home], &[Blog], &[Home, Product], &[Blog, Blog], &[Home, Product, Pricing], &[Docs]];
    loop {
        let pages = *j.random.pick(visits);
        j.drop_in(pages);
        if !j.random.chance(0.3) {
            return;
        }
        let days = j.random.exponential(9.0);
        j.wait(days);
    }
}

fn reader(j: &mut Journey) {
    j.drop_in(&[Blog, Resources]);
    let profile = j.random.chance(0.35);
    j.identify(profile, vec![]);
    match j.random.below(4) {
        0 => j.track("Newsletter Subscribed", vec![]),
        1 => j.track("Blog Subscribed", vec![]),
        2 => j.track("Email Course Started", vec![]),
        _ => download(j, "tofu"),
    }
    let weeks = j.random.from_to(3, 20);
    let (opens, clicks) = (j.random.between(0.2, 0.7), j.random.between(0.1, 0.5));
    j.mails(weeks, opens, clicks);
    for _ in 0..j.random.below(4) {
        let days = j.random.exponential(14.0);
        j.wait(days);
        j.drop_in(&[Blog, Product]);
        if j.random.chance(0.3) {
            download(j, "mofu");
        }
    }
    if j.random.chance(0.2) {
        webinar(j);
    }
    farewell(j);
    if j.random.chance(0.12) {
        // Changed jobs, or remembered us: long after everybody else has given up.
        let days = j.random.between(185.0, 280.0);
        j.wait(days);
        j.visit(Entry::Direct, &[Home, Product]);
    } else if j.random.chance(0.06) {
        j.learned(vec![]);
        project(j);
    }
}

/// How the mailing list loses people.
fn farewell(j: &mut Journey) {
    let ends = [
        (0.75, ("", "")),
        (0.1, ("Unsubscribed", "")),
        (0.02, ("Email Marked as Spam", "")),
        (0.08, ("Email Bounced", "soft")),
        (0.05, ("Email Bounced", "hard")),
    ];
    let (event, kind) = j.random.weighted(&ends);
    if event.is_empty() {
        return;
    }
    let days = j.random.exponential(20.0);
    j.wait(days);
    j.track(event, if kind.is_empty() { vec![] } else { vec![("type", Text(kind))] });
}

fn small_business(j: &mut Journey) {
    j.drop_in(&[Home, Product, Pricing]);
    if j.random.chance(0.5) {
        let days = j.random.exponential(3.0);
        j.wait(days);
        j.drop_in(&[Product, Compare, Pricing]);
    }
    if j.random.chance(0.2) {
        return; // not convinced
    }
    j.identify(true, vec![]);
    j.track("Account Created", vec![]);
    j.group();
    j.track("Trial Started", vec![("plan", Text("trial"))]);
    match j.random.weighted(&[(0.25, 0), (0.13, 1), (0.25, 2), (0.37, 3)]) {
        0 => trial_forgotten(j),
        1 => {
            // Self-service: nobody had to call.
            trial(j);
            j.drop_in(&[Pricing]);
            order(j);
            customer(j);
        }
        2 => {
            j.meanwhile(trial);
            j.wait(2.0);
            request(j, "Demo Requested");
        }
        _ => {
            j.meanwhile(trial);
            j.wait(1.0);
            sales(j);
        }
    }
}

fn trial_forgotten(j: &mut Journey) {
    j.mails(6, 0.4, 0.2);
    let days = j.random.exponential(5.0);
    j.wait(days);
    j.track("Project Created", vec![]);
    farewell(j);
}

/// Two weeks with the product.
fn trial(j: &mut Journey) {
    const USES: [&str; 4] = ["Project Created", "Report Created", "Workflow Published", "Data Imported"];
    let team = j.random.chance(0.2);
    for day in 0..j.random.from_to(3, 8) {
        j.track("Session Started", vec![("app", Text("product"))]);
        for _ in 0..j.random.from_to(1, 4) {
            let event = *j.random.pick(&USES);
            j.track(event, vec![]);
        }
        if j.random.chance(0.15) {
            j.track("Integration Connected", vec![("name", Text("crm"))]);
        }
        if team && day < 4 {
            let mate = format!("mate{}@{}", day, mail_domain(j));
            j.track("Teammate Invited", vec![("email", Owned(mate))]);
        }
        let days = j.random.between(1.0, 2.5);
        j.wait(days);
    }
    if j.random.chance(0.12) {
        j.track("Plan Limit Reached", vec![("plan", Text("trial")), ("limit", Text("contacts"))]);
    }
}

fn mail_domain(j: &Journey) -> String {
    j.person.email.rsplit('@').next().unwrap_or_default().to_owned()
}

fn enterprise(j: &mut Journey) {
    j.drop_in(&[Blog, Product]);
    for _ in 0..j.random.below(3) {
        let days = j.random.exponential(7.0);
        j.wait(days);
        j.drop_in(&[Product, Resources, Product]);
    }
    if j.random.chance(0.15) {
        return; // a colleague was faster, or a competitor
    }
    j.identify(true, vec![]);
    if j.random.chance(0.15) {
        return request(j, "Demo Requested"); // they know what they want
    }
    download(j, "mofu");
    j.mails(8, 0.6, 0.35);
    let days = j.random.exponential(10.0);
    j.wait(days);
    if j.random.chance(0.35) {
        webinar(j);
    }
    if j.random.chance(0.6) { project(j) } else { farewell(j) }
}

/// They have a project, and we are on the list.
fn project(j: &mut Journey) {
    j.drop_in(&[Product, Product, Pricing]);
    let days = j.random.exponential(3.0);
    j.wait(days);
    j.drop_in(&[Pricing, Compare, Product]);
    download(j, "bofu");
    if j.random.chance(0.3) {
        let event =
            *j.random.pick(&["Demo Requested", "Quote Requested", "Sales Requested", "Meeting Requested"]);
        return request(j, event);
    }
    if j.random.chance(0.3) {
        webinar(j);
    }
    sales(j);
}

fn download(j: &mut Journey, stage: &'static str) {
    let title = match stage {
        "tofu" => "Lead scoring basics",
        "mofu" => "The funnel of 40 companies",
        _ => "Buying guide",
    };
    j.track("Form Submitted", vec![("form", Text("download"))]);
    j.track("Document Downloaded", vec![("stage", Text(stage)), ("title", Text(title))]);
}

fn webinar(j: &mut Journey) {
    j.visit(Entry::Email, &[Resources]);
    let name = || vec![("webinar", Text("Scores that sales believes"))];
    j.track("Webinar Registered", name());
    let days = j.random.between(2.0, 8.0);
    j.wait(days);
    match j.random.below(10) {
        0..=5 => j.track("Webinar Attended", name()),
        6 | 7 => j.track("Webinar Recording Watched", name()),
        _ => {}
    }
}

/// They ask us to get in touch.
fn request(j: &mut Journey, event: &'static str) {
    j.track("Form Submitted", vec![("form", Text("contact"))]);
    let email = j.person.email.clone();
    j.track(event, vec![("email", Owned(email))]);
    if j.random.chance(0.93) {
        j.answer("Call Logged");
    }
    sales(j);
}

/// What sales makes of a lead that marketing hands over.
fn sales(j: &mut Journey) {
    let hours = match j.random.weighted(&[(0.58, 0), (0.12, 1), (0.13, 2), (0.09, 3), (0.08, 4)]) {
        0 => 2.0 + j.random.exponential(10.0),
        1 => j.random.between(50.0, 140.0), // beyond the two days that they promised
        2 => return farewell(j),            // nobody takes it
        3 => {
            let reason = *j.random.pick(&["no budget", "bad timing", "no project"]);
            return j.ours(30.0, "Lead Recycled", vec![("reason", Text(reason))]);
        }
        _ => {
            let reason = *j.random.pick(&["wrong company", "no use for it", "supplier", "duplicate"]);
            j.ours(20.0, "Lead Rejected", vec![("reason", Text(reason))]);
            if j.random.chance(0.1) {
                j.ours(100.0, "Lead Reopened", vec![]);
            }
            return;
        }
    };
    j.ours(hours, "Lead Accepted", vec![]);
    j.ours(3.0, "Sales Email Sent", vec![]);
    if j.random.chance(0.12) {
        return; // it trickles away
    }
    j.track("Meeting Accepted", vec![]);
    let days = 1.0 + j.random.exponential(2.5);
    j.wait(days);
    if j.random.chance(0.1) {
        j.track("Meeting Missed", vec![]);
        j.wait(3.0);
    }
    j.track("Discovery Call Completed", vec![]);
    let found = findings(j);
    j.learned(found);
    deal(j);
}

/// Budget, authority, need and timeline, as far as the call brought them to light.
fn findings(j: &mut Journey) -> Fields {
    let mut found = Vec::new();
    if j.random.chance(0.8) {
        found.push(("budget", Number((j.random.between(4.0, 90.0)).round() * 1_000.0)));
    }
    if j.random.chance(0.6) {
        found.push(("authority", Flag(j.random.chance(0.8))));
    }
    if j.random.chance(0.85) {
        found.push(("need", Text("lead routing")));
    }
    if j.random.chance(0.8) {
        found.push(("timeline_days", Number(*j.random.pick(&[14.0, 30.0, 60.0, 90.0, 180.0]))));
    }
    found
}

/// From a qualified lead to a yes or a no.
fn deal(j: &mut Journey) {
    j.ours(4.0, "Call Logged", vec![]);
    if j.random.chance(0.25) {
        if j.random.chance(0.6) {
            j.ours(100.0, "Lead Recycled", vec![("reason", Text("no budget"))]);
        }
        return;
    }
    let amount = (j.random.between(6.0, 80.0)).round() * 1_000.0;
    j.ours(40.0, "Opportunity Created", vec![("amount", Number(amount))]);
    for _ in 0..j.random.from_to(1, 4) {
        let days = 4.0 + j.random.exponential(8.0);
        j.wait(days);
        j.drop_in(&[Pricing, Docs]);
        j.ours(5.0, "Meeting Held", vec![]);
    }
    match j.random.weighted(&[(0.36, 0), (0.54, 1), (0.1, 2)]) {
        0 => {
            j.ours(48.0, "Opportunity Won", vec![("amount", Number(amount))]);
            customer(j);
        }
        1 => {
            let reason = *j.random.pick(&["price", "competitor", "no decision"]);
            j.ours(48.0, "Opportunity Lost", vec![("amount", Number(amount)), ("reason", Text(reason))]);
            j.mails(10, 0.4, 0.3);
            if j.random.chance(0.25) {
                let days = j.random.between(60.0, 150.0);
                j.wait(days);
                request(j, "Demo Requested");
            }
        }
        _ => {} // still open
    }
}

fn order(j: &mut Journey) {
    let total = *j.random.pick(&[290.0, 590.0, 1_490.0, 4_900.0]);
    j.track("Order Completed", vec![("total", Number(total)), ("currency", Text("USD"))]);
}

/// Life as a customer: they use the product, need help now and then, buy more or leave.
fn customer(j: &mut Journey) {
    for _ in 0..j.random.from_to(3, 10) {
        let days = 3.0 + j.random.exponential(9.0);
        j.wait(days);
        j.track("Session Started", vec![("app", Text("product"))]);
        j.track("Report Created", vec![]);
        if j.random.chance(0.12) {
            ticket(j);
        }
    }
    match j.random.below(10) {
        0 | 1 => order(j),
        2 => j.ours(200.0, "Subscription Cancelled", vec![("reason", Text("too complex"))]),
        _ => {}
    }
}

fn ticket(j: &mut Journey) {
    j.track("Ticket Opened", vec![("subject", Text("How do I import contacts?"))]);
    let (opened, minutes) = (j.now, j.random.exponential(14.0));
    j.ours(minutes / 60.0, "Ticket Answered", vec![]);
    if j.now > opened {
        j.ours(5.0, "Ticket Closed", vec![]);
    }
}

fn customer_of_old(j: &mut Journey) {
    j.identify(true, vec![]);
    order(j);
    customer(j);
    customer(j);
}

fn student(j: &mut Journey) {
    j.drop_in(&[Blog, Blog, Resources]);
    j.identify(true, vec![]);
    for _ in 0..j.random.from_to(1, 4) {
        download(j, "tofu");
        let days = j.random.exponential(4.0);
        j.wait(days);
        j.drop_in(&[Blog, Docs, Pricing]);
    }
    if j.random.chance(0.3) {
        webinar(j);
    }
}

fn applicant(j: &mut Journey) {
    j.drop_in(&[Careers, Careers, Home]);
    if j.random.chance(0.4) {
        j.identify(true, vec![]);
        j.track("Form Submitted", vec![("form", Text("application"))]);
    }
    let days = j.random.exponential(5.0);
    j.wait(days);
    j.drop_in(&[Careers, Product]);
}

fn competitor(j: &mut Journey) {
    j.drop_in(&[Product, Pricing, Compare, Docs]);
    j.identify(true, vec![]);
    download(j, "bofu");
    if j.random.chance(0.6) {
        let email = j.person.email.clone();
        j.track("Demo Requested", vec![("email", Owned(email))]);
    }
}

fn colleague(j: &mut Journey) {
    j.drop_in(&[Home, Product, Pricing]);
    j.identify(true, vec![]);
    j.drop_in(&[Docs, Blog]);
}

fn bogus(j: &mut Journey) {
    j.drop_in(&[Resources]);
    let status = *j.random.pick(&["invalid", "disposable"]);
    j.identify(true, vec![("email_status", Text(status))]);
    download(j, "tofu");
    download(j, "bofu");
    j.wait(1.0);
    j.track("Email Bounced", vec![("type", Text("hard"))]);
}
