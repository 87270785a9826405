//! Which packages of the repositories an image could get. Pure.
//!
//! The answer decides what is rebuilt, so what can't be excluded counts. The packages of the distribution aren't read, and any
//! of them may require, or be replaced by, what an overlay brings. One thing is certain: the packages of a distribution that
//! the Containerfiles install don't depend on Copr. So a package is left out of an image if everything that it provides,
//! obsoletes or supplements bears Copr's name, and nothing that goes into the image asks for any of that. Of what the image
//! asks for, every provider counts, whatever the version, and of a rich dependency every name; if Copr's own packages ask for
//! one of Copr's that no repository has, it comes from somewhere unseen, and all of Copr's count.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use copr_operator_api::v1alpha1::InstalledPackage;
use rpmrepo_metadata::Evr;

/// A repository as far as it was read.
#[derive(Clone, Debug)]
pub struct Content {
    /// Its name in the spec.
    pub name: String,
    /// dnf's priority.
    pub priority: i32,
    /// Checksum of primary.xml.
    pub primary: String,
    /// What it has.
    pub packages: Packages,
}

/// The packages of a repository.
#[derive(Clone, Debug)]
pub enum Packages {
    /// Too many to be kept: the checksum of primary.xml stands for all of them.
    Whole,
    /// Each of them.
    Listed(Arc<Vec<Package>>),
}

/// A package of a repository, as far as it matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Name.
    pub name: Box<str>,
    /// `epoch:version-release`.
    pub evr: Box<str>,
    /// Name of the source package that it was built from, where that is another name.
    pub source: Option<Box<str>>,
    /// Architecture; those that can't be installed here aren't kept.
    pub arch: &'static str,
    /// SHA-256 of type and value of the file's checksum.
    pub checksum: [u8; 32],
    /// What bears Copr's name.
    pub own: Own,
    /// Whether something else may bring it: it has to do with names that aren't Copr's.
    pub open: bool,
}

/// The names of Copr that a package has to do with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Own {
    /// What it provides, its name and its files included.
    pub provides: Box<[Box<str>]>,
    /// What it requires or recommends.
    pub wants: Box<[Box<str>]>,
    /// What it obsoletes, supplements or enhances: dnf takes it where these are.
    pub follows: Box<[Box<str>]>,
}

/// Whether only Copr's own packages and their clients ask for this name.
pub fn is_copr(name: &str) -> bool {
    name.contains("copr") || name.contains("resalloc")
}

impl Package {
    /// Name, epoch (unless 0), version, release, architecture.
    pub fn nevra(&self) -> String {
        let evr = self.evr.strip_prefix("0:").unwrap_or(&self.evr);
        format!("{}-{evr}.{}", self.name, self.arch)
    }

    /// What it takes up in memory.
    pub fn bytes(&self) -> usize {
        /// What an allocation costs beside its content.
        const ALLOCATION: usize = 16;
        let text = |text: &str| text.len() + ALLOCATION;
        let names =
            |names: &[Box<str>]| names.iter().map(|name| text(name) + size_of::<Box<str>>()).sum::<usize>();
        let Own { provides, wants, follows } = &self.own;
        size_of::<Self>()
            + text(&self.name)
            + text(&self.evr)
            + self.source.as_deref().map_or(0, text)
            + names(provides)
            + names(wants)
            + names(follows)
    }

    fn is_newer_than(&self, other: &Self) -> bool {
        parts(&self.evr) > parts(&other.evr)
    }
}

fn parts(evr: &str) -> Evr<'_> {
    let (epoch, rest) = evr.split_once(':').unwrap_or(("0", evr));
    let (version, release) = rest.split_once('-').unwrap_or((rest, ""));
    Evr::new(epoch, version, release)
}

/// Whether an `epoch:version-release` is the one of a pin, whose epoch may be missing if it is 0.
pub fn is_pinned(evr: &str, pin: &str) -> bool {
    let with_epoch = |evr: &str| if evr.contains(':') { evr.to_owned() } else { format!("0:{evr}") };
    with_epoch(evr) == with_epoch(pin)
}

/// One thing that an image could get from a repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Picked {
    /// Name of the repository.
    pub repository: String,
    /// NEVRA, or `*` for a repository that counts as a whole.
    pub nevra: String,
    /// Checksum of the package, or of primary.xml.
    pub checksum: Vec<u8>,
}

/// What dnf chooses from: of each name one package.
pub struct Choice<'a> {
    best: BTreeMap<&'a str, (&'a Content, &'a Package)>,
    providers: BTreeMap<&'a str, Vec<&'a str>>,
    followers: BTreeMap<&'a str, Vec<&'a str>>,
    whole: Vec<Picked>,
}

impl<'a> Choice<'a> {
    /// From what the repositories have.
    pub fn new(repositories: &'a [Content], arch: &str, pins: &BTreeMap<String, String>) -> Self {
        let best = best(repositories, arch, pins);
        let mut providers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let mut followers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (name, (_, package)) in &best {
            for provided in &package.own.provides {
                providers.entry(provided).or_default().push(name);
            }
            for followed in &package.own.follows {
                followers.entry(followed).or_default().push(name);
            }
        }
        let whole = repositories.iter().filter_map(|repository| match &repository.packages {
            Packages::Whole => Some(Picked {
                repository: repository.name.clone(),
                nevra: "*".into(),
                checksum: repository.primary.clone().into_bytes(),
            }),
            Packages::Listed(_) => None,
        });
        let whole = whole.collect();
        Self { best, providers, followers, whole }
    }

