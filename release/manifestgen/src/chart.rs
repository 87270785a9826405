//! The Helm chart. With its default values it renders what kustomize makes of manifests/, but for the differences that
//! `compare` lists.

use anyhow::bail;
use serde_json::Value;

use crate::{
    Files,
    image::Image,
    object::{self, documents, yaml},
    source::{self, NAME, Source},
    template::{Mark, key, mark, render},
};

const HEADER: &str = "# Generated from manifests/ by release/generate. Do not edit.\n";
const KUBERNETES: &str = ">=1.33.0-0";

const POD: &str = "/spec/template/spec";
const CONTAINER: &str = "/spec/template/spec/containers/0";

const MARKS: &[Mark] = &[
    Mark { name: "NAMESPACE", template: "{{ .Release.Namespace }}" },
    Mark {
        name: "KEEP",
        template: "{{- if .Values.crds.keep }}\nannotations:\n  helm.sh/resource-policy: keep\n{{- end }}",
    },
    Mark { name: "REPLICAS", template: "{{ .Values.replicas }}" },
    Mark { name: "IMAGE", template: "{{ include \"copr-operator.reference\" .Values.image | quote }}" },
    Mark {
        name: "IMAGE_BUILDER",
        template: "{{ include \"copr-operator.reference\" .Values.imageBuilder | quote }}",
    },
    Mark { name: "PULL_POLICY", template: "{{ .Values.image.pullPolicy }}" },
    Mark { name: "LOG", template: "{{ .Values.log.filter | quote }}" },
    Mark {
        name: "ENV",
        template: "{{- if .Values.log.json }}\n- name: COPR_OPERATOR_LOG_JSON\n  value: \"true\"\n{{- end }}\n\
                   {{- with .Values.env }}\n{{- toYaml . | nindent <0> }}\n{{- end }}",
    },
    Mark { name: "RESOURCES", template: "{{- toYaml .Values.resources | nindent <2> }}" },
    Mark {
        name: "LABELS",
        template: "{{- with .Values.podLabels }}\n{{- toYaml . | nindent <0> }}\n{{- end }}",
    },
    Mark {
        name: "ANNOTATIONS",
        template: "{{- with .Values.podAnnotations }}\nannotations:\n  {{- toYaml . | nindent <2> }}\n{{- end }}",
    },
    Mark {
        name: "SCHEDULING",
        template: "{{- with .Values.affinity }}\naffinity:\n  {{- toYaml . | nindent <2> }}\n{{- end }}\n\
                   {{- with .Values.imagePullSecrets }}\nimagePullSecrets:\n{{- toYaml . | nindent <0> }}\n{{- end }}\n\
                   {{- with .Values.nodeSelector }}\nnodeSelector:\n  {{- toYaml . | nindent <2> }}\n{{- end }}\n\
                   {{- with .Values.priorityClassName }}\npriorityClassName: {{ . }}\n{{- end }}\n\
                   {{- with .Values.tolerations }}\ntolerations:\n{{- toYaml . | nindent <0> }}\n{{- end }}",
    },
];

/// The files of the chart.
pub fn files(source: &Source, version: &str) -> anyhow::Result<Files> {
    let mut files = Files::from([
        ("Chart.yaml".into(), chart(version)),
        ("README.md".into(), include_str!("../assets/chart/README.md").into()),
        ("values.yaml".into(), values(source.deployment()?)?),
        ("values.schema.json".into(), include_str!("../assets/chart/values.schema.json").into()),
        ("templates/_helpers.tpl".into(), include_str!("../assets/chart/_helpers.tpl").into()),
        ("templates/NOTES.txt".into(), include_str!("../assets/chart/NOTES.txt").into()),
    ]);
    let mut rbac = Vec::new();
    for object in &source.default {
        let id = object::id(object)?;
        match id.kind.as_str() {
            // Helm's own to make (--create-namespace): it keeps its record of the release in it.
            "Namespace" => {}
            "CustomResourceDefinition" => {
                let file = format!("templates/crds/{}.yaml", object::text(object, "/spec/names/plural")?);
                files.insert(file, when(".Values.crds.enabled", &rendered(&crd(object)?)?));
            }
            "Deployment" => {
                files.insert(
                    "templates/deployment.yaml".into(),
                    HEADER.to_owned() + &rendered(&deployment(object)?)?,
                );
            }
            "ServiceAccount" | "Role" | "RoleBinding" | "ClusterRole" | "ClusterRoleBinding" => {
                rbac.push(in_namespace(object)?);
            }
            _ => bail!("the chart has no place for {id}: say in manifestgen's chart.rs where it belongs"),
        }
    }
    let openshift = source.openshift.iter().map(in_namespace).collect::<Result<Vec<_>, _>>()?;
    files.insert("templates/rbac.yaml".into(), HEADER.to_owned() + &render(&documents(&rbac)?, MARKS)?);
    files.insert(
        "templates/openshift.yaml".into(),
        when("include \"copr-operator.openshift\" .", &render(&documents(&openshift)?, MARKS)?),
    );
    Ok(files)
}

