//! How long a run may take until nobody waits for it any longer. It ends by itself well before that, unless nobody looks after it.

use std::time::Duration;

use copr_operator_api::v1alpha1::CoprTestRunSpec;
use jiff::SignedDuration;

/// For what has no limit of its own: the list of the suite, the end.
const REST: Duration = Duration::from_secs(600);

/// All that the run waits for in turn: packages, images, the instance, the tests.
pub fn of(spec: &CoprTestRunSpec) -> Duration {
    let instance = &spec.instance;
    let packages = instance.template.as_ref().and_then(|template| template.packages.as_ref());
    let required =
        packages.and_then(|packages| packages.require.as_ref()).and_then(|require| require.timeout.as_ref());
    // The forge is asked as long as the packages are waited for.
    let asked = spec.source.as_ref().and_then(|source| Some(&source.packages.as_ref()?.wait_timeout));
    let limits = [
        Some(&instance.build_timeout),
        Some(&instance.ready_timeout),
        Some(&spec.suite.timeout),
        asked,
        required.or(asked),
    ];
    // What the API server lets through is a duration.
    let seconds = |text: &String| Duration::try_from(text.parse::<SignedDuration>().ok()?).ok();
    REST + limits.into_iter().flatten().filter_map(seconds).sum::<Duration>()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_limit_of_the_run_counts() {
        let of = |spec: serde_json::Value| of(&serde_json::from_value(spec).unwrap());
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        assert_eq!(of(json!({"instance": {"name": "a"}})), minutes(60 + 15 + 60 + 10));
        let template = json!({"chroots": [], "packages": {"repositories": [], "require": {"timeout": "2h"}}});
        let instance = json!({"template": template.clone(), "buildTimeout": "30m", "readyTimeout": "5m"});
        assert_eq!(
            of(json!({"instance": instance, "suite": {"timeout": "1h30m"}})),
            minutes(30 + 5 + 90 + 120 + 10)
        );
        let source = json!({"repository": "fedora-copr/copr", "packages": {"waitTimeout": "1h"}});
        let asking = |instance: serde_json::Value| of(json!({"instance": instance, "source": source}));
        assert_eq!(asking(json!({})), minutes(60 + 15 + 60 + 60 + 60 + 10));
        assert_eq!(asking(json!({"template": template})), minutes(60 + 15 + 60 + 60 + 120 + 10));
    }
}
