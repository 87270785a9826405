//! Third step: what to do and what to say. Pure and total: the same observation gives the same plan, so
//! that an operator that was killed at any moment goes on where it was.
//!
//! ```text
//!            instance there    images there     instance Ready     every test ended
//!   Pending ─────────────▶ Building ─────▶ Provisioning ─────▶ Running ─────▶ Passed | Failed | Error | Cancelled
//! ```
//!
//! Whatever ends a run early (`cancel`, a timeout, the loss of the instance) gives its unfinished tests an
//! outcome; the phase always follows from the outcomes.

mod attempts;
mod conclude;
mod ending;
mod listing;
mod queue;
mod turns;
mod wake;

use std::collections::BTreeMap;

use copr_operator_api::{
    labels,
    status::images,
    v1alpha1::{CoprInstance, CoprTestRunStatus, Outcome, SuiteStatus},
};
use copr_operator_kernel::conditions;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::{
    api::core::v1::{ConfigMap, Pod},
    apimachinery::pkg::apis::meta::v1::Time,
};

use self::{attempts::Judge, listing::Listing, wake::Wake};
use super::{
    compact,
    dereference::{Observed, Seen},
    disturbance, evidence,
    grant::{self, Grant},
    pod,
    reason::Reason,
    source, target,
    validate::{Listed, Validated},
    verdict,
};

pub use attempts::not_created;
pub use conclude::{instance_refused, pods_refused, types};
pub use ending::refuse;
pub use listing::config_map_name as list_name;
pub use queue::Other;

/// How soon the instance's pods are looked at again: they aren't watched, and their trouble may be over
/// before the instance's status tells of it.
const RECHECK: SignedDuration = SignedDuration::from_secs(5);

/// What a reconcile does.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The run's own instance, to be created.
    pub instance: Option<CoprInstance>,
    /// What pods of tests need to be admitted, to be applied.
    pub grant: Option<Grant>,
    /// Pods of tests, or the one that lists them, to be created.
    pub pods: Vec<Pod>,
    /// The list of the suite, to be created.
    pub list: Option<ConfigMap>,
    /// The run as JUnit XML, to be applied.
    pub junit: Option<ConfigMap>,
    /// What is to be reported once these exist.
    pub status: CoprTestRunStatus,
    /// What is waited for, where it isn't the instance.
    pub waits: Option<String>,
    /// What has to go once that is reported.
    pub deletions: Deletions,
    /// After how long to look again, if nothing happens before.
    pub requeue: Option<SignedDuration>,
}

/// Objects to be deleted, by name and uid: an object that has taken over a name stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deletions {
    /// Pods of attempts that are over without having ended.
    pub pods: Vec<Doomed>,
    /// The run's own instance.
    pub instance: Option<Doomed>,
    /// The run itself.
    pub run: Option<Doomed>,
}

/// An object to be deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doomed {
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: Option<String>,
}

/// Why a run ends before its tests did.
#[derive(Clone, Debug, PartialEq, Eq)]
enum End {
    Cancelled,
    /// By a newer run of its group.
    Superseded(String),
    Timeout,
    /// The suite has no list, or there is no choosing from it.
    SuiteUnusable(String),
    InstanceLost,
    /// Nobody said which packages are needed.
    PackagesUnknown,
    /// They didn't come.
    PackagesMissing,
    ImagesFailed,
    ImagesNotReady,
    InstanceNotReady,
}

impl End {
    /// Why the tests that it ends have no verdict.
    const fn reason(&self) -> Reason {
        match self {
            Self::Cancelled | Self::Superseded(_) => Reason::Cancelled,
            // Of such a run no test is known.
            Self::SuiteUnusable(_) => Reason::TestBroken,
            Self::Timeout => Reason::TimedOut,
            Self::InstanceLost => Reason::InstanceLost,
            Self::PackagesUnknown => Reason::PackagesUnknown,
            Self::PackagesMissing => Reason::PackagesMissing,
            Self::ImagesFailed | Self::ImagesNotReady => Reason::ImagesUnavailable,
            Self::InstanceNotReady => Reason::InstanceNotReady,
        }
    }
}

