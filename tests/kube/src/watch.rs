//! `GET` with `watch`: what happens to objects, in order, as lines of JSON.

use std::{io, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};
use tokio::{sync::watch, time::Instant};

use crate::{
    cluster::{Cluster, Content, Reply},
    failure::{Cause, Failure, Outcome},
    kind::Kind,
    list::Form,
    request::Request,
    selector::Selector,
    server::Shared,
    store::{Change, Object, Store},
};

/// How often an idle watch hears of the newest version, as in the real server.
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);
/// How long before its end a watch hears of the newest version, as in the real server.
const BOOKMARK_BEFORE_END: Duration = Duration::from_secs(2);
/// Bytes that are sent in one go.
const CHUNK: usize = 256 * 1024;

/// What a test does to running watches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Interrupt {
    #[default]
    None,
    /// The stream ends, as when the server restarts.
    End,
    /// The version is too old all of a sudden.
    Expire,
}

/// How a watch breaks by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit {
    pub(crate) events: usize,
    pub(crate) abruptly: bool,
}

/// A watch: what it wants and how far it is.
#[derive(Debug)]
pub(crate) struct Plan {
    kind: Arc<Kind>,
    selector: Selector,
    form: Form,
    bookmarks: bool,
    /// Lines that are ready.
    ready: Vec<Bytes>,
    position: usize,
    /// Changes up to this version are not told.
    from: u64,
    /// The newest version that the client knows.
    told: u64,
    changed: watch::Receiver<u64>,
    deadline: Option<Instant>,
    next_bookmark: Instant,
    ended: bool,
    pub(crate) limit: Option<Limit>,
}

impl Cluster {
    /// `GET` with `watch`.
    pub(crate) fn watch(&mut self, request: &Request, kind: &Arc<Kind>) -> Outcome<Reply> {
        let selector = Selector::of(request, kind)?;
        let wants_initial = request.option("sendInitialEvents").map(|value| value == "true");
        if wants_initial.is_some() && request.option("resourceVersionMatch") != Some("NotOlderThan")
        {
            let cause = Cause::forbidden(
                "resourceVersionMatch",
                "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
            );
            return Err(Failure::invalid("ListOptions", "meta.k8s.io", "", &[cause]));
        }
        let stated = request.option("resourceVersion").and_then(|text| text.parse::<u64>().ok());
        let stated = stated.filter(|version| *version > 0);
        let now = self.store.version();
        let Some(table) = self.store.tables.get(&kind.group_resource()) else {
            return Err(Failure::no_such_path());
        };
        let seconds = request.option("timeoutSeconds").and_then(|text| text.parse::<u64>().ok());
        let initial = wants_initial.unwrap_or(stated.is_none());
        let from = if initial { now } else { stated.unwrap_or(now) };
        let start = Instant::now();
        let mut plan = Plan {
            kind: Arc::clone(kind),
            selector,
            form: Form::of(request),
            bookmarks: request.flag("allowWatchBookmarks"),
            ready: Vec::new(),
            position: table.position_after(from),
            from,
            told: from,
            changed: table.subscribe(),
            deadline: seconds.map(|seconds| start + Duration::from_secs(seconds)),
            next_bookmark: start + BOOKMARK_EVERY,
            ended: false,
            limit: None,
        };
        plan.plan_bookmark(start);
        if from < table.horizon {
            let message = format!("too old resource version: {from} ({})", table.horizon);
            plan.expire(message);
        } else if initial {
            let objects = self.selected(kind, &plan.selector);
            plan.ready = objects.iter().map(|(_, object)| plan.line("ADDED", object)).collect();
            if wants_initial == Some(true) && plan.bookmarks {
                let annotations = json!({ "k8s.io/initial-events-end": "true" });
                plan.ready.push(plan.bookmark(now, Some(annotations)));
            }
        }
        Ok(Reply { code: 200, content: Content::Watch(Box::new(plan)), warnings: Vec::new() })
    }
}

