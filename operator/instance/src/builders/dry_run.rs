//! Client required: would the API server admit a builder? Asked before any build, without making one.
//!
//! Pod Security, quotas, limit ranges, security context constraints and admission webhooks answer a dry run as they answer
//! resalloc: what counts is the pod and its service account.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use copr_operator_kernel::report;
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Pod;
use kube::{
    Api, Client,
    api::{ApiResource, PostParams},
};
use sha2::{Digest as _, Sha256};

use crate::{build, validate::Instance};

/// How soon builders that are refused are tried again.
pub const PAUSE: SignedDuration = SignedDuration::from_secs(30);
/// How long an admission counts. It must end, since a quota or a policy may come without a change of the instance.
const TRUST: SignedDuration = SignedDuration::from_mins(10);
/// Name of the pod that is never made. Real ones are numbered.
const SUFFIX: &str = "builder-dry-run";

/// What a dry run said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The API server's words, if it refused.
    refused: Option<String>,
    /// When.
    at: Timestamp,
}

impl Outcome {
    /// Why builders are refused. While there are builders, a quota that is used up counts as no refusal: it is the builders that
    /// use it.
    pub fn refusal(&self, no_builder: bool) -> Option<&str> {
        let why = self.refused.as_deref()?;
        (no_builder || !why.contains("exceeded quota")).then_some(why)
    }

    /// Whether a builder was admitted later than that.
    pub fn admitted_after(&self, time: Timestamp) -> bool {
        self.refused.is_none() && self.at > time
    }
}

/// The last dry run of each instance, by uid.
#[derive(Debug, Default)]
pub struct DryRuns(Mutex<HashMap<String, Known>>);

#[derive(Clone, Debug)]
struct Known {
    hash: String,
    outcome: Outcome,
}

impl DryRuns {
    /// What the API server says of the instance's builders: asked now if that is due, else what it said before. `troubled` is
    /// whether builders are in trouble, for whatever reason. None if it gave no answer that says anything.
    pub async fn check(
        &self,
        client: &Client,
        instance: &Instance,
        troubled: bool,
        now: Timestamp,
    ) -> Option<Outcome> {
        let pods = pods(instance);
        let hash = hash(&pods);
        let known = self.lock().get(&instance.owner.uid).cloned();
        if let Some(known) = known.filter(|known| !is_due(known, &hash, troubled, now)) {
            return Some(known.outcome);
        }
        let api: Api<Pod> = Api::namespaced(client.clone(), &instance.namespace);
        let params = PostParams { dry_run: true, ..PostParams::default() };
        let mut refused = None;
        for pod in &pods {
            match classify(api.create(&params, pod).await.map(drop)) {
                Answer::Admitted => {}
                Answer::Refused(why) => {
                    refused = Some(why);
                    break;
                }
                Answer::Silent(why) => {
                    tracing::info!(why, "A dry run of a builder says nothing about builders");
                    return None;
                }
            }
        }
        let outcome = Outcome { refused, at: now };
        let mut all = self.lock();
        // Entries of instances that are gone aren't renewed, and are dropped here.
        all.retain(|_, known| now.duration_since(known.outcome.at) < TRUST + TRUST);
        all.insert(instance.owner.uid.clone(), Known { hash, outcome: outcome.clone() });
        Some(outcome)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        // Entries are replaced whole, so they are usable even if a thread panicked while it held the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The builder of each pool, under a name that no builder has.
fn pods(instance: &Instance) -> Vec<Pod> {
    let named = |pool| {
        let mut pod = build::builder_pod(instance, pool);
        pod.metadata.name = Some(instance.object(SUFFIX));
        pod
    };
    instance.pools.iter().map(named).collect()
}

fn hash(pods: &[Pod]) -> String {
    let text = serde_json::to_vec(pods).unwrap_or_default();
    hex::encode(&Sha256::digest(&text)[..8])
}

fn is_due(known: &Known, hash: &str, troubled: bool, now: Timestamp) -> bool {
    let age = now.duration_since(known.outcome.at);
    let limit = if troubled || known.outcome.refused.is_some() { PAUSE } else { TRUST };
    // Half a second of tolerance: a reconcile that was scheduled for this moment may come a little early, and would do nothing.
    known.hash != hash || age >= limit.saturating_sub(SignedDuration::from_millis(500))
}

/// What an answer says about builders.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Admitted,
    /// The API server's own words.
    Refused(String),
    /// Nothing, because of this.
    Silent(String),
}

fn classify(result: Result<(), kube::Error>) -> Answer {
    let error = match result {
        Ok(()) => return Answer::Admitted,
        Err(error) => error,
    };
    let kube::Error::Api(status) = &error else { return Answer::Silent(report::chain(&error)) };
    let about_us = status.message.contains("cannot create resource")
        || status.message.contains("does not support dry run")
        || matches!(status.code, 401 | 404 | 408 | 409 | 429);
    if about_us || !(400..500).contains(&status.code) {
        return Answer::Silent(status.message.clone());
    }
    // The message names the pod of the dry run, which never existed: that part would only mislead people, and is cut off.
    let name = ApiResource::erase::<Pod>(&()).plural;
    let own = status.message.split_once("is forbidden: ");
    let message = match own {
        Some((subject, why)) if subject.starts_with(&name) && subject.contains(SUFFIX) => why.to_owned(),
        _ => status.message.clone(),
    };
    Answer::Refused(message)
}

#[cfg(test)]
mod tests;