    /// What the install of these names could take from the repositories.
    pub fn resolve(&self, names: &[String]) -> BTreeSet<Picked> {
        let mut waiting: Vec<&str> = names.iter().map(String::as_str).filter(|name| is_copr(name)).collect();
        let mut picked: BTreeSet<&str> = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let open = self.best.iter().filter(|(_, (_, package))| package.open).map(|(name, _)| *name);
        let mut found: Vec<&str> = open.collect();
        loop {
            while let Some(name) = found.pop() {
                let Some((_, package)) = self.best.get(name).filter(|_| picked.insert(name)) else {
                    continue;
                };
                waiting.extend(package.own.wants.iter().map(AsRef::as_ref));
                let follow = package.own.provides.iter().filter_map(|name| self.followers.get(name.as_ref()));
                found.extend(follow.flatten());
            }
            let Some(wanted) = waiting.pop() else { break };
            if !seen.insert(wanted) {
                continue;
            }
            match self.providers.get(wanted) {
                Some(providers) => found.extend(providers),
                // No repository of the spec provides it, so it comes from one that isn't read (the base image's own), and may in
                // turn require any package of those of the spec.
                None => found.extend(self.best.keys()),
            }
            found.extend(self.followers.get(wanted).into_iter().flatten());
        }
        let of = |name: &&str| {
            let (repository, package) = self.best.get(*name)?;
            Some(Picked {
                repository: repository.name.clone(),
                nevra: package.nevra(),
                checksum: package.checksum.to_vec(),
            })
        };
        picked.iter().filter_map(of).chain(self.whole.iter().cloned()).collect()
    }
}

/// The pins that no repository has, with the versions that there are; nothing if one of the repositories counts as a whole.
pub fn missing_pins(pins: &BTreeMap<String, String>, repositories: &[Content], arch: &str) -> Option<String> {
    let mut problems = Vec::new();
    for (name, pin) in pins {
        let mut there = BTreeSet::new();
        for repository in repositories {
            let Packages::Listed(packages) = &repository.packages else { return None };
            let named = packages.iter().filter(|p| *p.name == **name && is_usable(p, arch));
            there.extend(named.map(|package| (package.evr.as_ref(), repository.name.as_str())));
        }
        if there.iter().any(|(evr, _)| is_pinned(evr, pin)) {
            continue;
        }
        let versions: Vec<_> = there
            .iter()
            .map(|(evr, repository)| format!("{} ({repository})", evr.strip_prefix("0:").unwrap_or(evr)))
            .collect();
        let versions = if versions.is_empty() { "none at all".into() } else { versions.join(", ") };
        problems.push(format!("no repository has {name} {pin}; there is {versions}"));
    }
    (!problems.is_empty()).then(|| problems.join("; "))
}

/// What dnf would take of these names, as it stands in the repositories; nothing is known if one of them counts as a whole.
pub fn offered(
    repositories: &[Content],
    arch: &str,
    pins: &BTreeMap<String, String>,
) -> Option<Vec<InstalledPackage>> {
    let is_listed = |content: &Content| matches!(content.packages, Packages::Listed(_));
    let of = |(repository, package): (&Content, &Package)| InstalledPackage {
        nevra: package.nevra(),
        repository: repository.name.clone(),
        source: package.source.as_deref().map(str::to_owned),
    };
    let all = || best(repositories, arch, pins).into_values().map(of).collect();
    repositories.iter().all(is_listed).then(all)
}

fn is_usable(package: &Package, arch: &str) -> bool {
    package.arch == "noarch" || package.arch == arch
}

/// Of each name the package that dnf would take: the pinned version, else the lowest priority number, then the highest
/// version, then the first repository.
fn best<'a>(
    repositories: &'a [Content],
    arch: &str,
    pins: &BTreeMap<String, String>,
) -> BTreeMap<&'a str, (&'a Content, &'a Package)> {
    let mut best: BTreeMap<&str, (&Content, &Package)> = BTreeMap::new();
    for repository in repositories {
        let Packages::Listed(packages) = &repository.packages else { continue };
        let usable = |package: &&Package| {
            is_usable(package, arch)
                && pins.get(&*package.name).is_none_or(|pin| is_pinned(&package.evr, pin))
        };
        for package in packages.iter().filter(usable) {
            let better = best.get(&*package.name).is_none_or(|(present, known)| {
                repository.priority < present.priority
                    || repository.priority == present.priority && package.is_newer_than(known)
            });
            if better {
                best.insert(&package.name, (repository, package));
            }
        }
    }
    best
}

/// The names in a requirement: the one, or all of a rich dependency such as `(a if b)`.
pub fn names_in(requirement: &str) -> Vec<String> {
    if !requirement.starts_with('(') {
        return vec![requirement.to_owned()];
    }
    let operator = |word: &&str| {
        !matches!(*word, "and" | "or" | "if" | "unless" | "else" | "with" | "without")
            && !matches!(*word, "<" | "<=" | "=" | ">=" | ">")
    };
    // A capability such as python3dist(x) keeps its own parentheses.
    let bare = |word: &str| {
        let word = word.trim_start_matches('(');
        let extra = word.matches(')').count().saturating_sub(word.matches('(').count());
        word.strip_suffix(&")".repeat(extra)).unwrap_or(word).to_owned()
    };
    requirement.split_whitespace().filter(operator).map(bare).collect()
}

#[cfg(test)]
mod tests;
