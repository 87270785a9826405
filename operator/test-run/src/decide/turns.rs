//! Whose turn it is: a test that needs every builder runs alone, in its run and on its instance.
//!
//! Whoever looks at an instance's pods has started what it starts before the next one looks. A failure beside a pod that somebody
//! started all the same is no verdict.

use copr_operator_api::v1alpha1::{Outcome, TestStatus};
use copr_operator_kernel::report;
use kube::ResourceExt as _;

use crate::{dereference::Observed, pod, suite::Test, validate::Validated};

/// Of what a test said before, this much is repeated while it waits.
const EXCERPT_MAX: usize = 256;
/// And of no more tests than these: what one is refused for, the others mostly are, too.
const EXCERPTS: usize = 2;

/// What is started now.
#[derive(Debug, Default)]
pub struct Turn<'a> {
    /// These.
    pub starts: Vec<(&'a Test, &'a mut TestStatus)>,
    /// What the others wait for, if it isn't for a free place.
    pub waits: Option<String>,
    /// Whether that may be over without an event of this run's own.
    pub recheck: bool,
}

/// Picks the tests that are started. `running` are running already.
pub fn take<'a>(
    ready: Vec<(&'a Test, &'a mut TestStatus)>,
    running: usize,
    run: &Validated,
    observed: &Observed,
) -> Turn<'a> {
    let mut turn = Turn::default();
    let foreign: Vec<_> = observed.other_pods.iter().filter(|pod| pod::is_alive(pod, observed.now)).collect();
    if let Some(alone) = foreign.iter().find(|pod| pod::is_exclusive(pod)) {
        turn.waits = Some(format!("no test is started beside {}, which runs alone", pod::describe(alone)));
        turn.recheck = true;
        return turn;
    }
    // What has ended and still cleans up counts: it may hold builders.
    let own: Vec<_> = observed.pods.iter().filter(|pod| pod::is_alive(pod, observed.now)).collect();
    if let Some(alone) = own.iter().find(|pod| pod::is_exclusive(pod)) {
        turn.waits = Some(format!("no test is started beside pod {}, which runs alone", alone.name_any()));
        turn.recheck = true;
        return turn;
    }
    let mut places = run.parallelism.saturating_sub(running);
    for (test, status) in ready {
        if places == 0 {
            break;
        }
        if test.exclusive {
            if let Some(beside) = own.iter().chain(&foreign).next() {
                turn.waits =
                    Some(format!("{} runs alone, and waits for {}", test.name, pod::describe(beside)));
                turn.recheck = true;
                continue;
            }
            if running > 0 || !turn.starts.is_empty() {
                continue;
            }
            turn.starts.push((test, status));
            break;
        }
        turn.starts.push((test, status));
        places -= 1;
    }
    turn
}

/// What keeps tests waiting that were tried before.
pub fn pausing(tests: &[TestStatus]) -> Option<String> {
    let mut pausing = tests.iter().filter(|test| test.outcome == Outcome::Pending && test.reason.is_some());
    let said: Vec<_> = pausing
        .by_ref()
        .take(EXCERPTS)
        .map(|test| {
            let said = report::truncate(test.message.clone().unwrap_or_default(), EXCERPT_MAX);
            format!("{} is tried again ({said})", test.name)
        })
        .collect();
    match pausing.count() {
        _ if said.is_empty() => None,
        0 => Some(said.join(", ")),
        more => Some(format!("{}, and {more} more", said.join(", "))),
    }
}
