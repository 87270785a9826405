//! What there is to say of a run, to whom. Pure.
//!
//! Before the end only what doesn't change meanwhile is said: each change of it would be sent.

use copr_operator_api::v1alpha1::{
    CoprTestRun, CoprTestRunStatus, ForgeReport, Report, ReportEvent, ReportTarget, Source, Webhook,
};
use copr_operator_kernel::forge::GITHUB;
use jiff::Timestamp;
use kube::ResourceExt as _;
use reqwest::Url;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{exchange, render};

/// A run that can be spoken of: it has started.
pub struct News<'a> {
    pub name: String,
    pub namespace: String,
    pub uid: String,
    pub created: Timestamp,
    pub started: Timestamp,
    /// None while it goes on.
    pub finished: Option<Timestamp>,
    pub source: Source,
    pub status: &'a CoprTestRunStatus,
}

/// One thing to say.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted<'a> {
    pub target: ReportTarget,
    pub event: ReportEvent,
    pub digest: String,
    pub saying: Saying<'a>,
}

/// What is said, and to whom.
#[derive(Clone, Debug, PartialEq)]
pub enum Saying<'a> {
    Status(&'a ForgeReport, render::CommitStatus),
    Comment(&'a ForgeReport, String),
    Event(&'a Webhook, Value),
}

/// What there is to say of a run, if there is anything.
pub fn news(run: &CoprTestRun) -> Option<News<'_>> {
    let status = run.status.as_ref()?;
    let started = status.timestamps.started.as_ref()?.0;
    // The verdict is final, then: it never changes again.
    let finished = status.timestamps.finished.as_ref().filter(|_| status.phase.is_final());
    Some(News {
        name: run.name_any(),
        namespace: run.namespace()?,
        uid: run.uid()?,
        created: run.creation_timestamp().map_or(started, |time| time.0),
        started,
        finished: finished.map(|time| time.0),
        source: run.spec.source.clone().unwrap_or_default(),
        status,
    })
}

impl Saying<'_> {
    /// Host and port of whom it's for.
    pub fn host(&self) -> String {
        let url = match self {
            Self::Status(forge, _) | Self::Comment(forge, _) => forge.api_url.as_deref().unwrap_or(GITHUB),
            Self::Event(webhook, _) => &webhook.url,
        };
        Url::parse(url).map_or_else(|_| url.to_owned(), |url| exchange::host(&url))
    }
}

impl News<'_> {
    /// What of the run is told.
    pub fn event(&self) -> ReportEvent {
        if self.finished.is_some() { ReportEvent::Finished } else { ReportEvent::Started }
    }
}

/// Everything that is to be said, as the spec has it now.
pub fn wanted<'a>(news: &News<'_>, report: &'a Report) -> Vec<Wanted<'a>> {
    let (event, mut wanted) = (news.event(), Vec::new());
    let mut add = |target, to: &[&str], text: &str, saying| {
        wanted.push(Wanted { target, event, digest: digest(to, text), saying });
    };
    if let Some(forge) = &report.forge {
        let url = forge.api_url.as_deref().unwrap_or_default();
        let repository = repository(forge, &news.source);
        let commit = news.source.commit.as_deref().unwrap_or_default();
        let status = render::commit_status(news, forge);
        let text = status.body(forge.type_).to_string();
        add(ReportTarget::CommitStatus, &[url, repository, commit], &text, Saying::Status(forge, status));
        if let Some(number) = news.source.pull_request.filter(|_| forge.comment) {
            let text = render::comment(news, forge);
            let to = [url, repository, &number.to_string()];
            add(ReportTarget::Comment, &to, &text, Saying::Comment(forge, text.clone()));
        }
    }
    if let Some(webhook) = &report.webhook {
        let event = render::event(news);
        add(ReportTarget::Webhook, &[&webhook.url], &event.to_string(), Saying::Event(webhook, event));
    }
    wanted
}

/// The repository on the forge.
pub fn repository<'a>(forge: &'a ForgeReport, source: &'a Source) -> &'a str {
    forge.repository.as_deref().or(source.repository.as_deref()).unwrap_or_default()
}

fn digest(to: &[&str], text: &str) -> String {
    let mut hash = Sha256::new();
    for part in to.iter().chain([&text]) {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hex::encode(&hash.finalize()[..8])
}
