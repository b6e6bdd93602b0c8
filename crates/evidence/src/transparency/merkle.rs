//! Merkle trees of RFC 9162 (and RFC 6962): from a leaf and its proof to the root.

use sha2::{Digest as _, Sha256};

/// A node of the tree.
pub(super) type Hash = [u8; 32];

/// Returns the hash of a leaf.
pub(super) fn leaf(entry: &[u8]) -> Hash {
    Sha256::new().chain_update([0]).chain_update(entry).finalize().into()
}

/// Returns the hash of an inner node.
fn inner(left: &Hash, right: &Hash) -> Hash {
    Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
}

/// Returns the root that the proof leads to; `None` if its length does not fit the index and the size
/// (RFC 9162, 2.1.3.2).
pub(super) fn root(leaf: Hash, index: u64, size: u64, proof: &[Hash]) -> Option<Hash> {
    if index >= size {
        return None;
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = leaf;
    for sibling in proof {
        if last == 0 {
            return None;
        }
        if node & 1 == 1 || node == last {
            hash = inner(sibling, &hash);
            // A right edge that is higher than its sibling: skip the levels on which it has none.
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = inner(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    (last == 0).then_some(hash)
}
