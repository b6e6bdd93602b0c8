//! Label and field selectors.

use serde_json::{Value, json};

use crate::widgets::{WIDGETS, create, server, widget};

#[tokio::test]
async fn selectors_select_what_they_say() {
    let server = server();
    for (name, labels) in [
        ("a", json!({ "env": "prod", "tier": "web" })),
        ("b", json!({ "env": "test", "tier": "web" })),
        ("c", json!({ "env": "prod" })),
        ("d", json!({})),
    ] {
        let mut widget = widget(name, 1);
        widget["metadata"]["labels"] = labels;
        create(&server, &widget);
    }
    for (selector, expected) in [
        ("labelSelector=env%3Dprod", "ac"),
        ("labelSelector=env%3D%3Dprod,tier%3Dweb", "a"),
        ("labelSelector=env!%3Dprod", "bd"),
        ("labelSelector=env+in+(prod,+test),tier", "ab"),
        ("labelSelector=env+notin+(prod)", "bd"),
        ("labelSelector=!tier", "cd"),
        ("labelSelector=tier", "ab"),
        ("fieldSelector=metadata.name!%3Da", "bcd"),
        ("fieldSelector=metadata.namespace%3Ddefault,metadata.name%3Dc", "c"),
        ("fieldSelector=metadata.namespace%3Dother", ""),
        ("labelSelector=", "abcd"),
    ] {
        let list = server.call("GET", &format!("{WIDGETS}?{selector}"), &Value::Null);
        let items = list["items"].as_array().unwrap();
        let names: String =
            items.iter().map(|item| item["metadata"]["name"].as_str().unwrap()).collect();
        assert_eq!(names, expected, "{selector}");
    }
    for selector in ["labelSelector=a+b", "labelSelector=a+inn+(b)", "fieldSelector=x"] {
        let refused = server.call("GET", &format!("{WIDGETS}?{selector}"), &Value::Null);
        assert_eq!(refused["code"], 400, "{selector}");
    }
}
