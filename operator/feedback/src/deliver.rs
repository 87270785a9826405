//! Client required: says what is due of a run, to whom it's due.

use copr_operator_api::v1alpha1::{CoprTestRun, ReportStatus};
use jiff::Timestamp;
use kube::ResourceExt as _;
use reqwest::Client;

use crate::{
    due::{self, Due},
    exchange::Failure,
    forge::Forge,
    news::{Saying, Wanted},
    pauses::Pauses,
    webhook,
};

/// What is known of each report now, and when to look again.
pub struct Delivered {
    pub reports: Vec<ReportStatus>,
    pub retry_at: Option<Timestamp>,
}

/// Says everything that is due, one after the other. One who can't be told keeps nothing from the others.
pub async fn deliver(
    client: &kube::Client,
    (http, pauses): (&Client, &Pauses),
    run: &CoprTestRun,
    wanted: &[Wanted<'_>],
    clock: impl Fn() -> Timestamp,
) -> Delivered {
    let known = run.status.as_ref().map(|status| status.reports.as_slice()).unwrap_or_default();
    let namespace = run.namespace().unwrap_or_default();
    let mut delivered = Delivered { reports: Vec::new(), retry_at: None };
    for wanted in wanted {
        let known = known.iter().find(|known| known.target == wanted.target);
        let report = if let (Due::Never | Due::At(_), Some(known)) = (due::due(wanted, known, clock()), known)
        {
            known.clone()
        } else {
            let host = wanted.saying.host();
            if let Some(asked) = pauses.until(&namespace, &host, clock()) {
                due::held(wanted, known, asked, clock())
            } else {
                let result = say(client, http, run, wanted, clock()).await;
                if let Err(failure) = &result {
                    tracing::warn!(target = %wanted.target, words = %failure, "A run can't be reported");
                    pauses.note(&namespace, &host, failure, clock());
                }
                due::tried(wanted, known, result, clock())
            }
        };
        let retry = report.retry_at.as_ref().map(|time| time.0);
        delivered.retry_at = delivered.retry_at.into_iter().chain(retry).min();
        delivered.reports.push(report);
    }
    delivered
}

async fn say(
    client: &kube::Client,
    http: &Client,
    run: &CoprTestRun,
    wanted: &Wanted<'_>,
    now: Timestamp,
) -> Result<(), Failure> {
    let namespace = run.namespace().unwrap_or_default();
    let cluster = (client, namespace.as_str());
    let source = run.spec.source.clone().unwrap_or_default();
    match &wanted.saying {
        Saying::Event(webhook, event) => webhook::send(cluster, http, webhook, event).await,
        Saying::Status(forge, status) => {
            Forge::new(cluster, http, forge, &source, now).await?.status(status).await
        }
        Saying::Comment(forge, text) => {
            Forge::new(cluster, http, forge, &source, now).await?.comment(text).await
        }
    }
}
