//! Client required: a copr-cli configuration, out of the Secret of an instance's client.

use std::{
    env,
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use copr_operator_api::names;

use super::say;
use crate::{args::Login, cluster::Cluster, error::Error, model::verdict::Exit};

/// With the URL for pods, and with the one for people.
const KEYS: (&str, &str) = ("copr", "copr.public");

pub async fn run(cluster: &Cluster, args: &Login, out: &mut dyn Write) -> Result<Exit, Error> {
    let file = args.config.clone().map_or_else(default_file, Ok)?;
    if !args.force && fs::symlink_metadata(&file).is_ok() {
        return Err(exists(&file));
    }
    let instance = cluster.instance(&args.instance).await?;
    let name = &args.instance;
    let secret = instance.status.and_then(|s| s.client_secret).unwrap_or_else(|| names::client(name));
    let found = cluster.secrets().get(&secret).await.map_err(|source| match source {
        kube::Error::Api(status) if status.code == 404 => Error::Said(format!(
            "the instance {name} has no Secret {secret} yet: 'kubectl copr describe {name}' says what it waits for"
        )),
        source => Error::of(("Secret", "secrets"), "read the", &secret, &cluster.namespace, source),
    })?;
    let data = found.data.unwrap_or_default();
    let public = data.get(KEYS.1).filter(|_| !args.internal);
    let Some(configuration) = public.or_else(|| data.get(KEYS.0)) else {
        return Err(Error::Said(format!(
            "the Secret {secret} in the namespace {} has no key {}: somebody changed it; if it is deleted, the operator makes it again",
            cluster.namespace, KEYS.0
        )));
    };
    write(&file, &configuration.0, args.force)?;
    say(out, &format!("wrote {}; try it: copr-cli --config {0} whoami", file.display()))?;
    if public.is_none() {
        say(out, "Its URL is that of a Service, which only pods of the cluster reach.")?;
    }
    Ok(Exit::Fine)
}

/// Where copr-cli looks, whatever $XDG_CONFIG_HOME says.
fn default_file() -> Result<PathBuf, Error> {
    match env::var_os("HOME").filter(|home| !home.is_empty()) {
        Some(home) => Ok(PathBuf::from(home).join(".config/copr")),
        None => {
            Err(Error::Said("there is no $HOME to write .config/copr into: say where with --config".into()))
        }
    }
}

fn exists(file: &Path) -> Error {
    Error::Said(format!(
        "{} is there already: --force replaces it, and --config FILE writes another one, for copr-cli --config FILE",
        file.display()
    ))
}

/// For its owner only, whole or not at all, and over nothing unless that is wanted.
fn write(file: &Path, content: &[u8], force: bool) -> Result<(), Error> {
    // What a link leads to is replaced, not the link.
    let file = fs::canonicalize(file).unwrap_or_else(|_| file.to_owned());
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(Error::file("make the folder", folder))?;
    let mut part = file.clone().into_os_string();
    part.push(format!(".{}.part", std::process::id()));
    let part = PathBuf::from(part);
    let written = write_new(&part, content).and_then(|()| {
        // A link, unlike a renaming, fails where there is something.
        if force { fs::rename(&part, &file) } else { fs::hard_link(&part, &file) }
    });
    // After a renaming it isn't there any more.
    let removed = fs::remove_file(&part);
    match (written, removed) {
        (Err(error), _) if error.kind() == io::ErrorKind::AlreadyExists => Err(exists(&file)),
        (Err(error), _) => Err(Error::file("write", &file)(error)),
        (Ok(()), Err(error)) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::file("remove", &part)(error))
        }
        (Ok(()), _) => Ok(()),
    }
}

fn write_new(part: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(part)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use copr_operator_kernel::testing::{ApiServer, Exchange, get};
    use serde_json::{Value, json};

    use super::*;
    use crate::{commands::testing, model::fixtures};

    const INSTANCE: &str = "/apis/copr.fedorainfracloud.org/v1alpha1/namespaces/team/coprinstances/a";
    const SECRET: &str = "/api/v1/namespaces/team/secrets/a-client";

    fn instance() -> Exchange {
        get(INSTANCE).answers(fixtures::instance_object("a", json!({"clientSecret": "a-client"})))
    }

    /// "internal" and "public" in base64.
    fn secret(keys: &Value) -> Exchange {
        get(SECRET).answers(json!({"metadata": {"name": "a-client"}, "data": keys}))
    }

    fn both() -> Exchange {
        secret(&json!({"copr": "aW50ZXJuYWw=", "copr.public": "cHVibGlj"}))
    }

    async fn login(
        file: &Path,
        force: bool,
        internal: bool,
        script: Vec<Exchange>,
    ) -> (Result<Exit, Error>, String) {
        let args = Login { instance: "a".into(), config: Some(file.into()), force, internal };
        testing::run(script, async |cluster, out| run(cluster, &args, out).await).await
    }

    #[tokio::test]
    async fn the_file_is_its_owners_and_nobody_elses() {
        let folder = testing::Folder::new();
        let file = folder.path().join("new/copr");
        let (exit, text) = login(&file, false, false, vec![instance(), both()]).await;
        assert_eq!(exit.unwrap(), Exit::Fine);
        assert_eq!(fs::read_to_string(&file).unwrap(), "public");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!text.contains("public") && !text.contains("Service"), "{text}");
        let files = fs::read_dir(file.parent().unwrap()).unwrap().count();
        assert_eq!(files, 1, "nothing else is left there");
    }

    #[tokio::test]
    async fn what_is_there_is_replaced_with_force_only() {
        let folder = testing::Folder::new();
        let file = folder.path().join("copr");
        fs::write(&file, "mine").unwrap();
        let (result, _) = login(&file, false, false, vec![]).await;
        assert!(result.unwrap_err().text().contains("--force"));
        assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
        // The same of one that came meanwhile.
        assert!(write(&file, b"other", false).unwrap_err().text().contains("--force"));
        assert_eq!(fs::read_to_string(&file).unwrap(), "mine");

        let (exit, text) = login(&file, true, true, vec![instance(), both()]).await;
        assert_eq!(exit.unwrap(), Exit::Fine);
        assert_eq!(fs::read_to_string(&file).unwrap(), "internal");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(text.contains("only pods of the cluster reach"), "{text}");
    }

    #[tokio::test]
    async fn an_instance_that_is_not_that_far_says_so() {
        let folder = testing::Folder::new();
        let file = folder.path().join("copr");
        let none = get(SECRET).refuses(ApiServer::NOT_FOUND, "there is none");
        let (result, _) = login(&file, false, false, vec![instance(), none]).await;
        assert!(result.unwrap_err().text().contains("kubectl copr describe a"));
        assert!(!file.exists());
    }
}
