//! The rules of all providers, each compiled when it is first asked for: an installation uses a
//! few of them, and all together they would cost memory and time at start.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use lk_core::classify::Layer;

use super::{ErrorRules, ErrorRulesError, Explainer};

/// The explainers of all providers; a provider without rules gets the generic ones.
#[derive(Debug, Clone)]
pub struct Explainers {
    generic: Slot,
    own: HashMap<String, Slot>,
}

/// Parsed rules and, once asked for, their explainer.
#[derive(Debug, Clone)]
struct Slot {
    rules: ErrorRules,
    ready: OnceLock<Explainer>,
}

impl Slot {
    fn parse(source: &str) -> Result<Self, ErrorRulesError> {
        Ok(Self {
            rules: ErrorRules::parse(source)?,
            ready: OnceLock::new(),
        })
    }
}

impl Explainers {
    /// Reads the generic rules and those of every provider given as `(key, errors.toml)`. An error
    /// names the provider. Rules that this crate's users did not write need [`Explainers::check`].
    pub fn load<'a>(
        generic: &str,
        providers: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, (String, ErrorRulesError)> {
        let slot = |key: &str, source: &str| Slot::parse(source).map_err(|e| (key.to_owned(), e));
        let mut own = HashMap::new();
        for (key, source) in providers {
            own.insert(key.to_owned(), slot(key, source)?);
        }
        Ok(Self {
            generic: slot("generic", generic)?,
            own,
        })
    }

    /// The same with the rules of one more provider, parsed and checked already.
    #[must_use]
    pub fn with(mut self, key: &str, rules: ErrorRules) -> Self {
        let ready = OnceLock::new();
        self.own.insert(key.to_owned(), Slot { rules, ready });
        self
    }

    /// Compiles everything once, as a test or before rules from outside are used; keeps nothing.
    /// An error names the provider.
    pub fn check(&self) -> Result<(), (String, ErrorRulesError)> {
        let generic = std::iter::once(("generic", &self.generic));
        let own = self.own.iter().map(|(key, slot)| (key.as_str(), slot));
        for (key, slot) in generic.chain(own) {
            let told = slot.rules.compile().and_then(|l| Ok(l.check()?));
            told.map_err(|e| (key.to_owned(), e))?;
        }
        Ok(())
    }

    /// The explainer of a provider. Rules that do not compile leave the generic ones.
    pub fn of(&self, provider: &str) -> &Explainer {
        match self.own.get(provider) {
            None => self.generic(),
            Some(slot) => slot.ready.get_or_init(|| {
                let generic = self.generic();
                Explainer::new(&slot.rules, generic.rules().generic_layer()).unwrap_or_else(|_| generic.clone())
            }),
        }
    }

    fn generic(&self) -> &Explainer {
        self.generic.ready.get_or_init(|| {
            let layer: Layer = self.generic.rules.compile().unwrap_or_default();
            Explainer::generic(&Arc::new(layer))
        })
    }
}
