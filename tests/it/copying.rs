//! Copying between registries and looking into them: the commands as users type them, on honest and on real registries.

use arc_tests::arc::{Arc, Finished};
use arc_tests::client::Client;
use arc_tests::images::{Content, Layer, sha256};
use arc_tests::lying::LyingRegistry;
use arc_tests::peers::{DockerRegistry, Peer, Setup, require};
use serde_json::{Value, json};

use crate::site::clean;

fn arc() -> Arc {
    Arc::new(env!("CARGO_BIN_EXE_arc-under-test"))
}

async fn run(args: &[&str], code: i32) -> Finished {
    arc().run(args).await.expect_code(code)
}

fn json_of(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout).unwrap()
}

/// An index for two platforms, with a referrer.
fn signed() -> (Content, String) {
    Content::multi_arch(&[Layer::files(&[("a", "b")])]).with_referrer("application/test", "{}")
}

/// A small image of its own.
fn image(text: &str) -> Content {
    Content::image("linux/amd64", [Layer::files(&[("text", text)])])
}

/// Fails unless every manifest and blob of `content` is in the repository, byte for byte.
async fn expect_all(client: &Client, repository: &str, content: &Content) {
    for (kind, digests) in
        [("manifests", content.manifest_digests()), ("blobs", content.blob_digests())]
    {
        for digest in digests {
            let accept = [("accept", arc_tests::images::MANIFEST_TYPES)];
            let path = format!("/v2/{repository}/{kind}/{digest}");
            let answer = client.send(http::Method::GET, &path, &accept, "").await;
            assert_eq!(answer.status, 200, "{path}");
            assert_eq!(sha256(&answer.body), digest);
        }
    }
}

