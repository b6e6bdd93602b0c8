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

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree of RFC 6962, 2.1, straight from its definition: recursive, where the code above folds.
    fn tree(leaves: &[&[u8]]) -> Hash {
        if let [only] = leaves {
            return leaf(only);
        }
        let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
        inner(&tree(left), &tree(right))
    }

    /// The proof of RFC 6962, 2.1.1.
    fn path(index: usize, leaves: &[&[u8]]) -> Vec<Hash> {
        if leaves.len() == 1 {
            return Vec::new();
        }
        let middle = leaves.len().next_power_of_two() / 2;
        let (left, right) = leaves.split_at(middle);
        let (mut path, other) = if index < middle {
            (path(index, left), tree(right))
        } else {
            (path(index - middle, right), tree(left))
        };
        path.push(other);
        path
    }

    /// The leaves that implementations of Certificate Transparency test with.
    const LEAVES: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];

    #[test]
    fn known_trees_have_known_roots() {
        for (size, root) in [
            (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
            (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
            (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
            (4, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
            (5, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
            (6, "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
            (7, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
            (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
        ] {
            assert_eq!(crate::encoding::hex(&tree(&LEAVES[..size])), root, "{size}");
        }
    }

    #[test]
    fn every_proof_leads_to_its_root_and_no_other_does() {
        let entries: Vec<[u8; 1]> = (0..40).map(|number| [number]).collect();
        for size in 1..=entries.len() {
            let leaves: Vec<&[u8]> = entries[..size].iter().map(<[u8; 1]>::as_slice).collect();
            for index in 0..size {
                let proof = path(index, &leaves);
                let lead = |index: usize, size: usize, proof: &[Hash]| {
                    root(
                        leaf(leaves[index.min(leaves.len() - 1)]),
                        index as u64,
                        size as u64,
                        proof,
                    )
                };
                let expected = Some(tree(&leaves));
                assert_eq!(lead(index, size, &proof), expected, "{index} of {size}");
                // The same proof at another place, in a tree of another size, longer or shorter.
                for other in (0..=size).filter(|other| *other != index) {
                    assert_ne!(
                        root(leaf(leaves[index]), other as u64, size as u64, &proof),
                        expected
                    );
                }
                assert_eq!(lead(index, size, &[proof.clone(), vec![[0; 32]]].concat()), None);
                if let Some((_, shorter)) = proof.split_last() {
                    assert_eq!(lead(index, size, shorter), None);
                }
                for at in 0..proof.len() {
                    let mut wrong = proof.clone();
                    wrong[at][31] ^= 1;
                    assert_ne!(lead(index, size, &wrong), expected);
                }
            }
        }
    }

    #[test]
    fn absurd_sizes_are_no_trees() {
        for (index, size, length) in
            [(0, 0, 0), (1, 1, 0), (u64::MAX, u64::MAX, 64), (0, u64::MAX, 63), (5, 3, 2)]
        {
            assert_eq!(root([0; 32], index, size, &vec![[0; 32]; length]), None);
        }
        assert!(
            root([0; 32], u64::MAX - 1, u64::MAX, &[[0; 32]; 64])
                .is_none_or(|root| root != [0; 32])
        );
    }
}
