//! A run as it goes: a line for everything that is new, and what is under way.

use std::collections::HashMap;

use copr_operator_api::v1alpha1::{CoprTestRunStatus, ImageState, ImageStatus, Outcome, Phase, TestStatus};
use copr_operator_kernel::report;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{condition, count, one_line};

/// What was told of a run so far.
#[derive(Debug, Default)]
pub struct Follow {
    /// What is under way is beside the bar: no line for it.
    live: bool,
    phase: Option<Phase>,
    message: String,
    outcomes: HashMap<String, (Outcome, i32)>,
    states: HashMap<String, ImageState>,
    status: CoprTestRunStatus,
    images: Vec<ImageStatus>,
}

/// What a bar shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bar {
    pub done: u64,
    pub of: u64,
    pub text: String,
}

impl Follow {
    pub fn new(live: bool) -> Self {
        Self { live, ..Self::default() }
    }

    /// What is new of the run.
    pub fn run(&mut self, status: &CoprTestRunStatus) -> Vec<String> {
        let mut lines = Vec::new();
        if self.phase != Some(status.phase) {
            self.phase = Some(status.phase);
            lines.push(status.phase.to_string());
        }
        let message = waits_for(status);
        if message != self.message {
            self.message.clone_from(&message);
            // Of images that are being built there are lines already.
            if !self.live && !message.is_empty() && !message.starts_with("ImagesBuilding") {
                lines.push(format!("  {message}"));
            }
        }
        for test in &status.tests {
            let now = (test.outcome, test.attempts);
            let before = self.outcomes.insert(test.name.clone(), now).unwrap_or_default();
            if now != before && test.outcome != Outcome::Pending {
                let told = self.live && test.outcome == Outcome::Running;
                lines.extend((!told).then(|| test_line(test)));
            }
        }
        self.status.clone_from(status);
        lines
    }

    /// What is new of its images.
    pub fn images(&mut self, images: &[ImageStatus]) -> Vec<String> {
        let mut lines = Vec::new();
        for image in images {
            let before = self.states.insert(image.component.clone(), image.state).unwrap_or_default();
            if before == image.state {
                continue;
            }
            let under_way = matches!(image.state, ImageState::Queued | ImageState::Building);
            lines.extend((!(self.live && under_way)).then(|| image_line(image)));
        }
        self.images = images.to_vec();
        lines
    }

    /// What is under way, with how long it has been; nothing if nothing is.
    pub fn under_way(&self, now: Timestamp) -> Option<String> {
        let building = |image: &&ImageStatus| image.state == ImageState::Building;
        let running = |test: &&TestStatus| test.outcome == Outcome::Running;
        let since = |name: &str, start: Option<&Time>| {
            // The clock of the cluster may be ahead of this one.
            let took = start.map(|start| report::duration(now.duration_since(start.0)));
            took.map_or_else(|| name.to_owned(), |took| format!("{name} {took}"))
        };
        let parts: Vec<_> = match self.status.phase {
            Phase::Running => self
                .status
                .tests
                .iter()
                .filter(running)
                .map(|t| since(&t.name, t.started_at.as_ref()))
                .collect(),
            Phase::Building => self
                .images
                .iter()
                .filter(building)
                .map(|i| since(&i.component, i.started_at.as_ref()))
                .collect(),
            _ => Vec::new(),
        };
        if parts.is_empty() {
            return Some(self.message.clone()).filter(|message| !message.is_empty());
        }
        Some(parts.join(", "))
    }

    /// The line that says that it still goes on.
    pub fn still(&self, now: Timestamp) -> String {
        let phase = self.status.phase;
        let bar = self.bar(now);
        let done = if bar.of > 0 { format!(" {}/{}", bar.done, bar.of) } else { String::new() };
        match self.under_way(now) {
            Some(under_way) => format!("  still {phase}{done}: {under_way}"),
            None => format!("  still {phase}{done}"),
        }
    }

