use super::*;

/// `what` is what the package has to do with beside its name: `provides`, `wants` and `follows`.
fn package(nevr: &str, provides: &[&str], wants: &[&str], follows: &[&str]) -> Package {
    let mut parts = nevr.rsplitn(3, '-');
    let (release, version, name) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let all = |names: &[&str]| -> Vec<String> { names.iter().flat_map(|name| names_in(name)).collect() };
    let provides = all(&[&[name], provides].concat());
    let open = provides.iter().chain(&all(follows)).any(|name| !is_copr(name));
    let own = |names: Vec<String>| -> Box<[Box<str>]> {
        names.into_iter().filter(|name| is_copr(name)).map(String::into_boxed_str).collect()
    };
    Package {
        name: name.into(),
        evr: format!("0:{version}-{release}").into(),
        source: None,
        arch: "noarch",
        checksum: [0; 32],
        own: Own { provides: own(provides), wants: own(all(wants)), follows: own(all(follows)) },
        open,
    }
}

fn repository(name: &str, priority: i32, packages: Vec<Package>) -> Content {
    let packages = Packages::Listed(Arc::new(packages));
    Content { name: name.into(), priority, primary: "sha256:0".into(), packages }
}

fn whole(priority: i32) -> Content {
    Content { name: "big".into(), priority, primary: "sha256:1".into(), packages: Packages::Whole }
}

fn main_repository() -> Content {
    repository(
        "main",
        50,
        vec![
            package("copr-frontend-2.7-1", &[], &["python3-copr-common"], &[]),
            package("copr-keygen-2.2-1", &[], &["python3dist(copr-common)"], &[]),
            package("python3-copr-common-1.7-1", &["python3dist(copr-common)"], &["bash"], &[]),
            package("copr-unrelated-1-1", &[], &[], &[]),
        ],
    )
}

fn with_pins(names: &[&str], repositories: &[Content], pins: &[(&str, &str)]) -> Vec<String> {
    let names: Vec<_> = names.iter().map(|&n| n.to_owned()).collect();
    let pins = pins.iter().map(|&(name, pin)| (name.to_owned(), pin.to_owned())).collect();
    let picked = Choice::new(repositories, "x86_64", &pins).resolve(&names);
    picked.into_iter().map(|p| format!("{}: {}", p.repository, p.nevra)).collect()
}

fn resolved(names: &[&str], repositories: &[Content]) -> Vec<String> {
    with_pins(names, repositories, &[])
}

const FRONTEND: [&str; 2] = ["main: copr-frontend-2.7-1.noarch", "main: python3-copr-common-1.7-1.noarch"];

#[test]
fn requirements_are_followed_and_what_of_copr_is_not_required_is_left_out() {
    assert_eq!(resolved(&["copr-frontend", "httpd"], &[main_repository()]), FRONTEND);
}

#[test]
fn a_requirement_by_capability_finds_its_provider() {
    let found = resolved(&["copr-keygen"], &[main_repository()]);
    assert_eq!(found, ["main: copr-keygen-2.2-1.noarch", "main: python3-copr-common-1.7-1.noarch"]);
}

#[test]
fn the_lowest_priority_number_wins_over_a_higher_version() {
    let overlay = repository("pr", 10, vec![package("copr-unrelated-0-9", &[], &[], &[])]);
    assert_eq!(
        resolved(&["copr-unrelated"], &[main_repository(), overlay]),
        ["pr: copr-unrelated-0-9.noarch"]
    );
}

#[test]
fn of_equal_priorities_the_highest_version_wins_and_ten_is_more_than_nine() {
    let other = |version: &str| repository("other", 50, vec![package(version, &[], &[], &[])]);
    let both = [other("copr-unrelated-2.9-1"), other("copr-unrelated-2.10-1")];
    assert_eq!(resolved(&["copr-unrelated"], &both), ["other: copr-unrelated-2.10-1.noarch"]);
}

#[test]
fn a_package_of_another_architecture_is_none() {
    let mut foreign = package("copr-unrelated-9-1", &[], &[], &[]);
    foreign.arch = "s390x";
    let both = [main_repository(), repository("other", 1, vec![foreign])];
    assert_eq!(resolved(&["copr-unrelated"], &both), ["main: copr-unrelated-1-1.noarch"]);
}

#[test]
fn a_repository_that_is_too_large_counts_as_a_whole_everywhere() {
    let large = whole(99);
    assert_eq!(resolved(&["httpd"], &[large]), ["big: *"]);
}

