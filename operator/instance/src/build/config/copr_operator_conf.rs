//! `/etc/httpd/conf.d/copr-operator.conf` of the frontend: what its httpd does beside serving Copr on the port of the image.

use copr_operator_api::{component::port, v1alpha1::Scheme};

use crate::validate::Instance;

/// What a URL's host must not be followed by, as it would be the beginning of another host's name then.
const END: &str = "(?![-A-Za-z0-9.:])";

/// Renders the file; none where there is nothing to say.
pub fn render(instance: &Instance) -> Option<String> {
    let text = format!("{}{}", inside(instance), kerberos(instance));
    (!text.is_empty()).then_some(text)
}

/// A second port with the same application, in whose answers people's URLs are replaced by those of the Services. Builders, the
/// backend, dist-git and tests use it, since people's hosts need not resolve inside the cluster.
fn inside(instance: &Instance) -> String {
    let endpoints = instance.endpoints();
    let Some(public) = &endpoints.public else { return String::new() };
    let pairs = [
        (&public.frontend, &endpoints.frontend),
        (&public.results, &endpoints.backend),
        (&public.dist_git, &endpoints.dist_git),
    ];
    let pattern = |url: &str| format!("{}{END}", url.replace('.', r"\."));
    let substitutes: String =
        pairs.iter().map(|(from, to)| format!("    Substitute \"s|{}|{to}|\"\n", pattern(from))).collect();
    let https = if instance.scheme() == Scheme::Https {
        "# Links have the scheme of people's URLs, wherever TLS ends.\nSetEnv HTTPS on\n"
    } else {
        ""
    };
    format!(
        "\
{https}Listen {port}
<VirtualHost *:{port}>
    # Flask may answer its own host only.
    RequestHeader set Host {host} early
    AddOutputFilterByType SUBSTITUTE application/json text/html text/plain
    # The queue of tasks is one line.
    SubstituteMaxLineLength 100m
{substitutes}    Header edit Location \"^{location}\" {to}
</VirtualHost>
",
        port = port::INSIDE.number,
        host = instance.frontend_host(),
        location = pattern(&public.frontend),
        to = endpoints.frontend,
    )
}

/// Sets REMOTE_USER, by which Copr logs in, to the principal that a request's header names, if the request has the proxy's token.
fn kerberos(instance: &Instance) -> String {
    let Some(kerberos) = &instance.login.kerberos else { return String::new() };
    format!(
        "\
<Location /api_3/gssapi_login>
    SetEnvIfExpr \"req('X-Copr-Proxy-Token') == '{token}' && req('{header}') =~ m#^([-A-Za-z0-9._@/]+)$#\" REMOTE_USER=$1
</Location>
",
        token = kerberos.token.expose(),
        header = kerberos.options.user_header,
    )
}
