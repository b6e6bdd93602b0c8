//! Judges a request by rendered policies as the API server does, with the CEL functions that it has.

use std::{cell::RefCell, collections::HashMap};

use arc_chart::Chart;
use kube_cel::KubeCelExt;
use kube_cel::cel::{Context, Program, Value as Cel, to_value};
use serde_json::{Value, json};

/// A request, with everything that the policies ask about.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) resource: &'static str,
    pub(crate) subresource: &'static str,
    pub(crate) user: &'static str,
    pub(crate) old: Option<Value>,
    pub(crate) new: Value,
}

/// What was asked and what came of it.
pub(crate) struct Judged {
    /// Of the chart.
    pub(crate) values: Value,
    pub(crate) request: Request,
    /// The types of the cluster.
    pub(crate) types: Vec<Value>,
    pub(crate) refusal: Option<String>,
}

thread_local! {
    /// Everything that was judged on this thread.
    static JUDGED: RefCell<Vec<Judged>> = const { RefCell::new(Vec::new()) };
}

/// Everything that was judged on this thread since the last time.
pub(crate) fn judged() -> Vec<Judged> {
    JUDGED.take()
}

impl Request {
    pub(crate) fn new(resource: &'static str, user: &'static str, new: Value) -> Self {
        Self { resource, subresource: "", user, old: None, new }
    }

    pub(super) fn over(self, old: Value) -> Self {
        Self { old: Some(old), ..self }
    }

    fn operation(&self) -> &'static str {
        if self.old.is_some() { "UPDATE" } else { "CREATE" }
    }

    fn attributes(&self) -> Value {
        let mut attributes = json!({
            "operation": self.operation(),
            "resource": {"group": "arc.opendefense.cloud", "version": "v1alpha1", "resource": self.resource},
            "userInfo": {"username": self.user, "groups": ["system:authenticated"]},
        });
        // A real API server leaves out what is empty, and an expression that asks for it nevertheless is an error.
        if let Some(namespace) = self.new.pointer("/metadata/namespace") {
            attributes["namespace"] = namespace.clone();
        }
        if !self.subresource.is_empty() {
            attributes["subResource"] = json!(self.subresource);
        }
        attributes
    }
}

/// The policies of a chart rendered with these values.
pub(super) struct Policies {
    values: Value,
    policies: Vec<Value>,
}

impl Policies {
    pub(super) fn with(values: &Value) -> Self {
        let rendered = Chart::open().render(values);
        let all = rendered.into_values().flatten();
        let policies = all.filter(|object| object["kind"] == "ValidatingAdmissionPolicy").collect();
        Self { values: values.clone(), policies }
    }

    /// The message of the first refusal, by any policy that matches the request.
    pub(super) fn refusal(&self, request: &Request) -> Option<String> {
        self.refusal_among(request, &[])
    }

    /// Like `refusal`, with cluster types as parameters.
    pub(super) fn refusal_among(&self, request: &Request, types: &[Value]) -> Option<String> {
        let mut matching = self.policies.iter().filter(|policy| matches(policy, request));
        let refusal = matching.find_map(|policy| {
            let params: Vec<Option<&Value>> = match policy["spec"].get("paramKind") {
                // The binding's parameterNotFoundAction is Allow.
                Some(_) => types.iter().map(Some).collect(),
                None => vec![None],
            };
            params.into_iter().find_map(|params| judge(policy, request, params))
        });
        let judged = Judged {
            values: self.values.clone(),
            request: request.clone(),
            types: types.to_vec(),
            refusal: refusal.clone(),
        };
        JUDGED.with_borrow_mut(|all| all.push(judged));
        refusal
    }
}

fn matches(policy: &Value, request: &Request) -> bool {
    let full = match request.subresource {
        "" => request.resource.to_owned(),
        subresource => format!("{}/{subresource}", request.resource),
    };
    policy["spec"]["matchConstraints"]["resourceRules"].as_array().unwrap().iter().any(|rule| {
        rule["operations"].as_array().unwrap().contains(&json!(request.operation()))
            && rule["resources"].as_array().unwrap().contains(&json!(full))
    })
}

/// Evaluates one policy; an error is a refusal, because `failurePolicy` is `Fail`.
fn judge(policy: &Value, request: &Request, params: Option<&Value>) -> Option<String> {
    assert_eq!(policy["spec"]["failurePolicy"], "Fail");
    let mut facts = HashMap::from([
        ("object", to_value(&request.new).unwrap()),
        ("oldObject", to_value(&request.old).unwrap()),
        ("request", to_value(request.attributes()).unwrap()),
        ("params", to_value(params).unwrap()),
    ]);
    let list = |name: &str| policy["spec"][name].as_array().cloned().unwrap_or_default();
    for condition in list("matchConditions") {
        if evaluate(&facts, &condition["expression"]) != Cel::Bool(true) {
            return None;
        }
    }
    let mut variables = HashMap::new();
    for variable in list("variables") {
        let value = evaluate(&facts, &variable["expression"]);
        variables.insert(text(&variable["name"]), value);
        facts.insert("variables", variables.clone().into());
    }
    let failed = list("validations")
        .into_iter()
        .find(|rule| evaluate(&facts, &rule["expression"]) != Cel::Bool(true))?;
    match failed.get("messageExpression").map(|expression| evaluate(&facts, expression)) {
        Some(Cel::String(message)) => Some(message.to_string()),
        Some(other) => panic!("a message is text, not {other:?}"),
        None => Some(text(&failed["message"])),
    }
}

fn evaluate(facts: &HashMap<&str, Cel>, expression: &Value) -> Cel {
    let expression = expression.as_str().unwrap();
    let mut context = Context::default().with_all();
    for (name, value) in facts {
        context.add_variable_from_value(*name, value.clone());
    }
    let program =
        Program::compile(expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
    program.execute(&context).unwrap_or_else(|error| panic!("{expression}: {error}"))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