#[test]
fn every_name_of_a_rich_dependency_counts() {
    assert_eq!(names_in("(python3dist(copr) >= 2 if (a or b))"), ["python3dist(copr)", "2", "a", "b"]);
    assert_eq!(names_in("python3dist(copr)"), ["python3dist(copr)"]);
}

/// A package of the overlay beside those of main, and what it makes of an image that asks for the frontend alone.
fn overlaid(overlay: Package) -> Vec<String> {
    let mut found =
        resolved(&["copr-frontend", "httpd"], &[main_repository(), repository("pr", 10, vec![overlay])]);
    found.retain(|picked| picked.starts_with("pr: "));
    found
}

#[test]
fn what_a_package_of_the_distribution_may_require_counts() {
    assert_eq!(overlaid(package("python3-werkzeug-9-1", &[], &[], &[])), ["pr: python3-werkzeug-9-1.noarch"]);
    assert_eq!(overlaid(package("copr-x-1-1", &["webserver"], &[], &[])), ["pr: copr-x-1-1.noarch"]);
    assert_eq!(overlaid(package("copr-x-1-1", &["/usr/bin/env"], &[], &[])), ["pr: copr-x-1-1.noarch"]);
    assert!(overlaid(package("copr-x-1-1", &["/usr/bin/copr-x"], &[], &[])).is_empty());
}

#[test]
fn what_obsoletes_supplements_or_enhances_counts_where_that_is() {
    assert_eq!(
        overlaid(package("copr-x-1-1", &[], &[], &["python3-copr-common"])),
        ["pr: copr-x-1-1.noarch"]
    );
    assert_eq!(
        overlaid(package("copr-x-1-1", &[], &[], &["(copr-frontend and httpd)"])),
        ["pr: copr-x-1-1.noarch"]
    );
    // Whether the distribution's packages have it, nobody knows.
    assert_eq!(overlaid(package("copr-x-1-1", &[], &[], &["mod_ssl"])), ["pr: copr-x-1-1.noarch"]);
    assert!(overlaid(package("copr-x-1-1", &[], &[], &["copr-keygen"])).is_empty());
}

#[test]
fn what_is_picked_for_such_a_reason_brings_its_own_requirements() {
    let overlay =
        vec![package("python3-werkzeug-9-1", &[], &["copr-y"], &[]), package("copr-y-1-1", &[], &[], &[])];
    let found = resolved(&["copr-frontend"], &[main_repository(), repository("pr", 10, overlay)]);
    assert!(found.contains(&"pr: copr-y-1-1.noarch".to_owned()), "{found:?}");
}

#[test]
fn where_a_package_of_copr_comes_from_the_distribution_all_of_the_overlay_counts() {
    // The overlay of a pull request, without the repository of main: copr-keygen is the distribution's, and requires it.
    let overlay = repository("pr", 10, vec![package("python3-copr-common-9-1", &[], &[], &[])]);
    assert_eq!(
        resolved(&["copr-keygen"], std::slice::from_ref(&overlay)),
        ["pr: python3-copr-common-9-1.noarch"]
    );
    assert!(resolved(&["httpd"], &[overlay]).is_empty());
}

#[test]
fn a_pin_wins_over_priority_and_version() {
    let overlay = repository(
        "pr",
        10,
        vec![package("copr-unrelated-3-1", &[], &[], &[]), package("copr-unrelated-2-1", &[], &[], &[])],
    );
    let both = [main_repository(), overlay];
    let pinned = |pin| with_pins(&["copr-unrelated"], &both, &[("copr-unrelated", pin)]);
    assert_eq!(pinned("1-1"), ["main: copr-unrelated-1-1.noarch"]);
    assert_eq!(pinned("0:2-1"), ["pr: copr-unrelated-2-1.noarch"]);
}

#[test]
fn a_pin_that_no_repository_has_is_told_with_the_versions_that_there_are() {
    let pins = |pin: &str| BTreeMap::from([("copr-keygen".to_owned(), pin.to_owned())]);
    assert_eq!(missing_pins(&pins("2.2-1"), &[main_repository()], "x86_64"), None);
    let said = missing_pins(&pins("9-9"), &[main_repository()], "x86_64").unwrap();
    assert_eq!(said, "no repository has copr-keygen 9-9; there is 2.2-1 (main)");
    let whole = whole(9);
    assert_eq!(missing_pins(&pins("9-9"), &[main_repository(), whole], "x86_64"), None);
}