#[tokio::test]
async fn a_copy_has_every_byte_of_its_source_and_a_second_one_costs_a_question_per_side() {
    let (source, destination) = (LyingRegistry::honest().await, LyingRegistry::honest().await);
    let (content, referrer) = signed();
    content.push(source.backdoor(), "team/app", "1.2").await;
    let from = format!("{}/team/app:1.2", source.url());
    let to = format!("{}/mirror/app", destination.url());
    let copied = json_of(&run(&["copy", &from, &to, "-o", "json"], 0).await);
    assert_eq!(copied["outcome"], "Copied");
    assert_eq!(copied["destination"]["digest"], content.digest());
    assert_eq!(
        copied["destination"]["reference"],
        format!("{}/mirror/app:1.2", destination.host())
    );
    assert_eq!(copied["blobsSent"], content.blob_digests().len());
    assert_eq!(copied["referrers"], 1);
    expect_all(destination.backdoor(), "mirror/app", &content).await;
    let listed =
        destination.backdoor().get(&format!("/v2/mirror/app/referrers/{}", content.digest())).await;
    assert_eq!(listed.json()["manifests"][0]["digest"], referrer);
    let writes = destination.writes();
    assert_eq!(writes.last().unwrap(), "PUT /v2/mirror/app/manifests/1.2 201", "the tag is last");

    source.forget_requests();
    destination.forget_requests();
    let again = json_of(&run(&["copy", &from, &to, "-o", "json"], 0).await);
    assert_eq!(again["outcome"], "Unchanged");
    let lines = |registry: &LyingRegistry| {
        registry.requests().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(lines(&source), ["HEAD /v2/team/app/manifests/1.2 200"]);
    assert_eq!(lines(&destination), ["HEAD /v2/mirror/app/manifests/1.2 200"]);
}

#[tokio::test]
async fn referrers_can_be_left_behind_and_found_later() {
    let (source, destination) = (LyingRegistry::honest().await, LyingRegistry::honest().await);
    let (content, referrer) = signed();
    content.push(source.backdoor(), "app", "1").await;
    let (from, to) = (format!("{}/app:1", source.url()), format!("{}/app:1", destination.url()));
    run(&["copy", &from, &to, "--no-referrers"], 0).await;
    let path = format!("/v2/app/manifests/{referrer}");
    assert_eq!(destination.backdoor().head(&path).await.status, 404);
    // By the tag alone there is nothing to do.
    run(&["copy", &from, &to], 0).await;
    assert_eq!(destination.backdoor().head(&path).await.status, 404);
    let copied = json_of(&run(&["copy", &from, &to, "--recheck", "-o", "json"], 0).await);
    assert_eq!(copied["outcome"], "Copied");
    assert_eq!(destination.backdoor().head(&path).await.status, 200);
}

#[tokio::test]
async fn a_dry_run_writes_nothing_and_says_what_it_would() {
    let (source, destination) = (LyingRegistry::honest().await, LyingRegistry::honest().await);
    let content = clean();
    content.push(source.backdoor(), "app", "1").await;
    let (from, to) = (format!("{}/app:1", source.url()), format!("{}/app:1", destination.url()));
    let planned = json_of(&run(&["copy", &from, &to, "--dry-run", "-o", "json"], 0).await);
    assert_eq!(planned["outcome"], "WouldCopy");
    assert_eq!(planned["planned"]["blobs"], content.blob_digests().len());
    assert_eq!(destination.writes(), Vec::<String>::new());
    run(&["copy", &from, &to], 0).await;
    destination.forget_requests();
    let planned = json_of(&run(&["copy", &from, &to, "--dry-run", "-o", "json"], 0).await);
    assert_eq!(planned["outcome"], "Unchanged");
    assert_eq!(destination.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn platforms_are_chosen_into_an_index_of_their_own() {
    let (source, destination) = (LyingRegistry::honest().await, LyingRegistry::honest().await);
    let (content, _) = signed();
    content.push(source.backdoor(), "app", "1").await;
    let (from, to) = (format!("{}/app:1", source.url()), format!("{}/app:1", destination.url()));
    let args = ["copy", &from, &to, "--platform", "linux/arm64", "-o", "json"];
    let copied = json_of(&run(&args, 0).await);
    assert_eq!(copied["selection"], json!({"platforms": ["linux/arm64"], "leftOut": 1}));
    let digest = copied["destination"]["digest"].as_str().unwrap().to_owned();
    assert_ne!(digest, content.digest());
    assert_eq!(destination.backdoor().digest("app", "1").await, Some(digest));
    let inspected = json_of(&run(&["inspect", &to, "-o", "json"], 0).await);
    let platforms: Vec<_> = inspected["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|image| image["platform"].clone())
        .collect();
    assert_eq!(platforms, ["linux/arm64"]);
}

#[tokio::test]
async fn a_sync_chooses_tags_sends_shared_blobs_once_and_leaves_a_bad_entry_to_itself() {
    let (source, destination) = (LyingRegistry::honest().await, LyingRegistry::honest().await);
    for tag in ["1.0.0", "1.1.0", "2.0.0", "edge"] {
        image(tag).push(source.backdoor(), "team/app", tag).await;
    }
    let shared = Layer::files(&[("shared", "by both")]);
    for name in ["one", "two"] {
        Content::image("linux/amd64", [shared.clone(), Layer::files(&[("own", name)])])
            .push(source.backdoor(), &format!("team/{name}"), "1")
            .await;
    }
    let (from, to) = (source.url(), destination.url());
    let file = format!(
        "entries:\n\
         - {{source: '{from}/team/app', destination: '{to}/m/app', tags: {{semver: '^1'}}}}\n\
         - {{source: '{from}/team/gone', destination: '{to}/m/gone', tags: {{names: [x]}}}}\n\
         - {{source: '{from}/team', destination: '{to}/all', repositories: ['*o*e', 'two']}}\n"
    );
    let arc = arc();
    let path = arc.home().join("sync.yaml");
    std::fs::write(&path, file).unwrap();
    let args = ["sync", "-f", path.to_str().unwrap(), "-o", "json"];

    let planned = json_of(&arc.run(&[&args[..], &["--dry-run"]].concat()).await.expect_code(2));
    assert_eq!(planned["summary"]["wouldCopy"], 4);
    assert_eq!(destination.writes(), Vec::<String>::new());

    let synced = json_of(&arc.run(&args).await.expect_code(2));
    let rows: Vec<_> = synced["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            format!("{} {}", row["outcome"], row["destination"]["reference"]).replace('"', "")
        })
        .collect();
    let host = destination.host();
    let expected = [
        "Copied {}/m/app:1.0.0",
        "Copied {}/m/app:1.1.0",
        "Failed {}/m/gone:x",
        "Copied {}/all/one:1",
        "Copied {}/all/two:1",
    ];
    assert_eq!(rows, expected.map(|row| row.replace("{}", &host)));
    let message = synced["images"][2]["message"].as_str().unwrap();
    assert!(message.contains("the registry answered status 404"), "{message}");
    // Both images hold the layer; one upload of it was enough.
    let summary = &synced["summary"];
    assert_eq!(
        (&summary["blobsSent"], &summary["blobsMounted"]),
        (&json!(2 * 2 + 3 + 2), &json!(1)),
        "app: 2 × (config, layer); one: 3; two: config and own layer"
    );
    let is_stored = |line: &&String| line.contains("/blobs/uploads/") && line.ends_with(" 201");
    assert_eq!(destination.writes().iter().filter(is_stored).count(), 10);
    assert_eq!(destination.backdoor().tags("m/app").await, ["1.0.0", "1.1.0"]);

    let again = json_of(&arc.run(&args).await.expect_code(2));
    assert_eq!(again["summary"]["unchanged"], 4);
    assert_eq!(again["summary"]["bytesSent"], 0);
}

#[tokio::test]
async fn tags_digests_and_contents_can_be_looked_at() {
    let registry = LyingRegistry::honest().await;
    for tag in ["1.0.0", "1.10.0", "1.9.0", "edge"] {
        image(tag).push(registry.backdoor(), "app", tag).await;
    }
    let (content, referrer) = signed();
    content.push(registry.backdoor(), "app", "signed").await;
    let repository = format!("{}/app", registry.url());
    let tags = |args: &[&str]| {
        let args = [&["tags", &repository][..], args].concat().into_iter().map(str::to_owned);
        let args = args.collect::<Vec<_>>();
        async move {
            let args: Vec<_> = args.iter().map(String::as_str).collect();
            run(&args, 0).await.stdout
        }
    };
    assert_eq!(tags(&["--newest", "2"]).await, "1.10.0\n1.9.0\n");
    assert_eq!(tags(&["--match", "e*"]).await, "edge\n");
    assert_eq!(tags(&["--semver", "<1.9"]).await, "1.0.0\n");

    let reference = format!("{repository}:signed");
    assert_eq!(run(&["digest", &reference], 0).await.stdout, format!("{}\n", content.digest()));
    let raw = run(&["inspect", &reference, "--raw"], 0).await;
    assert_eq!(sha256(raw.stdout.as_bytes()), content.digest());
    let shown = run(&["inspect", &reference], 0).await.stdout;
    for part in ["linux/amd64", "linux/arm64", content.digest()] {
        assert!(shown.contains(part), "{shown}");
    }
    let tree = json_of(&run(&["referrers", &reference, "-o", "json"], 0).await);
    let kinds: Vec<_> = tree["children"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| (node["relation"].as_str().unwrap(), node["what"].as_str().unwrap()))
        .collect();
    let expected = [
        ("referrer", "application/test"),
        ("platform", "linux/amd64"),
        ("platform", "linux/arm64"),
    ];
    assert_eq!(kinds, expected);
    assert_eq!(tree["children"][0]["digest"], referrer);
    let missing = run(&["digest", &format!("{repository}:gone")], 2).await;
    assert!(missing.stderr.contains("there is nothing at"), "{}", missing.stderr);
}

#[tokio::test]
async fn wrong_input_is_refused_before_anything_is_asked() {
    for (args, problem) in [
        (&["copy", "http://r.example/a:1", "ftp://r.example/a:1"][..], "unsupported scheme"),
        (&["copy", "R/A:1", "r.example/a:1"], "is not a repository name"),
        (&["copy", "r.example/a:1", "r.example/b:1", "--platform", "linux"], "is not a platform"),
        (&["tags", "r.example/a:1"], "names one image"),
        (&["tags", "r.example/a", "--regex", "("], "is not a usable expression"),
        (&["sync", "-f", "gone.yaml"], "gone.yaml"),
    ] {
        let finished = run(args, 2).await;
        assert!(finished.stderr.contains(problem), "{args:?}: {}", finished.stderr);
    }
}

/// Between two docker-registries, which have no referrers API, and read by others afterwards.
#[tokio::test]
async fn real_registries_and_tools_read_the_same_bytes() {
    let Some(registry) = require(Peer::DockerRegistry) else { return };
    let source = DockerRegistry::start(&registry, Setup::default()).await;
    let destination = DockerRegistry::start(&registry, Setup::default()).await;
    let content = clean();
    content.push(&source.client(), "app", "1.2.3").await;
    let from = format!("{}/app:1.2.3", source.url());
    let to = format!("{}/mirror/app:1.2.3", destination.url());
    run(&["copy", &from, &to], 0).await;
    expect_all(&destination.client(), "mirror/app", &content).await;
    let name = format!("{}/mirror/app:1.2.3", destination.host());
    if let Some(skopeo) = require(Peer::Skopeo) {
        let args = ["inspect", "--raw", "--tls-verify=false", &format!("docker://{name}")];
        let raw = Arc::new(skopeo).run(&args).await.expect_code(0);
        assert_eq!(sha256(raw.stdout.as_bytes()), content.digest());
    }
    if let Some(crane) = require(Peer::Crane) {
        let finished = Arc::new(crane).run(&["digest", "--insecure", &name]).await.expect_code(0);
        assert_eq!(finished.stdout.trim(), content.digest());
    }
}

#[tokio::test]
async fn layouts_and_archives_are_read_and_written_byte_for_byte() {
    let (source, destination) = (LyingRegistry::honest().await, LyingRegistry::honest().await);
    let (content, referrer) = signed();
    content.push(source.backdoor(), "team/app", "1.2").await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (layout, archive) =
        (format!("oci:{}", path("layout")), format!("oci-archive:{}", path("a.tar")));
    let to = format!("{}/back", destination.url());
    for (from, to) in
        [(&format!("{}/team/app:1.2", source.url()), &layout), (&layout, &archive), (&archive, &to)]
    {
        let copied = json_of(&run(&["copy", from, to, "-o", "json"], 0).await);
        assert_eq!(copied["destination"]["digest"], content.digest(), "{from} {to}");
    }
    assert_eq!(
        destination.backdoor().digest("back", "1.2").await.as_deref(),
        Some(content.digest())
    );
    expect_all(destination.backdoor(), "back", &content).await;
    let path = format!("/v2/back/referrers/{}", content.digest());
    let listed = destination.backdoor().get(&path).await;
    assert!(String::from_utf8_lossy(&listed.body).contains(&referrer));
    // What is there is not overwritten, and by type referrers stay behind.
    run(&["copy", &layout, &archive], 2).await;
    let other = format!("{}/other", destination.url());
    let copied = run(&["copy", &layout, &other, "--referrers", "no/such", "-o", "json"], 0).await;
    assert_eq!(json_of(&copied)["referrers"], 0);
}