/// Decides.
pub fn decide(run: &Validated, observed: &Observed, old: &CoprTestRunStatus) -> Plan {
    let now = observed.now;
    if old.phase.is_final() {
        return ending::after_the_end(run, observed, old.clone());
    }
    let mut status = old.clone();
    let mut wake = Wake::default();
    status.observed_generation = run.generation;
    status.instance = Some(run.target.name.clone());
    status.timestamps.started.get_or_insert(Time(now));
    let queued = queue::admit(run, observed, &mut status);
    let listing = listing::look(run, observed, &mut wake);
    note_suite(&mut status, run, observed);
    note_instance(&mut status, run, observed);
    source::note(&mut status, run, observed);

    let end = match (run.cancel, queue::superseded(run, observed)) {
        (true, _) => Some(End::Cancelled),
        (false, Some(by)) => Some(End::Superseded(by)),
        (false, None) => end(run, observed, &status, &listing, &mut wake),
    };
    // A failed test waits for its judgement, but not beyond the end.
    let settle = if end.is_some() { SignedDuration::ZERO } else { disturbance::SETTLE };
    let judge = Judge { run, observed, settle };
    for (of, test) in run.tests().iter().zip(&mut status.tests) {
        judge.observe(of, test, &mut wake);
    }
    if run.fail_fast {
        attempts::fail_fast(&mut status.tests);
    }

    // What is started from now on has no container that can't start.
    let without;
    let judge = if evidence::note(&mut status) {
        without = Validated { keeper: None, ..run.clone() };
        Judge { run: &without, ..judge }
    } else {
        judge
    };

    let mut plan = Plan { list: listing::to_be_kept(run, observed), ..Plan::default() };
    let waits = match (&end, queued) {
        (Some(_), _) => None,
        (None, Some(place)) => Some(place),
        (None, None) => {
            if let (target::State::Missing, Some(_)) = (&run.target.state, &run.template) {
                plan.instance = instance(run, old, &status, now, &mut wake);
            }
            proceed(&judge, &mut status, &mut plan, listing, &mut wake)
        }
    };
    let end = end.filter(|end| {
        let why = conclude::unfinished(end, run, &status);
        // A run whose tests aren't known has none to give up.
        attempts::give_up(&mut status.tests, end.reason(), &why, now) || status.suite.is_none()
    });
    conclude::conclude(run, &mut status, end.as_ref(), waits.as_deref(), now);
    if status.phase.is_final() {
        let junit = ending::junit(run, &status);
        status.junit.clone_from(&junit.metadata.name);
        compact::compact(&mut status);
        let list = plan.list.take();
        return Plan { junit: Some(junit), list, ..ending::after_the_end(run, observed, status) };
    }
    compact::compact(&mut status);
    plan.deletions.pods = ending::leftovers(&status, observed);
    plan.requeue = Some(wake.after(now));
    plan.status = status;
    plan.waits = waits;
    plan
}

/// The suite and every test of the run, in order.
fn note_suite(status: &mut CoprTestRunStatus, run: &Validated, observed: &Observed) {
    let Listed::As { listing, tests } = &run.listed else { return };
    status.suite.get_or_insert_with(|| SuiteStatus {
        name: listing.name.clone(),
        version: listing.version.clone(),
        image: observed.suite.image(run).unwrap_or_default(),
        url: listing.url.clone(),
        commit: listing.commit.clone(),
        tests: i32::try_from(listing.tests.len()).unwrap_or(i32::MAX),
        list: listing::config_map_name(&run.name),
    });
    let mut known = std::mem::take(&mut status.tests);
    status.tests = tests
        .iter()
        .map(|test| match known.iter().position(|status| status.name == test.name) {
            Some(index) => known.swap_remove(index),
            None => attempts::new(test),
        })
        .collect();
}

/// The images that are tested, and when the instance was how far. They stay known when it is gone.
fn note_instance(status: &mut CoprTestRunStatus, run: &Validated, observed: &Observed) {
    let now = Time(observed.now);
    if let Seen::Found(instance) = &observed.instance
        && !matches!(run.target.state, target::State::Unusable { .. })
    {
        let known = instance.status.clone().unwrap_or_default();
        let pulled = !known.images.is_empty() && known.images.values().all(|image| image.contains("sha256:"));
        let built = conditions::get(&known.conditions, images::CONDITION)
            .filter(|c| c.status == "True" && c.observed_generation == instance.metadata.generation);
        match (&instance.spec.packages, built) {
            (Some(_), Some(built)) => {
                status.timestamps.images_ready.get_or_insert(built.last_transition_time.clone());
            }
            (None, _) if pulled => {
                status.timestamps.images_ready.get_or_insert(now.clone());
            }
            _ => {}
        }
        let of_images = known.packages.into_iter().flat_map(|packages| packages.images);
        status.packages.extend(of_images.flat_map(|image| image.packages));
        status.packages.sort();
        status.packages.dedup();
        status.images.extend(known.images);
    }
    if run.target.facts().is_some() {
        status.timestamps.images_ready.get_or_insert(now.clone());
        status.timestamps.instance_ready.get_or_insert(now);
    }
    let suite =
        observed.pods.iter().filter_map(verdict::test_container).find(|test| !test.image_id.is_empty());
    if let Some(test) = suite {
        status.images.insert(run.suite_image.key().into(), test.image_id.clone());
    }
}

