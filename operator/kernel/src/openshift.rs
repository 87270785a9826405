//! What goes wrong on OpenShift without `manifests/openshift`. Pure.

/// The ClusterRoles that `manifests/openshift` makes, or allows the operator to bind.
const ROLES: [&str; 3] = ["copr-builder-scc", "copr-image-builder-scc", "system:image-builder"];

/// What to do about an error of a RoleBinding, if it is what the API server says where the operator was installed without the
/// overlay for OpenShift: the role isn't there, or the operator may not hand it out.
pub fn hint(error: &str) -> Option<&'static str> {
    let names_role = ROLES.iter().any(|role| error.contains(&format!("\"{role}\"")));
    let not_there = names_role && error.contains("not found");
    let not_held = error.contains("rolebindings")
        && error.contains("attempting to grant RBAC permissions not currently held");
    (not_there || not_held).then_some(
        "on OpenShift the operator is installed with kubectl apply --server-side -k manifests/openshift",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_that_the_overlay_makes_is_missing() {
        let said = [
            r#"rolebindings "copr-image-builder-scc" not found"#,
            r#"clusterroles.rbac.authorization.k8s.io "copr-builder-scc" not found"#,
            r#"failed to apply RoleBinding demo-image-build-push: clusterrole.rbac.authorization.k8s.io "system:image-builder" not found"#,
            r#"rolebindings.rbac.authorization.k8s.io "demo-image-build" is forbidden: user "x" (groups=[]) is attempting to grant RBAC permissions not currently held: {APIGroups:[]}"#,
        ];
        for error in said {
            assert!(hint(error).is_some_and(|hint| hint.contains("manifests/openshift")), "{error}");
        }
    }

    #[test]
    fn nothing_else_is_taken_for_it() {
        let said = [
            r#"namespaces "team" not found"#,
            r#"rolebindings.rbac.authorization.k8s.io "x" is forbidden: unable to create new content in namespace team because it is being terminated"#,
            r#"clusterroles.rbac.authorization.k8s.io "somebody-elses" not found"#,
        ];
        assert_eq!(said.iter().filter_map(|error| hint(error)).count(), 0);
    }
}
