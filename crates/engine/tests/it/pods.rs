//! What a pod sees: environment, volumes, secrets, and what it leaves behind.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use arc_api::argo::Phase;
use arc_engine::{Event, Stream};

use crate::harness::{Case, step};

/// A pod with a work volume, a secret, and an output.
fn pod(script: &str) -> Case {
    let script = serde_json::to_string(script).unwrap();
    let spec = format!(
        "entrypoint: main
volumes:
- name: work
  emptyDir: {{}}
- name: creds
  secret: {{secretName: s, items: [{{key: password, path: sub/pass}}], defaultMode: 0644}}
- name: none
  secret: {{secretName: absent, optional: true}}
templates:
- name: main
  outputs: {{parameters: [{{name: result, valueFrom: {{path: /work/result.json}}}}]}}
  container:
    image: registry.example:5000/opendefense/arc@sha256:00
    command: [arc, step, {script}]
    env: [{{name: MODE, value: test}}]
    volumeMounts:
    - {{name: work, mountPath: /work}}
    - {{name: creds, mountPath: /secrets/src, readOnly: true}}
    - {{name: none, mountPath: /secrets/dst}}"
    );
    Case::new(&spec).secret("s", "password", "hunter2")
}

fn tree(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                open.push(path.clone());
            }
            found.push(path.strip_prefix(folder).unwrap().display().to_string());
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn a_step_sees_its_mounts_and_a_clean_environment() {
    let script = r#"
cd "$ARC_MOUNT_ROOT" && cat secrets/src/sub/pass && echo && stat -L -c '%a %F' secrets/src secrets/src/sub/pass
ls secrets/dst | wc -l
env | cut -d= -f1 | grep -v -e '^_$' -e '^SHLVL$' -e '^PWD$' -e '^OLDPWD$' | sort | tr '\n' ' '
echo
echo '{"outcome":"Delivered"}' > work/result.json"#;
    let folder = tempfile::tempdir().unwrap();
    let outcome = pod(script).run(folder.path()).await;
    let logs = outcome.logs();
    assert_eq!(logs[..4], ["hunter2", "700 directory", "600 regular file", "0"]);
    let allowed = [
        "ARC_MOUNT_ROOT",
        "HOME",
        "HTTPS_PROXY",
        "HTTP_PROXY",
        "MODE",
        "NO_PROXY",
        "PATH",
        "RUST_LOG",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "TMPDIR",
        "http_proxy",
        "https_proxy",
        "no_proxy",
    ];
    let unexpected: Vec<&str> =
        logs[4].split_whitespace().filter(|name| !allowed.contains(name)).collect();
    assert_eq!(unexpected, [""; 0]);
    let status = &outcome.report.status;
    assert_eq!(status.phase, Phase::Succeeded, "{}", status.message);
    let outputs = status.nodes["w"].outputs.clone().unwrap();
    assert_eq!(outputs.parameters[0].value.as_deref(), Some("{\"outcome\":\"Delivered\"}"));
    assert_eq!(outputs.result, None, "nobody reads it");
    assert!(outcome.file("/work/result.json").is_file(), "the work volume stays for inspection");
}

#[tokio::test]
async fn secrets_are_gone_after_the_run_and_in_no_debug_text() {
    let folder = tempfile::tempdir().unwrap();
    let case = pod("exit 3");
    let outcome = case.run(folder.path()).await;
    assert_eq!(outcome.report.status.message, "main: Error (exit code 3)");
    assert_eq!(
        tree(&outcome.report.root),
        [
            "lock",
            "pods",
            "pods/w",
            "pods/w/root",
            "pods/w/root/secrets",
            "pods/w/root/secrets/dst",
            "pods/w/root/secrets/src",
            "pods/w/root/tmp",
            "pods/w/root/work",
            "pods/w/volumes",
            "pods/w/volumes/work",
        ]
    );
    let mode = std::fs::metadata(&outcome.report.root).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o700);
    assert!(!format!("{:?} {:?}", case.objects, outcome.report).contains("hunter2"));
}

#[tokio::test]
async fn a_second_run_finds_the_work_volume_but_not_the_old_output() {
    let folder = tempfile::tempdir().unwrap();
    let first = pod("cd $ARC_MOUNT_ROOT/work; echo half > blob; echo old > result.json; exit 1");
    assert_eq!(first.run(folder.path()).await.report.status.phase, Phase::Failed);
    let second = pod("cat $ARC_MOUNT_ROOT/work/blob").run(folder.path()).await;
    assert_eq!(second.logs(), ["half"]);
    assert_eq!(
        second.lines(),
        [
            "Error w: wait: Error (exit code 64): open /mainctrfs/work/result.json: no such file or directory",
            "Pod Error w: wait: Error (exit code 64): open /mainctrfs/work/result.json: no such file or directory",
        ]
    );
}

