//! Key to provider.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::Provider;

/// The providers of this process, by key, in the order of their keys.
#[derive(Clone, Default)]
pub struct Registry(BTreeMap<String, Arc<dyn Provider>>);

/// Two providers with one key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("provider `{0}` is there twice")]
pub struct DuplicateKey(String);

impl Registry {
    /// A registry of `providers`.
    pub fn new(providers: Vec<Arc<dyn Provider>>) -> Result<Self, DuplicateKey> {
        let mut map = BTreeMap::new();
        for provider in providers {
            let key = provider.manifest().key.clone();
            if map.insert(key.clone(), provider).is_some() {
                return Err(DuplicateKey(key));
            }
        }
        Ok(Self(map))
    }

    /// The provider of `key`.
    pub fn get(&self, key: &str) -> Option<&Arc<dyn Provider>> {
        self.0.get(key)
    }

    /// Every provider, ordered by key.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Provider>> {
        self.0.values()
    }

    /// Number of providers.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
