//! Packages that are to be tested: a verdict on others would be worse than none.

use copr_operator_api::v1alpha1::{ImageStatus, InstalledPackage};

use crate::args::Expected;

/// Those of all images, once every image is there.
pub fn installed(images: &[ImageStatus]) -> Option<Vec<InstalledPackage>> {
    let all = !images.is_empty() && images.iter().all(|image| image.state.is_there());
    all.then(|| images.iter().flat_map(|image| image.packages.clone()).collect())
}

/// A line about those that aren't tested, if there are any; an error if that is all of them.
pub fn check(expected: &[Expected], installed: &[InstalledPackage]) -> Result<Option<String>, String> {
    let is = |wanted: &Expected, has: &InstalledPackage| {
        has.repository == wanted.repository && without_epoch(&has.nevra) == without_epoch(&wanted.nevra)
    };
    let missing: Vec<_> =
        expected.iter().filter(|wanted| !installed.iter().any(|has| is(wanted, has))).collect();
    if missing.is_empty() {
        return Ok(None);
    }
    let names = missing.iter().map(|wanted| wanted.nevra.as_str()).collect::<Vec<_>>().join(" ");
    if missing.len() == expected.len() {
        return Err(format!(
            "none of the packages that are to be tested is in any image: {names}. Is one of them a package that an image of Copr installs, and \
             of its architecture?"
        ));
    }
    Ok(Some(format!("Not tested, because no image installs them: {names}")))
}

/// An epoch is digits before a colon.
fn without_epoch(nevra: &str) -> String {
    match nevra.split_once(':') {
        Some((before, after)) => format!("{}{after}", before.trim_end_matches(|c: char| c.is_ascii_digit())),
        None => nevra.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fixtures, *};

    fn expected(names: &[&str]) -> Vec<Expected> {
        names.iter().map(|name| format!("pr-7={name}").parse().unwrap()).collect()
    }

    #[test]
    fn some_may_be_in_no_image_but_not_all() {
        let packages = fixtures::red().status.unwrap().packages;
        let backend = "copr-backend-2.7-1.git.5.5d37cd8.fc44.noarch";
        assert_eq!(check(&[], &packages), Ok(None));
        assert_eq!(check(&expected(&[backend]), &packages), Ok(None));
        let line = check(&expected(&[backend, "copr-mocks-1-1.noarch"]), &packages).unwrap().unwrap();
        assert_eq!(line, "Not tested, because no image installs them: copr-mocks-1-1.noarch");
        // The same package from another repository isn't the one.
        let error = check(&expected(&["copr-frontend-2.8-1.fc44.noarch"]), &packages).unwrap_err();
        assert!(error.contains("in any image: copr-frontend-2.8-1.fc44.noarch."), "{error}");
    }

    #[test]
    fn names_of_files_have_no_epoch() {
        let there =
            [InstalledPackage { nevra: "a-1:2-1.noarch".into(), repository: "pr-7".into(), source: None }];
        assert_eq!(check(&expected(&["a-2-1.noarch"]), &there), Ok(None));
        assert!(check(&expected(&["a-1-2-1.noarch"]), &there).is_err());
    }

    #[test]
    fn nothing_is_known_before_every_image_is_there() {
        let course = fixtures::course();
        let there: Vec<_> = course.iter().map(|(_, images)| installed(images).is_some()).collect();
        assert_eq!(there, [false, false, false, true, false, false, false]);
    }
}
