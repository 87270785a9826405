//! The object that `run` and `rerun` create. Only what was asked for is in it: the API server fills in the rest.

use copr_operator_api::v1alpha1::{CoprTestRun, GROUP};
use serde_json::{Map, Value, json};

use crate::args::{GroupPolicy, Keep, ReportArgs, RepositoryArg, Run, SuiteArgs, Tested};

/// Kubernetes' own annotation for words about an object.
pub const DESCRIPTION: &str = "kubernetes.io/description";
/// Where Copr's CI puts its packages.
const RESULTS: &str = "https://download.copr.fedorainfracloud.org/results/@copr";
const CHROOT: &str = "fedora-44-x86_64";
/// The API server makes five characters of its own after a prefix, and a run has at most 36.
const PREFIX_MAX: usize = 31;

/// The run that the flags say.
pub fn from_flags(args: &Run) -> Value {
    let mut spec = Map::new();
    spec.insert("instance".into(), instance(&args.tested));
    spec.insert("suite".into(), suite(&args.suite));
    if let Some(source) = source(&args.tested) {
        spec.insert("source".into(), source);
    }
    if let Some(report) = report(&args.report) {
        spec.insert("report".into(), report);
    }
    if let Some(concurrency) = concurrency(args) {
        spec.insert("concurrency".into(), concurrency);
    }
    if let Some(keep) = args.keep {
        let keep = match keep {
            Keep::Always => "Always",
            Keep::OnFailure => "OnFailure",
        };
        spec.insert("keepInstance".into(), keep.into());
    }
    let mut metadata = match &args.name {
        Some(name) => json!({"name": name}),
        None => json!({"generateName": prefix(&title(args))}),
    };
    if let Some(text) = &args.description {
        metadata["annotations"] = json!({DESCRIPTION: text});
    }
    object(&metadata, &spec)
}

/// One like another, or, with `failed`, of the tests that it left red.
pub fn again(run: &CoprTestRun, spec: &Value, failed: bool) -> Value {
    let name = run.metadata.name.as_deref().unwrap_or_default();
    let mut spec = spec.as_object().cloned().unwrap_or_default();
    // It is a request to the other run, and its reruns are its own.
    spec.remove("cancel");
    spec.remove("rerunOf");
    if failed {
        spec.insert("rerunOf".into(), name.into());
    } else if let Some(before) = &run.spec.rerun_of {
        spec.insert("rerunOf".into(), before.as_str().into());
    }
    object(&json!({"generateName": prefix(name)}), &spec)
}

/// Names of the tests that a run left red.
pub fn red(run: &CoprTestRun) -> Vec<&str> {
    let tests = run.status.as_ref().map(|status| status.tests.as_slice()).unwrap_or_default();
    tests.iter().filter(|test| test.outcome.is_red()).map(|test| test.name.as_str()).collect()
}

fn object(metadata: &Value, spec: &Map<String, Value>) -> Value {
    json!({"apiVersion": format!("{GROUP}/v1alpha1"), "kind": "CoprTestRun", "metadata": metadata, "spec": spec})
}

fn title(args: &Run) -> String {
    match (&args.tested.pr, &args.tested.commit) {
        (Some(number), _) => format!("pr-{number}"),
        (None, Some(commit)) => format!("commit-{}", commit.get(..7).unwrap_or(commit)),
        (None, None) => args.suite.suite.to_string(),
    }
}

fn prefix(name: &str) -> String {
    let name: String = name.chars().take(PREFIX_MAX - 1).collect();
    format!("{}-", name.trim_end_matches('-'))
}

fn source(tested: &Tested) -> Option<Value> {
    let mut source = Map::new();
    if let Some(commit) = &tested.commit {
        source.insert("commit".into(), commit.as_str().into());
    }
    if let Some(number) = tested.pr {
        source.insert("pullRequest".into(), number.into());
    }
    if let Some(secret) = &tested.wait_for_packages {
        let packages =
            secret.as_ref().map_or_else(|| json!({}), |name| json!({"tokenSecret": {"name": name}}));
        source.insert("packages".into(), packages);
    }
    if source.is_empty() {
        return None;
    }
    source.insert("repository".into(), tested.source.as_str().into());
    Some(source.into())
}

