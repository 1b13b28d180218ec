//! Who they are: names, titles, companies. Domains are those that RFC 2606 keeps free for examples, the free-mail ones
//! of the model apart.

use super::random::Random;

/// What is known of a person once they say who they are.
#[derive(Debug, Clone)]
pub struct Person {
    /// The id under which all their events come, before and after they say who they are.
    pub id: String,
    pub first_name: &'static str,
    pub last_name: &'static str,
    pub email: String,
    pub title: &'static str,
    pub country: &'static str,
    /// Hours that their clock is ahead of UTC.
    pub offset_hours: i64,
    pub company: Option<Company>,
}

#[derive(Debug, Clone)]
pub struct Company {
    pub name: String,
    pub domain: String,
    pub employees: u64,
    pub industry: &'static str,
}

/// What kind of person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// In a company of up to 199 people.
    SmallBusiness,
    /// In a larger one.
    Enterprise,
    /// In any company, with a say in nothing.
    Professional,
    Student,
    Applicant,
    /// Works for a competitor of ours.
    Competitor,
    /// Works for us.
    Colleague,
}

const FIRST_NAMES: &[&str] = &[
    "Ana", "Ben", "Carla", "David", "Elena", "Farid", "Grace", "Hugo", "Ines", "Jonas", "Katja", "Liam",
    "Maya", "Noah", "Olga", "Priya", "Quentin", "Rosa", "Sven", "Tara", "Umar", "Vera", "Wei", "Yuki", "Zoë",
    "Amara", "Björn", "Chloé", "Diego", "Emma",
];
const LAST_NAMES: &[&str] = &[
    "Abel",
    "Brandt",
    "Costa",
    "Dubois",
    "Eriksen",
    "Fischer",
    "García",
    "Hansen",
    "Ivanova",
    "Jansen",
    "Kumar",
    "Lopez",
    "Müller",
    "Nakamura",
    "O'Neill",
    "Petrov",
    "Quist",
    "Rossi",
    "Silva",
    "Tan",
    "Ueda",
    "Vogel",
    "Weber",
    "Xu",
    "Young",
    "Zhang",
    "Okafor",
    "Smith",
    "Novak",
    "Lindqvist",
];
/// Country, hours ahead of UTC, weight.
const COUNTRIES: &[(f64, (&str, i64))] = &[
    (34.0, ("US", -6)),
    (5.0, ("CA", -5)),
    (12.0, ("GB", 0)),
    (14.0, ("DE", 1)),
    (6.0, ("FR", 1)),
    (5.0, ("NL", 1)),
    (4.0, ("SE", 1)),
    (3.0, ("ES", 1)),
    (4.0, ("AU", 10)),
    (3.0, ("SG", 8)),
    (6.0, ("IN", 5)),
    (4.0, ("BR", -3)),
];
const COMPANY_FIRST: &[&str] = &[
    "Bright", "North", "Blue", "Silver", "Green", "Swift", "Clear", "Iron", "Stone", "Red", "Lake", "Oak",
    "Summit", "River", "Cedar", "Sun", "Harbor", "Atlas", "Nova", "Echo",
];
const COMPANY_SECOND: &[&str] = &[
    "field", "wind", "path", "bridge", "works", "stack", "point", "line", "peak", "forge", "leaf", "gate",
    "ship", "cart", "ledger", "grid",
];
const COMPANY_FORMS: &[&str] = &["Inc", "Ltd", "GmbH", "Group", "Labs", "SA", "BV", "& Sons"];
const INDUSTRIES: &[(f64, &str)] = &[
    (26.0, "software"),
    (10.0, "fintech"),
    (8.0, "financial services"),
    (14.0, "e-commerce"),
    (8.0, "logistics"),
    (10.0, "manufacturing"),
    (8.0, "healthcare"),
    (6.0, "education"),
    (5.0, "construction"),
    (5.0, "tourism"),
];
const TARGETS: &[(&str, &str)] = &[
    ("Globex", "globex.example.com"),
    ("Initech", "initech.example.com"),
    ("Umbrella", "umbrella.example.org"),
    ("Stark Industries", "stark.example.org"),
    ("Hooli", "hooli.example.net"),
    ("Wayne Enterprises", "wayne.example.net"),
];
const FREEMAIL: &[&str] = &["gmail.com", "outlook.com", "yahoo.com", "gmx.de", "proton.me"];

