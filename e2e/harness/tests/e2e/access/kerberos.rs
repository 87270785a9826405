//! A proxy that checks Kerberos leads to the Service's port `public`, and vouches for who asks by a header and the token.

use super::*;

const PRINCIPAL: &str = "alice@EXAMPLE.ORG";
const TOKEN: &str = "e2e-proxy-0123456789";

/// What the proxy adds to a request.
fn headers(principal: Option<&str>, token: Option<&str>) -> Vec<(&'static str, String)> {
    let principal = principal.map(|principal| ("X-Remote-User", principal.to_owned()));
    let token = token.map(|token| ("X-Copr-Proxy-Token", token.to_owned()));
    principal.into_iter().chain(token).collect()
}

#[tokio::test]
#[ignore = "needs a cluster with the operator: ./check e2e"]
async fn a_person_whom_a_proxy_vouches_for_is_logged_in() -> Result<()> {
    with_namespace("kerberos", |ctx| async move {
        let secret = json!({"metadata": {"name": "proxy"}, "stringData": {"token": TOKEN}});
        ctx.create(&of_kind::<Secret>(secret)?).await?;
        let kerberos = json!({"emailDomain": "example.org", "proxySecret": {"name": "proxy"}});
        let login = serde_json::from_value(json!({"kerberos": kerberos})).context("not a login")?;
        let url = url(&ctx);
        let frontend = format!("http://{}", url.frontend);
        let spec = CoprInstanceSpec {
            url: Some(Box::new(url)),
            login: Some(Box::new(login)),
            ..fixtures::instance_spec()
        };
        ctx.create(&fixtures::instance("copr", spec)).await?;
        let instance = ctx.until::<CoprInstance>("copr", "Ready", START, is_ready).await?;
        let is_told = instance.status.iter().any(|s| conditions::get(&s.conditions, "Exposed").is_some());
        ensure!(!is_told, "nothing is exposed, and yet: {:?}", instance.status);
        let address = format!("{}:8080", cluster_ip(&ctx).await?);

        let strangers = [
            headers(None, None),
            headers(Some(PRINCIPAL), None),
            headers(Some(PRINCIPAL), Some("e2e-proxy-9876543210")),
            headers(Some(PRINCIPAL), Some("")),
            headers(None, Some(TOKEN)),
        ];
        for headers in strangers {
            let mut stranger = Browser::behind(address.clone(), headers.clone());
            for path in ["/api_3/gssapi_login", "/api_3/gssapi_login/web-ui?next=/api/"] {
                let page = stranger.get(&format!("{frontend}{path}")).await?;
                ensure!(page.status.as_u16() == 403, "{headers:?}: {page:?}");
            }
            let page = stranger.get(&format!("{frontend}/api/")).await?;
            ensure!(configuration(&page)?.contains("LOGIN_TO_REVEAL"), "{headers:?}: {page:?}");
        }

        let vouched = headers(Some(PRINCIPAL), Some(TOKEN));
        let mut browser = Browser::behind(address.clone(), vouched.clone());
        // Only where one logs in: a page that is asked for with the headers alone is a stranger's.
        let page = browser.get(&format!("{frontend}/api/")).await?;
        ensure!(configuration(&page)?.contains("LOGIN_TO_REVEAL"), "{page:?}");
        let page = browser.get(&format!("{frontend}/api_3/gssapi_login/web-ui?next=/api/")).await?;
        ensure!(page.url == format!("{frontend}/api/") && page.status.is_success(), "{page:?}");
        let said = configuration(&page)?;
        ensure!(said.contains("username = alice\n"), "{said}");
        ensure!(said.contains(&format!("copr_url = {frontend}\n")), "{said}");

        // copr-cli asks for JSON.
        let page = Browser::behind(address, vouched).get(&format!("{frontend}/api_3/gssapi_login")).await?;
        let user: Value = serde_json::from_str(&page.text).with_context(|| format!("not JSON: {page:?}"))?;
        ensure!(user["name"] == "alice", "{page:?}");
        Ok(())
    })
    .await
}
