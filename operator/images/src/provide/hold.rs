//! Client required: holds an instance's images back until the repositories have what `packages.require` says, or its time is over.

use std::{sync::Arc, time::Duration};

use copr_operator_api::v1alpha1::{InstalledPackage, Packages, PackagesStatus, PackagesWait, Require};
use copr_operator_kernel::{conditions::Finding, http};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::{Provider, Wanted, condition};
use crate::{
    arch,
    build::{failure::Error, kept::kept},
    resolve::{
        candidates::{self, Content, Package, is_copr, offered},
        repository::{self, Source, source},
        require, spec_hash,
    },
};

/// How long after one look at the repositories the next is.
const PAUSE: SignedDuration = SignedDuration::from_secs(60);
/// How many instances' last looks are remembered, and for how long; who is forgotten looks once more.
pub const REMEMBERED: u64 = 10_000;
pub const FORGOTTEN: Duration = Duration::from_secs(120);

/// Why nothing is to be done yet, and when to look again.
pub type Held = (Finding, Option<Duration>);

impl Provider {
    /// Nothing if images can be made, or were. What is found is noted in the status, the beginning of the wait also if the
    /// repositories can't be read.
    pub(super) async fn hold(
        &self,
        wanted: &Wanted<'_>,
        spec: &Packages,
        packages: &mut Option<PackagesStatus>,
        now: Timestamp,
    ) -> Result<Option<Held>, Error> {
        let Some(require) = spec.require.as_ref().filter(|r| r.timeout.is_some() || r.commits.is_some())
        else {
            if let Some(known) = packages {
                known.wait = None;
            }
            return Ok(None);
        };
        let known = packages.get_or_insert_default();
        // What its pods run is there, whatever suites lack.
        let is_settled = !kept(known, wanted.spec).is_empty();
        if is_settled && require::unmet(spec, &known.images).is_none() {
            return Ok(None);
        }
        let hash = spec_hash::wait_hash(wanted.spec, require);
        if known.wait.as_ref().is_none_or(|wait| wait.hash != hash) {
            known.wait = Some(PackagesWait { hash, since: Some(Time(now)), ..PackagesWait::default() });
        }
        let Some(wait) = known.wait.as_mut().filter(|wait| wait.over.is_none()) else { return Ok(None) };
        let limit = Limit::new(require, wait, now);
        let key = format!("{} {}", wanted.owner.uid, wait.hash);
        if !wait.missing.is_empty() {
            let next = self.looked.get(&key).await.map_or(now, |looked| looked + PAUSE);
            if now >= limit.end || now < next {
                return Ok(Some(limit.held(wait, now, next)));
            }
        }
        let missing = self
            .offered(wanted, spec, require)
            .await?
            .map(|offered| require::missing(spec, &offered))
            .unwrap_or_default();
        self.looked.insert(key, now).await;
        if missing.is_empty() {
            wait.missing = missing;
            wait.over = Some(Time(now));
            // What images were made from before doesn't count any more: an empty hash has the repositories read for them.
            known.spec_hash.clear();
            return Ok(None);
        }
        wait.missing = missing;
        Ok(Some(limit.held(wait, now, now + PAUSE)))
    }

    /// What dnf would take of the required packages now. Nothing if a repository is too large to be read.
    async fn offered(
        &self,
        wanted: &Wanted<'_>,
        spec: &Packages,
        require: &Require,
    ) -> Result<Option<Vec<InstalledPackage>>, Error> {
        let mut contents = Vec::new();
        for repository in &spec.repositories {
            let source = source(wanted.client, &wanted.namespace, repository).await?;
            contents.extend(self.read_one(&source, require).await?);
        }
        Ok(offered(&contents, arch::rpm_arch(), &spec.pins))
    }

    /// One repository, as far as it matters; nothing of one that isn't there yet, as a pull request's before its first build.
    async fn read_one(&self, source: &Source, require: &Require) -> Result<Option<Content>, Error> {
        let read = match self.reader.read(std::slice::from_ref(source)).await {
            Err(repository::Error::Fetch { problem: http::Error::Status { status, .. }, .. })
                if status == reqwest::StatusCode::NOT_FOUND =>
            {
                return Ok(None);
            }
            read => read?,
        };
        let (mut contents, _permit) = read;
        let matters = |package: &&Package| {
            require.commit.is_some() && is_copr(&package.name)
                || require::is_named(require, &package.name, package.source.as_deref())
        };
        Ok(contents.pop().map(|content| match content.packages {
            candidates::Packages::Listed(packages) => {
                let packages = Arc::new(packages.iter().filter(matters).cloned().collect());
                Content { packages: candidates::Packages::Listed(packages), ..content }
            }
            candidates::Packages::Whole => content,
        }))
    }
}

/// How long the wait is.
struct Limit<'a> {
    timeout: Option<&'a str>,
    end: Timestamp,
}

impl<'a> Limit<'a> {
    fn new(require: &'a Require, wait: &PackagesWait, now: Timestamp) -> Self {
        let timeout = require.timeout.as_deref();
        // The API server admits nothing that isn't a duration; without one there is no waiting.
        let time = timeout.and_then(|text| text.parse::<SignedDuration>().ok()).unwrap_or_default();
        let since = wait.since.as_ref().map_or(now, |since| since.0);
        let end = since.checked_add(time).unwrap_or(Timestamp::MAX);
        // In whole seconds, as the status keeps the beginning: the words are the same before and after.
        Self { timeout, end: Timestamp::from_second(end.as_second()).unwrap_or(end) }
    }

    fn held(&self, wait: &PackagesWait, now: Timestamp, next: Timestamp) -> Held {
        match self.timeout {
            Some(timeout) if now < self.end => {
                let left = next.min(self.end).duration_since(now);
                let left = Duration::try_from(left).unwrap_or_default().max(Duration::from_secs(1));
                (condition::of_wait(&wait.missing, self.end, timeout), Some(left))
            }
            timeout => (condition::of_missing(&wait.missing, timeout), None),
        }
    }
}

#[cfg(test)]
mod tests;
