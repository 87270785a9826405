//! The instance as a run sees it: can tests start, and with what. Pure.

use copr_operator_api::{
    component::Component,
    images::{Image, pull_secrets},
    status::{AVAILABLE, PAUSED, images, is_applied},
    v1alpha1::{CoprInstance, CoprInstanceSpec, PodSettings, Proxy, PullPolicy, Registry, Suite, SuiteName},
};
use copr_operator_kernel::{
    conditions::{self, Finding},
    report, scheduling,
};
use jiff::Timestamp;
use k8s_openapi::{api::core::v1::ResourceRequirements, apimachinery::pkg::apis::meta::v1::Condition};
use kube::ResourceExt;

use super::{
    builders::{self, Builders},
    dereference::{Observed, Seen, client_secret},
};

/// Reasons of the condition `InstanceReady` that are not the instance's own.
pub mod reasons {
    /// Every component of the instance answers.
    pub const AVAILABLE: &str = "Available";
    /// There is no CoprInstance of that name.
    pub const NOT_FOUND: &str = "InstanceNotFound";
    /// The CoprInstance can't be read as one.
    pub const INVALID: &str = "InstanceInvalid";
    /// The run's instance would have a name that another CoprInstance has.
    pub const NAME_TAKEN: &str = "InstanceNameTaken";
    /// The API server refused the run's instance.
    pub const REFUSED: &str = "InstanceRefused";
    /// The run's instance is about to be created.
    pub const CREATING: &str = "Creating";
    /// The instance is being deleted.
    pub const TERMINATING: &str = "Terminating";
    /// The instance's status is older than its spec.
    pub const OUTDATED: &str = "StatusOutdated";
    /// The instance doesn't say where it answers.
    pub const NO_ENDPOINTS: &str = "EndpointsMissing";
    /// The Secret with the client's configuration isn't there.
    pub const NO_SECRET: &str = "ClientSecretMissing";
    /// Neither the run nor the instance names an image of the suite.
    pub const NO_IMAGE: &str = "SuiteImageMissing";
}

/// The image of the suite `upstream`, as the one of `smoke` is `sanity`.
const UPSTREAM: &str = "sanity-upstream";
/// The image of the suite `tmt`.
const TMT: &str = "sanity-tmt";

/// The instance of a run.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its name.
    pub name: String,
    /// How it is.
    pub state: State,
    /// How its images are.
    pub images: ImagesState,
    /// What the suite can be listed with, as soon as its image is known.
    pub suite: Option<SuiteFacts>,
}

/// How the images of an instance are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ImagesState {
    /// They exist already; whether they can be pulled is the components' business.
    #[default]
    Prebuilt,
    /// They were built, and are there.
    Built,
    /// They are being built, or looked for.
    Pending,
    /// They can't be had, and waiting won't change it.
    Failed,
}

/// How an instance is.
#[derive(Clone, Debug)]
pub enum State {
    /// There is none.
    Missing,
    /// Something of that name exists that the run can't use.
    Unusable {
        /// Reason of the condition.
        reason: &'static str,
        /// Message of the condition.
        message: String,
    },
    /// It comes up, or is down.
    NotReady {
        /// Reason of the condition; the instance's own if it has one.
        reason: String,
        /// Message of the condition.
        message: String,
    },
    /// Every component answers. Tests can start unless the facts hold them.
    Ready(Box<Facts>),
}

/// What every pod of the suite needs, whether it lists tests or runs one.
#[derive(Clone, Debug, PartialEq)]
pub struct SuiteFacts {
    /// Image of the suite.
    pub image: String,
    /// When the kubelet pulls it.
    pub pull_policy: &'static str,
    /// Secrets for the pull.
    pub pull_secrets: Vec<String>,
    /// Requests and limits of every container of the instance, if it says so.
    pub default_resources: Option<ResourceRequirements>,
    /// Requests and limits of its tests, if it says so.
    pub resources: Option<ResourceRequirements>,
    /// Where its tests run.
    pub settings: PodSettings,
    /// Environment variables by which they get out of the cluster.
    pub proxy: Vec<(String, String)>,
}

/// What a test's pod needs to know of a Ready instance.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// What it has in common with the pod that lists the suite.
    pub suite: SuiteFacts,
    /// Web UI and API.
    pub frontend_url: String,
    /// Results.
    pub backend_url: String,
    /// Dist-git.
    pub dist_git_url: String,
    /// The vendor that the instance's builders write into packages of the administrator's own projects.
    pub vendor: String,
    /// The chroot to build for.
    pub chroot: String,
    /// The administrator, whose token the client's configuration holds.
    pub owner: String,
    /// How many builds that are submitted together run at the same time.
    pub builders_max: i32,
    /// Secret with the client's configuration.
    pub client_secret: String,
    /// Where evidence goes, if the instance's images go anywhere.
    pub registry: Option<Registry>,
    /// Since when the instance is Available.
    pub available_since: Timestamp,
    /// The components that have pods.
    pub components: Vec<Component>,
    /// How its builders are.
    pub builders: Builders,
    /// Reason and message of what keeps tests from being started, though every component answers.
    pub hold: Option<(String, String)>,
}