fn report(args: &ReportArgs) -> Option<Value> {
    let secret = args.secret.as_ref()?;
    let mut forge = json!({"tokenSecret": {"name": secret}});
    if args.comment {
        forge["comment"] = true.into();
    }
    if let Some(url) = &args.url {
        forge["detailsURL"] = url.as_str().into();
    }
    Some(json!({"forge": forge}))
}

fn concurrency(args: &Run) -> Option<Value> {
    let mut concurrency = json!({"group": args.group.as_ref()?});
    if let Some(policy) = args.group_policy {
        concurrency["policy"] = match policy {
            GroupPolicy::CancelOlder => "CancelOlder",
            GroupPolicy::Queue => "Queue",
        }
        .into();
    }
    Some(concurrency)
}

fn suite(args: &SuiteArgs) -> Value {
    let mut suite = json!({"name": args.suite.to_string()});
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            suite[key] = value;
        }
    };
    set("tests", (!args.test.is_empty()).then(|| json!(args.test)));
    set("parallelism", args.parallelism.map(Value::from));
    set("timeout", args.timeout.clone().map(Value::from));
    set("testTimeout", args.test_timeout.clone().map(Value::from));
    suite
}

fn instance(tested: &Tested) -> Value {
    if let Some(name) = &tested.instance {
        return json!({"name": name});
    }
    let mut template = json!({"chroots": chroots(tested)});
    if let Some(images) = &tested.images {
        let (registry, tag) = image_parts(images);
        template["images"] = json!({"registry": registry, "tag": tag});
        return json!({"template": template});
    }
    template["packages"] = json!({"repositories": repositories(tested)});
    if let Some(image) = &tested.base_image {
        template["packages"]["baseImage"] = image.as_str().into();
    }
    if let Some(claim) = &tested.build_cache {
        template["packages"]["build"] = json!({"cacheClaim": claim});
    }
    if let Some(url) = &tested.registry {
        let mut registry = json!({"url": url.trim_end_matches('/')});
        if tested.registry_insecure {
            registry["insecure"] = true.into();
        }
        if let Some(secret) = &tested.registry_secret {
            registry["pushSecret"] = json!({"name": secret});
        }
        template["registry"] = registry;
    }
    json!({"template": template})
}

fn chroots(tested: &Tested) -> Vec<&str> {
    if tested.chroot.is_empty() { vec![CHROOT] } else { tested.chroot.iter().map(String::as_str).collect() }
}

/// The first one that has a package gives it, so its priority is the lowest number.
fn repositories(tested: &Tested) -> Vec<Value> {
    let object = |repository: &RepositoryArg, priority: usize| json!({"name": repository.name, "baseURL": repository.url, "priority": priority});
    // There may be sixteen repositories, dnf's priorities end at 99, and what lies over others is below ten.
    let over =
        (1..).zip(&tested.overlay).map(|(number, repository)| object(repository, std::cmp::min(number, 9)));
    let given = (10..).step_by(10).zip(&tested.repo);
    let given = given.map(|(number, repository)| object(repository, std::cmp::min(number, 99)));
    let others = if tested.repo.is_empty() { copr_ci(tested) } else { given.collect() };
    over.chain(others).collect()
}

/// Those of Copr's CI.
fn copr_ci(tested: &Tested) -> Vec<Value> {
    // Repositories are per chroot, and images are of the first one.
    let chroot = chroots(tested)[0];
    let pull_request = tested.pr.map(|number| {
        json!({"name": format!("pr-{number}"), "baseURL": format!("{RESULTS}/copr-pull-requests:pr:{number}/{chroot}/"), "priority": 10})
    });
    let main = json!({
        "name": "copr-dev", "baseURL": format!("{RESULTS}/copr-dev/{chroot}/"),
        "gpgKey": format!("{RESULTS}/copr-dev/pubkey.gpg"), "priority": 50,
    });
    pull_request.into_iter().chain([main]).collect()
}

