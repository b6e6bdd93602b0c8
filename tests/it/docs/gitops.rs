//! What the page about `GitOps` tells Argo CD and Flux about an Order's health, evaluated as they do it: the page is tested.

use cel::{Context, Program};
use mlua::{Lua, Table, Value as LuaValue};
use serde_json::{Value, json};

use super::blocks::{Kind, blocks};

/// One state of an Order, and what either tool must make of it.
struct Case {
    state: &'static str,
    order: Value,
    argo: &'static str,
    flux: &'static str,
}

fn case(state: &'static str, order: Value, argo: &'static str, flux: &'static str) -> Case {
    Case { state, order, argo, flux }
}

/// An order of generation 2 with what the controller saw of it.
fn seen(generation: i64, ready: &str) -> Value {
    json!({
        "apiVersion": "arc.opendefense.cloud/v1alpha1",
        "kind": "Order",
        "metadata": {"name": "demo", "namespace": "team-a", "generation": 2},
        "spec": {"artifacts": []},
        "status": {"observedGeneration": generation, "conditions": [
            {"type": "Other", "status": "True", "message": "not this one"},
            {"type": "Ready", "status": ready, "message": "1 of 2 delivered"},
        ]},
    })
}

fn cases() -> Vec<Case> {
    let without = |field: &str| {
        let mut order = seen(2, "True");
        order[field] = json!({});
        order
    };
    let mut new = seen(2, "True");
    new.as_object_mut().unwrap().remove("status");
    let mut suspended = seen(2, "Unknown");
    suspended["spec"]["suspend"] = json!(true);
    let mut running = seen(2, "True");
    running["spec"]["suspend"] = json!(false);
    let mut without_conditions = seen(2, "True");
    without_conditions["status"]["conditions"] = json!([]);
    vec![
        case("no status", new, "Progressing", "InProgress"),
        case("an empty status", without("status"), "Progressing", "InProgress"),
        case("no conditions", without_conditions, "Progressing", "InProgress"),
        case("delivered before the change", seen(1, "True"), "Progressing", "InProgress"),
        case("failed before the change", seen(1, "False"), "Progressing", "InProgress"),
        case("under way", seen(2, "Unknown"), "Progressing", "InProgress"),
        case("delivered", seen(2, "True"), "Healthy", "Current"),
        case("not suspended, delivered", running, "Healthy", "Current"),
        case("failed", seen(2, "False"), "Degraded", "Failed"),
        case("suspended", suspended, "Suspended", "InProgress"),
    ]
}

/// The file `name` that the page tells its reader to write.
fn file(name: &str) -> Value {
    let page = std::fs::read_to_string(super::root().join("docs/how-to/gitops.md")).unwrap();
    let all = blocks(&page).unwrap();
    let block = all.iter().find(|block| block.kind == Kind::File(name.to_owned())).unwrap();
    serde_saphyr::from_str(&block.text).unwrap()
}

/// The JSON value as Argo CD hands it to a script.
fn to_lua(lua: &Lua, value: &Value) -> LuaValue {
    match value {
        Value::Null => LuaValue::Nil,
        Value::Bool(flag) => LuaValue::Boolean(*flag),
        Value::Number(number) => LuaValue::Number(number.as_f64().unwrap()),
        Value::String(text) => LuaValue::String(lua.create_string(text).unwrap()),
        Value::Array(items) => {
            let items = items.iter().map(|item| to_lua(lua, item));
            LuaValue::Table(lua.create_sequence_from(items).unwrap())
        }
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| (name.as_str(), to_lua(lua, value)));
            LuaValue::Table(lua.create_table_from(fields).unwrap())
        }
    }
}

#[test]
fn argo_cd_sees_the_health_of_an_order_in_every_state() {
    let map = file("argocd-cm.yaml");
    let key = "resource.customizations.health.arc.opendefense.cloud_Order";
    let script = map["data"][key].as_str().unwrap();
    for Case { state, order, argo, .. } in cases() {
        let lua = Lua::new();
        lua.globals().set("obj", to_lua(&lua, &order)).unwrap();
        let health: Table = lua.load(script).eval().unwrap();
        assert_eq!(health.get::<String>("status").unwrap(), argo, "{state}");
        let message: String = health.get("message").unwrap();
        let is_from_the_order = message == "1 of 2 delivered";
        let is_ready_read = state == "under way" || argo == "Healthy" || argo == "Degraded";
        assert_eq!(is_from_the_order, is_ready_read, "{state}: {message}");
    }
}

/// Whether the expression holds; `None` where a field is missing, which Flux reports and asks again.
#[expect(
    clippy::unwrap_in_result,
    reason = "test code: an expression that cannot be read ends the test"
)]
fn holds(expression: &str, order: &Value) -> Option<bool> {
    let program = Program::compile(expression).unwrap();
    let mut context = Context::default();
    for (name, value) in order.as_object().unwrap() {
        context.add_variable(name.as_str(), value).unwrap();
    }
    match program.execute(&context) {
        Ok(cel::Value::Bool(holds)) => Some(holds),
        Ok(other) => panic!("{expression} is {other:?}"),
        Err(_) => None,
    }
}

/// Flux asks whether it failed, then whether it is current, and waits otherwise.
fn flux(expressions: &Value, order: &Value) -> &'static str {
    for (name, verdict) in [("failed", "Failed"), ("current", "Current")] {
        match holds(expressions[name].as_str().unwrap(), order) {
            Some(true) => return verdict,
            Some(false) => {}
            None => break,
        }
    }
    "InProgress"
}

#[test]
fn flux_sees_the_health_of_an_order_in_every_state() {
    let kustomization = file("flux-kustomization.yaml");
    let expressions = &kustomization["spec"]["healthCheckExprs"][0];
    for Case { state, order, flux: expected, .. } in cases() {
        assert_eq!(expressions["apiVersion"], order["apiVersion"]);
        assert_eq!(expressions["kind"], order["kind"]);
        assert_eq!(flux(expressions, &order), expected, "{state}");
    }
}
