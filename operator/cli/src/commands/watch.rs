//! Client required: a run, followed until it has ended.

use std::{
    io::{self, IsTerminal as _, Write},
    pin::Pin,
    time::Duration,
};

use copr_operator_api::v1alpha1::{
    CoprInstance, CoprTestRun, CoprTestRunStatus, ImageStatus, InstalledPackage, Phase,
};
use copr_operator_kernel::report;
use futures::{Stream, StreamExt as _, stream};
use indicatif::{ProgressBar, ProgressStyle};
use jiff::{SignedDuration, Timestamp};
use kube::runtime::{WatchStreamExt as _, watcher};
use tokio::time::Instant;

use super::{
    artifacts::{self, Folder},
    end, evidence, results, say,
};
use crate::{
    args::{Expected, Followed, Watch},
    clock,
    cluster::{Cluster, RUN},
    error::Error,
    model::{
        description, expected,
        follow::{self, Follow},
        limit, tables,
        verdict::{self, Exit},
    },
};

/// Without a terminal nothing is silent for longer than this.
const STILL: Duration = Duration::from_secs(60);
const TICK: Duration = Duration::from_secs(1);

type Watched<K> = Pin<Box<dyn Stream<Item = watcher::Result<Option<K>>> + Send>>;

pub async fn run(cluster: &Cluster, args: &Watch, out: &mut dyn Write) -> Result<Exit, Error> {
    let run = cluster.run(&args.run).await?;
    follow(cluster, &run, args.plain, &args.followed, out).await
}

/// Until it has ended, however often the API server goes away; the exit code is its verdict.
pub async fn follow(
    cluster: &Cluster,
    run: &CoprTestRun,
    plain: bool,
    wanted: &Followed,
    out: &mut dyn Write,
) -> Result<Exit, Error> {
    let course = Box::pin(to_the_end(cluster, run, plain, wanted, out));
    let ended = if wanted.rm {
        let mut interruption = end::Interruption::new()?;
        let ended = tokio::select! {
            ended = course => ended,
            () = interruption.comes() => Err(Error::Said("interrupted: there is no verdict".into())),
        };
        end::delete(cluster, run, &mut interruption).await;
        ended
    } else {
        course.await
    };
    let status = ended?;
    let about = description(run).map(|text| format!(" ({text})")).unwrap_or_default();
    say(out, &format!("{}{about}", verdict::headline(&status)))?;
    Ok(verdict::exit(status.phase))
}

async fn to_the_end(
    cluster: &Cluster,
    run: &CoprTestRun,
    plain: bool,
    wanted: &Followed,
    out: &mut dyn Write,
) -> Result<CoprTestRunStatus, Error> {
    let name = run.metadata.name.clone().unwrap_or_default();
    // Before the run has taken an hour.
    let folder = wanted.artifacts.as_deref().map(Folder::new).transpose()?;
    let mut screen = Screen::new(plain, out);
    let (run, instance) = until_ended(cluster, run, &wanted.expect, &mut screen).await?;
    screen.clear();
    let status = run.status.clone().unwrap_or_default();
    if wanted.results {
        say(out, &format!("\n{}", tables::results(&run, images(instance.as_ref()))))?;
        let logs = tables::logs(&results::ends_of_logs(cluster, &run).await?);
        if !logs.is_empty() {
            say(out, &format!("\n{logs}"))?;
        }
        say(out, "")?;
    } else {
        say(out, &format!("{}.", follow::summary(&status)))?;
    }
    if let Some(folder) = &folder {
        if evidence::is_awaited(&run) {
            say(out, "waiting for the evidence of the run, which takes the operator three minutes at most")?;
            if !evidence::settled(cluster, &name).await {
                say(out, "There is none: the operator hasn't said what became of it.")?;
            }
        }
        let addresses = &wanted.registries.registry_address;
        artifacts::write(cluster, &name, folder, instance.as_ref(), addresses, out).await?;
    }
    if !wanted.rm && verdict::exit(status.phase) != Exit::Fine {
        let red = status.tests.iter().find(|test| test.outcome.is_red());
        let log = red.map(|test| format!("; a test's log: kubectl copr logs {name} {}", shell(&test.name)));
        say(out, &format!("More: kubectl copr results {name}{}", log.unwrap_or_default()))?;
    }
    Ok(status)
}

