//! Who refers to whom, so that a change finds those it concerns without asking anybody.

use std::collections::BTreeSet;

use super::subject::{Key, Kind, Subject};

/// Pairs of what is referred to and who refers to it; what is referred to need not exist.
#[derive(Debug, Default)]
pub(crate) struct Links(BTreeSet<(Subject, Subject)>);

impl Links {
    /// Replaces what `from` refers to.
    pub(crate) fn replace(&mut self, from: &Subject, before: &[Subject], after: &[Subject]) {
        for target in before.iter().filter(|target| !after.contains(target)) {
            self.0.remove(&(target.clone(), from.clone()));
        }
        for target in after.iter().filter(|target| !before.contains(target)) {
            self.0.insert((target.clone(), from.clone()));
        }
    }

    /// Who refers to `target`.
    pub(crate) fn to<'a>(&'a self, target: &'a Subject) -> impl Iterator<Item = &'a Subject> {
        let from = (target.clone(), Subject::new(Kind::Order, Key::new("", "")));
        self.0.range(from..).map_while(move |(to, from)| (to == target).then_some(from))
    }

    /// The reconciled objects that refer to `target`, directly or through others.
    pub(crate) fn concerned(&self, target: &Subject, found: &mut BTreeSet<Subject>) {
        for from in self.to(target) {
            let is_new = !from.kind.is_reconciled() || found.insert(from.clone());
            // Orders refer to endpoints and types, and what their artifact workflows do is not concerned.
            if is_new && !matches!(from.kind, Kind::Order | Kind::ArtifactWorkflow) {
                self.concerned(from, found);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_concerns_the_orders_of_the_types_that_name_it() {
        let subject = |kind, name| Subject::new(kind, Key::new("a", name));
        let template = subject(Kind::WorkflowTemplate, "t");
        let kind = subject(Kind::ArtifactType, "oci");
        let order = subject(Kind::Order, "demo");
        let mut links = Links::default();
        links.replace(&kind, &[], std::slice::from_ref(&template));
        links.replace(&order, &[], std::slice::from_ref(&kind));
        links.replace(
            &subject(Kind::ArtifactWorkflow, "demo-1"),
            &[],
            std::slice::from_ref(&order),
        );
        let mut found = BTreeSet::new();
        links.concerned(&template, &mut found);
        assert_eq!(found, BTreeSet::from([order.clone()]));
        links.replace(&order, std::slice::from_ref(&kind), &[]);
        found.clear();
        links.concerned(&template, &mut found);
        assert_eq!(found, BTreeSet::new());
    }
}
