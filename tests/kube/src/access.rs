//! Who may do what: roles as RBAC has them, for users that a test names.

use std::collections::BTreeMap;

use crate::{
    failure::{Failure, Outcome},
    kind::Kind,
    request::{ADMIN, Request},
};

/// What a user may do; `*` stands for everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rule {
    /// API groups, the core group as `""`.
    pub groups: Vec<String>,
    /// Resources, subresources as `orders/status`.
    pub resources: Vec<String>,
    /// Verbs as RBAC writes them.
    pub verbs: Vec<String>,
    /// Only in this namespace; everywhere when `None`.
    pub namespace: Option<String>,
}

impl Rule {
    /// A rule for one group, everywhere.
    pub fn new(group: &str, resources: &[&str], verbs: &[&str]) -> Self {
        let owned = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        Self {
            groups: vec![group.to_owned()],
            resources: owned(resources),
            verbs: owned(verbs),
            namespace: None,
        }
    }

    /// The same rule in one namespace only.
    #[must_use]
    pub fn in_namespace(mut self, namespace: &str) -> Self {
        self.namespace = Some(namespace.to_owned());
        self
    }

    fn allows(&self, group: &str, resource: &str, verb: &str, namespace: Option<&str>) -> bool {
        let has =
            |list: &[String], wanted: &str| list.iter().any(|item| item == "*" || item == wanted);
        has(&self.groups, group)
            && has(&self.resources, resource)
            && has(&self.verbs, verb)
            && self.namespace.as_deref().is_none_or(|own| namespace == Some(own))
    }
}

/// What every user may do. The administrator may do everything, a user nobody named nothing.
#[derive(Debug, Default)]
pub(crate) struct Access(BTreeMap<String, Vec<Rule>>);

impl Access {
    pub(crate) fn grant(&mut self, user: &str, rules: Vec<Rule>) {
        self.0.entry(user.to_owned()).or_default().extend(rules);
    }

    pub(crate) fn check(&self, request: &Request, kind: &Kind) -> Outcome<()> {
        let user = request.user.as_str();
        let target = request.target.clone().unwrap_or_default();
        let resource = match &target.subresource {
            Some(subresource) => format!("{}/{subresource}", kind.plural),
            None => kind.plural.clone(),
        };
        let verb = request.verb.name();
        let namespace = target.namespace.as_deref();
        let rules = self.0.get(user).into_iter().flatten();
        let allowed = user == ADMIN
            || rules.into_iter().any(|rule| rule.allows(&kind.group, &resource, verb, namespace));
        if allowed {
            return Ok(());
        }
        let place = namespace.map_or_else(
            || "at the cluster scope".to_owned(),
            |namespace| format!("in the namespace {namespace:?}"),
        );
        let name = target.name.unwrap_or_default();
        let named = if name.is_empty() { String::new() } else { format!(" {name:?}") };
        let message = format!(
            "{}{named} is forbidden: User {user:?} cannot {verb} resource {resource:?} in API group {:?} {place}",
            kind.group_resource(),
            kind.group
        );
        let details = crate::failure::details(&kind.plural, &kind.group, &name);
        Err(Failure::new(403, "Forbidden", message).with_details(details))
    }
}