fn images(instance: Option<&CoprInstance>) -> &[ImageStatus] {
    let status = instance.and_then(|instance| instance.status.as_ref());
    status
        .and_then(|status| status.packages.as_ref())
        .map(|packages| packages.images.as_slice())
        .unwrap_or_default()
}

/// The run as it ended, and its instance as it was last seen.
async fn until_ended(
    cluster: &Cluster,
    run: &CoprTestRun,
    expected: &[Expected],
    screen: &mut Screen<'_>,
) -> Result<(CoprTestRun, Option<CoprInstance>), Error> {
    let name = run.metadata.name.clone().unwrap_or_default();
    // A run's own instance is called like it.
    let instance_name = run.spec.instance.name.clone().unwrap_or_else(|| name.clone());
    let limit = limit::of(&run.spec);
    let (mut run, mut instance) = (run.clone(), None);
    let mut status = run.status.clone().unwrap_or_default();
    screen.show_run(&status)?;
    let mut runs: Watched<CoprTestRun> =
        Box::pin(watcher::watch_object(cluster.runs(), &name).default_backoff());
    let mut instances: Watched<CoprInstance> = Box::pin(stream::pending());
    let mut watches_instance = false;
    let mut checked = expected.is_empty();
    let mut trouble = String::new();
    let mut tick = tokio::time::interval(TICK);
    let mut until = Instant::now() + limit;
    while !status.phase.is_final() {
        if !watches_instance && matches!(status.phase, Phase::Building | Phase::Provisioning) {
            watches_instance = true;
            instances =
                Box::pin(watcher::watch_object(cluster.instances(), &instance_name).default_backoff());
        }
        tokio::select! {
            biased;
            Some(seen) = runs.next() => match seen {
                Ok(Some(seen)) => {
                    run = seen;
                    status = run.status.clone().unwrap_or_default();
                    screen.show_run(&status)?;
                    trouble.clear();
                    // In the queue a run may wait for others as long as they take.
                    if status.queue_place.is_some() {
                        until = Instant::now() + limit;
                    }
                }
                Ok(None) => return Err(Error::Said(format!(
                    "the run {name} in the namespace {} was deleted before it ended: there is no verdict", cluster.namespace
                ))),
                Err(error) => note(error, &name, cluster, screen, &mut trouble)?,
            },
            // What isn't known of images is no reason to stop.
            Some(Ok(Some(seen))) = instances.next() => {
                let built = images(Some(&seen));
                screen.show_images(built)?;
                if let Some(installed) = expected::installed(built).filter(|_| !checked) {
                    checked = true;
                    check(expected, &installed, screen)?;
                }
                instance = Some(seen);
            }
            _ = tick.tick() => {
                screen.tick()?;
                if Instant::now() >= until {
                    return Err(Error::Said(format!(
                        "the run {name} in the namespace {} is {} and has not ended within all of its limits ({}): does the operator run? 'kubectl copr preflight' says so", cluster.namespace, status.phase, seconds(limit)
                    )));
                }
            }
        }
    }
    // The images may never have been seen, and a verdict is about what the run says that it tested.
    if !checked && matches!(status.phase, Phase::Passed | Phase::Failed) {
        check(expected, &status.packages, screen)?;
    }
    Ok((run, instance))
}

fn check(
    expected: &[Expected],
    installed: &[InstalledPackage],
    screen: &mut Screen<'_>,
) -> Result<(), Error> {
    match expected::check(expected, installed) {
        Ok(Some(line)) => screen.lines(&[line]),
        Ok(None) => Ok(()),
        Err(why) => Err(Error::Said(why)),
    }
}

