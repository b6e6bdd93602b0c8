//! The objects of one kind, from the watch and from our own writes.
//!
//! What we wrote is in the table before the watch brings it, so a pass never repeats the one before. Versions decide
//! which of two states of an object is the newer one, and whether the watch has passed a write already: what it has
//! passed it may also have seen deleted, so that is never put in again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use kube::{Resource, api::ObjectMeta};

use super::{subject::Key, watched::Watched};

/// The objects of one kind.
#[derive(Debug)]
pub(crate) struct Table<K> {
    objects: BTreeMap<Key, Entry<K>>,
    /// Newest version that the watch has brought.
    passed: u64,
    listing: Option<Listing>,
    is_synced: bool,
}

/// One object, with its version.
#[derive(Debug)]
struct Entry<K> {
    version: u64,
    form: Form<K>,
}

/// How an object is kept.
#[derive(Debug)]
enum Form<K> {
    Read(Arc<K>),
    /// As text: one that nothing happens to any more takes a third of the memory.
    Packed(Box<str>),
}

impl<K: Watched> Entry<K> {
    fn open(&self) -> Option<Arc<K>> {
        match &self.form {
            Form::Read(object) => Some(Arc::clone(object)),
            Form::Packed(text) => K::unpack(text).map(Arc::new),
        }
    }
}

/// What a list that is under way has brought, and what was written meanwhile.
#[derive(Debug, Default)]
struct Listing {
    listed: BTreeSet<Key>,
    written: BTreeSet<Key>,
}

/// What became of one object.
#[derive(Debug)]
pub(crate) struct Change<K> {
    pub(crate) key: Key,
    pub(crate) before: Option<Arc<K>>,
    pub(crate) after: Option<Arc<K>>,
    /// Whether it was our own write.
    pub(crate) is_own: bool,
}

impl<K> Default for Table<K> {
    fn default() -> Self {
        Self { objects: BTreeMap::new(), passed: 0, listing: None, is_synced: false }
    }
}

impl<K: Watched> Table<K> {
    pub(crate) fn get(&self, key: &Key) -> Option<Arc<K>> {
        self.objects.get(key).and_then(Entry::open)
    }

    /// Whether there is such an object.
    pub(crate) fn has(&self, key: &Key) -> bool {
        self.objects.contains_key(key)
    }

    /// The keys of all objects.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.objects.keys()
    }

    /// All objects.
    pub(crate) fn all(&self) -> impl Iterator<Item = Arc<K>> {
        self.objects.values().filter_map(Entry::open)
    }

    /// The keys of the objects of a namespace.
    pub(crate) fn keys_of(&self, namespace: &str) -> impl Iterator<Item = &Key> {
        self.of(namespace).map(|(key, _)| key)
    }

    /// The objects of a namespace, by name.
    pub(crate) fn named(&self, namespace: &str) -> impl Iterator<Item = (String, Arc<K>)> {
        self.of(namespace).filter_map(|(key, entry)| Some((key.name.to_string(), entry.open()?)))
    }

    fn of(&self, namespace: &str) -> impl Iterator<Item = (&Key, &Entry<K>)> {
        let from = Key::new(namespace, "");
        let objects = self.objects.range(from.clone()..);
        objects.take_while(move |(key, _)| key.namespace == from.namespace)
    }

    fn version(&self, key: &Key) -> Option<u64> {
        self.objects.get(key).map(|entry| entry.version)
    }

    /// Tells whether a list came to its end at least once.
    pub(crate) fn is_synced(&self) -> bool {
        self.is_synced
    }

    /// Takes over what the watch or a list brought.
    pub(crate) fn observed(&mut self, object: Arc<K>) -> Option<Change<K>> {
        let key = Key::of(&*object);
        let version = version(&*object);
        self.passed = self.passed.max(version);
        let stored = self.version(&key);
        if stored == Some(version) && version != 0 {
            self.note_listed(key);
            return None;
        }
        let is_stale = match &self.listing {
            // A list is the truth, whatever the versions say: they start again when a backup is restored.
            Some(listing) => listing.written.contains(&key) && stored > Some(version),
            None => stored > Some(version) && version != 0,
        };
        self.note_listed(key.clone());
        (!is_stale).then(|| self.put(key, object, false))
    }

    /// Takes over what a write of ours was answered with.
    pub(crate) fn written(&mut self, object: Arc<K>) -> Option<Change<K>> {
        let key = Key::of(&*object);
        let version = version(&*object);
        let is_known = self.version(&key) >= Some(version);
        let is_passed = self.listing.is_none() && version <= self.passed;
        if version == 0 || is_known || is_passed {
            return None;
        }
        if let Some(listing) = &mut self.listing {
            listing.written.insert(key.clone());
        }
        Some(self.put(key, object, true))
    }

    /// Whether the table has an object in this very state, so that it need not be taken over.
    pub(crate) fn knows(&mut self, meta: &ObjectMeta) -> bool {
        let key = Key::of_meta(meta);
        let version = number(meta);
        let is_known = version != 0 && self.version(&key) == Some(version);
        if is_known {
            self.passed = self.passed.max(version);
            self.note_listed(key);
        }
        is_known
    }

    /// Takes out what the watch says is deleted.
    pub(crate) fn deleted(&mut self, meta: &ObjectMeta) -> Option<Change<K>> {
        let key = Key::of_meta(meta);
        let version = number(meta);
        self.passed = self.passed.max(version);
        let is_newer = self.version(&key) > Some(version);
        if is_newer && version != 0 {
            return None;
        }
        self.take(&key, false)
    }

    /// Takes out what a request of ours found missing or deleted, unless the table knows better by now.
    pub(crate) fn forgotten(&mut self, object: &K) -> Option<Change<K>> {
        let key = Key::of(object);
        let is_same = self.version(&key) == Some(version(object));
        if is_same { self.take(&key, true) } else { None }
    }

    /// Takes out what can no longer be read.
    pub(crate) fn taken(&mut self, key: &Key) -> Option<Change<K>> {
        self.take(key, false)
    }

    /// Changes the stored form of an object, without a change of the object.
    pub(crate) fn edit(&mut self, key: &Key, edit: impl FnOnce(&mut K)) {
        if let Some(Entry { form: Form::Read(object), .. }) = self.objects.get_mut(key) {
            edit(Arc::make_mut(object));
        }
    }

    /// A list begins: what it does not bring is gone.
    pub(crate) fn list_begins(&mut self) {
        self.listing = Some(Listing::default());
        self.passed = 0;
    }

    /// The list has ended; what it did not bring goes.
    pub(crate) fn list_ends(&mut self) -> Vec<Change<K>> {
        self.is_synced = true;
        let Some(Listing { listed, written }) = self.listing.take() else { return Vec::new() };
        let is_gone = |key: &Key| !listed.contains(key) && !written.contains(key);
        let gone: Vec<Key> = self.objects.keys().filter(|key| is_gone(key)).cloned().collect();
        gone.iter().filter_map(|key| self.take(key, false)).collect()
    }

    fn note_listed(&mut self, key: Key) {
        if let Some(listing) = &mut self.listing {
            listing.listed.insert(key);
        }
    }

    fn put(&mut self, key: Key, object: Arc<K>, is_own: bool) -> Change<K> {
        let version = version(&*object);
        let packed = object.pack().map(Form::Packed);
        let form = packed.unwrap_or_else(|| Form::Read(Arc::clone(&object)));
        let before = self.objects.insert(key.clone(), Entry { version, form });
        let before = before.and_then(|entry| entry.open());
        Change { key, before, after: Some(object), is_own }
    }

    fn take(&mut self, key: &Key, is_own: bool) -> Option<Change<K>> {
        let before = self.objects.remove(key)?.open()?;
        Some(Change { key: key.clone(), before: Some(before), after: None, is_own })
    }
}