    pub fn bar(&self, now: Timestamp) -> Bar {
        let (done, of) = if self.status.phase == Phase::Building {
            (self.images.iter().filter(|image| image.state.is_there()).count(), self.images.len())
        } else {
            let tests = &self.status.tests;
            (tests.iter().filter(|test| test.outcome.is_final()).count(), tests.len())
        };
        let phase = self.status.phase;
        let text = self.under_way(now).map_or_else(|| phase.to_string(), |what| format!("{phase}: {what}"));
        Bar { done: done as u64, of: of as u64, text }
    }
}

/// What a run waits for that has no test yet.
fn waits_for(status: &CoprTestRunStatus) -> String {
    if let Some(place) = status.queue_place {
        return format!("waits in the queue, as number {place}");
    }
    match condition(&status.conditions, "InstanceReady") {
        Some(c) if c.status != "True" => one_line(&format!("{}: {}", c.reason, c.message)),
        _ => String::new(),
    }
}

fn test_line(test: &TestStatus) -> String {
    let mut line = format!("  {} {:?}", test.name, test.outcome);
    if test.outcome == Outcome::Running {
        if test.attempts > 1 {
            line.extend([format!(", attempt {}", test.attempts)]);
        }
        return line;
    }
    if let Some(duration) = &test.duration {
        line.extend([format!(" {duration}")]);
    }
    match &test.message {
        Some(message) if test.outcome != Outcome::Passed => format!("{line}  {}", one_line(message)),
        _ => line,
    }
}

fn image_line(image: &ImageStatus) -> String {
    let line = format!("  {} {:?}", image.component, image.state);
    match (image.state, &image.elapsed, &image.message) {
        (ImageState::Pushed, Some(elapsed), _) => format!("{line} {elapsed}"),
        (ImageState::Failed, _, Some(message)) => format!("{line}  {}", one_line(message)),
        _ => line,
    }
}

/// The sentence at the end.
pub fn summary(status: &CoprTestRunStatus) -> String {
    let s = status.summary.unwrap_or_default();
    let number = |number: i32| usize::try_from(number).unwrap_or_default();
    let parts = [
        (s.failed, "failed"),
        (s.error, "without a verdict"),
        (s.unexpected_passes, "passed unexpectedly"),
        (s.expected_failures, "failed as expected"),
        (s.flaky, "flaky"),
        (s.skipped, "skipped"),
    ];
    let parts: Vec<_> =
        parts.into_iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    let passed = format!("{} of {} passed", s.passed, count(number(s.total), "test"));
    if parts.is_empty() { passed } else { format!("{passed}, {}", parts.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::{super::fixtures, *};

    /// A run as the watches show it, one state after the other.
    fn course(live: bool) -> String {
        let mut follow = Follow::new(live);
        let mut text = String::new();
        for (minute, (status, images)) in fixtures::course().iter().enumerate() {
            let now = fixtures::at(60 * i64::try_from(minute).unwrap());
            let lines = [follow.run(status), follow.images(images)].concat();
            text.extend([format!("---- {minute}m\n{}\n", lines.join("\n"))]);
            let last = if live { format!("{:?}", follow.bar(now)) } else { follow.still(now) };
            text.extend([last, "\n".into()]);
        }
        text
    }

    #[test]
    fn without_a_terminal_there_is_a_line_for_all_that_starts_or_ends() {
        insta::assert_snapshot!(course(false));
    }

    #[test]
    fn on_a_terminal_what_is_under_way_is_beside_the_bar() {
        insta::assert_snapshot!(course(true));
    }

    #[test]
    fn the_same_state_again_is_no_news() {
        let mut follow = Follow::new(false);
        let course = fixtures::course();
        let (status, images) = course.last().unwrap();
        assert!(!follow.run(status).is_empty());
        follow.images(images);
        assert_eq!(follow.run(status), [""; 0]);
        assert_eq!(follow.images(images), [""; 0]);
    }
}
