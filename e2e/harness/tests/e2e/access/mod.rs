//! People: through an Ingress, with URLs that no pod of the instance can resolve, logged in by an OpenID Connect provider or by
//! a proxy's word.

mod kerberos;

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use copr_e2e::{
    Context,
    browser::{Browser, Page},
    fixtures::{self, CHROOT},
    oidc::{CLIENT, PASSWORD, Provider, SECRET, USER},
    with_namespace,
};
use copr_operator_api::v1alpha1::{
    CoprInstance, CoprInstanceSpec, Expose, IngressOptions, Login, Scheme, Url,
};
use copr_operator_kernel::conditions;
use k8s_openapi::api::{
    core::v1::{ConfigMap, Pod, Secret, Service},
    networking::v1::Ingress,
};
use serde_json::{Value, json};

const START: Duration = Duration::from_secs(5 * 60);
const BUILD: Duration = Duration::from_secs(5 * 60);
const SOON: Duration = Duration::from_secs(60);

fn url(ctx: &Context) -> Url {
    let host = |name: &str| format!("{name}.{}.test", ctx.namespace);
    Url {
        scheme: Scheme::Http,
        frontend: host("copr"),
        results: host("results"),
        dist_git: host("git"),
        tls_secret: None,
    }
}

fn login(provider: &Provider) -> Result<Login> {
    let oidc = json!({"metadataURL": provider.metadata_url, "clientSecret": {"name": "oidc"}});
    serde_json::from_value(json!({"oidc": oidc})).context("not a login")
}

fn of_kind<K: serde::de::DeserializeOwned>(object: Value) -> Result<K> {
    serde_json::from_value(object).context("not an object of its kind")
}

/// Through the provider's form, until Copr's page with the API token.
async fn log_in(browser: &mut Browser, provider: &Provider, frontend: &str, password: &str) -> Result<Page> {
    let form = browser.get(&format!("{frontend}/api/new/")).await?;
    ensure!(form.url.starts_with(&provider.url("/login/")), "not at the provider: {form:?}");
    let id = form.field("id")?.to_owned();
    let fields = [("id", id.as_str()), ("username", USER), ("password", password)];
    browser.submit(&provider.url("/login/username"), &fields).await
}

/// copr-cli's configuration, as the page shows it.
fn configuration(page: &Page) -> Result<String> {
    let (_, after) =
        page.text.split_once("<pre>").with_context(|| format!("no configuration in {page:?}"))?;
    let (text, _) = after.split_once("</pre>").with_context(|| format!("no configuration in {page:?}"))?;
    Ok(text.trim().to_owned())
}

/// A pod that is outside in all but place: it knows people's hosts only.
fn person(ctx: &Context, url: &Url, address: &str) -> Result<Pod> {
    let images = fixtures::images();
    let env = [
        ("FRONTEND", format!("http://{}", url.frontend)),
        ("RESULTS", format!("http://{}", url.results)),
        ("OWNER", USER.to_owned()),
        ("CHROOT", CHROOT.to_owned()),
        ("HOME", "/tmp".to_owned()),
        ("PYTHONPATH", "/usr/share/copr-sanity".to_owned()),
        ("PYTHONUNBUFFERED", "1".to_owned()),
    ];
    let env = env.map(|(name, value)| json!({"name": name, "value": value}));
    of_kind(json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "person", "namespace": ctx.namespace},
        "spec": {
            "restartPolicy": "Never",
            "hostAliases": [{"ip": address, "hostnames": [url.frontend, url.results, url.dist_git]}],
            "containers": [{
                "name": "person",
                "image": format!("{}/copr-sanity:{}", images.registry.unwrap_or_default(), images.tag),
                "args": ["python3", "/etc/copr-person/install.py"],
                "env": env,
                "volumeMounts": [{"name": "person", "mountPath": "/etc/copr-person"}],
                "terminationMessagePolicy": "FallbackToLogsOnError",
            }],
            "volumes": [{"name": "person", "projected": {"sources": [
                {"secret": {"name": "person"}},
                {"configMap": {"name": "person"}},
            ]}}],
        },
    }))
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn a_person_logs_in_builds_and_installs_through_the_ingress() -> Result<()> {
    with_namespace("access", |ctx| async move {
        let url = url(&ctx);
        let frontend = format!("http://{}", url.frontend);
        let provider = Provider::start(&ctx, &format!("{frontend}/oidc_auth/")).await?;
        let spec = CoprInstanceSpec {
            url: Some(Box::new(url.clone())),
            expose: Expose::Ingress,
            ingress: Box::new(IngressOptions { class_name: Some("e2e".into()), ..IngressOptions::default() }),
            login: Some(Box::new(login(&provider)?)),
            ..fixtures::instance_spec()
        };
        ctx.create(&fixtures::instance("copr", spec)).await?;
        a_missing_secret_is_told_and_a_new_one_is_enough(&ctx).await?;

        let instance = ctx.until::<CoprInstance>("copr", "Ready", START, is_ready).await?;
        let public = instance.status.and_then(|status| status.endpoints?.public).context("no public URLs")?;
        ensure!(public.frontend == frontend, "{public:?}");
        let address = ingress_address(&ctx).await?;
        let is_exposed = |instance: &CoprInstance| {
            let known = instance.status.as_ref().and_then(|s| conditions::get(&s.conditions, "Exposed"));
            known.is_some_and(|c| c.status == "True" && c.message.contains(&address))
        };
        ctx.until::<CoprInstance>("copr", "Exposed", SOON, is_exposed).await?;

        let mut stranger = Browser::new(&ctx).await?;
        let page = log_in(&mut stranger, &provider, &frontend, "wrong").await?;
        ensure!(page.url.starts_with(&provider.url("/login/")), "a wrong password leads to {page:?}");
        let page = stranger.get(&format!("{frontend}/api/")).await?;
        ensure!(configuration(&page)?.contains("LOGIN_TO_REVEAL"), "{page:?}");

        let mut browser = Browser::new(&ctx).await?;
        let page = log_in(&mut browser, &provider, &frontend, PASSWORD).await?;
        ensure!(page.url == format!("{frontend}/api/") && page.status.is_success(), "{page:?}");
        let configuration = configuration(&page)?;
        ensure!(configuration.contains(&format!("username = {USER}\n")), "{configuration}");
        ensure!(configuration.contains(&format!("copr_url = {frontend}\n")), "{configuration}");

        let secret = json!({"metadata": {"name": "person"}, "stringData": {"copr": configuration}});
        ctx.create(&of_kind::<Secret>(secret)?).await?;
        let script =
            json!({"metadata": {"name": "person"}, "data": {"install.py": include_str!("install.py")}});
        ctx.create(&of_kind::<ConfigMap>(script)?).await?;
        ctx.create(&person(&ctx, &url, &address)?).await?;
        let has_ended = |pod: &Pod| phase(pod) == "Succeeded" || phase(pod) == "Failed";
        let pod = ctx.until::<Pod>("person", "ended", BUILD, has_ended).await?;
        ensure!(phase(&pod) == "Succeeded", "{:?}", pod.status);
        inside_it_has_names_of_services(&ctx).await
    })
    .await
}

