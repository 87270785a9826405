//! Client required: a run, followed until it has ended.

use std::{
    io::{self, IsTerminal as _, Write},
    pin::Pin,
    time::Duration,
};

use copr_operator_api::v1alpha1::{CoprInstance, CoprTestRun, CoprTestRunStatus, Phase};
use futures::{Stream, StreamExt as _, stream};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use kube::runtime::{WatchStreamExt as _, watcher};

use super::say;
use crate::{
    args::Watch,
    clock,
    cluster::{Cluster, RUN},
    error::Error,
    model::{
        follow::{self, Follow},
        verdict::{self, Exit},
    },
};

/// Without a terminal nothing is silent for longer than this.
const STILL: Duration = Duration::from_secs(60);
const TICK: Duration = Duration::from_secs(1);

type Watched<K> = Pin<Box<dyn Stream<Item = watcher::Result<Option<K>>> + Send>>;

pub async fn run(cluster: &Cluster, args: &Watch, out: &mut dyn Write) -> Result<Exit, Error> {
    let run = cluster.run(&args.run).await?;
    follow(cluster, &run, args.plain, out).await
}

/// Until it has ended, however often the API server goes away; the exit code is its verdict.
pub async fn follow(
    cluster: &Cluster,
    run: &CoprTestRun,
    plain: bool,
    out: &mut dyn Write,
) -> Result<Exit, Error> {
    let name = run.metadata.name.clone().unwrap_or_default();
    let mut screen = Screen::new(plain, out);
    let status = until_ended(cluster, run, &mut screen).await?;
    screen.clear();
    say(out, &format!("{}\n{}.", verdict::headline(&status), follow::summary(&status)))?;
    if verdict::exit(status.phase) != Exit::Fine {
        let red = status.tests.iter().find(|test| test.outcome.is_red());
        let log = red.map(|test| format!("; a test's log: kubectl copr logs {name} {}", shell(&test.name)));
        say(out, &format!("More: kubectl copr results {name}{}", log.unwrap_or_default()))?;
    }
    Ok(verdict::exit(status.phase))
}

async fn until_ended(
    cluster: &Cluster,
    run: &CoprTestRun,
    screen: &mut Screen<'_>,
) -> Result<CoprTestRunStatus, Error> {
    let name = run.metadata.name.clone().unwrap_or_default();
    // A run's own instance is called like it.
    let instance = run.spec.instance.name.clone().unwrap_or_else(|| name.clone());
    let mut status = run.status.clone().unwrap_or_default();
    screen.show_run(&status)?;
    let mut runs: Watched<CoprTestRun> =
        Box::pin(watcher::watch_object(cluster.runs(), &name).default_backoff());
    let mut instances: Watched<CoprInstance> = Box::pin(stream::pending());
    let mut watches_instance = false;
    let mut trouble = String::new();
    let mut tick = tokio::time::interval(TICK);
    while !status.phase.is_final() {
        if !watches_instance && status.phase == Phase::Building {
            watches_instance = true;
            instances = Box::pin(watcher::watch_object(cluster.instances(), &instance).default_backoff());
        }
        tokio::select! {
            biased;
            Some(seen) = runs.next() => match seen {
                Ok(Some(run)) => {
                    status = run.status.unwrap_or_default();
                    screen.show_run(&status)?;
                    trouble.clear();
                }
                Ok(None) => return Err(Error::Said(format!(
                    "the run {name} in the namespace {} was deleted before it ended: there is no verdict", cluster.namespace
                ))),
                Err(error) => note(error, &name, cluster, screen, &mut trouble)?,
            },
            // What isn't known of images is no reason to stop.
            Some(Ok(Some(seen))) = instances.next() => {
                let packages = seen.status.and_then(|status| status.packages);
                screen.show_images(&packages.map(|packages| packages.images).unwrap_or_default())?;
            }
            _ = tick.tick() => screen.tick()?,
        }
    }
    Ok(status)
}

/// That the API server can't be watched: once, and for good if it doesn't allow it.
fn note(
    error: watcher::Error,
    name: &str,
    cluster: &Cluster,
    screen: &mut Screen<'_>,
    told: &mut String,
) -> Result<(), Error> {
    let forbidden = |status: &kube::core::Status| matches!(status.code, 401 | 403);
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
            if forbidden(&status) =>
        {
            Err(Error::of(RUN, "watch", name, &cluster.namespace, kube::Error::Api(status)))
        }
        // It's only that the watch has to begin anew.
        watcher::Error::WatchError(status) if status.code == 410 => Ok(()),
        error => {
            let text = format!("  the API server doesn't answer, and is asked again: {error}");
            if text != *told {
                told.clone_from(&text);
                screen.lines(&[text])?;
            }
            Ok(())
        }
    }
}

/// As a shell reads it back.
fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// Where lines and the bar go.
struct Screen<'a> {
    out: &'a mut dyn Write,
    follow: Follow,
    bar: Option<ProgressBar>,
    quiet: Duration,
}

impl<'a> Screen<'a> {
    fn new(plain: bool, out: &'a mut dyn Write) -> Self {
        let terminals = io::stdout().is_terminal() && io::stderr().is_terminal();
        let live = !plain && terminals && std::env::var_os("CI").is_none();
        Self { out, follow: Follow::new(live), bar: live.then(bar), quiet: Duration::ZERO }
    }

    fn show_run(&mut self, status: &CoprTestRunStatus) -> Result<(), Error> {
        let lines = self.follow.run(status);
        self.draw(clock::now());
        self.lines(&lines)
    }