impl Target {
    /// The condition `InstanceReady`.
    pub fn finding(&self) -> Finding {
        let name = &self.name;
        match &self.state {
            State::Missing => Finding::no(reasons::NOT_FOUND, format!("there is no CoprInstance {name}")),
            State::Unusable { reason, message } => Finding::no(reason, message.clone()),
            State::NotReady { reason, message } => Finding::no(reason, message.clone()),
            State::Ready(facts) => {
                let available = || {
                    let message = format!("every component of CoprInstance {name} answers");
                    Finding::yes(reasons::AVAILABLE, message)
                };
                let held = |(reason, message): &(String, String)| Finding::no(reason, message.clone());
                facts.hold.as_ref().map_or_else(available, held)
            }
        }
    }

    /// What tests need to know, once they can start.
    pub fn facts(&self) -> Option<&Facts> {
        self.alive().filter(|facts| facts.hold.is_none())
    }

    /// The same while every component answers, whether or not tests can start.
    pub const fn alive(&self) -> Option<&Facts> {
        match &self.state {
            State::Ready(facts) => Some(facts),
            _ => None,
        }
    }
}

/// Looks at the instance. `owner` is the uid of the run that created it, for a template; `listed` is the image that the suite was
/// listed from.
pub fn assess(
    name: String,
    owner: Option<&str>,
    suite: &Suite,
    listed: Option<&String>,
    observed: &Observed,
) -> Target {
    let state = match &observed.instance {
        Seen::Missing => State::Missing,
        Seen::Unreadable(why) => State::Unusable {
            reason: reasons::INVALID,
            message: format!("CoprInstance {name} can't be read: {}", report::truncate(why.clone(), 256)),
        },
        Seen::Found(instance) if owner.is_some_and(|uid| !is_owned(instance, uid)) => State::Unusable {
            reason: reasons::NAME_TAKEN,
            message: format!("CoprInstance {name} exists and doesn't belong to this run"),
        },
        Seen::Found(instance) => look(instance, suite, listed, observed)
            .unwrap_or_else(|(reason, message)| State::NotReady { reason: reason.to_owned(), message }),
    };
    let images = match &observed.instance {
        Seen::Found(instance) if !matches!(state, State::Unusable { .. }) => images_state(instance),
        _ => ImagesState::Prebuilt,
    };
    let suite = match &observed.instance {
        Seen::Found(instance) if !matches!(state, State::Unusable { .. }) => {
            suite_facts(instance, suite, listed).ok()
        }
        _ => None,
    };
    Target { name, state, images, suite }
}

fn images_state(instance: &CoprInstance) -> ImagesState {
    let status = instance.status.as_ref();
    let condition = status.and_then(|status| conditions::get(&status.conditions, images::CONDITION));
    match condition {
        Some(c) if c.observed_generation == instance.metadata.generation && c.status == "False" => {
            if images::is_final(&c.reason) {
                ImagesState::Failed
            } else {
                ImagesState::Pending
            }
        }
        _ if instance.spec.packages.is_none() => ImagesState::Prebuilt,
        Some(c) if c.status == "True" => ImagesState::Built,
        _ => ImagesState::Pending,
    }
}

/// Whether the run of that uid owns the instance.
pub fn is_owned(instance: &CoprInstance, uid: &str) -> bool {
    instance.owner_references().iter().any(|owner| owner.uid == uid)
}

/// What tests need to know, or the first thing in the way.
fn look<'a>(
    instance: &'a CoprInstance,
    suite: &Suite,
    listed: Option<&String>,
    observed: &Observed,
) -> Result<State, (&'a str, String)> {
    let name = instance.name_any();
    if instance.metadata.deletion_timestamp.is_some() {
        return Err((reasons::TERMINATING, format!("CoprInstance {name} is being deleted")));
    }
    let available = available(instance, &name)?;
    let status = instance.status.as_ref();
    let Some(endpoints) = status.and_then(|status| status.endpoints.clone()) else {
        return Err((reasons::NO_ENDPOINTS, format!("CoprInstance {name} doesn't say where it answers yet")));
    };
    let client_secret = client_secret(&name, &observed.instance);
    if !observed.client_secret {
        return Err((
            reasons::NO_SECRET,
            format!("there is no Secret {client_secret} with the client's configuration"),
        ));
    }
    Ok(State::Ready(Box::new(Facts {
        suite: suite_facts(instance, suite, listed)?,
        frontend_url: endpoints.frontend,
        backend_url: endpoints.backend,
        dist_git_url: endpoints.dist_git,
        vendor: vendor(instance),
        chroot: instance.spec.living_chroots(observed.now).next().cloned().unwrap_or_default(),
        owner: instance.spec.admin.name.clone(),
        builders_max: instance.spec.builders.at_once(),
        client_secret,
        registry: instance.spec.registry.clone(),
        available_since: available.last_transition_time.0,
        components: instance.spec.components().collect(),
        builders: builders::assess(instance, observed.now),
        hold: hold(instance, &name),
    })))
}

