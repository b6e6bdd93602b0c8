//! The Merkle tree of RFC 9162, by its definition: split at the largest power of two below the size.

use sha2::{Digest as _, Sha256};

/// Returns SHA-256 over all parts.
pub(crate) fn sha256(parts: &[&[u8]]) -> Vec<u8> {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().to_vec()
}

/// Returns the root over these leaves; there is at least one.
pub(crate) fn root(leaves: &[Vec<u8>]) -> Vec<u8> {
    if let [leaf] = leaves {
        return sha256(&[b"\0", leaf]);
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    sha256(&[b"\x01", &root(left), &root(right)])
}

/// Returns the inclusion proof of a leaf, from the leaf to the root.
pub(crate) fn path(index: usize, leaves: &[Vec<u8>]) -> Vec<Vec<u8>> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let at = split(leaves.len());
    let (left, right) = leaves.split_at(at);
    let (mut below, sibling) = if index < at {
        (path(index, left), root(right))
    } else {
        (path(index - at, right), root(left))
    };
    below.push(sibling);
    below
}

fn split(size: usize) -> usize {
    size.next_power_of_two() / 2
}