    fn show_images(&mut self, images: &[copr_operator_api::v1alpha1::ImageStatus]) -> Result<(), Error> {
        let lines = self.follow.images(images);
        self.draw(clock::now());
        self.lines(&lines)
    }

    fn lines(&mut self, lines: &[String]) -> Result<(), Error> {
        if lines.is_empty() {
            return Ok(());
        }
        self.quiet = Duration::ZERO;
        let time = clock::time_of_day(clock::now());
        let text: String = lines.iter().map(|line| format!("{time}  {line}\n")).collect();
        match &self.bar {
            Some(bar) => bar.suspend(|| say(self.out, &text)),
            None => say(self.out, &text),
        }
    }

    fn draw(&self, now: Timestamp) {
        let Some(bar) = &self.bar else { return };
        let shown = self.follow.bar(now);
        // A bar of nothing would be full.
        bar.set_length(shown.of.max(1));
        bar.set_position(shown.done);
        bar.set_prefix(format!("{}/{}", shown.done, shown.of));
        bar.set_message(shown.text);
    }

    fn tick(&mut self) -> Result<(), Error> {
        let now = clock::now();
        if self.bar.is_some() {
            self.draw(now);
            return Ok(());
        }
        self.quiet += TICK;
        if self.quiet < STILL {
            return Ok(());
        }
        let line = self.follow.still(now);
        self.lines(&[line])
    }

    fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    // The template is a constant, and right.
    if let Ok(style) = ProgressStyle::with_template("[{bar:20}] {prefix}  {elapsed}  {wide_msg}") {
        bar.set_style(style.progress_chars("#>."));
    }
    bar.enable_steady_tick(TICK);
    bar
}

#[cfg(test)]
mod tests {
    use copr_operator_kernel::testing::{ApiServer, get};
    use serde_json::{Value, json};

    use super::*;
    use crate::{commands::testing, model::fixtures};

    const RUNS: &str = "/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/team/coprtestruns";
    const INSTANCES: &str = "/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/team/coprinstances";

    fn args() -> Watch {
        Watch { run: "pr-7".into(), plain: true }
    }

    /// Lines without the time of day.
    fn lines(text: &str) -> Vec<&str> {
        let is_time =
            |line: &str| line.as_bytes().get(2) == Some(&b':') && line.as_bytes().get(5) == Some(&b':');
        text.lines().map(|line| if is_time(line) { &line[10..] } else { line }).collect()
    }

    #[tokio::test]
    async fn a_run_that_has_ended_is_told_at_once() {
        let (result, text) = testing::run(
            [get(format!("{RUNS}/pr-7")).answers(fixtures::red_object())],
            async |cluster, out| run(cluster, &args(), out).await,
        )
        .await;
        assert_eq!(result.unwrap(), Exit::Failed);
        insta::assert_snapshot!(lines(&text).join("\n"));
    }

    fn at_phase(phase: &str) -> Value {
        fixtures::run_object("pr-7", fixtures::spec(), json!({"phase": phase}))
    }

    #[tokio::test]
    async fn what_happens_meanwhile_is_told_images_included() {
        let instance = fixtures::instance_object(
            "pr-7",
            json!({"packages": {"specHash": "", "images": [{"component": "base", "state": "Building", "inputHash": ""}]}}),
        );
        let modified = json!({"type": "MODIFIED", "object": fixtures::green_object()}).to_string() + "\n";
        let (result, text) = testing::run(
            [
                get(format!("{RUNS}/pr-7")).answers(at_phase("Building")),
                get(RUNS)
                    .query("fieldSelector", "metadata.name=pr-7")
                    .answers(testing::list(&[at_phase("Building")])),
                get(INSTANCES)
                    .query("fieldSelector", "metadata.name=pr-7")
                    .answers(testing::list(&[instance])),
                get(RUNS).query("watch", "true").says(&modified),
                get(INSTANCES).query("watch", "true").is_never_answered(),
            ],
            async |cluster, out| run(cluster, &args(), out).await,
        )
        .await;
        assert_eq!(result.unwrap(), Exit::Fine);
        let lines = lines(&text);
        assert_eq!(lines[..4], ["Building", "  base Building", "Passed", "  project-lifecycle Passed 9s"]);
        assert_eq!(lines.last(), Some(&"4 of 5 tests passed, 1 failed as expected."));
    }

    #[tokio::test]
    async fn a_run_that_is_deleted_has_no_verdict() {
        let (result, _) = testing::run(
            [get(format!("{RUNS}/pr-7")).answers(at_phase("Running")), get(RUNS).answers(testing::list(&[]))],
            async |cluster, out| run(cluster, &args(), out).await,
        )
        .await;
        assert!(result.unwrap_err().text().contains("was deleted before it ended"));
    }

    #[tokio::test]
    async fn who_may_not_watch_is_told_so() {
        let (result, _) = testing::run(
            [
                get(format!("{RUNS}/pr-7")).answers(at_phase("Running")),
                get(RUNS).refuses(ApiServer::FORBIDDEN, "you may not list coprtestruns"),
            ],
            async |cluster, out| run(cluster, &args(), out).await,
        )
        .await;
        let text = result.unwrap_err().text();
        assert_eq!(
            text,
            "failed to watch CoprTestRun pr-7 in the namespace team: you may not list coprtestruns"
        );
    }

    #[test]
    fn a_test_of_any_name_can_be_pasted_into_a_shell() {
        assert_eq!(shell("build-spec"), "build-spec");
        assert_eq!(shell("it's; rm"), r"'it'\''s; rm'");
    }
}
