//! Further words of an order that the operator's own columns bring: version of the app, pod, partner, ….
//!
//! A small list in the order of the names, each name once. May not know what the names mean.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Names and values, in the order of the names. A column that was NULL is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "BTreeMap<Arc<str>, Arc<str>>", into = "BTreeMap<Arc<str>, Arc<str>>")]
pub struct Attributes(Vec<(Arc<str>, Arc<str>)>);

impl Attributes {
    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&Arc<str>> {
        let i = self.0.binary_search_by(|(n, _)| (**n).cmp(name)).ok()?;
        self.0.get(i).map(|(_, value)| value)
    }
    /// All, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>)> {
        self.0.iter().map(|(name, value)| (name, value))
    }
    /// Pairs that are in the order of their names, each name once; nothing when they are not.
    pub fn in_order(pairs: Vec<(Arc<str>, Arc<str>)>) -> Option<Self> {
        pairs.is_sorted_by(|(a, _), (b, _)| a < b).then_some(Self(pairs))
    }
    /// Calls `each` for every name and value, which may be replaced by an equal one.
    pub fn share(&mut self, mut each: impl FnMut(&mut Arc<str>)) {
        for (name, value) in &mut self.0 {
            each(name);
            each(value);
        }
    }
    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(Arc<str>, Arc<str>)> for Attributes {
    /// Of a name that comes twice the last value counts.
    fn from_iter<I: IntoIterator<Item = (Arc<str>, Arc<str>)>>(pairs: I) -> Self {
        pairs.into_iter().collect::<BTreeMap<_, _>>().into()
    }
}

impl From<BTreeMap<Arc<str>, Arc<str>>> for Attributes {
    fn from(map: BTreeMap<Arc<str>, Arc<str>>) -> Self {
        Self(map.into_iter().collect())
    }
}

impl From<Attributes> for BTreeMap<Arc<str>, Arc<str>> {
    fn from(attributes: Attributes) -> Self {
        attributes.0.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_found_by_name_and_written_as_an_object() {
        let pairs = [("pod", "mrg-1"), ("app_version", "2.4"), ("pod", "mrg-7")];
        let all: Attributes = pairs.into_iter().map(|(n, v)| (n.into(), v.into())).collect();
        assert_eq!((all.get("pod").map(|v| &**v), all.get("partner")), (Some("mrg-7"), None));
        let json = serde_json::to_string(&all).unwrap();
        assert_eq!(json, r#"{"app_version":"2.4","pod":"mrg-7"}"#);
        assert_eq!(serde_json::from_str::<Attributes>(&json).unwrap(), all);
    }
}
