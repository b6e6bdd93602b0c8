use super::*;

#[test]
fn harmless_values_and_override_templates_pass() {
    let inert = [
        "",
        "library/alpine",
        ">3.18.0 < 3.19.0",
        "~1.4 || >=2",
        "https://registry.example:5000/a?b=c&d=e",
        "{{.tag}}",
        "{{ .tag }}",
        "{{\t.tag\t}}",
        "{{tag}}",
        "{{ tag }}",
        "{{~ .tag ~}}",
        "{{- .tag -}}",
        "{{ . }}",
        "{{.image.tag}}",
        "{{.workflow.uid}}",
        "{{ .tag | replace \"v\" \"\" }}",
        "{{ .tag|replace 'v' \"\" | upper }}",
        "{{replace .tag \"v\" \"\"}}",
        "{{ trunc 7 .digest }}",
        "{{#if a}}b{{/if}}",
        "{{#if a}}{{.tag}}{{else}}latest{{/if}}",
        "{{^a}}b{{/a}}",
        "{{if .a}}b{{end}}",
        "team/{{.repository}}:{{.tag}}-dev",
        "{{.a}}{{.b}}}}",
        "}}",
        "{\"a\":{\"b\":1}}",
        "{ {workflow.uid} }",
        "${HOME}",
        "a$b",
        "$ (A)",
        "`id`; $HOME",
        "\\ \" ' \n",
        "ümlaut {{ .tag | replace \"ü\" \"ue\" }}",
    ];
    for value in inert {
        assert_eq!(second_order(value), None, "{value:?}");
    }
}

#[test]
fn everything_argo_evaluates_is_found() {
    let evaluated = [
        "{{workflow.uid}}",
        "{{ workflow.uid }}",
        "{{workflow.name}}",
        "{\"a\":\"{{workflow.uid}}\"}",
        "{{workflow.parameters.srcRemoteURL}}",
        "{{workflow.status}}",
        "{{workflow}}",
        "{{pod.name}}",
        "{{node.name}}",
        "{{=1+1}}",
        "{{= 1+1 }}",
        "{{ =1+1}}",
        "{{~=1+1}}",
        "{{=sprig.upper('a')}}",
        "{{=sprig.env('HOME')}}",
        "{{inputs.parameters.x}}",
        "{{ inputs }}",
        "{{steps.a.outputs.result}}",
        "{{tasks.a.outputs.result}}",
        "{{outputs.parameters.x}}",
        "{{item}}",
        "{{item.tag}}",
        "{{ITEM}}",
        "{{retries}}",
        "{{lastRetry.exitCode}}",
        "{{cronworkflow.name}}",
        "{{ io.argoproj.workflow.v1alpha1.templates }}",
        "{{unknown.thing}}",
        "{{#item}}{{/item}}",
        "{{.tag}}{{workflow.uid}}",
    ];
    for value in evaluated {
        let found = second_order(value).expect(value);
        assert_eq!(found.evaluator, Evaluator::Argo, "{value:?}");
    }
}

#[test]
fn disguises_are_found() {
    let disguised = [
        // Every kind of space that a trim removes.
        "{{\nworkflow.uid\n}}",
        "{{\r\nworkflow.uid}}",
        "{{\u{a0}workflow.uid\u{a0}}}",
        "{{\u{2003}workflow.uid}}",
        "{{\u{85}workflow.uid}}",
        "{{\u{feff}workflow.uid}}",
        "{{\n.tag}}",
        // Braces within braces: Argo resolves the inner block on its own.
        "{{{{workflow.uid}}}}",
        "{{ {{workflow.uid}} }}",
        "{{.tag {{workflow.uid}} }}",
        "{{{workflow.uid}}}",
        "{{{.tag}}}",
        "{{.a}}{{{workflow.uid}}",
        // Words glued to something known.
        "{{tag\"x\"}}",
        "{{\"x\"}}",
        "{{ .tag | }}",
        "{{ | .tag }}",
        "{{ .tag | .upper }}",
        "{{ .tag | replace \"\\\"}}\" }}",
        "{{$x}}",
        "{{(.tag)}}",
        "{{! comment }}",
        "{{> partial}}",
        "{{&tag}}",
        "{{=<% %>=}}",
        "{{1}}",
        "{{}}",
        "{{ }}",
        "{{..}}",
        "{{.a..b}}",
        "{{.tag",
        "{{",
        "a{{b",
        "wörk {{wörkflow}}",
        // Harmless alone, not beside another value.
        "{",
        "a{",
        "{{.tag}}{",
    ];
    for value in disguised {
        let found = second_order(value).expect(value);
        assert_eq!(found.evaluator, Evaluator::Argo, "{value:?}");
    }
}

#[test]
fn everything_the_kubelet_expands_is_found() {
    for value in [
        "$(SPEC_TAG)",
        "a$(A)b",
        "$$(A)",
        "$$",
        "a$$b",
        "$(",
        "^v1$",
        "${{.tag}}$",
        "$$$(A)",
        "ü$(A)",
    ] {
        let found = second_order(value).expect(value);
        assert_eq!(found.evaluator, Evaluator::Kubelet, "{value:?}");
    }
}

#[test]
fn accepted_neighbours_cannot_join_into_a_block() {
    let parts = [
        "",
        "{",
        "{{",
        "}",
        "}}",
        "{workflow.uid}",
        "workflow.uid}}",
        "$",
        "(A)",
        "$(",
        "{{.tag}}",
        "=1+1",
    ];
    for a in parts {
        for b in parts {
            let joined = format!("{a}{b}");
            if second_order(a).is_none() && second_order(b).is_none() {
                assert_eq!(second_order(&joined), None, "{a:?} and {b:?}");
            }
        }
    }
}

#[test]
fn a_finding_says_who_what_and_what_to_write() {
    let found =
        second_order("team/{{ workflow.uid }}:1").expect("the value names a workflow variable");
    assert_eq!(found.to_string(), "\"{{ workflow.uid }}\", which Argo could evaluate");
    assert_eq!(found.remedy, REMEDY_BLOCK);
    let long = format!("{{{{{}}}}}", "x.".repeat(500));
    assert_eq!(
        second_order(&long).expect("a dotted word").excerpt.chars().count(),
        MAX_EXCERPT_CHARS + 1
    );
}