/// The version as a number, which Kubernetes promises since 1.35; 0 where it is none.
fn version(object: &impl Resource) -> u64 {
    number(object.meta())
}

fn number(meta: &ObjectMeta) -> u64 {
    meta.resource_version.as_deref().and_then(|text| text.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use arc_api::{Endpoint, EndpointSpec, Order, OrderSpec, OrderStatus, Phase};
    use kube::ResourceExt;

    use super::*;

    fn endpoint(name: &str, version: u64) -> Arc<Endpoint> {
        let mut endpoint = Endpoint::new(name, EndpointSpec::default());
        endpoint.metadata.namespace = Some("a".to_owned());
        endpoint.metadata.resource_version = Some(version.to_string());
        Arc::new(endpoint)
    }

    fn names(table: &Table<Endpoint>) -> Vec<(String, u64)> {
        table.all().map(|object| (object.name_any(), version(&*object))).collect()
    }

    #[test]
    fn the_echo_of_an_own_write_is_no_change() {
        let mut table = Table::default();
        assert!(table.written(endpoint("x", 5)).is_some_and(|change| change.is_own));
        assert!(table.observed(endpoint("x", 5)).is_none());
        assert!(table.observed(endpoint("x", 4)).is_none());
        assert!(table.observed(endpoint("x", 6)).is_some());
        assert!(table.written(endpoint("x", 6)).is_none());
    }

    #[test]
    fn what_the_watch_saw_deleted_is_not_put_in_again_by_a_late_answer() {
        let mut table = Table::default();
        table.observed(endpoint("x", 5));
        table.deleted(&endpoint("x", 6).metadata);
        assert!(table.written(endpoint("x", 5)).is_none());
        assert_eq!(names(&table), []);
    }

    #[test]
    fn a_late_deletion_does_not_take_the_successor() {
        let mut table = Table::default();
        table.observed(endpoint("x", 5));
        table.written(endpoint("x", 9));
        assert!(table.deleted(&endpoint("x", 7).metadata).is_none());
        assert_eq!(names(&table), [("x".to_owned(), 9)]);
    }

    #[test]
    fn a_list_takes_out_what_it_does_not_bring_except_what_was_written_meanwhile() {
        let mut table = Table::default();
        table.observed(endpoint("gone", 50));
        table.observed(endpoint("restored", 51));
        table.list_begins();
        table.observed(endpoint("restored", 3));
        table.written(endpoint("new", 60));
        let gone: Vec<_> = table.list_ends().into_iter().map(|change| change.key.name).collect();
        assert_eq!(gone, ["gone".into()]);
        assert_eq!(names(&table), [("new".to_owned(), 60), ("restored".to_owned(), 3)]);
        assert!(table.is_synced());
    }

    #[test]
    fn what_is_finished_is_packed_and_comes_out_as_it_was() {
        let mut order = Order::new("x", OrderSpec::default());
        order.metadata.resource_version = Some("1".to_owned());
        order.status =
            Some(OrderStatus { phase: Some(Phase::Succeeded), ..OrderStatus::default() });
        let mut table = Table::default();
        table.observed(Arc::new(order.clone()));
        let key = Key::of(&order);
        assert!(matches!(table.objects[&key].form, Form::Packed(_)));
        assert_eq!(table.get(&key).as_deref(), Some(&order));
        order.status = None;
        order.metadata.resource_version = Some("2".to_owned());
        let change = table.observed(Arc::new(order.clone())).unwrap();
        assert!(change.before.is_some_and(|before| before.status.is_some()));
        assert!(matches!(table.objects[&key].form, Form::Read(_)));
    }
}
