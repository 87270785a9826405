use std::collections::BTreeMap;

use copr_operator_api::v1alpha1::Build;

use super::*;

fn spec(require: Require) -> Packages {
    let repository = |name: &str, priority| Repository {
        name: name.into(),
        base_url: format!("https://{name}.example/"),
        priority,
        gpg_key: None,
        credentials_secret: None,
        ca_config_map: None,
    };
    Packages {
        base_image: "fedora:44".into(),
        repositories: vec![repository("main", 50), repository("pr", 10)],
        require: Some(require),
        pins: BTreeMap::new(),
        revision: None,
        build: Build::default(),
    }
}

fn commit(commit: &str) -> Packages {
    spec(Require { commit: Some(commit.into()), ..Require::default() })
}

fn map(name: &str, wanted: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(name.into(), wanted.into())])
}

fn version(name: &str, version: &str) -> Packages {
    spec(Require { versions: Some(map(name, version)), ..Require::default() })
}

fn package(name: &str, wanted: &str) -> Packages {
    spec(Require { packages: Some(map(name, wanted)), ..Require::default() })
}

fn installed(nevra: &str, repository: &str) -> InstalledPackage {
    InstalledPackage { nevra: nevra.into(), repository: repository.into(), source: None }
}

fn images(packages: Vec<InstalledPackage>) -> Vec<ImageStatus> {
    vec![ImageStatus { component: "keygen".into(), packages, ..ImageStatus::default() }]
}

/// As upstream's CI names them: each by the last commit that touched its folder.
fn upstream() -> Vec<ImageStatus> {
    images(vec![
        installed("copr-keygen-2.2-1.git.5.5d37cd8.fc44.noarch", "pr"),
        installed("copr-frontend-2.7-1.git.9.9278b61.fc44.noarch", "pr"),
        installed("copr-common-1.7-1.fc44.noarch", "main"),
    ])
}

#[test]
fn a_commit_is_carried_by_the_packages_whose_folders_it_touched_and_by_no_other() {
    assert_eq!(unmet(&commit("5d37cd838a"), &upstream()), None);
    let said = unmet(&commit("aaaaaaaa"), &upstream()).unwrap();
    assert!(
        said.contains("pr (https://pr.example/) served copr-keygen-2.2-1.git.5.5d37cd8.fc44.noarch"),
        "{said}"
    );
}

#[test]
fn a_commit_is_looked_for_in_the_preferred_repository_only() {
    let images = images(vec![
        installed("copr-keygen-2.2-1.git.5.5d37cd8.fc44.noarch", "main"),
        installed("copr-cli-2.2-1.git.5.15cef8c.fc44.noarch", "pr"),
    ]);
    assert!(unmet(&commit("5d37cd8"), &images).is_some());
}

#[test]
fn a_commit_that_nothing_was_installed_of_is_unmet() {
    let images = images(vec![installed("copr-keygen-2.2-1.fc44.noarch", "main")]);
    let said = unmet(&commit("5d37cd8"), &images).unwrap();
    assert!(said.contains("no package was installed from pr"), "{said}");
}

#[test]
fn each_package_may_be_demanded_of_its_own_commit() {
    assert_eq!(unmet(&package("copr-frontend", "9278b61f00"), &upstream()), None);
    let said = unmet(&package("copr-frontend", "5d37cd8"), &upstream()).unwrap();
    assert!(said.contains("require.packages wants copr-frontend of commit 5d37cd8"), "{said}");
    assert!(unmet(&package("copr-cli", "15cef8c"), &upstream()).unwrap().contains("no image has it"));
}

#[test]
fn packages_may_be_demanded_by_version_too() {
    assert_eq!(unmet(&package("copr-common", "1.7-1.fc44"), &upstream()), None);
    assert!(unmet(&package("copr-common", "1.8"), &upstream()).is_some());
}

