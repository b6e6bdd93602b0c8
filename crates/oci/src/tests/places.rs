//! Where a registry may send a client.

use url::Url;

use crate::{Client, ClientOptions, Remote};

#[test]
fn a_registry_may_not_send_us_to_places_that_are_not_its_own() {
    let remote = |url| Client::new(ClientOptions::new(Remote::parse(url).unwrap())).unwrap();
    let (far, near, plain) =
        (remote("https://r.example"), remote("http://127.0.0.1:5000"), remote("http://r.example"));
    for (client, url, is_allowed) in [
        (&far, "https://storage.example/x?signature=y", true),
        (&far, "https://10.0.0.1/x", true),
        (&far, "http://r.example/x", false),
        (&far, "https://user:password@r.example/x", false),
        (&far, "https://127.0.0.1/x", false),
        (&far, "https://localhost/x", false),
        (&far, "https://169.254.169.254/latest/meta-data", false),
        (&far, "https://[::1]/x", false),
        (&far, "https://[::ffff:127.0.0.1]/x", false),
        (&far, "https://[fe80::1]/x", false),
        (&far, "https://0.0.0.0/x", false),
        (&far, "file:///etc/passwd", false),
        (&plain, "http://storage.example/x", true),
        (&plain, "https://storage.example/x", true),
        (&plain, "http://169.254.169.254/x", false),
        (&near, "http://127.0.0.1:9000/x", true),
        (&near, "http://localhost:9000/x", true),
    ] {
        let found = client.check_url(&Url::parse(url).unwrap());
        assert_eq!(found.is_ok(), is_allowed, "{url} {found:?}");
    }
}
