//! What is copied: images made here, the same on every machine.

use std::time::Duration;

use arc_tests::client::Client;
use arc_tests::images::{Content, Layer};

/// One image to copy.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// Repository at the source and, under `mirror/`, at the destination.
    pub(crate) repository: String,
    /// Its tag.
    pub(crate) tag: String,
}

/// A piece of work that every tool does.
#[derive(Debug, Clone)]
pub(crate) struct Workload {
    /// Short name, for files and for `--only`.
    pub(crate) name: &'static str,
    /// Heading of the table.
    pub(crate) title: String,
    /// Added to every request.
    pub(crate) delay: Duration,
    /// The images.
    pub(crate) images: Images,
    /// What issue 4 asks for, as a share of the best peer's time.
    pub(crate) target: f64,
    /// The same again, with nothing to do.
    pub(crate) again: Option<Again>,
}

/// The second run over the same destination.
#[derive(Debug, Clone)]
pub(crate) struct Again {
    pub(crate) name: &'static str,
    pub(crate) title: String,
    pub(crate) target: f64,
}

/// How the images are made.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Images {
    /// One image for two platforms; sizes of the layers in mebibytes.
    Large(&'static [u64]),
    /// So many small images, as tags of one repository.
    Small(usize),
    /// So many images in as many repositories; sizes of the shared and of the own layers in mebibytes.
    Shared { count: usize, shared: &'static [u64], own: &'static [u64] },
}

/// 115 MiB, as uneven as real images are.
const LARGE_LAYERS: &[u64] = &[40, 24, 16, 12, 8, 6, 4, 3, 1, 1];

/// Returns all workloads, or small ones that only show that everything works.
pub(crate) fn all(quick: bool) -> Vec<Workload> {
    let (layers, small, delay): (&[u64], _, _) =
        if quick { (&[2, 1], 4, 2) } else { (LARGE_LAYERS, 50, 30) };
    let shared = if quick {
        Images::Shared { count: 3, shared: &[1, 1, 1, 1], own: &[1] }
    } else {
        Images::Shared { count: 20, shared: &[2; 8], own: &[1; 2] }
    };
    let mebibytes: u64 = layers.iter().sum::<u64>() * 2;
    vec![
        Workload {
            name: "cold",
            title: format!("One image, 2 platforms × {} layers, {mebibytes} MiB", layers.len()),
            delay: Duration::ZERO,
            images: Images::Large(layers),
            target: 0.6,
            again: None,
        },
        Workload {
            name: "small",
            title: format!("{small} small images, {delay} ms added to every request"),
            delay: Duration::from_millis(delay),
            images: Images::Small(small),
            target: 0.35,
            again: Some(Again {
                name: "again",
                title: format!("The same {small} images again, nothing to do"),
                target: 0.5,
            }),
        },
        Workload {
            name: "shared",
            title: match shared {
                Images::Shared { count, .. } => format!(
                    "{count} images that share 80 % of their layers, into {count} repositories"
                ),
                _ => unreachable!("just made"),
            },
            delay: Duration::ZERO,
            images: shared,
            target: 0.35,
            again: None,
        },
    ]
}

impl Images {
    /// Makes the images and pushes them.
    pub(crate) async fn push(self, client: &Client) -> Vec<Item> {
        let mut items = Vec::new();
        for (repository, tag, content) in self.make() {
            content.push(client, &repository, &tag).await;
            items.push(Item { repository, tag });
        }
        items
    }

    fn make(self) -> Vec<(String, String, Content)> {
        match self {
            Self::Large(sizes) => {
                let image = |(architecture, seed): (&str, u64)| {
                    let layers = sizes.iter().zip(seed..);
                    Content::image(
                        &format!("linux/{architecture}"),
                        layers.map(|(&mebibytes, seed)| Layer::Random { mebibytes, seed }),
                    )
                };
                let index = Content::index([("amd64", 1), ("arm64", 1001)].map(image));
                vec![("large".to_owned(), "1.0.0".to_owned(), index)]
            }
            Self::Small(count) => (0..count)
                .map(|number| {
                    let file =
                        |layer: usize| Layer::files(&[("opt/data", words(number * 10 + layer))]);
                    let content = Content::image("linux/amd64", (0..3).map(file));
                    ("small".to_owned(), format!("1.{number}.0"), content)
                })
                .collect(),
            Self::Shared { count, shared, own } => (0..count)
                .map(|number| {
                    let base = (2001_u64..).zip(shared);
                    let tops = (3001 + 100 * number as u64..).zip(own);
                    let layers = base
                        .chain(tops)
                        .map(|(seed, &mebibytes)| Layer::Random { mebibytes, seed });
                    let content = Content::image("linux/amd64", layers);
                    (format!("app-{number:02}"), "1.0.0".to_owned(), content)
                })
                .collect(),
        }
    }
}

/// Some kilobytes of text that differ with `seed`.
fn words(seed: usize) -> String {
    let mut state = seed as u64 + 1;
    let mut word = || {
        // Knuth's multiplier; any will do.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{:08x} ", state >> 32)
    };
    (0..600).map(|_| word()).collect()
}
