//! Has the suite list its tests, once per image: by a pod that runs `run-test --list`, unless another run knows the list already.

use copr_operator_api::labels;
use copr_operator_kernel::report;
use jiff::SignedDuration;
use k8s_openapi::{
    api::core::v1::{ConfigMap, Pod},
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kube::ResourceExt;

use super::{Wake, own_labels};
use crate::{
    dereference::{DOCUMENT, IMAGE, Observed},
    pod,
    validate::{Listed, Validated},
    verdict::{self, Progress},
};

/// How often the suite is asked, where its pod can't run or its git repository is away for a moment.
const ATTEMPTS: i32 = 3;
/// The pause before it is asked again, longer each time.
const PAUSE: SignedDuration = SignedDuration::from_secs(15);

/// How far the list is.
#[derive(Debug)]
pub enum Listing {
    /// The tests are known.
    Known,
    /// Somebody else has to do something first.
    Waits(String),
    /// This pod is to be made, and then waited for.
    Start(Box<Pod>, String),
    /// There is no list, or none that the run can choose from; waiting won't change it.
    Unusable(String),
}

/// Looks at the list, or at the pod that makes it.
pub fn look(run: &Validated, observed: &Observed, wake: &mut Wake) -> Listing {
    match &run.listed {
        Listed::As { .. } => return Listing::Known,
        Listed::Unusable(why) => return Listing::Unusable(why.clone()),
        Listed::Not => {}
    }
    let Some(facts) = &run.target.suite else {
        return Listing::Waits("the image of the suite isn't known yet".into());
    };
    let start = |attempt: i32| {
        let pod = Box::new(pod::build_list(run, facts, attempt));
        let why = format!("the suite lists its tests in pod {}", pod.name_any());
        Listing::Start(pod, why)
    };
    let Some(latest) = observed.suite.pods.iter().max_by_key(|pod| pod::attempt(pod)) else {
        return start(1);
    };
    let (name, attempt) = (latest.name_any(), pod::attempt(latest));
    if verdict::has_succeeded(latest) {
        // Its log is read before the next look.
        wake.at(observed.now + super::RECHECK);
        return Listing::Waits(format!("the list of the suite is read from the log of pod {name}"));
    }
    match verdict::judge(latest, &observed.warnings, observed.now) {
        Progress::Unfinished { look_again, .. } => {
            if let Some(moment) = look_again {
                wake.at(moment);
            }
            Listing::Waits(format!("the suite lists its tests in pod {name}"))
        }
        Progress::Ended(ended) => {
            let reason = ended.reason.map(|reason| reason.to_string()).unwrap_or_default();
            let why = format!("the suite can't list its tests ({reason}): {}", ended.message);
            if attempt >= ATTEMPTS {
                return Listing::Unusable(why);
            }
            let again = ended.finished.unwrap_or(observed.now) + PAUSE * attempt * attempt;
            if ended.finished.is_some() && observed.now < again {
                wake.at(again);
                return Listing::Waits(format!("{why}; it is asked again"));
            }
            start(attempt + 1)
        }
    }
}

/// Name of the ConfigMap with the list of a run.
pub fn config_map_name(run: &str) -> String {
    format!("{run}-suite")
}

/// The list as the run keeps it, for itself and for other runs of the same suite, if it isn't kept yet.
pub fn to_be_kept(run: &Validated, observed: &Observed) -> Option<ConfigMap> {
    let Listed::As { .. } = run.listed else { return None };
    let document = observed.suite.to_be_kept()?.to_owned();
    let image = observed.suite.image(run)?;
    let mut labels = own_labels(run);
    if let Some(key) = crate::dereference::key(&image, run.git.as_ref()) {
        labels.insert(labels::SUITE_KEY.into(), key);
    }
    Some(ConfigMap {
        metadata: ObjectMeta {
            name: Some(config_map_name(&run.name)),
            namespace: Some(run.namespace.clone()),
            owner_references: Some(vec![run.owner.clone()]),
            labels: Some(labels),
            ..ObjectMeta::default()
        },
        data: Some(
            [(DOCUMENT.to_owned(), document), (IMAGE.to_owned(), report::truncate(image, 1024))].into(),
        ),
        immutable: Some(true),
        ..ConfigMap::default()
    })
}
