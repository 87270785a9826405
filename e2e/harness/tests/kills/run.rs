//! While something is killed, a run still ends with the right verdict.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{Context, Registry, cluster, fixtures, packaged, until, with_namespace};
use copr_operator_api::{
    labels,
    v1alpha1::{CoprInstance, CoprTestRun, KeepEvidence, Outcome, Phase},
};
use copr_operator_kernel::conditions;
use k8s_openapi::{
    api::core::v1::{Event, Pod},
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kube::{
    Api, CustomResourceExt, Resource, ResourceExt,
    api::{ApiResource, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams},
    runtime::watcher,
};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(60);
const START: Duration = Duration::from_secs(5 * 60);
const RUN: Duration = Duration::from_secs(10 * 60);

fn is_running(run: &CoprTestRun) -> bool {
    fixtures::tests(run).iter().any(|test| test.outcome == Outcome::Running)
}

/// Waits until a builder's pod runs: a build is under way.
async fn a_build_runs(ctx: &Context) -> Result<()> {
    let builders = watcher::Config::default().labels(&format!("{}=builder", labels::COMPONENT));
    let runs = |pod: &Pod| pod.status.as_ref().is_some_and(|s| s.phase.as_deref() == Some("Running"));
    ctx.until_any(builders, "a builder that runs", START, runs).await?;
    Ok(())
}

/// Deletes the pods of a component without a chance to end well.
async fn kill(ctx: &Context, instance: &str, component: &str) -> Result<()> {
    let query = format!("{}={instance},{}={component}", labels::INSTANCE, labels::COMPONENT);
    let params = DeleteParams { grace_period_seconds: Some(0), ..DeleteParams::default() };
    let pods = ctx.api::<Pod>().list(&ListParams::default().labels(&query)).await?;
    ensure!(!pods.items.is_empty(), "{component} has no pod to kill");
    for pod in pods {
        ctx.api::<Pod>().delete(&pod.name_any(), &params).await?;
    }
    Ok(())
}

async fn passes(ctx: &Context, run: &str) -> Result<CoprTestRun> {
    let run = ctx.until::<CoprTestRun>(run, "finished", RUN, fixtures::finished).await?;
    ensure!(fixtures::phase(&run) == Phase::Passed, "{:?}", run.status);
    Ok(run)
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn the_operator_killed_between_all_steps_of_a_run() -> Result<()> {
    with_namespace("kill-operator", |ctx| async move {
        let mut spec = fixtures::instance_spec();
        let registry = Registry::find(&ctx).await?;
        spec.registry = packaged::spec(&registry, &ctx.namespace, Vec::new(), &[])?.registry;
        let mut run = fixtures::run("smoke", spec, &["build-spec", "project-lifecycle"]);
        run.spec.evidence.keep = KeepEvidence::Always;
        ctx.create(&run).await?;
        ctx.until::<CoprInstance>("smoke", "there", START, |_| true).await?;
        ctx.operator().kill().await?;
        let lists = |pod: &Pod| pod.name_any().starts_with("smoke--suite-");
        ctx.until_any(watcher::Config::default(), "the pod that lists the suite", START, lists).await?;
        ctx.operator().kill().await?;
        ctx.until::<CoprTestRun>("smoke", "running a test", START, is_running).await?;
        ctx.operator().kill().await?;
        // Away while tests end, too.
        ctx.operator().scale(0).await?;
        a_build_runs(&ctx).await?;
        ctx.operator().scale(1).await?;
        let run = passes(&ctx, "smoke").await?;
        ctx.operator().kill().await?;
        for test in fixtures::tests(&run) {
            ensure!(test.attempts == 1, "{} was tried {} times", test.name, test.attempts);
        }
        let is_kept =
            |run: &CoprTestRun| fixtures::evidence(run).is_some_and(|condition| condition.status == "True");
        ctx.until::<CoprTestRun>("smoke", "kept", START, is_kept).await?;
        Ok(())
    })
    .await
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn the_api_server_killed_during_a_build() -> Result<()> {
    with_namespace("kill-apiserver", |ctx| async move {
        ctx.create(&fixtures::instance("copr", fixtures::instance_spec())).await?;
        // What is asked meanwhile is refused or cut off; every watch has to come back by itself.
        Box::pin(survives(&ctx, "apiserver", async { cluster::kill("kube-apiserver") })).await
    })
    .await
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check long"]
async fn each_component_killed_during_a_build() -> Result<()> {
    with_namespace("kill-components", |ctx| async move {
        ctx.create(&fixtures::instance("copr", fixtures::instance_spec())).await?;
        // All of them, so that one failure doesn't hide the next.
        let mut wrong = Vec::new();
        for component in ["backend", "frontend", "resalloc", "dist-git", "keygen", "redis", "database"] {
            if let Err(error) = Box::pin(survives(&ctx, component, kill(&ctx, "copr", component))).await {
                wrong.push(format!("{component} was killed: {error:#}"));
            }
        }
        ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
        Ok(())
    })
    .await
}

/// A build during which this is done ends well, and leaves no builder behind.
async fn survives(ctx: &Context, what: &str, disturbance: impl Future<Output = Result<()>>) -> Result<()> {
    let name = format!("kill-{what}");
    let mut run = fixtures::run_against(&name, "copr", &["build-spec"]);
    // What the kill took from the build may never come: the test is to be tried again within this test's time.
    run.spec.suite.test_timeout = Some("3m".into());
    ctx.create(&run).await?;
    a_build_runs(ctx).await?;
    disturbance.await?;
    passes(ctx, &name).await?;
    no_builders(ctx).await
}

/// Builders never outlive their tickets.
async fn no_builders(ctx: &Context) -> Result<()> {
    let query = ListParams::default().labels(&format!("{}=builder", labels::COMPONENT));
    for pod in ctx.api::<Pod>().list(&query).await? {
        ctx.until_gone::<Pod>(&pod.name_any(), SOON).await.context("a builder was left behind")?;
    }
    Ok(())
}

/// An object from the time of another schema, which today's operator can't read.
#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn objects_that_cannot_be_read_are_told_of_and_stall_nothing_else() -> Result<()> {
    with_namespace("unreadable", |ctx| async move {
        let run = json!({"spec": {"instance": 7, "suite": {"tests": "all"}}, "status": {"phase": 3}});
        stored::<CoprTestRun>(&ctx, run).await?;
        stored::<CoprInstance>(&ctx, json!({"spec": {"chroots": 7}, "status": {"conditions": 3}})).await?;

        ctx.create(&fixtures::run_against("good", "nowhere", &[])).await?;
        let seen = |run: &CoprTestRun| {
            run.status.as_ref().is_some_and(|s| conditions::get(&s.conditions, "InstanceReady").is_some())
        };
        ctx.until::<CoprTestRun>("good", "looked at", SOON, seen).await?;
        // Nor does it when the operator starts and finds it.
        ctx.operator().kill().await?;
        ctx.create(&fixtures::run_against("later", "nowhere", &[])).await?;
        ctx.until::<CoprTestRun>("later", "looked at", SOON, seen).await?;

        // By an event: an object that breaks its own schema may have no status that can be written.
        let told = |event: &Event| {
            event.reason.as_deref() == Some("Malformed")
                && event.involved_object.name.as_deref() == Some("bad")
        };
        ctx.until_any::<Event>(watcher::Config::default(), "an event about the instance", SOON, told).await?;
        for api in [api_of::<CoprTestRun>(&ctx), api_of::<CoprInstance>(&ctx)] {
            api.delete("bad", &DeleteParams::default())
                .await
                .context("failed to delete what can't be read")?;
            until(api, "bad", "gone", SOON, |object| object.is_none()).await?;
        }
        Ok(())
    })
    .await
}

fn api_of<K>(ctx: &Context) -> Api<DynamicObject>
where
    K: Resource<DynamicType = ()>,
{
    Api::namespaced_with(ctx.client.clone(), &ctx.namespace, &ApiResource::erase::<K>(&()))
}

/// Stores an object that the schema wouldn't admit, and puts the schema back whatever comes of it.
async fn stored<K>(ctx: &Context, mut bad: Value) -> Result<()>
where
    K: Resource<DynamicType = ()> + CustomResourceExt,
{
    bad["apiVersion"] = K::api_version(&()).into();
    bad["kind"] = K::kind(&()).into();
    bad["metadata"] = json!({"name": "bad"});
    let loosened = async {
        let mut crd = serde_json::to_value(K::crd())?;
        let schema = crd.pointer_mut("/spec/versions/0/schema/openAPIV3Schema").context("no schema")?;
        *schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
        apply_crd::<K>(ctx, &crd).await?;
        admitted(&api_of::<K>(ctx), &serde_json::from_value(bad.clone())?, true).await
    }
    .await;
    apply_crd::<K>(ctx, &serde_json::to_value(K::crd())?).await?;
    let mut probe: DynamicObject = serde_json::from_value(bad)?;
    probe.metadata.name = Some("probe".into());
    admitted(&api_of::<K>(ctx), &probe, false).await?;
    loosened
}

async fn apply_crd<K: CustomResourceExt>(ctx: &Context, crd: &Value) -> Result<()> {
    let api: Api<CustomResourceDefinition> = Api::all(ctx.client.clone());
    let name = K::crd().name_any();
    // The manager that installed it: another one would leave behind what it doesn't name.
    let params = PatchParams::apply("kubectl").force();
    api.patch(&name, &params, &Patch::Apply(crd)).await.context("failed to change the CRD")?;
    Ok(())
}

/// Polls until a change of a schema is in force, which the API server doesn't tell: until the object is admitted (and
/// stored), or until it's refused (and isn't).
async fn admitted(api: &Api<DynamicObject>, object: &DynamicObject, wanted: bool) -> Result<()> {
    let params = PostParams { dry_run: !wanted, ..PostParams::default() };
    let attempts = async {
        loop {
            if api.create(&params, object).await.is_ok() == wanted {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(SOON, attempts)
        .await
        .with_context(|| format!("the schema isn't in force: wanted {wanted}"))
}
