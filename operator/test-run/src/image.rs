//! The image of a suite: which it is, or why there is none. Pure.

use copr_operator_api::{
    images::{Image, own_image},
    status::images::{BUILD_FAILED, CONDITION},
    v1alpha1::{CoprInstance, CoprInstanceSpec, ImageState, ImageStatus, Suite, SuiteName},
};
use copr_operator_kernel::conditions;
use kube::ResourceExt;

use super::target::reasons;

/// The image that a suite of a run has with an instance, or reason and message of why it has none yet. `listed` is the one that the
/// suite was listed from.
pub fn of<'a>(
    suite: &Suite,
    instance: &'a CoprInstance,
    listed: Option<&String>,
) -> Result<String, (&'a str, String)> {
    let spec = &instance.spec;
    let known = || instance.status.as_ref()?.images.get(Image::of_suite(suite.name).key()).cloned();
    let is_built = is_built(suite, spec);
    let given = || suite_image(suite, spec).filter(|_| !is_built);
    let image = listed.cloned().or_else(|| suite.image.clone()).or_else(known).or_else(given);
    image.ok_or_else(|| {
        if is_built { not_built(suite, instance) } else { (reasons::NO_IMAGE, lacks_image(suite, instance)) }
    })
}

/// The image of the suite, if the run or the instance names one.
pub fn suite_image(suite: &Suite, spec: &CoprInstanceSpec) -> Option<String> {
    let of_registry = |name: &str| {
        let registry = spec.images.registry.as_ref()?;
        Some(format!("{registry}/copr-{name}:{}", spec.images.tag))
    };
    let image = Image::of_suite(suite.name);
    let given = || own_image(spec, image).cloned().or_else(|| of_registry(image.folder()));
    suite.image.clone().or_else(given)
}

/// What is said where [`suite_image`] finds none.
pub fn no_image(suite: &Suite, of: &str) -> String {
    let from = match suite.name {
        SuiteName::Smoke => "packages, tests.image or images.registry",
        SuiteName::Upstream | SuiteName::Tmt => "packages or images.registry",
    };
    format!("suite.image is not given, and {of} has no {from} to take it from")
}

/// How the image of the suite is, if it's one that is built for the instance.
pub fn built<'a>(suite: &Suite, instance: &'a CoprInstance) -> Option<&'a ImageStatus> {
    if suite.image.is_some() || !is_built(suite, &instance.spec) {
        return None;
    }
    let images = &instance.status.as_ref()?.packages.as_ref()?.images;
    images.iter().find(|image| image.component == Image::of_suite(suite.name).key())
}

fn is_built(suite: &Suite, spec: &CoprInstanceSpec) -> bool {
    spec.packages.is_some()
        && spec.tests.suites.contains(&suite.name)
        && own_image(spec, Image::of_suite(suite.name)).is_none()
}

/// How far the image of the suite is, in the instance's own words.
fn not_built<'a>(suite: &Suite, instance: &'a CoprInstance) -> (&'a str, String) {
    let conditions = instance.status.as_ref().map(|status| status.conditions.as_slice()).unwrap_or_default();
    let of_all = conditions::get(conditions, CONDITION)
        .filter(|c| c.observed_generation == instance.metadata.generation)
        .map(|c| c.message.as_str());
    match (built(suite, instance), of_all) {
        (Some(ImageStatus { state: ImageState::Failed, message, reason, .. }), _) => {
            let reason = reason.as_deref().unwrap_or(BUILD_FAILED);
            let said = message.as_deref().unwrap_or_default();
            (reason, format!("the image of the suite {} could not be built: {said}", suite.name))
        }
        (_, Some(said)) => (
            reasons::IMAGE_BUILDING,
            format!("the image of the suite {} isn't there yet: {said}", suite.name),
        ),
        (_, None) => (reasons::OUTDATED, format!("the image of the suite {} isn't there yet", suite.name)),
    }
}

/// What is to be done where the instance has no image of the suite.
fn lacks_image(suite: &Suite, instance: &CoprInstance) -> String {
    let name = instance.name_any();
    let spec = &instance.spec;
    if spec.packages.is_none() {
        return no_image(suite, &format!("CoprInstance {name}"));
    }
    let suites = spec.tests.suites.iter().chain([&suite.name]).map(ToString::to_string).collect::<Vec<_>>();
    format!(
        "CoprInstance {name} has no image of the suite {} built: set its spec.tests.suites to [{}], or suite.image of the run",
        suite.name,
        suites.join(", ")
    )
}
