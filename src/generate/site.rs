//! The company's website and the ways to it.

use super::random::Random;

pub const HOST: &str = "https://www.example.com";

#[derive(Debug)]
pub struct Page {
    pub path: &'static str,
    pub name: &'static str,
}

/// A part of the website.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SectionOf {
    Home,
    Product,
    Pricing,
    Compare,
    Blog,
    Resources,
    Careers,
    Docs,
}

pub fn pages(section: SectionOf) -> &'static [Page] {
    macro_rules! pages {
        ($($path:literal $name:literal),+) => { &[$(Page { path: $path, name: $name }),+] };
    }
    match section {
        SectionOf::Home => pages!["/" "Home"],
        SectionOf::Product => pages![
            "/product/scoring" "Lead scoring", "/product/routing" "Routing", "/product/attribution" "Attribution",
            "/solutions/marketing-operations" "For marketing operations", "/customers/brightfield" "Customer story",
            "/security" "Security", "/integrations/crm" "CRM integration"
        ],
        SectionOf::Pricing => pages!["/pricing" "Pricing", "/pricing/enterprise" "Enterprise pricing"],
        SectionOf::Compare => pages!["/compare/rival" "Compared with Rival", "/alternatives" "Alternatives"],
        SectionOf::Blog => pages![
            "/blog/what-is-an-mql" "What is an MQL?", "/blog/speed-to-lead" "Speed to lead",
            "/blog/score-decay" "Why scores must decay", "/blog/sales-and-marketing" "Sales and marketing"
        ],
        SectionOf::Resources => pages!["/resources" "Resources", "/webinars" "Webinars"],
        SectionOf::Careers => pages!["/careers" "Careers", "/careers/account-executive" "Account executive"],
        SectionOf::Docs => pages!["/docs/getting-started" "Getting started", "/docs/api" "API"],
    }
}

/// How a visit begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// They type the address in.
    Direct,
    OrganicSearch,
    OrganicSocial,
    PaidSearch,
    PaidSocial,
    Partner,
    Referral,
    Email,
}

impl Entry {
    /// `first`: their first visit; `known`: they get our e-mails.
    pub fn draw(random: &mut Random, first: bool, known: bool) -> Entry {
        let again = if first { 0.3 } else { 1.0 };
        let mailed = if known { 25.0 } else { 0.0 };
        random.weighted(&[
            (40.0 * again, Entry::Direct),
            (34.0, Entry::OrganicSearch),
            (10.0, Entry::OrganicSocial),
            (20.0, Entry::PaidSearch),
            (12.0, Entry::PaidSocial),
            (5.0, Entry::Partner),
            (8.0, Entry::Referral),
            (mailed, Entry::Email),
        ])
    }

    /// The page that they come from.
    pub fn referrer(self) -> Option<&'static str> {
        match self {
            Entry::Direct | Entry::Email => None,
            Entry::OrganicSearch | Entry::PaidSearch => Some("https://www.google.com/"),
            Entry::OrganicSocial | Entry::PaidSocial => Some("https://www.linkedin.com/"),
            Entry::Partner => Some("https://partner.example.org/directory"),
            Entry::Referral => Some("https://review.example.org/lead-scoring"),
        }
    }

    /// UTM source, medium and campaign.
    pub fn campaign(self) -> Option<[&'static str; 3]> {
        match self {
            Entry::PaidSearch => Some(["google", "cpc", "lead-scoring"]),
            Entry::PaidSocial => Some(["linkedin", "paid_social", "revops-leaders"]),
            Entry::Partner => Some(["partner-directory", "partner", "listing"]),
            Entry::Email => Some(["newsletter", "email", "nurture"]),
            Entry::Direct | Entry::OrganicSearch | Entry::OrganicSocial | Entry::Referral => None,
        }
    }
}

/// Channels that cost something: the name in the model and dollars a day.
pub const PAID_CHANNELS: [(&str, f64); 3] =
    [("paid_search", 180.0), ("paid_social", 120.0), ("partner", 40.0)];
