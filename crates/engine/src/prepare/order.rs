//! Dependencies between named things: do they exist, and do they end?

use std::collections::{BTreeMap, BTreeSet};

/// Returns the names that can never start because they wait for each other; empty when there is an order.
pub(super) fn stuck(dependencies: &BTreeMap<&str, BTreeSet<&str>>) -> BTreeSet<String> {
    let mut done: BTreeSet<&str> = BTreeSet::new();
    loop {
        let before = done.len();
        for (name, needed) in dependencies {
            if needed.iter().all(|name| done.contains(name) || !dependencies.contains_key(name)) {
                done.insert(name);
            }
        }
        if done.len() == before {
            break;
        }
    }
    dependencies
        .keys()
        .filter(|name| !done.contains(*name))
        .map(|name| (*name).to_owned())
        .collect()
}

/// Returns everything that must end before `name` can start.
pub(super) fn ancestors<'name>(
    name: &str,
    dependencies: &BTreeMap<&'name str, BTreeSet<&'name str>>,
) -> BTreeSet<&'name str> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = dependencies.get(name).into_iter().flatten().copied().collect();
    while let Some(next) = open.pop() {
        if let Some((name, needed)) = dependencies.get_key_value(next)
            && found.insert(*name)
        {
            open.extend(needed.iter().copied());
        }
    }
    found
}

/// Returns the task of a name in `depends`, and the result asked for.
pub(crate) fn task_of(name: &str) -> (&str, Option<&str>) {
    name.split_once('.').map_or((name, None), |(task, result)| (task, Some(result)))
}
