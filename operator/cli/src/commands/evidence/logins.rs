//! As whom this machine asks registries: where skopeo, podman and docker keep their logins (containers-auth.json(5)). Their credential
//! helpers aren't run.

use std::{
    env, fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use copr_operator_images::{Keyring, Login};

/// The logins of all files that there are. If one can't be read: which, and why.
pub fn keyring() -> Result<Keyring, (PathBuf, String)> {
    let user = fs::metadata("/proc/self").ok().map(|process| process.uid());
    let variable = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    read(&files(variable, user))
}

/// The first one that has a login for a registry gives it.
fn files(variable: impl Fn(&str) -> Option<PathBuf>, user: Option<u32>) -> Vec<PathBuf> {
    let containers = |folder: PathBuf| folder.join("containers/auth.json");
    let home = |folder: &str| variable("HOME").map(|home| home.join(folder));
    let runtime = variable("XDG_RUNTIME_DIR").map(containers);
    let of_user = user.map(|user| Path::new("/run/containers").join(user.to_string()).join("auth.json"));
    [
        variable("REGISTRY_AUTH_FILE"),
        runtime.or(of_user),
        variable("XDG_CONFIG_HOME").or_else(|| home(".config")).map(containers),
        variable("DOCKER_CONFIG").or_else(|| home(".docker")).map(|folder| folder.join("config.json")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn read(files: &[PathBuf]) -> Result<Keyring, (PathBuf, String)> {
    // Who has no login is told where it would be from.
    let mut keyring = Keyring::of("", Login::Anonymous, "'skopeo login'");
    for path in files {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            text => text.map_err(|error| (path.clone(), error.to_string()))?,
        };
        keyring
            .add(&text, &path.display().to_string())
            .map_err(|at| (path.clone(), format!("malformed at {at}")))?;
    }
    Ok(keyring)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::testing;

    fn found(variables: &[(&str, &str)]) -> Vec<String> {
        let variable =
            |name: &str| variables.iter().find(|(has, _)| *has == name).map(|(_, value)| (*value).into());
        files(variable, Some(7)).iter().map(|path| path.display().to_string()).collect()
    }

    #[test]
    fn logins_are_where_others_put_them() {
        assert_eq!(
            found(&[("HOME", "/home/you"), ("XDG_RUNTIME_DIR", "/run/user/7")]),
            [
                "/run/user/7/containers/auth.json",
                "/home/you/.config/containers/auth.json",
                "/home/you/.docker/config.json"
            ]
        );
        assert_eq!(
            found(&[("REGISTRY_AUTH_FILE", "/a"), ("XDG_CONFIG_HOME", "/c"), ("DOCKER_CONFIG", "/d")]),
            ["/a", "/run/containers/7/auth.json", "/c/containers/auth.json", "/d/config.json"]
        );
    }

    #[test]
    fn a_file_that_is_not_there_is_none_and_a_malformed_one_is_told() {
        let folder = testing::Folder::new();
        let path = folder.path().join("auth.json");
        let files = [folder.path().join("none"), path.clone()];
        fs::write(&path, r#"{"auths": {"r.example": {"auth": "bWU6c2VjcmV0"}}}"#).unwrap();
        let keyring = read(&files).unwrap();
        assert_eq!(keyring.find("r.example", "a").0, Login::Basic("me".into(), "secret".into()));
        assert!(keyring.find("other.example", "a").1.contains("'skopeo login'"));
        fs::write(&path, "auths:").unwrap();
        assert_eq!(read(&files).unwrap_err(), (path, "malformed at line 1, column 1".into()));
    }
}
