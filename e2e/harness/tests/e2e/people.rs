//! Chroots, users, groups and dist-gits are what the spec says, and go on being so.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{Context, fixtures, with_namespace};
use copr_operator_api::v1alpha1::{CoprInstance, DistGitInstance, EndOfLifeChroot, Group, SecretRef, User};
use copr_operator_kernel::conditions;
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::api::{LogParams, ObjectMeta};
use serde_json::json;

const SOON: Duration = Duration::from_secs(90);
const START: Duration = Duration::from_secs(5 * 60);
/// Nothing is built in it.
const OTHER: &str = "fedora-43-x86_64";

/// What a condition of the present spec says.
fn is<'a>(instance: &'a CoprInstance, type_: &str) -> Option<&'a str> {
    let condition = conditions::get(&instance.status.as_ref()?.conditions, type_)?;
    (condition.observed_generation == instance.metadata.generation).then_some(condition.status.as_str())
}

/// Waits until the spec is applied and Copr serves. It isn't Ready: the builder image can build in one of the chroots only.
async fn settled(ctx: &Context) -> Result<()> {
    let holds = |instance: &CoprInstance| {
        is(instance, "Available") == Some("True") && is(instance, "Reconciling") == Some("False")
    };
    ctx.until::<CoprInstance>("copr", "settled", START, holds).await?;
    Ok(())
}

/// What copr-cli says of who alice is, and of the chroots.
async fn ask(ctx: &Context, name: &str) -> Result<String> {
    let images = fixtures::images();
    let image = format!("{}/copr-sanity:{}", images.registry.context("no registry")?, images.tag);
    // `copr-cli whoami` asks its configuration only.
    let who = "from copr.v3 import Client; print(Client.create_from_config_file('/config/copr').base_proxy.auth_check())";
    let script = format!("python3 -c \"{who}\" 2>&1; copr-cli --config /config/copr list-chroots");
    let pod: Pod = serde_json::from_value(json!({
        "metadata": {"name": name},
        "spec": {
            "restartPolicy": "Never",
            "containers": [{
                "name": "ask", "image": image, "imagePullPolicy": "IfNotPresent", "command": ["bash", "-c", script],
                "volumeMounts": [{"name": "config", "mountPath": "/config"}],
            }],
            "volumes": [{"name": "config", "secret": {"secretName": "alice-cli"}}],
        },
    }))?;
    ctx.create(&pod).await?;
    let ended = |pod: &Pod| {
        let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
        matches!(phase, Some("Succeeded" | "Failed"))
    };
    ctx.until::<Pod>(name, "answered", SOON, ended).await?;
    Ok(ctx.api::<Pod>().logs(name, &LogParams::default()).await?)
}

/// What the last seed step did.
async fn seeded(ctx: &Context) -> Result<String> {
    let of = LogParams { container: Some("seed".into()), ..LogParams::default() };
    Ok(ctx.api::<Pod>().logs("copr-frontend-0", &of).await?)
}

