//! The folders of `images/`, which the operator carries in its binary: what an image is built from beside packages. Pure.

use std::collections::BTreeMap;

use copr_operator_api::images::Image;
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../images"]
#[include = "*/*"]
#[exclude = "*/tests/*"]
#[exclude = "*/__pycache__/*"]
#[exclude = "*.pyc"]
struct Folders;

/// The files of an image's folder by their path in it.
pub fn files(image: Image) -> BTreeMap<String, Vec<u8>> {
    let prefix = format!("{}/", image.folder());
    Folders::iter()
        .filter_map(|path| {
            let name = path.strip_prefix(&prefix)?.to_owned();
            Some((name, Folders::get(&path)?.data.into_owned()))
        })
        .collect()
}

/// The names of packages that the Containerfile of an image installs.
pub fn installs(image: Image) -> Vec<String> {
    let file = files(image).remove("Containerfile").unwrap_or_default();
    installed_by(&String::from_utf8_lossy(&file))
}

/// What follows each `dnf … install`, up to the end of the command.
fn installed_by(containerfile: &str) -> Vec<String> {
    let joined = containerfile.replace("\\\n", " ");
    let mut names = Vec::new();
    for command in joined.lines().flat_map(|line| line.split("&&")) {
        let mut words = command.split_whitespace().skip_while(|word| *word != "dnf");
        if words.next().is_none() || !words.by_ref().any(|word| word == "install") {
            continue;
        }
        names.extend(words.filter(|word| !word.starts_with('-')).map(str::to_owned));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_image_has_a_containerfile_that_installs_something() {
        for image in Image::ALL {
            assert!(files(image).contains_key("Containerfile"), "{image:?}");
            assert!(!installs(image).is_empty(), "{image:?}");
        }
    }

    #[test]
    fn folders_of_folders_are_there_and_what_only_tests_need_is_not() {
        let sanity = files(Image::Sanity);
        assert!(sanity.contains_key("smoke/cases/auth.py"));
        assert!(sanity.keys().all(|name| !name.starts_with("tests/") && !name.contains("__pycache__")));
    }

    #[test]
    fn packages_are_read_off_the_install_commands() {
        let file = "FROM x\nRUN dnf -y install a b \\\n    c && dnf clean all\nRUN useradd d\nRUN x && dnf install -y e\n";
        assert_eq!(installed_by(file), ["a", "b", "c", "e"]);
    }

    #[test]
    fn the_frontend_installs_copr_frontend() {
        assert!(installs(Image::Frontend).contains(&"copr-frontend".to_owned()));
    }
}
