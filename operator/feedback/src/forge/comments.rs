//! Client required: one comment on a pull request, found again by its beginning and by who wrote it.

use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;

use super::Api;
use crate::{exchange::Failure, render};

/// A hundred each.
const PAGES_MAX: u32 = 50;

/// Whose comments are ours.
pub enum Author {
    /// The user that the token belongs to.
    Token,
    /// What the app with this id has written.
    App(String),
}

#[derive(Deserialize)]
struct Comment {
    id: u64,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    user: Option<User>,
    #[serde(default)]
    performed_via_github_app: Option<WrittenBy>,
}

#[derive(Deserialize)]
struct User {
    id: u64,
}

#[derive(Deserialize)]
struct WrittenBy {
    id: u64,
    #[serde(default)]
    client_id: Option<String>,
}

/// Says this in the comment of that name, unless it says so already or a later run has spoken.
pub async fn say(
    api: &Api<'_>,
    (owner, repository, pull_request): (&str, &str, &str),
    author: &Author,
    (context, text): (&str, &str),
) -> Result<(), Failure> {
    let place = ["repos", owner, repository, "issues"];
    let all = [&place[..], &[pull_request, "comments"]].concat();
    if let Some(old) = find(api, &all, author, context).await? {
        let before = old.body.unwrap_or_default();
        if before == text || render::created(&before, context) > render::created(text, context) {
            return Ok(());
        }
        let id = old.id.to_string();
        let this = [&place[..], &["comments", &id]].concat();
        match api.ask(Method::PATCH, api.url(&this)?, Some(json!({"body": text}))).await {
            // Deleted since it was seen.
            Err(failure) if failure.is(StatusCode::NOT_FOUND) || failure.is(StatusCode::GONE) => {}
            done => return done.map(drop),
        }
    }
    api.ask(Method::POST, api.url(&all)?, Some(json!({"body": text}))).await.map(drop)
}

/// The oldest comment of ours that begins so. What others have copied stays theirs, though a token may be allowed to edit it.
async fn find(
    api: &Api<'_>,
    place: &[&str],
    author: &Author,
    context: &str,
) -> Result<Option<Comment>, Failure> {
    let mut me = None;
    for page in 1..=PAGES_MAX {
        let mut url = api.url(place)?;
        url.query_pairs_mut().append_pair("per_page", "100").append_pair("page", &page.to_string());
        let answer = api.ask(Method::GET, url, None).await?;
        let candidates = answer.json::<Vec<Comment>>()?.into_iter().filter(|comment| {
            comment.body.as_deref().is_some_and(|body| render::created(body, context).is_some())
        });
        for comment in candidates {
            // Most pull requests have no such comment, and nobody needs to be asked.
            if me.is_none() && matches!(author, Author::Token) {
                me = Some(api.ask(Method::GET, api.url(&["user"])?, None).await?.json::<User>()?.id);
            }
            if is_ours(&comment, author, me) {
                return Ok(Some(comment));
            }
        }
        // Forgejo has one page, whatever is asked.
        let more = answer
            .headers
            .get_all("link")
            .iter()
            .any(|link| link.to_str().is_ok_and(|link| link.contains("rel=\"next\"")));
        if !more {
            return Ok(None);
        }
    }
    Err(Failure::refused(format!("the pull request has more than {} comments", PAGES_MAX * 100)))
}

fn is_ours(comment: &Comment, author: &Author, me: Option<u64>) -> bool {
    match (author, &comment.performed_via_github_app) {
        (Author::Token, _) => me.is_some() && comment.user.as_ref().map(|user| user.id) == me,
        (Author::App(id), Some(app)) => app.id.to_string() == *id || app.client_id.as_ref() == Some(id),
        (Author::App(_), None) => false,
    }
}
