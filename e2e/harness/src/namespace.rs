//! A namespace for each test.

use std::{
    fmt::Debug,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Error, Result, anyhow, bail, ensure};
use copr_operator_api::v1alpha1::CoprTestRun;
use k8s_openapi::{NamespaceResourceScope, api::core::v1::Namespace};
use kube::{
    Api, Client, Resource, ResourceExt,
    api::{DeleteParams, ObjectMeta, Patch, PatchParams, PostParams},
    runtime::watcher,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{Operator, dump, node, wait};

/// An object of a namespace, of a kind that is known at compile time.
pub trait Object:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + Debug
    + Send
    + Serialize
    + DeserializeOwned
    + 'static
{
}

impl<K> Object for K where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + Send
        + Serialize
        + DeserializeOwned
        + 'static
{
}

/// What a test works with. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// Speaks to the cluster as its administrator.
    pub client: Client,
    /// The namespace of the test.
    pub namespace: String,
    disturbed: Arc<AtomicBool>,
}

impl Context {
    /// The objects of a kind in the namespace of the test.
    pub fn api<K>(&self) -> Api<K>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
    {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Creates an object.
    pub async fn create<K: Object>(&self, object: &K) -> Result<K> {
        let what = || format!("failed to create {} {}", K::kind(&()), object.name_any());
        self.api().create(&PostParams::default(), object).await.with_context(what)
    }

    /// Waits for an object that exists and of which the condition holds.
    pub async fn until<K: Object>(
        &self,
        name: &str,
        what: &str,
        within: Duration,
        condition: impl Fn(&K) -> bool,
    ) -> Result<K> {
        let holds = |object: Option<&K>| object.is_some_and(&condition);
        // On the heap: a run holds the spec of an instance.
        let found = Box::pin(wait::until(self.api::<K>(), name, what, within, holds)).await?;
        found.ok_or_else(|| anyhow!("{name}: gone"))
    }

    /// Deletes an object, and waits until it's gone.
    pub async fn delete<K: Object>(&self, name: &str, within: Duration) -> Result<()> {
        let what = || format!("failed to delete {} {name}", K::kind(&()));
        self.api::<K>().delete(name, &DeleteParams::default()).await.with_context(what)?;
        self.until_gone::<K>(name, within).await
    }

    /// Waits until an object doesn't exist.
    pub async fn until_gone<K: Object>(&self, name: &str, within: Duration) -> Result<()> {
        Box::pin(wait::until(self.api::<K>(), name, "gone", within, |object| object.is_none())).await?;
        Ok(())
    }

    /// Waits for one of the objects that the configuration selects of which the condition holds.
    pub async fn until_any<K: Object>(
        &self,
        selected: watcher::Config,
        what: &str,
        within: Duration,
        condition: impl Fn(&K) -> bool,
    ) -> Result<K> {
        wait::until_any(self.api(), selected, what, within, condition).await
    }

    /// Merges this into the spec of an object.
    pub async fn change<K: Object>(&self, name: &str, spec: Value) -> Result<()> {
        let patch = Patch::Merge(json!({"spec": spec}));
        let what = || format!("failed to change {} {name}", K::kind(&()));
        self.api::<K>().patch(name, &PatchParams::default(), &patch).await.with_context(what)?;
        Ok(())
    }

    /// Asks a run to end early.
    pub async fn cancel(&self, run: &str) -> Result<()> {
        self.change::<CoprTestRun>(run, json!({"cancel": true})).await
    }

    /// The operator. Who takes it declares that this test disturbs it: its pod isn't expected to be the same
    /// after the test.
    pub fn operator(&self) -> Operator {
        self.disturbed.store(true, Ordering::Relaxed);
        Operator::new(self.client.clone())
    }
}

/// Runs a test in a namespace of its own. If it fails or panics, what is in the namespace is written down. It also
/// fails if the operator's pod restarted meanwhile, unless the test asked for the operator. It doesn't begin on a
/// node that can't take its pods, and if it fails there, that is said as well.
pub async fn with_namespace<F>(name: &str, test: impl FnOnce(Context) -> F) -> Result<()>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    let client = Client::try_default().await.context("no cluster: is KUBECONFIG set?")?;
    if let Some(lack) = node::lacking(&client).await? {
        bail!(lack);
    }
    let context = Context {
        namespace: create(&client, name).await?,
        client: client.clone(),
        disturbed: Arc::new(AtomicBool::new(false)),
    };
    let before = Operator::new(client.clone()).identity().await?;
    let namespace = context.namespace.clone();
    let disturbed = Arc::clone(&context.disturbed);

    // A task of its own, so that a panic is an error like any other.
    let result = match tokio::spawn(test(context)).await {
        Ok(result) => result,
        Err(panicked) => Err(anyhow!(panicked)),
    };
    let result = match result {
        Ok(()) if !disturbed.load(Ordering::Relaxed) => undisturbed(&client, &before).await,
        other => other,
    };
    let result = match result {
        Ok(()) => Ok(()),
        Err(failure) => Err(explained(&client, failure).await),
    };
    if let Err(failure) = &result {
        dump::dump(&client, &namespace, failure).await;
    }
    if result.is_ok() || std::env::var_os("COPR_E2E_KEEP").is_none() {
        delete(&client, &namespace).await?;
    }
    result
}

/// A failure on a node that lacks what tests take is put down to that.
async fn explained(client: &Client, failure: Error) -> Error {
    match node::lacking(client).await {
        Ok(Some(lack)) => failure.context(lack),
        // The failure is worth more than that nodes can't be listed either.
        Ok(None) | Err(_) => failure,
    }
}

async fn undisturbed(client: &Client, before: &[String]) -> Result<()> {
    let after = Operator::new(client.clone()).identity().await?;
    ensure!(before == after, "the operator's pod restarted or was replaced: {before:?}, then {after:?}");
    Ok(())
}

async fn create(client: &Client, test: &str) -> Result<String> {
    let labels = [
        ("copr-e2e/test", test),
        // Builders have capabilities in their user namespaces that stricter levels refuse.
        ("pod-security.kubernetes.io/enforce", "privileged"),
    ];
    let namespace = Namespace {
        metadata: ObjectMeta {
            // The API server adds five random characters.
            generate_name: Some(format!("e2e-{test}-")),
            labels: Some(labels.into_iter().map(|(key, value)| (key.into(), value.into())).collect()),
            ..ObjectMeta::default()
        },
        ..Namespace::default()
    };
    let api: Api<Namespace> = Api::all(client.clone());
    let created =
        api.create(&PostParams::default(), &namespace).await.context("failed to create a namespace")?;
    Ok(created.name_any())
}

async fn delete(client: &Client, namespace: &str) -> Result<()> {
    let api: Api<Namespace> = Api::all(client.clone());
    api.delete(namespace, &DeleteParams::default())
        .await
        .with_context(|| format!("failed to delete the namespace {namespace}"))?;
    Ok(())
}
