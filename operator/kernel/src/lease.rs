//! Client required: the Lease by which one operator acts at a time. Who loses it stops.
//!
//! The rules are those of client-go's leader election. Time is measured by each process for itself: a holder stops when it has not
//! renewed for [`RENEW_WITHIN`], another takes over when it has seen no renewal for [`DURATION`], which is longer. A holder that is
//! cut off from the API server learns nothing from there, so it must know by its own clock that its time is up.

use std::time::Duration;

use copr_operator_api::labels::FIELD_MANAGER;
use jiff::Timestamp;
use k8s_openapi::{
    api::coordination::v1::{Lease, LeaseSpec},
    apimachinery::pkg::apis::meta::v1::MicroTime,
};
use kube::{
    Api, Client,
    api::{ObjectMeta, PostParams},
};
use tokio::{sync::watch, time::Instant};

use crate::report;

/// How long a holder that isn't heard of keeps the Lease.
const DURATION: Duration = Duration::from_secs(30);
/// How long a holder goes on without renewing it.
const RENEW_WITHIN: Duration = Duration::from_secs(20);
/// How long a request may take.
const REQUEST_WITHIN: Duration = Duration::from_secs(5);
/// How often the Lease is looked at.
const PERIOD: Duration = Duration::from_secs(2);
/// How often a holder renews it.
const RENEW_EVERY: Duration = Duration::from_secs(6);

/// Whether this operator may act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Not yet: another does, or the API server didn't answer yet.
    Waiting,
    /// It holds the Lease.
    Holding,
    /// It held the Lease, and doesn't any more.
    Lost,
}

/// What to do about the Lease as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Create,
    Take,
    Renew,
    Nothing,
}

/// A holder as it was seen.
#[derive(Clone, Debug, PartialEq)]
struct Sighting {
    holder: String,
    renewed: Option<MicroTime>,
    since: Instant,
}

/// Competes for the Lease; the state is told to the channel. Ends when the Lease is lost, or released on shutdown.
pub async fn hold(
    client: Client,
    namespace: &str,
    identity: String,
    state: watch::Sender<State>,
    shutdown: impl Future<Output = ()>,
) {
    let leases: Api<Lease> = Api::namespaced(client, namespace);
    let mut holder = Holder { leases, identity, last: None, renewed: None };
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        match tokio::time::timeout(REQUEST_WITHIN, holder.step()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(error = report::chain(&error), "Failed to renew the Lease"),
            Err(_) => tracing::warn!("Failed to renew the Lease: the API server doesn't answer"),
        }
        let was = *state.borrow();
        let is = holder.state(was);
        state.send_replace(is);
        if is != was {
            tracing::info!(identity = holder.identity, state = ?is, "The Lease");
        }
        if is == State::Lost {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(PERIOD) => {}
            () = &mut shutdown => break,
        }
    }
    if holder.renewed.is_some() {
        let failed = match tokio::time::timeout(REQUEST_WITHIN, holder.release()).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => report::chain(&error),
            Err(_) => "the API server doesn't answer".to_owned(),
        };
        tracing::warn!(
            error = failed,
            "Failed to release the Lease; another operator waits until it runs out"
        );
    }
}

struct Holder {
    leases: Api<Lease>,
    identity: String,
    /// Another holder as it was seen last.
    last: Option<Sighting>,
    /// When this one held it last.
    renewed: Option<Instant>,
}

impl Holder {
    fn state(&self, was: State) -> State {
        match self.renewed {
            Some(renewed) if renewed.elapsed() < RENEW_WITHIN => State::Holding,
            Some(_) => State::Lost,
            None if was == State::Holding => State::Lost,
            None => was,
        }
    }

    async fn step(&mut self) -> Result<(), kube::Error> {
        let lease = self.leases.get_opt(FIELD_MANAGER).await?;
        // Taken before the Lease is written, so that the time that the request takes shortens the holder's term and never lengthens
        // it.
        let now = Instant::now();
        let act = decide(lease.as_ref(), &self.identity, &mut self.last, now);
        let done = match (act, lease) {
            (Act::Create, _) => self.leases.create(&PostParams::default(), &self.lease(None)).await,
            (Act::Take, Some(lease)) => self.write(lease).await,
            (Act::Renew, Some(lease)) => {
                if self.renewed.is_some_and(|renewed| renewed.elapsed() < RENEW_EVERY) {
                    return Ok(());
                }
                self.write(lease).await
            }
            _ => {
                // Another operator holds the Lease, even if this one believed to hold it.
                self.renewed = None;
                return Ok(());
            }
        };
        match done {
            Ok(_) => self.renewed = Some(now),
            // Another operator wrote the Lease first. The next step reads it and sees who.
            Err(kube::Error::Api(answer)) if answer.is_conflict() || answer.is_already_exists() => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Valid for exactly the version that was read: of two writers one fails.
    async fn write(&self, lease: Lease) -> Result<Lease, kube::Error> {
        self.leases.replace(FIELD_MANAGER, &PostParams::default(), &self.lease(Some(lease))).await
    }

    async fn release(&self) -> Result<(), kube::Error> {
        let Some(mut lease) = self.leases.get_opt(FIELD_MANAGER).await? else { return Ok(()) };
        let spec = lease.spec.get_or_insert_default();
        if spec.holder_identity.as_ref() == Some(&self.identity) {
            spec.holder_identity = None;
            self.leases.replace(FIELD_MANAGER, &PostParams::default(), &lease).await?;
        }
        Ok(())
    }

    fn lease(&self, before: Option<Lease>) -> Lease {
        let now = now();
        let old = before.as_ref().and_then(|lease| lease.spec.clone()).unwrap_or_default();
        let same = old.holder_identity.as_ref() == Some(&self.identity);
        let transitions = old.lease_transitions.unwrap_or_default();
        let metadata = before.map_or_else(
            || ObjectMeta { name: Some(FIELD_MANAGER.into()), ..ObjectMeta::default() },
            |lease| lease.metadata,
        );
        Lease {
            metadata,
            spec: Some(LeaseSpec {
                holder_identity: Some(self.identity.clone()),
                lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
                acquire_time: if same { old.acquire_time } else { Some(now.clone()) },
                renew_time: Some(now),
                lease_transitions: Some(if same { transitions } else { transitions.saturating_add(1) }),
                ..old
            }),
        }
    }
}

/// What to do, by what was read. Pure, but for `last`, in which it notes the other holder and when its Lease last changed.
fn decide(lease: Option<&Lease>, identity: &str, last: &mut Option<Sighting>, now: Instant) -> Act {
    let Some(lease) = lease else { return Act::Create };
    let spec = lease.spec.clone().unwrap_or_default();
    let holder = spec.holder_identity.unwrap_or_default();
    if holder == identity {
        return Act::Renew;
    }
    if holder.is_empty() {
        return Act::Take;
    }
    let same = last.as_ref().filter(|seen| seen.holder == holder && seen.renewed == spec.renew_time);
    let since = same.map_or(now, |seen| seen.since);
    *last = Some(Sighting { holder, renewed: spec.renew_time, since });
    let lasts = spec.lease_duration_seconds.and_then(|seconds| u64::try_from(seconds).ok());
    let lasts = lasts.map_or(DURATION, Duration::from_secs);
    if now.duration_since(since) >= lasts { Act::Take } else { Act::Nothing }
}

#[expect(
    clippy::disallowed_methods,
    reason = "what is written into the Lease is for people: nothing is decided by it"
)]
fn now() -> MicroTime {
    MicroTime(Timestamp::now())
}

#[cfg(test)]
mod tests;
