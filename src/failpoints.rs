//! Named places at which tests make the daemon end, wait or fail, by the variable `FAILPOINTS` of the environment
//! (`before-offsets=3*off->return`). Only builds of tests have them: they switch the feature of the crate `fail` on, and
//! without it these functions are empty.

use fail::{FailScenario, fail_point};

/// Takes up what the environment asks for; it holds as long as the answer is kept.
pub fn from_environment() -> Option<FailScenario<'static>> {
    fail::has_failpoints().then(FailScenario::setup)
}

/// Ends the process at once, as a crash does, if a test asks for it here; `sleep` and `pause` work as well.
pub fn crash(_place: &str) {
    fail_point!(_place, |_| std::process::abort());
}

/// Whether a test asks for a failure here.
pub fn fails(_place: &str) -> bool {
    fail_point!(_place, |_| true);
    false
}