#[test]
fn every_image_that_has_a_package_must_have_the_demanded_one() {
    let mut two = upstream();
    two.extend(images(vec![installed("copr-frontend-2.6-1.fc44.noarch", "main")]));
    let said = unmet(&package("copr-frontend", "9278b61"), &two).unwrap();
    assert!(said.contains("main (https://main.example/) served copr-frontend-2.6-1.fc44.noarch"), "{said}");
}

#[test]
fn a_source_package_stands_for_what_was_built_from_it() {
    let source = Some("python-copr-common".to_owned());
    let of = |nevra: &str| InstalledPackage { source: source.clone(), ..installed(nevra, "pr") };
    let images = images(vec![of("python3-copr-common-1.8-1.git.3.1ab22fc.fc44.noarch")]);
    assert_eq!(unmet(&package("python-copr-common", "1ab22fc"), &images), None);
    assert_eq!(unmet(&package("python3-copr-common", "1ab22fc"), &images), None);
    assert!(unmet(&package("python-copr-common", "5d37cd8"), &images).is_some());
}

#[test]
fn packits_way_to_name_a_commit_counts() {
    assert!(names_commit("0.20260806123456.pr4305.38.g5d37cd838.fc44", "5d37cd838"));
    assert!(!names_commit("0.20260806123456.fc44", "5d37cd838"));
}

#[test]
fn versions_are_compared_as_far_as_they_are_given() {
    let images = images(vec![installed("copr-frontend-1:2.7-1.fc44.noarch", "main")]);
    assert_eq!(unmet(&version("copr-frontend", "1:2.7"), &images), None);
    assert_eq!(unmet(&version("copr-frontend", "1:2.7-1.fc44"), &images), None);
    let said = unmet(&version("copr-frontend", "2.7"), &images).unwrap();
    assert!(said.contains("main (https://main.example/) served copr-frontend-1:2.7-1.fc44.noarch"), "{said}");
    assert!(unmet(&version("copr-keygen", "2.2"), &images).unwrap().contains("no image has it"));
}

fn commits(name: &str, commits: &[&str]) -> Packages {
    let commits = commits.iter().map(|&commit| commit.to_owned()).collect();
    spec(Require { commits: Some(BTreeMap::from([(name.to_owned(), commits)])), ..Require::default() })
}

#[test]
fn a_package_may_be_of_one_of_several_commits() {
    assert_eq!(unmet(&commits("copr-frontend", &["aaaaaaa", "9278b61f00"]), &upstream()), None);
    let said = unmet(&commits("copr-frontend", &["aaaaaaa", "bbbbbbb"]), &upstream()).unwrap();
    assert!(
        said.starts_with("require.commits wants copr-frontend of commit aaaaaaa or bbbbbbb, but pr"),
        "{said}"
    );
}

#[test]
fn what_no_image_needs_is_no_fault_of_an_image_under_commits() {
    assert_eq!(unmet(&commits("copr-selinux", &["aaaaaaa"]), &upstream()), None);
    // The repositories have to have it all the same.
    let missing = missing(&commits("copr-selinux", &["aaaaaaa"]), &upstream()[0].packages);
    assert_eq!((missing[0].name.as_str(), missing[0].found.as_deref()), ("copr-selinux", None));
}

#[test]
fn what_is_there_instead_is_told_within_bounds() {
    let many: Vec<_> =
        (0..99).map(|n| installed(&format!("copr-keygen-2.{n}-1.fc44.noarch"), "main")).collect();
    let missing = missing(&commits("copr-keygen", &["aaaaaaa"]), &many);
    assert!(missing[0].found.as_ref().unwrap().len() <= FOUND_MAX + 3, "{missing:?}");
}

#[test]
fn a_package_that_two_fields_name_is_missing_once() {
    let mut twice = package("copr-frontend", "aaaaaaa");
    twice.require.as_mut().unwrap().versions = Some(map("copr-frontend", "9.9"));
    assert_eq!(missing(&twice, &[]).len(), 1);
}
