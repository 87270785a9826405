//! From the YAML of an object to a template of Helm's: marks in it become actions.

use anyhow::bail;
use serde_json::Value;

/// Marks begin with this, and nothing else in manifests/ does.
const PREFIX: &str = "HELM_";

/// A place in an object, and what a template has there.
pub struct Mark {
    /// What the object has there: as a value, as an item of a list, or as a key without a value.
    pub name: &'static str,
    /// As a value: what it is replaced by. Else whole lines, where `<0>` and `<2>` are the columns of the mark and two
    /// to the right of it.
    pub template: &'static str,
}

/// A mark as a value or as an item of a list.
pub fn mark(name: &str) -> Value {
    Value::String(format!("{PREFIX}{name}"))
}

/// A mark as a key; its value is null.
pub fn key(name: &str) -> String {
    format!("{PREFIX}{name}")
}

/// The template. A mark that isn't known is an error.
pub fn render(yaml: &str, marks: &[Mark]) -> anyhow::Result<String> {
    let mut template = Vec::new();
    for line in yaml.lines() {
        // What looks like an action in a description isn't one.
        let line = line.replace("{{", "{{ \"{{\" }}");
        let Some(mark) = find(&line, marks)? else {
            template.push(line);
            continue;
        };
        let name = key(mark.name);
        let item = line.trim_start();
        let column = line.len() - item.len();
        if item == format!("{name}: null") || item == format!("- {name}") {
            let lines =
                mark.template.replace("<0>", &column.to_string()).replace("<2>", &(column + 2).to_string());
            template.extend(lines.lines().map(|inner| " ".repeat(column) + inner));
        } else {
            template.push(line.replace(&name, mark.template));
        }
    }
    Ok(template.join("\n") + "\n")
}

/// The mark of a line, of which there is one at most.
fn find<'a>(line: &str, marks: &'a [Mark]) -> anyhow::Result<Option<&'a Mark>> {
    let Some(start) = line.find(PREFIX) else { return Ok(None) };
    let rest = &line[start + PREFIX.len()..];
    let end = rest.find(|letter: char| !letter.is_ascii_uppercase() && letter != '_').unwrap_or(rest.len());
    match marks.iter().find(|mark| mark.name == &rest[..end]) {
        Some(mark) => Ok(Some(mark)),
        None => bail!("there is no mark {PREFIX}{}, in: {line}", &rest[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKS: &[Mark] = &[
        Mark { name: "REPLICAS", template: "{{ .Values.replicas }}" },
        Mark { name: "ENV", template: "{{- toYaml .Values.env | nindent <0> }}" },
        Mark {
            name: "SELECTOR",
            template: "nodeSelector:\n  {{- toYaml .Values.nodeSelector | nindent <2> }}",
        },
    ];

    #[test]
    fn a_value_an_item_and_a_key_become_actions() {
        let yaml =
            "spec:\n  replicas: HELM_REPLICAS\n  env:\n  - name: A\n  - HELM_ENV\n  HELM_SELECTOR: null\n";
        assert_eq!(
            render(yaml, MARKS).unwrap(),
            "spec:\n  replicas: {{ .Values.replicas }}\n  env:\n  - name: A\n  {{- toYaml .Values.env | nindent 2 }}\n  \
             nodeSelector:\n    {{- toYaml .Values.nodeSelector | nindent 4 }}\n"
        );
    }

    #[test]
    fn braces_of_a_description_are_kept() {
        assert_eq!(render("a: '{{ x }}'\n", &[]).unwrap(), "a: '{{ \"{{\" }} x }}'\n");
    }

    #[test]
    fn an_unknown_mark_is_an_error() {
        let error = render("a: HELM_NONE\n", MARKS).unwrap_err().to_string();
        assert_eq!(error, "there is no mark HELM_NONE, in: a: HELM_NONE");
    }
}