fn is_ready(instance: &CoprInstance) -> bool {
    instance.status.as_ref().is_some_and(|status| conditions::is_true(&status.conditions, "Ready"))
}

/// The frontend's address inside the cluster.
async fn cluster_ip(ctx: &Context) -> Result<String> {
    let service = ctx.api::<Service>().get("copr-frontend").await.context("no Service of the frontend")?;
    service.spec.and_then(|spec| spec.cluster_ip).context("no address")
}

fn phase(pod: &Pod) -> &str {
    pod.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default()
}

async fn a_missing_secret_is_told_and_a_new_one_is_enough(ctx: &Context) -> Result<()> {
    let stalled = |instance: &CoprInstance, reason: &str| {
        let known = instance.status.as_ref().and_then(|s| conditions::get(&s.conditions, "Stalled"));
        known.is_some_and(|c| {
            c.status == "True" && c.reason == reason && c.message.contains("login.oidc.clientSecret")
        })
    };
    ctx.until::<CoprInstance>("copr", "SecretNotFound", SOON, |i| stalled(i, "SecretNotFound")).await?;
    let mut secret = json!({"metadata": {"name": "oidc"}, "stringData": {"client_id": CLIENT}});
    ctx.create(&of_kind::<Secret>(secret.clone())?).await?;
    ctx.until::<CoprInstance>("copr", "SecretInvalid", SOON, |i| stalled(i, "SecretInvalid")).await?;
    secret["stringData"]["client_secret"] = json!(SECRET);
    ctx.delete::<Secret>("oidc", SOON).await?;
    ctx.create(&of_kind::<Secret>(secret)?).await?;
    let is_going_on = |i: &CoprInstance| {
        i.status.as_ref().is_some_and(|status| !conditions::is_true(&status.conditions, "Stalled"))
    };
    ctx.until::<CoprInstance>("copr", "not Stalled", SOON, is_going_on).await?;
    Ok(())
}

/// Where the controller of the class serves the Ingress of the frontend.
async fn ingress_address(ctx: &Context) -> Result<String> {
    let address = |ingress: &Ingress| {
        let served = ingress.status.as_ref()?.load_balancer.as_ref()?.ingress.as_ref()?;
        served.first()?.ip.clone()
    };
    let served = |ingress: &Ingress| address(ingress).is_some();
    let ingress = ctx.until::<Ingress>("copr-frontend", "served", SOON, served).await?;
    address(&ingress).context("no address")
}

/// The same .repo file, as builders and tests are told it.
async fn inside_it_has_names_of_services(ctx: &Context) -> Result<()> {
    let address = cluster_ip(ctx).await?;
    let release = CHROOT.rsplit_once('-').map_or(CHROOT, |(release, _)| release);
    let path = format!("/coprs/{USER}/outside/repo/{release}/");
    let page = Browser::new(ctx).await?.get(&format!("http://{address}:5000{path}")).await?;
    let inside =
        format!("baseurl=http://copr-backend-httpd.{}.svc:5002/results/{USER}/outside/", ctx.namespace);
    // The repository's id keeps people's host: it is a name, and the same one inside and outside.
    let is_peoples = |line: &str| line.contains("://") && line.contains(".test");
    ensure!(page.text.contains(&inside) && !page.text.lines().any(is_peoples), "{page:?}");
    Ok(())
}
