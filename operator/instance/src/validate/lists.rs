//! What the spec says of chroots, users, groups and dist-gits, as the seed step reads it. Pure.

use std::collections::BTreeSet;

use copr_operator_api::v1alpha1::{CoprInstanceSpec, User};
use serde::Serialize;

use super::Error;
use crate::dereference::{External, Observed};

const TOKEN_SECRET: &str = "users[].tokenSecret";
/// What Copr's columns hold.
const LONGEST: usize = 40;
/// What can't be guessed.
const SHORTEST: usize = 16;

/// All lists. Serialized, it is what `scripts/lists.py` reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Lists {
    /// Chroots that are offered.
    pub chroots: Vec<String>,
    /// Chroots at the end of their lives.
    pub ended: Vec<String>,
    /// Users.
    pub users: Vec<Account>,
    /// Groups.
    pub groups: Vec<Team>,
    /// Dist-gits.
    pub dist_gits: Vec<DistGit>,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// Whether it's an administrator.
    pub admin: bool,
    /// The API token, if it is given.
    pub token: Option<Token>,
}

/// An API token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Token {
    /// The half that names the user.
    pub login: String,
    /// The half that is secret.
    pub token: String,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Team {
    /// Name in Copr.
    pub name: String,
    /// Name where memberships come from.
    pub team: String,
    /// Members.
    pub members: Vec<String>,
}

/// A dist-git, in the words of Copr's table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DistGit {
    /// Name.
    pub name: String,
    /// Beginning of URLs.
    pub clone_url: String,
    /// Their rest.
    pub clone_package_uri: String,
    /// The namespace where none is given.
    pub default_namespace: Option<String>,
    /// Which is the default.
    pub priority: i32,
}

/// Reads the lists.
pub fn lists(spec: &CoprInstanceSpec, observed: &Observed) -> Result<Lists, Error> {
    let ended = spec.end_of_life_chroots.iter().filter(|chroot| chroot.is_over(observed.now));
    let users = spec.users.iter().map(|user| account(user, observed)).collect::<Result<Vec<_>, _>>()?;
    distinct(&users, observed)?;
    Ok(Lists {
        chroots: spec.living_chroots(observed.now).cloned().collect(),
        ended: ended.map(|chroot| chroot.name.clone()).collect(),
        users,
        groups: spec
            .groups
            .iter()
            .map(|group| Team {
                name: group.name.clone(),
                team: group.team().to_owned(),
                members: group.members.clone(),
            })
            .collect(),
        dist_gits: spec
            .dist_git_instances
            .iter()
            .cloned()
            .map(|known| DistGit {
                name: known.name,
                clone_url: known.clone_url,
                clone_package_uri: known.package_path,
                default_namespace: known.default_namespace,
                priority: known.priority,
            })
            .collect(),
    })
}

fn account(user: &User, observed: &Observed) -> Result<Account, Error> {
    let secret = user.token_secret.as_ref().and_then(|_| observed.user_tokens.get(&user.name));
    Ok(Account {
        name: user.name.clone(),
        email: user.email.clone(),
        admin: user.admin,
        token: secret.map(token).transpose()?,
    })
}

fn token(External { name, data }: &External) -> Result<Token, Error> {
    let field = TOKEN_SECRET;
    let data = data.as_ref().ok_or_else(|| Error::SecretNotFound { field, name: name.clone() })?;
    let invalid = |problem| Error::SecretInvalid { field, name: name.clone(), problem };
    let login = data.get("login").ok_or_else(|| invalid("has no key login"))?.trim();
    let token = data.get("token").ok_or_else(|| invalid("has no key token"))?.trim();
    // What HTTP's basic authentication takes.
    let fits = |text: &str| text.len() <= LONGEST && text.chars().all(|c| c.is_ascii_graphic() && c != ':');
    if login.is_empty() || !fits(login) {
        return Err(invalid("has a login that is not of 1 to 40 visible ASCII characters without a colon"));
    }
    if token.len() < SHORTEST || !fits(token) {
        return Err(invalid("has a token that is not of 16 to 40 visible ASCII characters without a colon"));
    }
    Ok(Token { login: login.to_owned(), token: token.to_owned() })
}

