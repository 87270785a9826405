//! API-server tests: what is admitted, what is refused, and that the refusal names the field. Needs the CRDs, not the
//! operator. Objects are applied as a dry run, so that nothing comes of them.

use anyhow::{Result, ensure};
use copr_e2e::{
    admission::{all_admitted, all_refused, apply, changed},
    fixtures::{CHROOT, instance_json, run_json},
    with_namespace,
};
use copr_operator_api::v1alpha1::{CoprInstance, CoprTestRun};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn an_instance_may_be() -> Result<()> {
    with_namespace("instance-admitted", |ctx| async move {
        let changes = vec![
            ("metadata.name", json!("a")),
            ("metadata.name", json!("a-name-of-exactly-forty-characters-34567")),
            ("spec.images", json!({"registry": "quay.io/copr", "tag": "2.7-1"})),
            ("spec.images", json!({"registry": "registry.example.org:5000/a/b", "pullPolicy": "Always"})),
            ("spec.chroots", json!(["fedora-rawhide-x86_64", "epel-9-aarch64", "opensuse-leap-15.6-x86_64"])),
            ("spec.builders", json!({"max": 200, "isolation": "Privileged"})),
            ("spec.builders", json!({"max": 3, "warm": 3})),
            ("spec.builders.warm", json!(0)),
            ("spec.builders.resources", json!({"limits": {"memory": "2Gi"}})),
            ("spec.admin", json!({"name": "jdoe", "email": "jdoe@example.org"})),
            ("spec.database.externalSecret", json!({"name": "postgres"})),
            ("spec.redis.externalSecret", json!({"name": "redis"})),
            ("spec.tests.suites", json!(["smoke", "upstream"])),
            ("spec.deletionPolicy", json!("Retain")),
            ("spec.paused", json!(true)),
            ("spec.endOfLifeChroots", json!([{"name": "fedora-40-x86_64", "date": "2026-05-13"}])),
            ("spec.users", json!([{"name": "alice", "email": "alice@example.org"}])),
            (
                "spec.users",
                json!([
                    {"name": "alice", "email": "a@b", "admin": true, "tokenSecret": {"name": "alice"}},
                    {"name": "bob.b-b_1", "email": "bob@example.org"},
                ]),
            ),
            ("spec.groups", json!([{"name": "copr"}, {"name": "Builders", "team": "copr builders", "members": ["admin"]}])),
            (
                "spec.distGitInstances",
                json!([{"name": "fedora", "cloneURL": "https://src.fedoraproject.org", "packagePath": "{namespace}/rpms/{pkgname}",
                    "defaultNamespace": "", "priority": 100}]),
            ),
            ("spec.ttl", json!("1m")),
            ("spec.ttl", json!("1h30m")),
            ("spec.expiresAt", json!("2026-12-31T18:00:00Z")),
            ("spec.expiresAt", json!("2020-01-01T00:00:00+02:00")),
        ];
        all_admitted::<CoprInstance>(&ctx, &instance_json("copr"), changes).await
    })
    .await
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn an_instance_may_not_be() -> Result<()> {
    with_namespace("instance-refused", |ctx| async move {
        let changes = vec![
            // Unknown fields, at every depth.
            ("spec.chrots", json!(["fedora-44-x86_64"]), "spec.chrots"),
            ("spec.builders.maximum", json!(3), "spec.builders.maximum"),
            ("spec.images.frontend", json!("x"), "spec.images.frontend"),
            (
                "spec.database.externalSecret",
                json!({"name": "x", "key": "y"}),
                "spec.database.externalSecret.key",
            ),
            // What is missing.
            ("spec.images", Value::Null, "give packages to build images from, or images.registry"),
            ("spec.chroots", Value::Null, "spec.chroots"),
            ("spec.chroots", json!([]), "spec.chroots"),
            ("spec.images", json!({"tag": "latest"}), "images.registry"),
            ("spec", json!({"chroots": [CHROOT], "frontend": {"image": "x"}}), "images.registry"),
            // Names.
            ("metadata.name", json!("1copr"), "metadata.name"),
            ("metadata.name", json!("copr.example"), "metadata.name"),
            ("metadata.name", json!("a-name-of-exactly-forty-one-characters-45"), "metadata.name"),
            ("spec.admin.name", json!("John Doe"), "spec.admin.name"),
            ("spec.admin.email", json!("nobody"), "spec.admin.email"),
            // Values.
            ("spec.chroots", json!(["fedora"]), "spec.chroots"),
            ("spec.chroots", json!(["fedora-44-x86_64", "Fedora 44"]), "spec.chroots"),
            ("spec.chroots", json!(["../../etc-44-x86_64"]), "spec.chroots"),
            ("spec.images.registry", json!("https://quay.io/copr"), "spec.images.registry"),
            ("spec.images.tag", json!("a tag"), "spec.images.tag"),
            ("spec.images.pullPolicy", json!("Sometimes"), "spec.images.pullPolicy"),
            ("spec.builders.max", json!(0), "spec.builders.max"),
            ("spec.builders.max", json!(201), "spec.builders.max"),
            ("spec.builders.max", json!("many"), "spec.builders.max"),
            ("spec.builders.warm", json!(-1), "spec.builders.warm"),
            ("spec.builders.warm", json!(201), "spec.builders.warm"),
            ("spec.builders", json!({"max": 3, "warm": 4}), "builders.warm"),
            // More than the default of max.
            ("spec.builders.warm", json!(5), "builders.warm"),
            ("spec.builders.isolation", json!("None"), "spec.builders.isolation"),
            ("spec.database.externalSecret", json!({}), "spec.database.externalSecret.name"),
            ("spec.deletionPolicy", json!("Orphan"), "spec.deletionPolicy"),
            ("spec.paused", json!("yes"), "spec.paused"),
            ("spec.endOfLifeChroots", json!([{"name": "fedora-40-x86_64"}]), "endOfLifeChroots[0].date"),
            ("spec.endOfLifeChroots", json!([{"name": "fedora", "date": "2026-05-13"}]), "endOfLifeChroots[0].name"),
            ("spec.tests.suites", json!(["everything"]), "spec.tests.suites[0]"),
            ("spec.tests.suites", json!(["smoke", "smoke"]), "spec.tests.suites: duplicate entries"),
            ("spec.endOfLifeChroots", json!([{"name": "fedora-40-x86_64", "date": "2026-02-30"}]), "endOfLifeChroots[0].date"),
            ("spec.endOfLifeChroots", json!([{"name": "fedora-40-x86_64", "date": "13.5.2026"}]), "endOfLifeChroots[0].date"),
            ("spec.users", json!([{"name": "alice"}]), "users[0].email"),
            ("spec.users", json!([{"name": "Alice B", "email": "a@b"}]), "users[0].name"),
            ("spec.users", json!([{"name": "alice", "email": "a@b"}, {"name": "alice", "email": "c@d"}]), "users"),
            ("spec.users", json!([{"name": "admin", "email": "a@b"}]), "users can't list the administrator"),
            ("spec.groups", json!([{"name": "a/b"}]), "groups[0].name"),
            ("spec.groups", json!([{"name": "a", "team": "x"}, {"name": "x"}]), "no two groups"),
            ("spec.groups", json!([{"name": "a", "members": ["nobody"]}]), "the members of groups"),
            (
                "spec.distGitInstances",
                json!([{"name": "x", "cloneURL": "https://x", "packagePath": "rpms"}]),
                "packagePath must contain {pkgname}",
            ),
            (
                "spec.distGitInstances",
                json!([{"name": "x", "cloneURL": "https://x", "packagePath": "{user}/{pkgname}"}]),
                "packagePath",
            ),
            (
                "spec.distGitInstances",
                json!([{"name": "x", "cloneURL": "https://me:pw@x", "packagePath": "{pkgname}"}]),
                "cloneURL",
            ),
            ("spec.ttl", json!(""), "ttl is a duration"),
            ("spec.ttl", json!("59s"), "ttl is a duration"),
            ("spec.ttl", json!("90000h"), "ttl is a duration"),
            ("spec.ttl", json!("3d"), "spec.ttl"),
            ("spec.ttl", json!(3600), "spec.ttl"),
            ("spec.expiresAt", json!("tomorrow"), "spec.expiresAt"),
            ("spec.expiresAt", json!("2026-12-31"), "spec.expiresAt"),
            (
                "spec",
                json!({"images": {"registry": "localhost"}, "chroots": ["fedora-44-x86_64"], "ttl": "8h", "expiresAt": "2026-12-31T18:00:00Z"}),
                "give either ttl",
            ),
        ];
        all_refused::<CoprInstance>(&ctx, &instance_json("copr"), changes).await
    })
    .await
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn what_would_lose_data_is_refused_with_the_field() -> Result<()> {
    with_namespace("instance-transitions", |ctx| async move {
        let managed = instance_json("managed");
        apply::<CoprInstance>(&ctx, &managed, false).await?;
        let refused = vec![
            ("spec.database.externalSecret", json!({"name": "pg"}), "database.externalSecret"),
            ("spec.redis.externalSecret", json!({"name": "r"}), "redis.externalSecret"),
            ("spec.defaults.storage.className", json!("fast"), "spec.defaults.storage"),
            ("spec.frontend.storage.className", json!("fast"), "spec.frontend.storage"),
            ("spec.backend.storage.size", json!("8Gi"), "spec.backend.storage.size"),
            ("spec.database.storage.size", json!("1G"), "spec.database.storage.size"),
        ];
        all_refused::<CoprInstance>(&ctx, &managed, refused).await?;
        let admitted = vec![
            ("spec.backend.storage.size", json!("20Gi")),
            ("spec.backend.storage.size", json!("10240Mi")),
            ("spec.backend.pod.nodeSelector", json!({"disk": "ssd"})),
            ("spec.builders.max", json!(9)),
            ("spec.deletionPolicy", json!("Retain")),
        ];
        all_admitted::<CoprInstance>(&ctx, &managed, admitted).await?;

        let mut external = instance_json("external");
        external["spec"]["database"] = json!({"externalSecret": {"name": "pg"}});
        external["spec"]["defaults"] = json!({"storage": {"className": "slow"}});
        external["spec"]["keygen"] = json!({"storage": {"className": "safe"}});
        apply::<CoprInstance>(&ctx, &external, false).await?;
        let refused = vec![
            ("spec.database", json!({}), "database.externalSecret"),
            ("spec.defaults.storage.className", json!("fast"), "storage.className"),
            ("spec.defaults", json!({}), "storage.className"),
            ("spec.defaults", Value::Null, "storage.className"),
            ("spec.keygen.storage.className", json!("fast"), "spec.keygen.storage"),
            ("spec.keygen", Value::Null, "spec.keygen.storage"),
        ];
        all_refused::<CoprInstance>(&ctx, &external, refused).await?;
        let admitted = vec![("spec.database.externalSecret.name", json!("another"))];
        all_admitted::<CoprInstance>(&ctx, &external, admitted).await
    })
    .await
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn a_size_that_the_cluster_refused_may_be_taken_back() -> Result<()> {
    with_namespace("instance-taken-back", |ctx| async move {
        let mut instance = instance_json("copr");
        instance["spec"]["backend"] = json!({"storage": {"size": "100Gi"}});
        apply::<CoprInstance>(&ctx, &instance, false).await?;
        let back = || vec![("spec.backend.storage.size", json!("10Gi"))];
        let refused = vec![("spec.backend.storage.size", json!("10Gi"), "backend.storage.size")];
        all_refused::<CoprInstance>(&ctx, &instance, refused).await?;
        let condition = json!({
            "type": "VolumesReady", "status": "False", "reason": "ResizeRefused", "message": "its class can't",
            "lastTransitionTime": "2026-11-26T00:00:00Z",
        });
        let status = Patch::Merge(json!({"status": {"conditions": [condition]}}));
        ctx.api::<CoprInstance>().patch_status("copr", &PatchParams::default(), &status).await?;
        all_admitted::<CoprInstance>(&ctx, &instance, back()).await
    })
    .await
}

/// A field that is null counts as left out: it neither stays null nor makes an object that can't be read.
#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn a_size_that_is_null_has_its_default() -> Result<()> {
    with_namespace("instance-null", |ctx| async move {
        let mut instance = instance_json("copr");
        instance["spec"]["database"] = json!({"storage": {"size": null}});
        instance["spec"]["backend"] = json!({"storage": null});
        let applied = apply::<CoprInstance>(&ctx, &instance, true).await?.data["spec"].take();
        ensure!(applied["database"]["storage"]["size"] == "1Gi", "{}", applied["database"]);
        ensure!(applied["backend"]["storage"]["size"] == "10Gi", "{}", applied["backend"]);
        Ok(())
    })
    .await
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn a_run_may_be() -> Result<()> {
    with_namespace("run-admitted", |ctx| async move {
        let template = instance_json("copr")["spec"].take();
        let changes = vec![
            ("metadata.name", json!("a-name-of-exactly-thirty-six-char-56")),
            ("spec.instance", json!({"template": template})),
            ("spec.instance.readyTimeout", json!("1h30m")),
            ("spec.suite.tests", json!(["auth", "build-spec"])),
            ("spec.suite", json!({"parallelism": 64, "timeout": "48h", "retries": 0})),
            ("spec.suite.image", json!("quay.io/me/sanity:1")),
            ("spec.suite", json!({"name": "upstream", "git": {"ref": "main"}})),
            ("spec.suite", json!({"name": "tmt", "git": {"url": "https://git.example.org/x", "path": "tests/tmt"}})),
            ("spec.suite", json!({"name": "tmt", "image": "quay.io/me/with-tests:1"})),
            ("spec.suite", json!({"image": "quay.io/me/mine:1", "git": {"url": "https://git.example.org/x"}})),
            ("spec.suite.tests", json!(["Sanity/a test of mine.sh"])),
            (
                "spec.suite",
                json!({"include": ["build-*"], "exclude": ["*-slow"], "tags": ["build", "!slow"], "failFast": true}),
            ),
            (
                "spec.suite.expectedFailures",
                json!([{"test": "auth", "result": "Test/x", "reason": "y", "expires": "2027-01-31"}]),
            ),
            ("spec.rerunOf", json!("another-run")),
            ("spec.concurrency", json!({"group": "pr-7", "policy": "Queue"})),
            (
                "spec.source",
                json!({"repository": "fedora-copr/copr", "commit": "5d37cd838", "pullRequest": 4305}),
            ),
            ("spec.keepInstance", json!("OnFailure")),
            ("spec.ttlSecondsAfterFinished", json!(0)),
            ("spec.cancel", json!(true)),
        ];
        all_admitted::<CoprTestRun>(&ctx, &run_json("run"), changes).await
    })
    .await
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn a_run_may_not_be() -> Result<()> {
    with_namespace("run-refused", |ctx| async move {
        let template = instance_json("copr")["spec"].take();
        let without_builders =
            changed(json!({"spec": template.clone()}), ("spec.builders.max", json!(0)))["spec"].take();
        let paused = changed(json!({"spec": template.clone()}), ("spec.paused", json!(true)))["spec"].take();
        let changes = vec![
            ("spec.sute", json!({}), "spec.sute"),
            ("spec.suite.paralelism", json!(3), "spec.suite.paralelism"),
            (
                "spec.instance.template",
                json!({"chroots": ["fedora-44-x86_64"]}),
                "give packages to build images from, or images.registry",
            ),
            ("spec.instance", json!({}), "instance.name"),
            ("spec.instance", json!({"name": "a", "template": template}), "instance.name"),
            ("spec.instance", json!({"template": without_builders}), "spec.instance.template.builders.max"),
            ("spec.instance", Value::Null, "spec.instance"),
            ("spec.instance", json!({"template": paused}), "instance.template.paused"),
            ("metadata.name", json!("a-name-of-exactly-thirty-seven-chr-67"), "metadata.name"),
            ("metadata.name", json!("0run"), "metadata.name"),
            ("spec.instance.readyTimeout", json!("soon"), "spec.instance.readyTimeout"),
            ("spec.instance.readyTimeout", json!("9s"), "readyTimeout"),
            ("spec.suite.timeout", json!(""), "timeout"),
            ("spec.suite.timeout", json!("1.5h"), "spec.suite.timeout"),
            ("spec.suite.timeout", json!("49h"), "timeout"),
            ("spec.suite.timeout", json!(3600), "spec.suite.timeout"),
            ("spec.suite.testTimeout", json!("5"), "spec.suite.testTimeout"),
            ("spec.suite.testTimeout", json!("5s"), "testTimeout"),
            ("spec.suite.name", json!("everything"), "spec.suite.name"),
            ("spec.suite.parallelism", json!(0), "spec.suite.parallelism"),
            ("spec.suite.retries", json!(-1), "spec.suite.retries"),
            ("spec.suite.tests", json!(["auth", "auth"]), "spec.suite.tests"),
            ("spec.suite.tests", json!([""]), "spec.suite.tests"),
            ("spec.suite.git", json!({"url": "https://git.example.org/x"}), "suite.git"),
            ("spec.suite", json!({"name": "tmt"}), "suite.git is missing"),
            ("spec.suite", json!({"name": "upstream", "git": {"path": "tests"}}), "suite.git.path"),
            ("spec.suite", json!({"name": "tmt", "git": {"path": "/tests"}}), "git.path is a folder"),
            ("spec.suite", json!({"name": "tmt", "git": {"path": "tests/../.."}}), "git.path is a folder"),
            ("spec.suite.expectedFailures", json!([{"test": "auth"}]), "reason"),
            (
                "spec.suite.expectedFailures",
                json!([{"test": "auth", "reason": "x", "expires": "soon"}]),
                "expires",
            ),
            (
                "spec.suite.expectedFailures",
                json!([{"test": "auth", "reason": "x", "expires": "2026-02-31"}]),
                "expectedFailures[0].expires",
            ),
            ("spec.suite.retriesAfterFailure", json!(11), "retriesAfterFailure"),
            ("spec.suite.include", json!([""]), "spec.suite.include"),
            ("spec.concurrency", json!({"policy": "Queue"}), "group"),
            ("spec.concurrency", json!({"group": "pr", "policy": "Cancel"}), "policy"),
            ("spec.rerunOf", json!(""), "spec.rerunOf"),
            ("spec.ttlSecondsAfterFailed", json!(-1), "ttlSecondsAfterFailed"),
            ("spec.source.pullRequest", json!(0), "spec.source.pullRequest"),
            ("spec.keepInstance", json!("Maybe"), "spec.keepInstance"),
            ("spec.ttlSecondsAfterFinished", json!(-1), "spec.ttlSecondsAfterFinished"),
        ];
        all_refused::<CoprTestRun>(&ctx, &run_json("run"), changes).await
    })
    .await
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn what_a_run_tests_cannot_change_once_it_exists() -> Result<()> {
    with_namespace("run-immutable", |ctx| async move {
        let run = run_json("run");
        apply::<CoprTestRun>(&ctx, &run, false).await?;
        let refused = vec![
            ("spec.instance.name", json!("another"), "cannot change"),
            ("spec.suite.tests", json!(["auth"]), "cannot change"),
            ("spec.rerunOf", json!("other"), "cannot change"),
            ("spec.suite.parallelism", json!(2), "cannot change"),
        ];
        all_refused::<CoprTestRun>(&ctx, &run, refused).await?;
        let admitted = vec![
            ("spec.cancel", json!(true)),
            ("spec.keepInstance", json!("Always")),
            ("spec.ttlSecondsAfterFinished", json!(60)),
        ];
        all_admitted::<CoprTestRun>(&ctx, &run, admitted).await
    })
    .await
}

#[tokio::test]
#[ignore = "needs an API server: ./check api"]
async fn what_is_left_out_has_defaults_that_one_can_read() -> Result<()> {
    with_namespace("defaults", |ctx| async move {
        let instance = apply::<CoprInstance>(&ctx, &instance_json("copr"), true).await?;
        ensure!(
            instance.data["spec"]["builders"] == json!({"max": 4, "isolation": "UserNamespace", "pod": {}})
        );
        ensure!(instance.data["spec"]["frontend"] == json!({"storage": {"size": "5Gi"}, "pod": {}}));
        ensure!(instance.data["spec"]["backend"]["storage"]["size"] == "10Gi");
        ensure!(instance.data["spec"]["images"]["tag"] == "latest");
        ensure!(instance.data["spec"]["admin"]["name"] == "admin");
        let run = apply::<CoprTestRun>(&ctx, &run_json("run"), true).await?;
        ensure!(run.data["spec"]["keepInstance"] == "Never");
        ensure!(run.data["spec"]["suite"]["timeout"] == "1h");
        ensure!(run.data["spec"]["suite"]["name"] == "smoke");
        Ok(())
    })
    .await
}
