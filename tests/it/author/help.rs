//! Every example that `--help` shows is typed.

use std::os::unix::fs::symlink;

use arc_kube_fake::{ApiServer, Options};
use arc_tests::arc::Arc;

use super::{Desk, ENDPOINTS, ORDER, TYPE, live::kubeconfig};

/// The lines below `Examples:`.
fn examples(help: &str) -> Vec<String> {
    let (_, examples) = help.split_once("Examples:\n").expect("the help has examples");
    let lines = examples.lines().take_while(|line| line.starts_with("  arc "));
    lines.map(|line| line.trim().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_the_help_works() {
    let server = ApiServer::with_arc(Options::default());
    for definition in &arc_kube_fake::argo::definitions() {
        server.define(definition);
    }
    server.add_namespace("team-a");
    let running = server.serve().await.unwrap();
    let policy =
        "parameters:\n- {name: scanSeverity, value: HIGH}\n- name: verifyKeys\n  value: |\n";
    let desk = Desk::new(&[
        ("orders/c.yaml", &ORDER.replace("name: demo", "name: quickstart")),
        (
            "deliveries/a.yaml",
            &format!("{ENDPOINTS}---\n{TYPE}---\n{ORDER}").replace("demo", "quickstart"),
        ),
        ("types/b.yaml", TYPE),
        ("endpoints.yaml", ENDPOINTS),
        ("policy.yaml", policy),
        ("kubeconfig", &kubeconfig(running.addr)),
    ]);
    let home = desk.arc.home();
    desk.arc.run(&["keys", "generate", "--dir", "keys"]).await.expect_code(0);
    let key = std::fs::read_to_string(home.join("keys/cosign.pub")).unwrap();
    let key: Vec<_> = key.lines().map(|line| ["    ", line, "\n"].concat()).collect();
    let policy = policy.to_owned() + &key.concat();
    std::fs::write(home.join("policy.yaml"), policy).unwrap();
    std::fs::create_dir(home.join("bin")).unwrap();
    symlink(env!("CARGO_BIN_EXE_arc-under-test"), home.join("bin/arc")).unwrap();
    let shell = Arc::new("/bin/sh")
        .current_dir(home)
        .env("PATH", format!("{}:/bin:/usr/bin", home.join("bin").display()))
        .env("KUBECONFIG", home.join("kubeconfig"));
    let mut count = 0;
    for command in ["lint", "plan", "schema"] {
        let help = desk.arc(&[command, "--help"], 0).await.stdout;
        for example in examples(&help) {
            // The cluster is empty, and says so; everything else is fine.
            let code = if example.contains("--live") { 2 } else { 0 };
            shell.run(&["-eu", "-c", &example]).await.expect_code(code);
            count += 1;
        }
    }
    assert_eq!(count, 9);
}