/// Copr finds a user by the login alone.
fn distinct(users: &[Account], observed: &Observed) -> Result<(), Error> {
    let mut known = BTreeSet::from([observed.credentials.api_login.as_str()]);
    for user in users {
        if let Some(token) = &user.token
            && !known.insert(&token.login)
        {
            let name = observed.user_tokens.get(&user.name).map(|secret| secret.name.clone());
            let (field, problem) = (TOKEN_SECRET, "has the login of another user");
            return Err(Error::SecretInvalid { field, name: name.unwrap_or_default(), problem });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{MINIMAL, observed, secret, valid};
    use copr_operator_kernel::platform::Platform;

    const LISTS: &str = "
  endOfLifeChroots:
  - {name: fedora-40-x86_64, date: '2026-05-13'}
  - {name: fedora-44-x86_64, date: '2027-05-13'}
  users:
  - {name: alice, email: alice@example.org, admin: true, tokenSecret: {name: alices}}
  - {name: bob, email: bob@example.org}
  groups:
  - {name: builders, team: 'copr-builders', members: [alice, admin]}
  - {name: empty}
  distGitInstances:
  - {name: fedora, cloneURL: 'https://src.fedoraproject.org', packagePath: '{namespace}/rpms/{pkgname}', defaultNamespace: ''}
";

    fn with(secret: External) -> Observed {
        Observed {
            user_tokens: [("alice".to_owned(), secret)].into(),
            now: "2026-05-13T00:00:00Z".parse().unwrap(),
            ..observed(Platform::Kubernetes)
        }
    }

    fn lists(secret: External) -> Result<Lists, Error> {
        let yaml = MINIMAL.replace("[fedora-44-x86_64]", "[fedora-44-x86_64, fedora-40-x86_64]") + LISTS;
        valid(&yaml, &with(secret)).map(|instance| instance.lists)
    }

    #[test]
    fn the_seed_step_reads_all_of_it() {
        let lists = lists(secret("alices", &[("login", "al\n"), ("token", "0123456789abcdef\n")])).unwrap();
        insta::assert_yaml_snapshot!(lists);
    }

    #[test]
    fn a_chroot_is_offered_until_its_day_has_come() {
        let yaml =
            MINIMAL.to_owned() + "  endOfLifeChroots: [{name: fedora-44-x86_64, date: '2026-05-13'}]\n";
        for (now, living) in [("2026-05-12T23:59:59Z", 1), ("2026-05-13T00:00:00Z", 0)] {
            let observed = Observed { now: now.parse().unwrap(), ..observed(Platform::Kubernetes) };
            let instance = valid(&yaml, &observed).unwrap();
            assert_eq!(
                (instance.lists.chroots.len(), instance.lists.ended.len()),
                (living, 1 - living),
                "{now}"
            );
            assert_eq!(instance.pools.len(), 1);
        }
    }

    #[test]
    fn a_token_that_copr_can_not_use_is_refused_without_showing_it() {
        let long = "x".repeat(41);
        for (data, problem) in [
            (vec![("token", "0123456789abcdef")], "has no key login"),
            (vec![("login", "al")], "has no key token"),
            (vec![("login", "a:l"), ("token", "0123456789abcdef")], "has a login that"),
            (vec![("login", long.as_str()), ("token", "0123456789abcdef")], "has a login that"),
            (vec![("login", "al"), ("token", "hunter2")], "has a token that"),
            (vec![("login", "al"), ("token", long.as_str())], "has a token that"),
            (vec![("login", "api-login-1"), ("token", "0123456789abcdef")], "has the login of another"),
        ] {
            let error = lists(secret("alices", &data)).unwrap_err();
            assert_eq!(error.reason(), "SecretInvalid");
            assert!(error.to_string().starts_with("users[].tokenSecret: the Secret alices"), "{error}");
            assert!(error.to_string().contains(problem) && !error.to_string().contains("hunter2"), "{error}");
        }
        let error = lists(External { name: "alices".into(), data: None }).unwrap_err();
        assert_eq!(error.reason(), "SecretNotFound");
    }
}