fn rendered(object: &Value) -> anyhow::Result<String> {
    render(&yaml(object)?, MARKS)
}

fn when(condition: &str, template: &str) -> String {
    format!("{HEADER}{{{{- if {condition} }}}}\n{template}{{{{- end }}}}\n")
}

fn chart(version: &str) -> String {
    format!(
        "{HEADER}apiVersion: v2\nname: {NAME}\ndescription: {}\ntype: application\nversion: {version}\n\
         appVersion: {version}\nkubeVersion: {KUBERNETES:?}\nhome: {repository}\nsources: [{repository}]\n\
         keywords: [copr, rpm, build system, fedora]\n",
        "Runs complete Copr build systems, and the sanity suite that tests them",
        repository = env!("CARGO_PKG_REPOSITORY"),
    )
}

/// The defaults are what manifests/ has.
fn values(deployment: &Value) -> anyhow::Result<String> {
    let operator = Image::from(object::text(deployment, &source::image_pointer())?);
    let image_builder = Image::from(object::text(deployment, &source::image_builder_pointer(deployment)?)?);
    let resources = yaml(object::get(deployment, &format!("{CONTAINER}/resources"))?)?;
    let resources: Vec<_> = resources.lines().map(|line| format!("  {line}")).collect();
    let mut values = include_str!("../assets/chart/values.yaml").to_owned();
    for (name, value) in [
        ("image.repository", operator.repository),
        ("image.tag", operator.tag),
        ("image.digest", operator.digest),
        ("image.pullPolicy", object::text(deployment, &format!("{CONTAINER}/imagePullPolicy"))?),
        ("imageBuilder.repository", image_builder.repository),
        ("imageBuilder.tag", image_builder.tag),
        ("imageBuilder.digest", image_builder.digest),
        ("replicas", &object::get(deployment, "/spec/replicas")?.to_string()),
        ("log.filter", object::text(deployment, &source::environment_pointer(deployment, "RUST_LOG")?)?),
        ("resources", resources.join("\n").trim_start()),
    ] {
        let place = format!("<{name}>");
        if !values.contains(&place) {
            bail!("values.yaml has no place for {name}");
        }
        values = values.replace(&place, value);
    }
    Ok(HEADER.to_owned() + &values)
}

/// The release's namespace for the one of manifests/, also where a binding names a service account.
fn in_namespace(object: &Value) -> anyhow::Result<Value> {
    let mut object = object.clone();
    if object.pointer("/metadata/namespace").is_some() {
        object::map(&mut object, "/metadata")?.insert("namespace".into(), mark("NAMESPACE"));
    }
    let subjects = object.pointer_mut("/subjects").and_then(Value::as_array_mut);
    for subject in subjects.into_iter().flatten() {
        if subject.get("namespace").is_some() {
            subject["namespace"] = mark("NAMESPACE");
        }
    }
    Ok(object)
}

fn crd(object: &Value) -> anyhow::Result<Value> {
    let mut object = object.clone();
    let metadata = object::map(&mut object, "/metadata")?;
    if metadata.contains_key("annotations") {
        bail!("a CRD has annotations of its own: let manifestgen's chart.rs add Helm's to them");
    }
    metadata.insert(key("KEEP"), Value::Null);
    Ok(object)
}

fn deployment(object: &Value) -> anyhow::Result<Value> {
    let mut object = in_namespace(object)?;
    let log = source::environment_pointer(&object, "RUST_LOG")?;
    let image_builder = source::image_builder_pointer(&object)?;
    for (pointer, name) in [
        ("/spec/replicas", "REPLICAS"),
        (&source::image_pointer(), "IMAGE"),
        (&image_builder, "IMAGE_BUILDER"),
        (&format!("{CONTAINER}/imagePullPolicy"), "PULL_POLICY"),
        (&log, "LOG"),
    ] {
        object::replace(&mut object, pointer, mark(name))?;
    }
    object::map(&mut object, POD)?.insert(key("SCHEDULING"), Value::Null);
    object::map(&mut object, "/spec/template/metadata")?.insert(key("ANNOTATIONS"), Value::Null);
    object::map(&mut object, "/spec/template/metadata/labels")?.insert(key("LABELS"), Value::Null);
    let container = object::map(&mut object, CONTAINER)?;
    container
        .insert("resources".into(), Value::Object([(key("RESOURCES"), Value::Null)].into_iter().collect()));
    if let Some(variables) = container.get_mut("env").and_then(Value::as_array_mut) {
        variables.push(mark("ENV"));
    }
    Ok(object)
}
