//! Client required: a run, followed until it has ended.

mod screen;

use std::{io::Write, pin::Pin, time::Duration};

use copr_operator_api::v1alpha1::{
    CoprInstance, CoprTestRun, CoprTestRunStatus, ImageStatus, InstalledPackage, Phase,
};
use copr_operator_kernel::report;
use futures::{Stream, StreamExt as _, stream};
use jiff::SignedDuration;
use kube::runtime::{WatchStreamExt as _, watcher};
use tokio::time::Instant;

use screen::Screen;

use super::{
    artifacts::{self, Folder},
    end, evidence, results, say,
};
use crate::{
    args::{Expected, Followed, Watch},
    cluster::{Cluster, RUN},
    error::{self, Error},
    model::{
        description, expected, follow, limit, tables,
        verdict::{self, Exit},
    },
};

const TICK: Duration = Duration::from_secs(1);
/// How long the API server may be away when there is a verdict, and may refuse what it allowed before: while it starts it doesn't
/// know everybody's rights yet.
const AWAY: Duration = Duration::from_secs(120);
const AGAIN: Duration = Duration::from_secs(5);

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
    let name = run.metadata.name.as_deref().unwrap_or_default();
    // Before the run has taken an hour, and while it is there whatever --rm says.
    let folder = wanted.artifacts.as_deref().map(Folder::new).transpose()?;
    let course = Box::pin(to_the_end(cluster, run, plain, wanted, folder.as_ref(), out));
    let ended = if wanted.rm {
        let mut interruption = end::Interruption::new()?;
        let ended = tokio::select! {
            ended = course => ended,
            () = interruption.comes() => Err(Error::Said("interrupted: there is no verdict".into())),
        };
        match &ended {
            // What is to be had of it can be had as long as it is there.
            Ok(ended) if !ended.is_written => error::tell(&format!(
                "the run {name} stays: 'kubectl copr artifacts {name} DIR --namespace {0}' writes what couldn't be written; then: kubectl delete coprtestrun {name} --namespace {0}",
                cluster.namespace
            )),
            _ => end::delete(cluster, run, &mut interruption).await,
        }
        ended
    } else {
        course.await
    };
    let status = ended?.status;
    let about = description(run).map(|text| format!(" ({text})")).unwrap_or_default();
    say(out, &format!("{}{about}", verdict::headline(&status)))?;
    Ok(verdict::exit(status.phase))
}

/// A run that has ended, so that there is a verdict, whatever becomes of the rest.
struct Ended {
    status: CoprTestRunStatus,
    /// Whether all the artifacts that are wanted were written.
    is_written: bool,
}

async fn to_the_end(
    cluster: &Cluster,
    run: &CoprTestRun,
    plain: bool,
    wanted: &Followed,
    folder: Option<&Folder>,
    out: &mut dyn Write,
) -> Result<Ended, Error> {
    let name = run.metadata.name.clone().unwrap_or_default();
    let mut screen = Screen::new(plain, out);
    let (run, instance) = until_ended(cluster, run, &wanted.expect, &mut screen).await?;
    screen.clear();
    let status = run.status.clone().unwrap_or_default();
    if wanted.results {
        say(out, &format!("\n{}", tables::results(&run, images(instance.as_ref()))))?;
        let logs = tables::logs(&results::ends_of_logs(cluster, &run).await);
        if !logs.is_empty() {
            say(out, &format!("\n{logs}"))?;
        }
        say(out, "")?;
    } else {
        say(out, &format!("{}.", follow::summary(&status)))?;
    }
    let mut is_written = true;
    if let Some(folder) = folder {
        if evidence::is_awaited(&run) {
            say(out, "waiting for the evidence of the run, which takes the operator three minutes at most")?;
            if !evidence::settled(cluster, &name).await {
                say(out, "There is none: the operator hasn't said what became of it.")?;
            }
        }
        is_written = write_artifacts(cluster, &name, folder, instance.as_ref(), wanted, out).await?;
    }
    if !wanted.rm && verdict::exit(status.phase) != Exit::Fine {
        let red = status.tests.iter().find(|test| test.outcome.is_red());
        let log = red.map(|test| format!("; a test's log: kubectl copr logs {name} {}", shell(&test.name)));
        say(out, &format!("More: kubectl copr results {name}{}", log.unwrap_or_default()))?;
    }
    Ok(Ended { status, is_written })
}

/// Whether that could be done; the API server may be away for a while.
async fn write_artifacts(
    cluster: &Cluster,
    name: &str,
    folder: &Folder,
    instance: Option<&CoprInstance>,
    wanted: &Followed,
    out: &mut dyn Write,
) -> Result<bool, Error> {
    let until = Instant::now() + AWAY;
    let addresses = &wanted.registries.registry_address;
    loop {
        match artifacts::write(cluster, name, folder, instance, addresses, out).await {
            Ok(()) => return Ok(true),
            Err(error @ Error::Output(_)) => return Err(error),
            Err(error) if error.passes() && Instant::now() < until => tokio::time::sleep(AGAIN).await,
            Err(error) => {
                error::tell(&format!("not all artifacts could be written: {}", error.text()));
                return Ok(false);
            }
        }
    }
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
    let mut trouble = Trouble::default();
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
                    trouble = Trouble { was_allowed: true, ..Trouble::default() };
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
                // In the queue a run may wait for others as long as they take.
                if status.queue_place.is_some() {
                    until = Instant::now() + limit;
                }
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

/// Of a watch that doesn't get on.
#[derive(Default)]
struct Trouble {
    /// What was said of it last.
    told: String,
    /// Whether the run could be watched before.
    was_allowed: bool,
    /// Since when it can't.
    refused: Option<Instant>,
}

impl Trouble {
    /// Whether a refusal is to be believed.
    fn is_final(&mut self, status: &kube::core::Status) -> bool {
        let is_refusal = matches!(status.code, 401 | 403);
        is_refusal && (!self.was_allowed || self.refused.get_or_insert_with(Instant::now).elapsed() >= AWAY)
    }
}

/// That the API server can't be watched: once, and for good if it doesn't allow it.
fn note(
    error: watcher::Error,
    name: &str,
    cluster: &Cluster,
    screen: &mut Screen<'_>,
    trouble: &mut Trouble,
) -> Result<(), Error> {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status))
            if trouble.is_final(&status) =>
        {
            Err(Error::of(RUN, "watch", name, &cluster.namespace, kube::Error::Api(status)))
        }
        // It's only that the watch has to begin anew.
        watcher::Error::WatchError(status) if status.code == 410 => Ok(()),
        error => {
            let why = report::chain(&error);
            let text = format!("  the API server doesn't answer, and is asked again: {why}");
            if text != trouble.told {
                trouble.told.clone_from(&text);
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

#[cfg(test)]
mod tests;