/// Registry and tag; a host may have a port.
fn image_parts(images: &str) -> (&str, &str) {
    let last = images.rsplit('/').next().unwrap_or(images);
    match last.rsplit_once(':') {
        Some((_, tag)) if last.len() < images.len() || !tag.bytes().all(|b| b.is_ascii_digit()) => {
            (&images[..images.len() - tag.len() - 1], tag)
        }
        _ => (images.trim_end_matches('/'), "latest"),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::{Args, Command};
    use crate::model::fixtures;

    fn of(flags: &str) -> String {
        let words = "kubectl-copr run ".to_owned() + flags;
        let Command::Run(args) = Args::try_parse_from(words.split_whitespace()).unwrap().command else {
            unreachable!()
        };
        let object = from_flags(&args);
        // What the API's types can't read the API server won't, either.
        serde_json::from_value::<CoprTestRun>(object.clone()).unwrap();
        serde_saphyr::to_string(&object).unwrap()
    }

    #[test]
    fn runs_by_flags() {
        for (name, flags) in [
            ("nothing", ""),
            (
                "pull-request",
                "--pr 4305 --commit 5D37CD838218AB --registry quay.io/you/ --registry-secret push",
            ),
            (
                "repositories",
                "--repo mine=https://r.example/a/ --repo main=http://r.example/b/ --registry r:5000 --registry-insecure --base-image fedora:44",
            ),
            (
                "overlay",
                "--pr 7 --overlay local=http://packages.team.svc:8080/ --build-cache cache --base-image fedora:44 --description what=it,is",
            ),
            (
                "report",
                "--pr 4305 --commit 5d37cd838e4b1f6a2c0d9e8f7a6b5c4d3e2f1a0b --wait-for-packages=github-token --report-secret github-token --report-comment --report-url https://ci.example/1?a=b&c --group pull-request-4305 --group-policy queue",
            ),
            ("wait", "--commit 5d37cd838e4b1f6a2c0d9e8f7a6b5c4d3e2f1a0b --wait-for-packages"),
            ("images", "--images quay.io/you:2.7 --chroot fedora-43-x86_64 --keep"),
            (
                "instance",
                "--instance mine --name nightly --suite upstream --test a --test b,c --parallelism 2 --timeout 2h --test-timeout 5m --keep on-failure",
            ),
        ] {
            insta::assert_snapshot!(name, of(flags));
        }
    }

    #[test]
    fn a_port_is_no_tag() {
        assert_eq!(image_parts("registry:5000"), ("registry:5000", "latest"));
        assert_eq!(image_parts("registry:5000/you"), ("registry:5000/you", "latest"));
        assert_eq!(image_parts("registry:5000/you:7"), ("registry:5000/you", "7"));
        assert_eq!(image_parts("localhost:dev"), ("localhost", "dev"));
    }

    #[test]
    fn a_made_up_name_has_room_for_what_the_api_server_adds() {
        assert_eq!(prefix("pr-7"), "pr-7-");
        assert_eq!(prefix(&"a".repeat(36)).len() + 5, 36);
    }

    #[test]
    fn a_rerun_is_like_its_run_but_for_what_was_asked_of_that_one() {
        let spec = json!({"instance": {"name": "a"}, "cancel": true, "later": {"field": 1}});
        assert_eq!(
            again(&fixtures::red(), &spec, true)["spec"],
            json!({"instance": {"name": "a"}, "later": {"field": 1}, "rerunOf": "pr-7"})
        );
        assert_eq!(again(&fixtures::red(), &spec, false)["spec"].get("rerunOf"), None);
        assert_eq!(red(&fixtures::red()), ["build-spec", "build-srpm", "signatures"]);
    }
}
