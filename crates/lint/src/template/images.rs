//! Images: what runs beside the credentials must not change by itself.

use super::Container;
use crate::finding::{Findings, say};
use crate::object::Object;
use crate::rules;

/// Judges the image of one container.
pub(super) fn check(object: &Object<'_>, container: &Container<'_>, findings: &mut Findings) {
    let Some(node) = container.node.get("image") else { return };
    // An image that is a parameter is somebody else's decision.
    let Some(image) = node.text().filter(|image| !image.contains("{{") && !image.is_empty()) else {
        return;
    };
    if image.contains('@') {
        return;
    }
    let name = image.rsplit('/').next().unwrap_or_default();
    let (rule, message) = match name.split_once(':') {
        None => (rules::FLOATING_IMAGE, format!("image {image:?} has no tag and means `latest`")),
        Some((_, "latest")) => {
            (rules::FLOATING_IMAGE, format!("image {image:?} changes from day to day"))
        }
        Some(_) => (rules::UNPINNED_IMAGE, format!("image {image:?} is not pinned by digest")),
    };
    let hint = "add the digest, as in `image:tag@sha256:…`; `arc digest <image>` prints it";
    findings.add(object.source, rule, node.at, say(message, hint));
}