impl Plan {
    /// The next lines; `None` when the watch is over.
    pub(crate) async fn next(
        &mut self,
        shared: &Shared,
        interrupts: &mut watch::Receiver<Interrupt>,
    ) -> Option<io::Result<Bytes>> {
        loop {
            if self.limit.is_some_and(|limit| limit.events == 0) {
                let abruptly = self.limit.take().is_some_and(|limit| limit.abruptly);
                self.ended = true;
                self.ready.clear();
                return abruptly.then(|| Err(io::ErrorKind::ConnectionReset.into()));
            }
            if !self.ready.is_empty() {
                return Some(Ok(self.chunk()));
            }
            if self.ended {
                return None;
            }
            self.changed.borrow_and_update();
            shared.with(|cluster| self.read(&cluster.store));
            if !self.ready.is_empty() || self.ended {
                continue;
            }
            let deadline = self.deadline.unwrap_or_else(|| Instant::now() + BOOKMARK_EVERY);
            tokio::select! {
                alive = self.changed.changed() => self.ended |= alive.is_err(),
                () = tokio::time::sleep_until(deadline), if self.deadline.is_some() => self.ended = true,
                () = tokio::time::sleep_until(self.next_bookmark), if self.bookmarks => {
                    self.plan_bookmark(self.next_bookmark);
                    shared.with(|cluster| self.read_and_bookmark(&cluster.store));
                }
                alive = interrupts.changed() => {
                    let interrupt = *interrupts.borrow_and_update();
                    match interrupt {
                        Interrupt::Expire => self.expire(format!("too old resource version: {}", self.told)),
                        Interrupt::End => self.ended = true,
                        Interrupt::None => self.ended |= alive.is_err(),
                    }
                }
            }
        }
    }

    /// Ends the watch with 410.
    pub(crate) fn expire(&mut self, message: String) {
        let status = Failure::new(410, "Expired", message).to_value();
        self.ready = vec![line("ERROR", status.to_string().as_bytes())];
        self.ended = true;
    }

    fn chunk(&mut self) -> Bytes {
        let mut taken = 0;
        let mut out = BytesMut::new();
        let most = self.limit.map_or(usize::MAX, |limit| limit.events);
        for line in self.ready.iter().take(most) {
            out.extend_from_slice(line);
            taken += 1;
            if out.len() > CHUNK {
                break;
            }
        }
        self.ready.drain(..taken);
        if let Some(limit) = &mut self.limit {
            limit.events -= taken;
        }
        out.freeze()
    }

    fn read(&mut self, store: &Store) {
        let Some(table) = store.tables.get(&self.kind.group_resource()) else {
            self.ended = true;
            return;
        };
        let Some(changes) = table.changes_from(self.position) else {
            self.ended = true;
            return;
        };
        let mut read = 0;
        let mut lines = Vec::new();
        for change in changes {
            read += 1;
            if change.version > self.from
                && let Some(line) = self.told_as(change)
            {
                lines.push(line);
                self.told = change.version;
            }
        }
        self.position += read;
        self.ready = lines;
    }

    fn read_and_bookmark(&mut self, store: &Store) {
        self.read(store);
        if store.version() > self.told && !self.ended {
            self.told = store.version();
            self.ready.push(self.bookmark(self.told, None));
        }
    }

    fn plan_bookmark(&mut self, now: Instant) {
        self.next_bookmark = now + BOOKMARK_EVERY;
        if let Some(last) =
            self.deadline.and_then(|deadline| deadline.checked_sub(BOOKMARK_BEFORE_END))
            && last > now
        {
            self.next_bookmark = self.next_bookmark.min(last);
        }
    }

    /// A change as this watch sees it: what starts to match is added, what stops to match is deleted.
    fn told_as(&self, change: &Change) -> Option<Bytes> {
        let matches = |object: &Option<Arc<Object>>| {
            object.as_ref().filter(|object| self.selector.matches(object)).cloned()
        };
        match (matches(&change.before), matches(&change.after)) {
            (None, None) => None,
            (None, Some(after)) => Some(self.line("ADDED", &after)),
            (Some(_), Some(after)) => Some(self.line("MODIFIED", &after)),
            (Some(before), None) => Some(match &change.gone {
                Some(gone) => self.line("DELETED", gone),
                None => self.line("DELETED", &before.at_version(change.version)),
            }),
        }
    }

    fn line(&self, kind: &str, object: &Object) -> Bytes {
        match self.form {
            Form::Metadata => line(kind, &object.partial_json()),
            Form::Whole | Form::Table => line(kind, &object.json()),
        }
    }

    fn bookmark(&self, version: u64, annotations: Option<Value>) -> Bytes {
        let mut object = match self.form {
            Form::Metadata => {
                json!({ "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1" })
            }
            Form::Whole | Form::Table => {
                json!({ "kind": self.kind.kind, "apiVersion": self.kind.api_version() })
            }
        };
        object["metadata"] = json!({ "resourceVersion": version.to_string() });
        if let Some(annotations) = annotations {
            object["metadata"]["annotations"] = annotations;
        }
        line("BOOKMARK", object.to_string().as_bytes())
    }
}

fn line(kind: &str, object: &[u8]) -> Bytes {
    let mut out = BytesMut::with_capacity(object.len() + 40);
    out.extend_from_slice(b"{\"type\":\"");
    out.extend_from_slice(kind.as_bytes());
    out.extend_from_slice(b"\",\"object\":");
    out.extend_from_slice(object);
    out.extend_from_slice(b"}\n");
    out.freeze()
}