#[tokio::test]
async fn two_runs_of_one_workflow_do_not_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("w")).unwrap();
    let lock = std::fs::File::create(folder.path().join("w/lock")).unwrap();
    lock.lock().unwrap();
    let report = Case::new(&step("echo hi")).run(folder.path()).await.report;
    assert_eq!(report.status.phase, Phase::Error);
    assert!(report.status.message.starts_with("another run uses "), "{}", report.status.message);
}

#[tokio::test]
async fn progress_and_lines_are_events_of_their_node() {
    let script =
        "echo out; echo '::progress 1 4 pull alpine' >&2; echo err >&2; echo '::progress 1 4 no'";
    let folder = tempfile::tempdir().unwrap();
    let outcome = Case::new(&step(script)).run(folder.path()).await;
    let log = |stream, line: &str| Event::Log {
        node_id: "w".to_owned(),
        container: "main".to_owned(),
        stream,
        line: line.to_owned(),
    };
    let of = |wanted: Stream| -> Vec<Event> {
        let is_wanted = |event: &&Event| match event {
            Event::Log { stream, .. } => *stream == wanted,
            Event::Progress { .. } => wanted == Stream::Stderr,
            Event::Node(_) => false,
        };
        outcome.events.iter().filter(is_wanted).cloned().collect()
    };
    assert_eq!(
        of(Stream::Stdout),
        [log(Stream::Stdout, "out"), log(Stream::Stdout, "::progress 1 4 no")]
    );
    let progress = Event::Progress {
        node_id: "w".to_owned(),
        done: 1,
        total: 4,
        label: "pull alpine".to_owned(),
    };
    assert_eq!(of(Stream::Stderr), [progress, log(Stream::Stderr, "err")]);
    let phases: Vec<Phase> = outcome
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Node(node) => Some(node.phase),
            Event::Progress { .. } | Event::Log { .. } => None,
        })
        .collect();
    assert_eq!(phases, [Phase::Running, Phase::Succeeded]);
}

#[tokio::test]
async fn a_link_out_of_the_pod_is_not_read_as_an_output() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("private");
    std::fs::write(&secret, "of the host").unwrap();
    for target in [secret.display().to_string(), "/dev/zero".to_owned(), "..".to_owned()] {
        let case = pod(&format!("ln -s {target} $ARC_MOUNT_ROOT/work/result.json"));
        let outcome = case.run(&folder.path().join("runs")).await;
        assert_eq!(outcome.report.status.phase, Phase::Error, "{target}");
        std::fs::remove_dir_all(folder.path().join("runs")).unwrap();
    }
    assert_eq!(std::fs::read_to_string(secret).unwrap(), "of the host");
}

#[tokio::test]
async fn a_missing_program_is_an_error_of_the_node() {
    let folder = tempfile::tempdir().unwrap();
    let mut case = Case::new(&step("true"));
    case.programs.arc = folder.path().join("no-arc");
    let message = case.run(folder.path()).await.report.status.message;
    assert!(message.starts_with("main: Error (exit code 64): failed to start "), "{message}");
}

#[tokio::test]
async fn processes_that_a_step_leaves_behind_do_not_hold_up_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let outcome = Case::new(&step("sleep 600 & echo $!")).run(folder.path()).await;
    assert_eq!(outcome.report.status.phase, Phase::Succeeded);
    let pid = outcome.logs()[0].to_owned();
    let is_gone = || {
        let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        state.is_empty() || state.contains(" Z ")
    };
    // The kernel may still be at it; the test harness has the last word on how long that may take.
    while !is_gone() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_script_runs_in_the_container_runtime_from_a_file() {
    let spec = "entrypoint: main
templates:
- name: main
  inputs: {parameters: [{name: who, default: world}]}
  outputs: {parameters: [{name: greeting, valueFrom: {path: /tmp/greeting, default: none}}]}
  script:
    image: busybox:1
    command: [sh]
    env:
    - {name: WHO, value: '{{inputs.parameters.who}} of \"quotes\" and $HOME'}
    - {name: LINES, value: \"a\\nb\"}
    source: |
      echo \"hello $WHO\"
      echo \"$LINES\"";
    let folder = tempfile::tempdir().unwrap();
    let outcome = Case::new(spec).run(folder.path()).await;
    assert_eq!(outcome.report.status.message, "");
    assert_eq!(outcome.logs(), ["hello world of \"quotes\" and $HOME", "a", "b"]);
    let outputs = outcome.report.status.nodes["w"].outputs.clone().unwrap();
    assert_eq!(outputs.parameters[0].value.as_deref(), Some("none"));
}