/// Whether the run ends now, or when it would.
fn end(
    run: &Validated,
    observed: &Observed,
    status: &CoprTestRunStatus,
    listing: &Listing,
    wake: &mut Wake,
) -> Option<End> {
    let now = observed.now;
    // What keeps a run in the queue isn't its instance: its time begins when it leaves it.
    let admitted = status.timestamps.admitted.as_ref()?.0;
    let mut passed = |moment: Timestamp| {
        wake.at(moment);
        now >= moment
    };
    let timestamps = &status.timestamps;
    let began = source::began(admitted, status);
    if let Listing::Unusable(why) = listing {
        Some(End::SuiteUnusable(why.clone()))
    } else if let Some(wait) = run.wait.as_ref().filter(|_| !source::is_known(run, status)) {
        passed(admitted + wait.duration).then_some(End::PackagesUnknown)
    } else if timestamps.instance_ready.is_some() && matches!(run.target.state, target::State::Missing) {
        Some(End::InstanceLost)
    } else if let Some(first) = &timestamps.first_test {
        passed(first.0 + run.timeout.duration).then_some(End::Timeout)
    } else if run.target.images == target::ImagesState::Failed {
        let unmet = run.target.finding().reason == images::REQUIREMENT_UNMET;
        Some(if unmet && source::is_waiting(run, status) { End::PackagesMissing } else { End::ImagesFailed })
    } else if run.target.images == target::ImagesState::Awaited {
        // The instance ends that by itself.
        None
    } else if run.target.images == target::ImagesState::Pending {
        let there = timestamps.packages_there.as_ref().map_or(began, |there| there.0.max(began));
        passed(there + run.build_timeout.duration).then_some(End::ImagesNotReady)
    } else if run.target.facts().is_none() {
        // A build of images has a limit of its own.
        let built =
            timestamps.images_ready.as_ref().filter(|_| run.target.images == target::ImagesState::Built);
        let since = built.map_or(began, |built| built.0.max(began));
        passed(since + run.ready_timeout.duration).then_some(End::InstanceNotReady)
    } else if let Some(ready) = &timestamps.instance_ready {
        // Nothing is started yet: what is waited for may never end.
        passed(ready.0.max(admitted) + run.timeout.duration).then_some(End::Timeout)
    } else {
        None
    }
}

/// Starts the tests that may run. Returns what is waited for, where it isn't the instance.
fn proceed(
    judge: &Judge<'_>,
    status: &mut CoprTestRunStatus,
    plan: &mut Plan,
    listing: Listing,
    wake: &mut Wake,
) -> Option<String> {
    let Judge { run, observed, .. } = judge;
    if status.timestamps.first_test.is_none() {
        // Before the first pod, since OpenShift takes a moment to let a new service account pull from its internal registry.
        plan.grant = grant::of(run);
    }
    let lists = match listing {
        Listing::Known => None,
        Listing::Waits(why) | Listing::Unusable(why) => Some(why),
        Listing::Start(pod, why) => {
            plan.pods.push(*pod);
            Some(why)
        }
    };
    let facts = run.target.facts()?;
    if lists.is_some() {
        return lists;
    }
    let running = status.tests.iter().filter(|test| test.outcome == Outcome::Running).count();
    let mut ready = attempts::startable(run, &mut status.tests, observed.now, wake);
    ready.retain_mut(|(of, test)| !judge.blocked(of, test, wake));
    if running >= run.parallelism || ready.is_empty() {
        return facts.builders.note().map(str::to_owned);
    }
    // The condition Ready may lag behind the pods: an attempt started now would be disturbed at once.
    if let Some(what) = disturbance::disturbance(&run.target, &observed.instance_pods, observed.now) {
        wake.at(observed.now + RECHECK);
        return Some(what);
    }
    let turn = turns::take(ready, running, run, observed);
    if turn.recheck {
        // The pods of other runs aren't watched, and one on a lost node may never be gone.
        wake.at(observed.now + RECHECK);
    }
    for (test, status) in turn.starts {
        let attempt = attempts::start(run, status, observed.now);
        plan.pods.push(pod::build(run, facts, test, attempt));
    }
    if !plan.pods.is_empty() {
        plan.grant = grant::of(run);
        status.timestamps.first_test.get_or_insert(Time(observed.now));
    }
    turn.waits.or_else(|| facts.builders.note().map(str::to_owned))
}

/// The run's own instance. It is created, never applied: one that has the name already isn't ours. What it requires is in `old`, which
/// is the status that was written: one that is only about to be written might never be.
fn instance(
    run: &Validated,
    old: &CoprTestRunStatus,
    status: &CoprTestRunStatus,
    now: Timestamp,
    wake: &mut Wake,
) -> Option<CoprInstance> {
    let mut spec = run.template.clone()?;
    if !source::is_known(run, old) {
        let retry = status.source.as_ref().and_then(|source| source.retry_at.as_ref());
        wake.at(retry.map_or(now, |at| at.0));
        return None;
    }
    if let (Some(source), Some(wait)) = (&old.source, &run.wait) {
        source::fill(&mut spec, source, &wait.text);
    }
    let mut instance = CoprInstance::new(&run.target.name, spec);
    instance.metadata.namespace = Some(run.namespace.clone());
    instance.metadata.owner_references = Some(vec![run.owner.clone()]);
    instance.metadata.labels = Some(own_labels(run));
    Some(instance)
}

/// Labels of the run's instance and of its report.
fn own_labels(run: &Validated) -> BTreeMap<String, String> {
    [(labels::MANAGED_BY, labels::FIELD_MANAGER), (labels::PART_OF, "copr"), (labels::RUN, run.name.as_str())]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}