async fn secret(ctx: &Context, name: &str, data: &[(&str, String)]) -> Result<()> {
    let data = data.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    let metadata = ObjectMeta { name: Some(name.into()), ..ObjectMeta::default() };
    ctx.create(&Secret { metadata, string_data: Some(data), ..Secret::default() }).await?;
    Ok(())
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn chroots_and_users_come_and_go_with_the_lists() -> Result<()> {
    with_namespace("people", |ctx| async move {
        let (login, token) = ("alice-login", "alice-token-0123456789");
        secret(&ctx, "alice", &[("login", login.into()), ("token", token.into())]).await?;
        let url = format!("http://copr-frontend.{}.svc:5000", ctx.namespace);
        let cli = format!(
            "[copr-cli]\nlogin = {login}\nusername = alice\ntoken = {token}\ncopr_url = {url}\nencrypted = false\n"
        );
        secret(&ctx, "alice-cli", &[("copr", cli)]).await?;

        let mut spec = fixtures::instance_spec();
        spec.chroots.push(OTHER.into());
        spec.users = vec![User {
            name: "alice".into(),
            email: "alice@example.org".into(),
            admin: true,
            token_secret: Some(SecretRef { name: "alice".into() }),
        }];
        spec.groups =
            vec![Group { name: "builders".into(), team: None, members: vec!["alice".into(), "admin".into()] }];
        spec.dist_git_instances = vec![DistGitInstance {
            name: "elsewhere".into(),
            clone_url: "https://git.example.org".into(),
            package_path: "rpms/{pkgname}".into(),
            default_namespace: None,
            priority: 50,
        }];
        ctx.create(&fixtures::instance("copr", spec)).await?;
        settled(&ctx).await?;
        let answer = ask(&ctx, "first").await?;
        ensure!(answer.contains("alice") && answer.contains(fixtures::CHROOT) && answer.contains(OTHER), "{answer}");
        let log = seeded(&ctx).await?;
        ensure!(log.contains("alice is a member of builders") && !log.contains(token), "{log}");

        // One less is offered no longer; one whose day has come isn't, either, and can come back.
        ctx.change::<CoprInstance>("copr", json!({"chroots": [fixtures::CHROOT]})).await?;
        settled(&ctx).await?;
        let answer = ask(&ctx, "removed").await?;
        ensure!(answer.contains(fixtures::CHROOT) && !answer.contains(OTHER), "{answer}");
        let ended = EndOfLifeChroot { name: OTHER.into(), date: "2020-01-01".into() };
        let both = json!([fixtures::CHROOT, OTHER]);
        ctx.change::<CoprInstance>("copr", json!({"chroots": both, "endOfLifeChroots": [ended]})).await?;
        settled(&ctx).await?;
        let answer = ask(&ctx, "ended").await?;
        ensure!(answer.contains(fixtures::CHROOT) && !answer.contains(OTHER), "{answer}");
        ctx.change::<CoprInstance>("copr", json!({"endOfLifeChroots": null})).await?;
        settled(&ctx).await?;
        let answer = ask(&ctx, "back").await?;
        ensure!(answer.contains(OTHER), "{answer}");

        // Who isn't listed any more has no token and no group; the dist-git is unknown again.
        let nobody = json!({"users": null, "groups": null, "distGitInstances": null});
        ctx.change::<CoprInstance>("copr", nobody).await?;
        settled(&ctx).await?;
        let log = seeded(&ctx).await?;
        for said in ["alice is not listed", "alice is no member of builders", "the dist-git elsewhere is not listed"] {
            ensure!(log.contains(said), "{said} is not in {log}");
        }
        let answer = ask(&ctx, "revoked").await?;
        ensure!(answer.contains("Login invalid"), "{answer}");
        Ok(())
    })
    .await
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn a_token_that_is_missing_or_unfit_is_told_with_its_field() -> Result<()> {
    with_namespace("people-tokens", |ctx| async move {
        let mut spec = fixtures::instance_spec();
        spec.users = vec![User {
            name: "alice".into(),
            email: "alice@example.org".into(),
            admin: false,
            token_secret: Some(SecretRef { name: "alice".into() }),
        }];
        ctx.create(&fixtures::instance("copr", spec)).await?;
        let says = |reason: &'static str, named: &'static str| {
            move |instance: &CoprInstance| {
                let status = instance.status.clone().unwrap_or_default();
                conditions::get(&status.conditions, "Ready").is_some_and(|c| {
                    c.reason == reason
                        && c.message.contains("users[].tokenSecret")
                        && c.message.contains(named)
                })
            }
        };
        ctx.until::<CoprInstance>("copr", "without the Secret", SOON, says("SecretNotFound", "alice"))
            .await?;
        secret(&ctx, "alice", &[("login", "alice".into()), ("token", "hunter2".into())]).await?;
        let unfit = ctx.until::<CoprInstance>("copr", "unfit", START, says("SecretInvalid", "16 to 40"));
        let status = serde_json::to_string(&unfit.await?.status)?;
        ensure!(!status.contains("hunter2"), "the token is in the status");
        Ok(())
    })
    .await
}