fn titles(kind: Kind) -> &'static [(f64, &'static str)] {
    match kind {
        Kind::SmallBusiness => &[
            (22.0, "Founder"),
            (16.0, "CEO"),
            (10.0, "Managing Director"),
            (14.0, "Head of Sales"),
            (12.0, "Marketing Manager"),
            (8.0, "Operations Manager"),
            (8.0, "Owner"),
            (10.0, "Sales Representative"),
        ],
        Kind::Enterprise => &[
            (16.0, "VP Sales"),
            (12.0, "Director of Marketing"),
            (10.0, "Chief Revenue Officer"),
            (10.0, "Head of Revenue Operations"),
            (18.0, "Marketing Operations Manager"),
            (12.0, "Sales Operations Manager"),
            (10.0, "Principal Architect"),
            (12.0, "Business Analyst"),
        ],
        Kind::Professional => &[
            (20.0, "Content Writer"),
            (20.0, "Consultant"),
            (20.0, "Marketing Specialist"),
            (15.0, "Software Engineer"),
            (15.0, "Sales Representative"),
            (10.0, "Product Manager"),
        ],
        Kind::Student => &[(3.0, "Student"), (1.0, "Marketing Intern")],
        Kind::Applicant => &[(2.0, "Job seeker"), (1.0, "Recruiter")],
        Kind::Competitor => &[(2.0, "Product Manager"), (1.0, "Head of Strategy")],
        Kind::Colleague => &[(1.0, "Customer Success Manager"), (1.0, "Account Executive")],
    }
}

impl Person {
    pub fn draw(random: &mut Random, kind: Kind) -> Person {
        let id = uuid(random);
        let first_name = *random.pick(FIRST_NAMES);
        let last_name = *random.pick(LAST_NAMES);
        let (country, offset_hours) = random.weighted(COUNTRIES);
        let company = company(random, kind);
        let free = match kind {
            Kind::Student | Kind::Applicant => true,
            Kind::SmallBusiness => random.chance(0.15),
            Kind::Enterprise => random.chance(0.03),
            Kind::Professional => random.chance(0.4),
            Kind::Competitor | Kind::Colleague => false,
        };
        let domain = match &company {
            Some(company) if !free => company.domain.as_str(),
            _ => random.pick(FREEMAIL),
        };
        // Two people of one name in one company are two people.
        let email = format!("{}.{}{}@{domain}", ascii(first_name), ascii(last_name), random.from_to(1, 9999));
        let title = random.weighted(titles(kind));
        Person { id, first_name, last_name, email, title, country, offset_hours, company }
    }
}

fn company(random: &mut Random, kind: Kind) -> Option<Company> {
    let employees = match kind {
        Kind::SmallBusiness => random.from_to(3, 180),
        Kind::Enterprise => 200 + random.exponential(2_000.0) as u64,
        Kind::Professional => 1 + random.exponential(60.0) as u64,
        Kind::Competitor | Kind::Colleague => 400,
        Kind::Student | Kind::Applicant => return None,
    };
    let industry = random.weighted(INDUSTRIES);
    let known =
        |name: &str, domain: &str| Company { name: name.into(), domain: domain.into(), employees, industry };
    Some(match kind {
        Kind::Competitor => {
            let domains = ["rival.example.net", "contender.example.net"];
            known("Rival", domains[random.below(2) as usize])
        }
        Kind::Colleague => known("Example", "example.com"),
        Kind::Enterprise if random.chance(0.12) => {
            let (name, domain) = random.pick(TARGETS);
            known(name, domain)
        }
        _ => {
            let word = format!("{}{}", random.pick(COMPANY_FIRST), random.pick(COMPANY_SECOND));
            let domain = format!("{}{}.example", word.to_ascii_lowercase(), random.from_to(1, 99));
            known(&format!("{word} {}", random.pick(COMPANY_FORMS)), &domain)
        }
    })
}

/// The name as it stands in an address.
fn ascii(name: &str) -> String {
    let plain = name.chars().map(|letter| match letter.to_ascii_lowercase() {
        'ü' | 'ö' => 'o',
        'é' | 'ë' => 'e',
        'í' => 'i',
        other => other,
    });
    plain.filter(char::is_ascii_alphabetic).collect()
}

/// In the form that web trackers give to visitors.
pub fn uuid(random: &mut Random) -> String {
    let (high, low) = (random.next(), random.next());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | ((low >> 48) & 0x3fff),
        low & 0xffff_ffff_ffff
    )
}
