//! Which packages of the repositories an image would install. Pure.
//!
//! It takes too much rather than too little, as its answer decides what is rebuilt: every provider of a requirement
//! counts, whatever the version, and of a rich dependency every name.

use std::collections::{BTreeMap, BTreeSet};

use rpmrepo_metadata::Evr;

/// A repository as far as it was read.
#[derive(Clone, Debug)]
pub struct Content {
    /// Its name in the spec.
    pub name: String,
    /// dnf's priority.
    pub priority: i32,
    /// What it has.
    pub packages: Packages,
}

/// The packages of a repository.
#[derive(Clone, Debug)]
pub enum Packages {
    /// Too many to be read: the checksum of repomd.xml stands for all of them.
    Whole(String),
    /// Each of them.
    Listed(std::sync::Arc<Vec<Package>>),
}

/// A package of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// Name.
    pub name: String,
    /// Epoch, version and release.
    pub evr: (String, String, String),
    /// Architecture.
    pub arch: String,
    /// Type and value of the checksum of the file.
    pub checksum: String,
    /// What it provides, its name and its files included.
    pub provides: BTreeSet<String>,
    /// What it requires or recommends.
    pub wants: BTreeSet<String>,
}

impl Package {
    /// Name, epoch (unless 0), version, release, architecture.
    pub fn nevra(&self) -> String {
        let (epoch, version, release) = &self.evr;
        let epoch = if epoch.is_empty() || epoch == "0" { String::new() } else { format!("{epoch}:") };
        format!("{}-{epoch}{version}-{release}.{}", self.name, self.arch)
    }

    fn is_newer_than(&self, other: &Self) -> bool {
        let evr = |p: &Self| Evr::new(p.evr.0.clone(), p.evr.1.clone(), p.evr.2.clone());
        evr(self) > evr(other)
    }
}

/// One thing that an image would get from a repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Picked {
    /// Name of the repository.
    pub repository: String,
    /// NEVRA, or `*` for a repository that was not read.
    pub nevra: String,
    /// Checksum of the package, or of repomd.xml.
    pub checksum: String,
}

/// What the install of these names would take from the repositories.
pub fn resolve(names: &[String], repositories: &[Content], arch: &str) -> BTreeSet<Picked> {
    let mut picked = BTreeSet::new();
    for repository in repositories {
        if let Packages::Whole(checksum) = &repository.packages {
            picked.insert(Picked {
                repository: repository.name.clone(),
                nevra: "*".into(),
                checksum: checksum.clone(),
            });
        }
    }
    let best = best(repositories, arch);
    let mut providers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, (_, package)) in &best {
        for provided in &package.provides {
            providers.entry(provided).or_default().push(name);
        }
    }
    let mut waiting: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut seen = BTreeSet::new();
    while let Some(wanted) = waiting.pop() {
        for name in providers.get(wanted).into_iter().flatten() {
            let Some((repository, package)) = best.get(name).filter(|_| seen.insert(*name)) else { continue };
            picked.insert(Picked {
                repository: repository.name.clone(),
                nevra: package.nevra(),
                checksum: package.checksum.clone(),
            });
            waiting.extend(package.wants.iter().map(String::as_str));
        }
    }
    picked
}

