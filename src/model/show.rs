//! Tests of numbers, short: `≥ 50`. Whole phrases are in [`crate::words`].

use super::matcher::NumberTest;
use std::fmt;

impl fmt::Display for NumberTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NumberTest::All(all) => {
                let parts: Vec<String> = all.iter().map(ToString::to_string).collect();
                f.write_str(&parts.join(" and "))
            }
            NumberTest::Not(test) => write!(f, "not {test}"),
            NumberTest::Equals(bar) => write!(f, "= {bar}"),
            NumberTest::In(bars) => {
                write!(f, "= {}", bars.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or "))
            }
            NumberTest::Gt(bar) => write!(f, "> {bar}"),
            NumberTest::Gte(bar) => write!(f, "≥ {bar}"),
            NumberTest::Lt(bar) => write!(f, "< {bar}"),
            NumberTest::Lte(bar) => write!(f, "≤ {bar}"),
            NumberTest::Always(true) => write!(f, "any"),
            NumberTest::Always(false) => write!(f, "what no number is"),
        }
    }
}