/// As Mock is told it: the instance's own words, and whose project it is.
fn vendor(instance: &CoprInstance) -> String {
    let namespace = instance.namespace().unwrap_or_default();
    format!("Copr {namespace}/{} - user {}", instance.name_any(), instance.spec.admin.name)
}

/// The image of the suite, before it is listed, if it is known already.
pub fn image(suite: &Suite, instance: &Seen) -> Option<String> {
    match instance {
        Seen::Found(instance) => Some(suite_facts(instance, suite, None).ok()?.image),
        Seen::Missing | Seen::Unreadable(_) => suite.image.clone(),
    }
}

/// What the pods of the suite need of an instance.
fn suite_facts<'a>(
    instance: &CoprInstance,
    suite: &Suite,
    listed: Option<&String>,
) -> Result<SuiteFacts, (&'a str, String)> {
    let spec = &instance.spec;
    let image = listed.cloned().or_else(|| suite.image.clone()).or_else(|| match suite.name {
        SuiteName::Smoke => instance.status.as_ref()?.images.get(Image::Sanity.key()).cloned(),
        SuiteName::Upstream | SuiteName::Tmt => None,
    });
    let given =
        || suite_image(suite, spec).filter(|_| spec.packages.is_none() || suite.name != SuiteName::Smoke);
    let Some(image) = image.or_else(given) else {
        return Err((reasons::NO_IMAGE, no_image(suite, &format!("CoprInstance {}", instance.name_any()))));
    };
    Ok(SuiteFacts {
        image,
        pull_policy: pull_policy(spec.images.pull_policy),
        pull_secrets: pull_secrets(spec),
        default_resources: spec.defaults.resources.clone(),
        resources: spec.tests.resources.clone(),
        settings: scheduling::resolved(&spec.defaults.pod, &spec.tests.pod),
        proxy: spec.proxy.as_ref().map(Proxy::variables).unwrap_or_default(),
    })
}

/// The condition Available, if it is True.
fn available<'a>(instance: &'a CoprInstance, name: &str) -> Result<&'a Condition, (&'a str, String)> {
    let status = instance.status.as_ref();
    match status.and_then(|status| conditions::get(&status.conditions, AVAILABLE)) {
        Some(available) if available.status == "True" => Ok(available),
        Some(available) if available.observed_generation != instance.metadata.generation => {
            Err((reasons::OUTDATED, outdated(name)))
        }
        Some(available) => Err((available.reason.as_str(), available.message.clone())),
        None => Err((reasons::CREATING, format!("CoprInstance {name} has no status yet"))),
    }
}

/// What is to be tested must be what the spec says: applied, from the images that it wants, and seen to answer since. What else an
/// instance lacks until it is Ready keeps no test from being fair.
fn hold(instance: &CoprInstance, name: &str) -> Option<(String, String)> {
    if instance.spec.paused {
        return Some((PAUSED.to_owned(), format!("CoprInstance {name} is paused: its spec.paused is true")));
    }
    let conditions = instance.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
    [AVAILABLE, images::CONDITION, conditions::READY].into_iter().find_map(|type_| {
        match conditions::get(conditions, type_) {
            None => {
                let message =
                    format!("CoprInstance {name} doesn't say yet whether its spec is applied ({type_})");
                Some((reasons::OUTDATED.to_owned(), message))
            }
            Some(c) if c.observed_generation != instance.metadata.generation => {
                Some((reasons::OUTDATED.to_owned(), outdated(name)))
            }
            Some(c) if type_ == conditions::READY && is_applied(&c.reason) => None,
            Some(c) if c.status != "True" => Some((c.reason.clone(), c.message.clone())),
            Some(_) => None,
        }
    })
}

fn outdated(name: &str) -> String {
    format!("the status of CoprInstance {name} is older than its spec")
}

/// The image of the suite, if the run or the instance names one.
pub fn suite_image(suite: &Suite, spec: &CoprInstanceSpec) -> Option<String> {
    let of_registry = |name: &str| {
        let registry = spec.images.registry.as_ref()?;
        Some(format!("{registry}/copr-{name}:{}", spec.images.tag))
    };
    suite.image.clone().or_else(|| match suite.name {
        SuiteName::Smoke => spec.tests.image.clone().or_else(|| of_registry(Image::Sanity.folder())),
        SuiteName::Upstream => of_registry(UPSTREAM),
        SuiteName::Tmt => of_registry(TMT),
    })
}

/// What is said where [`suite_image`] finds none.
pub fn no_image(suite: &Suite, of: &str) -> String {
    let from = match suite.name {
        SuiteName::Smoke => "packages, tests.image or images.registry",
        SuiteName::Upstream | SuiteName::Tmt => "images.registry",
    };
    format!("suite.image is not given, and {of} has no {from} to take it from")
}

const fn pull_policy(policy: PullPolicy) -> &'static str {
    match policy {
        PullPolicy::Always => "Always",
        PullPolicy::IfNotPresent => "IfNotPresent",
        PullPolicy::Never => "Never",
    }
}