/// Of each name the package that dnf would take: lowest priority number, then highest version, then the first repository.
fn best<'a>(repositories: &'a [Content], arch: &str) -> BTreeMap<&'a str, (&'a Content, &'a Package)> {
    let mut best: BTreeMap<&str, (&Content, &Package)> = BTreeMap::new();
    for repository in repositories {
        let Packages::Listed(packages) = &repository.packages else { continue };
        let usable = |package: &&Package| package.arch == "noarch" || package.arch == arch;
        for package in packages.iter().filter(usable) {
            let better = best.get(package.name.as_str()).is_none_or(|(present, known)| {
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
mod tests {
    use std::sync::Arc;

    use super::*;

    fn package(nevr: &str, provides: &[&str], wants: &[&str]) -> Package {
        let mut parts = nevr.rsplitn(3, '-');
        let (release, version, name) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
        let mut provides: BTreeSet<String> = provides.iter().map(|&p| p.to_owned()).collect();
        provides.insert(name.to_owned());
        Package {
            name: name.to_owned(),
            evr: ("0".into(), version.into(), release.into()),
            arch: "noarch".into(),
            checksum: format!("sha256:{nevr}"),
            provides,
            wants: wants.iter().flat_map(|w| names_in(w)).collect(),
        }
    }

    fn repository(name: &str, priority: i32, packages: Vec<Package>) -> Content {
        Content { name: name.into(), priority, packages: Packages::Listed(Arc::new(packages)) }
    }

    fn main_repository() -> Content {
        repository(
            "main",
            50,
            vec![
                package("copr-frontend-2.7-1", &["frontend"], &["python3-copr-common >= 1"]),
                package("copr-keygen-2.2-1", &[], &["python3dist(copr-common)"]),
                package("python3-copr-common-1.7-1", &["python3dist(copr-common)"], &["bash"]),
                package("unrelated-1-1", &[], &[]),
            ]
            .into_iter()
            .map(|mut p| {
                p.wants = p.wants.iter().map(|w| w.split(' ').next().unwrap().to_owned()).collect();
                p
            })
            .collect(),
        )
    }

    fn resolved(names: &[&str], repositories: &[Content]) -> Vec<String> {
        let names: Vec<_> = names.iter().map(|&n| n.to_owned()).collect();
        resolve(&names, repositories, "x86_64")
            .into_iter()
            .map(|p| format!("{}: {}", p.repository, p.nevra))
            .collect()
    }

    #[test]
    fn requirements_are_followed_and_what_is_not_required_is_left_out() {
        let found = resolved(&["copr-frontend", "httpd"], &[main_repository()]);
        assert_eq!(found, ["main: copr-frontend-2.7-1.noarch", "main: python3-copr-common-1.7-1.noarch"]);
    }

    #[test]
    fn a_requirement_by_capability_finds_its_provider() {
        let found = resolved(&["copr-keygen"], &[main_repository()]);
        assert_eq!(found, ["main: copr-keygen-2.2-1.noarch", "main: python3-copr-common-1.7-1.noarch"]);
    }

    #[test]
    fn the_lowest_priority_number_wins_over_a_higher_version() {
        let overlay = repository("pr", 10, vec![package("copr-keygen-2.1-9", &[], &[])]);
        assert_eq!(
            resolved(&["copr-keygen"], &[main_repository(), overlay]),
            ["pr: copr-keygen-2.1-9.noarch"]
        );
    }

    #[test]
    fn of_equal_priorities_the_highest_version_wins_and_ten_is_more_than_nine() {
        let other = repository("other", 50, vec![package("copr-keygen-2.10-1", &[], &[])]);
        assert_eq!(
            resolved(&["copr-keygen"], &[main_repository(), other]),
            ["other: copr-keygen-2.10-1.noarch"]
        );
    }

    #[test]
    fn a_package_of_another_architecture_is_none() {
        let mut foreign = package("copr-keygen-9-1", &[], &[]);
        foreign.arch = "s390x".into();
        assert!(resolved(&["copr-keygen"], &[repository("main", 50, vec![foreign])]).is_empty());
    }

    #[test]
    fn a_repository_that_is_too_large_counts_as_a_whole_everywhere() {
        let large =
            Content { name: "big".into(), priority: 99, packages: Packages::Whole("sha256:1".into()) };
        assert_eq!(resolved(&["httpd"], &[large]), ["big: *"]);
    }

    #[test]
    fn every_name_of_a_rich_dependency_counts() {
        assert_eq!(names_in("(python3dist(copr) >= 2 if (a or b))"), ["python3dist(copr)", "2", "a", "b"]);
        assert_eq!(names_in("python3dist(copr)"), ["python3dist(copr)"]);
    }
}