fn seconds(duration: Duration) -> String {
    report::duration(duration.try_into().unwrap_or(SignedDuration::MAX))
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

    fn show_images(&mut self, images: &[ImageStatus]) -> Result<(), Error> {
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
    use copr_operator_kernel::testing::{ApiServer, Exchange, delete, get};
    use serde_json::{Value, json};

    use super::*;
    use crate::{commands::testing, model::fixtures};

    const RUNS: &str = "/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/team/coprtestruns";
    const INSTANCES: &str = "/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/team/coprinstances";

    fn args() -> Watch {
        Watch { run: "pr-7".into(), plain: true, followed: Followed::default() }
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
        assert_eq!(
            lines[lines.len() - 2..],
            ["4 of 5 tests passed, 1 failed as expected.", "Passed: 5 tests passed"]
        );
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

    fn building(nevra: &str) -> Value {
        let image = json!({"component": "backend", "state": "Pushed", "elapsed": "9s", "inputHash": "",
                           "packages": [{"nevra": nevra, "repository": "mine"}]});
        fixtures::instance_object("pr-7", json!({"packages": {"specHash": "", "images": [image]}}))
    }

    async fn expecting(expect: &[&str], script: Vec<Exchange>) -> (Result<Exit, Error>, String) {
        let expect = expect.iter().map(|text| text.parse().unwrap()).collect();
        let args = Watch { followed: Followed { expect, results: true, ..Followed::default() }, ..args() };
        testing::run(script, async |cluster, out| run(cluster, &args, out).await).await
    }

    #[tokio::test]
    async fn packages_that_no_image_has_are_named_and_the_images_are_in_the_results() {
        let modified = json!({"type": "MODIFIED", "object": fixtures::green_object()}).to_string() + "\n";
        let script = vec![
            get(format!("{RUNS}/pr-7")).answers(at_phase("Building")),
            get(RUNS).answers(testing::list(&[at_phase("Building")])),
            get(INSTANCES).answers(testing::list(&[building("copr-backend-1:3-1.noarch")])),
            get(RUNS).query("watch", "true").says(&modified),
            get(INSTANCES).query("watch", "true").is_never_answered(),
        ];
        let (result, text) =
            expecting(&["mine=copr-backend-3-1.noarch", "mine=copr-mocks-3-1.noarch"], script).await;
        assert_eq!(result.unwrap(), Exit::Fine);
        assert!(text.contains("Not tested, because no image installs them: copr-mocks-3-1.noarch"), "{text}");
        assert!(text.contains("backend  Pushed  9s    copr-backend-1:3-1 (mine)"), "{text}");
        assert_eq!(text.lines().last(), Some("Passed: 5 tests passed"));
    }

    #[tokio::test]
    async fn a_run_without_any_of_the_packages_that_are_to_be_tested_has_no_verdict() {
        let building = vec![
            get(format!("{RUNS}/pr-7")).answers(at_phase("Building")),
            get(RUNS).answers(testing::list(&[at_phase("Building")])),
            get(INSTANCES).answers(testing::list(&[building("copr-backend-2-1.noarch")])),
        ];
        let ended = vec![get(format!("{RUNS}/pr-7")).answers(fixtures::green_object())];
        for script in [building, ended] {
            let (result, _) = expecting(&["mine=copr-backend-3-1.noarch"], script).await;
            assert!(result.unwrap_err().text().starts_with("none of the packages that are to be tested"));
        }
    }

    #[tokio::test]
    async fn in_the_end_everything_is_shown_and_written_and_the_run_goes() {
        let mut green = fixtures::green_object();
        green["metadata"]["annotations"] = json!({"kubernetes.io/description": "mine"});
        let here = || format!("{RUNS}/pr-6");
        let no_log = |test: &str| {
            get(format!("/api/v1/namespaces/team/pods/pr-6-{test}-1/log"))
                .refuses(ApiServer::NOT_FOUND, "gone")
        };
        let map = json!({"metadata": {"name": "pr-6-junit"}, "data": {"junit.xml": "<testsuites/>\n"}});
        let mut script = vec![
            get(here()).answers(green.clone()),
            get(here()).answers(green),
            get("/api/v1/namespaces/team/configmaps/pr-6-junit").answers(map),
        ];
        script.extend(["project-lifecycle", "build-spec", "build-srpm", "webui"].map(no_log));
        script.extend([
            get(RUNS).lists(&[]),
            get(format!("{INSTANCES}/pr-6")).refuses(ApiServer::NOT_FOUND, "gone"),
            get("/api/v1/namespaces/team/events").lists(&[]),
            get("/api/v1/namespaces/team/pods").lists(&[]),
            delete(here()),
            get(here()).refuses(ApiServer::NOT_FOUND, "gone"),
        ]);
        let folder = testing::Folder::new();
        let followed = Followed {
            results: true,
            artifacts: Some(folder.path().join("out")),
            rm: true,
            ..Followed::default()
        };
        let args = Watch { run: "pr-6".into(), plain: true, followed };
        let (result, text) = testing::run(script, async |cluster, out| run(cluster, &args, out).await).await;
        assert_eq!(result.unwrap(), Exit::Fine);
        assert!(text.contains("TEST ") && text.contains("wrote "), "{text}");
        assert_eq!(text.lines().last(), Some("Passed: 5 tests passed (mine)"));
        assert!(folder.path().join("out/junit.xml").exists());
    }

    #[tokio::test]
    async fn a_folder_that_can_t_be_written_is_said_at_once_and_the_run_goes_all_the_same() {
        let folder = testing::Folder::new();
        std::fs::write(folder.path().join("mine"), "").unwrap();
        let script = [
            get(format!("{RUNS}/pr-7")).answers(at_phase("Building")),
            delete(format!("{RUNS}/pr-7")),
            get(format!("{RUNS}/pr-7")).refuses(ApiServer::NOT_FOUND, "gone"),
        ];
        let followed = Followed { artifacts: Some(folder.path().into()), rm: true, ..Followed::default() };
        let args = Watch { followed, ..args() };
        let (result, _) = testing::run(script, async |cluster, out| run(cluster, &args, out).await).await;
        assert!(result.unwrap_err().text().contains("name a folder that is empty"));
    }

    /// A terminal that was closed, or `head` that has enough.
    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn a_run_goes_although_nobody_reads_of_it_any_longer() {
        let server = ApiServer::expects([
            get(format!("{RUNS}/pr-7")).answers(at_phase("Running")),
            delete(format!("{RUNS}/pr-7")),
            get(format!("{RUNS}/pr-7")).refuses(ApiServer::NOT_FOUND, "gone"),
        ]);
        let cluster = Cluster { client: server.client(), namespace: "team".into() };
        let args = Watch { followed: Followed { rm: true, ..Followed::default() }, ..args() };
        assert!(run(&cluster, &args, &mut Closed).await.unwrap_err().is_broken_pipe());
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_nobody_looks_after_is_not_waited_for_for_ever() {
        let server = ApiServer::expects([
            get(format!("{RUNS}/pr-7")).answers(at_phase("Running")),
            get(RUNS).answers(testing::list(&[at_phase("Running")])),
            get(RUNS).query("watch", "true").is_never_answered(),
        ]);
        let cluster = Cluster { client: server.client(), namespace: "team".into() };
        let text = run(&cluster, &args(), &mut Vec::new()).await.unwrap_err().text();
        assert!(text.contains("is Running and has not ended within all of its limits (2h25m0s)"), "{text}");
    }

    #[test]
    fn a_test_of_any_name_can_be_pasted_into_a_shell() {
        assert_eq!(shell("build-spec"), "build-spec");
        assert_eq!(shell("it's; rm"), r"'it'\''s; rm'");
    }
}
