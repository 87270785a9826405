//! URLs of an instance: inside the cluster and for people. Pure. See docs/design/20261126-urls.md.

use copr_operator_api::{
    component::{BACKEND_HTTPD, Component, Port, port},
    v1alpha1::{Endpoints, PublicEndpoints, Scheme},
};

use super::validate::Instance;

impl Instance {
    /// URLs of the instance.
    pub fn endpoints(&self) -> Endpoints {
        let url = |suffix, port: Port| format!("http://{}:{}", self.host(suffix), port.number);
        Endpoints {
            frontend: url(Component::Frontend.name(), port::FRONTEND),
            backend: url(BACKEND_HTTPD, port::RESULTS),
            dist_git: url(Component::DistGit.name(), port::DIST_GIT),
            public: self.url.as_ref().map(|url| {
                let of = |host: &str| format!("{}://{host}", url.scheme.as_str());
                PublicEndpoints {
                    frontend: of(&url.frontend),
                    results: of(&url.results),
                    dist_git: of(&url.dist_git),
                }
            }),
        }
    }

    /// The URLs that Copr writes into what it keeps and shows: those for people, where there are any.
    pub fn written_urls(&self) -> PublicEndpoints {
        let Endpoints { frontend, backend, dist_git, public } = self.endpoints();
        public.unwrap_or(PublicEndpoints { frontend, results: backend, dist_git })
    }

    /// How those start.
    pub fn scheme(&self) -> Scheme {
        // There is no TLS between the pods.
        self.url.as_ref().map_or(Scheme::Http, |url| url.scheme)
    }

    /// Host of the frontend in those, with the port if it isn't the scheme's: what requests for it have in `Host`.
    pub fn frontend_host(&self) -> String {
        match &self.url {
            Some(url) => url.frontend.clone(),
            None => format!("{}:{}", self.host(Component::Frontend.name()), port::FRONTEND.number),
        }
    }
}
