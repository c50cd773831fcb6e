//! Whose fault it is when many integrations fail alike: the provider's, or our own way out.

use std::collections::{BTreeMap, BTreeSet};

use crate::Time;
use crate::observation::{IntegrationRid, ProjectRid};
use crate::time::MINUTE;
use crate::words::{Category, Rung};

/// Failures further back say nothing of an outage now.
pub const WINDOW_MS: i64 = 10 * MINUTE;
/// Integrations of different projects or credentials that have to fail alike.
pub const ALIKE: usize = 3;
/// Of those that were checked within the window, this share has to fail too: one customer's
/// firewall is no outage.
const SHARE: f64 = 0.5;
/// Providers that have to fail on the wire before it is our own egress.
const PROVIDERS: usize = 3;
/// The share of checked providers that has to.
const PROVIDER_SHARE: f64 = 0.6;

/// One integration as the last check left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked<'a> {
    /// Which.
    pub integration: IntegrationRid,
    /// Its project.
    pub project: ProjectRid,
    /// What tells its credential from others.
    pub credential: [u8; 32],
    /// Its provider's key.
    pub provider: &'a str,
    /// The host that is asked, where integrations of one provider ask different ones.
    pub host: &'a str,
    /// When the last check ended.
    pub at: Time,
    /// Where the last check failed, if it did.
    pub failed: Option<(Rung, Category)>,
}

impl Looked<'_> {
    /// Whether the failure is one that an outage would cause.
    fn outage_like(&self) -> bool {
        matches!(self.failed, Some((_, Category::Network | Category::ProviderOutage)))
    }

    /// Whether it failed before anything answered.
    fn on_the_wire(&self) -> bool {
        matches!(self.failed, Some((Rung::Dns | Rung::Tcp | Rung::Tls, _)))
            || matches!(self.failed, Some((Rung::Http, Category::Network)))
    }
}

/// What is inferred from many checks together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inference {
    /// Nothing gets out from here.
    pub own_egress: bool,
    /// Providers that fail everybody, with the integrations that show it.
    pub providers: BTreeMap<String, Vec<IntegrationRid>>,
}

/// Judges the last checks as seen at `now`.
pub fn infer(looked: &[Looked<'_>], now: Time) -> Inference {
    let recent: Vec<&Looked<'_>> = looked.iter().filter(|l| now.since(l.at) <= WINDOW_MS).collect();
    let mut by_provider: BTreeMap<(&str, &str), Vec<&Looked<'_>>> = BTreeMap::new();
    for one in recent {
        by_provider.entry((one.provider, one.host)).or_default().push(one);
    }
    let dark = by_provider
        .values()
        .filter(|all| all.iter().all(|one| one.on_the_wire()))
        .count();
    if dark >= PROVIDERS && dark as f64 >= by_provider.len() as f64 * PROVIDER_SHARE {
        return Inference {
            own_egress: true,
            providers: BTreeMap::new(),
        };
    }
    let mut providers: BTreeMap<String, Vec<IntegrationRid>> = BTreeMap::new();
    for ((provider, _), all) in by_provider {
        let failing: Vec<&&Looked<'_>> = all.iter().filter(|one| one.outage_like()).collect();
        let apart: BTreeSet<_> = failing.iter().map(|one| (one.project, one.credential)).collect();
        if apart.len() >= ALIKE && failing.len() as f64 >= all.len() as f64 * SHARE {
            let rids = failing.iter().map(|one| one.integration);
            providers.entry(provider.to_owned()).or_default().extend(rids);
        }
    }
    Inference {
        own_egress: false,
        providers,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time(1_800_000_000_000);

    fn looked(n: i64, provider: &'static str, failed: Option<(Rung, Category)>) -> Looked<'static> {
        Looked {
            integration: IntegrationRid(n),
            project: ProjectRid(n),
            credential: [0; 32],
            provider,
            host: "api.example.test",
            at: NOW - MINUTE,
            failed,
        }
    }

    const DOWN: Option<(Rung, Category)> = Some((Rung::Http, Category::ProviderOutage));
    const DARK: Option<(Rung, Category)> = Some((Rung::Tcp, Category::Network));

    #[test]
    fn three_alike_of_different_owners_are_an_outage() {
        let mut all: Vec<_> = (0..3).map(|n| looked(n, "a", DOWN)).collect();
        all.push(looked(9, "b", None));
        let found = infer(&all, NOW);
        assert_eq!(found.providers.keys().collect::<Vec<_>>(), ["a"]);
        assert_eq!(found.providers["a"].len(), 3);
        // The same owner three times is one witness.
        for one in &mut all {
            one.project = ProjectRid(1);
        }
        assert!(infer(&all, NOW).providers.is_empty());
        // Different credentials are different witnesses.
        for (n, one) in all.iter_mut().enumerate() {
            one.credential = [n as u8; 32];
        }
        assert_eq!(infer(&all, NOW).providers.len(), 1);
    }

    #[test]
    fn refused_credentials_old_failures_and_a_healthy_majority_are_none() {
        let auth = Some((Rung::Credential, Category::Auth));
        let refused: Vec<_> = (0..5).map(|n| looked(n, "a", auth)).collect();
        assert_eq!(infer(&refused, NOW), Inference::default());
        let mut old: Vec<_> = (0..5).map(|n| looked(n, "a", DOWN)).collect();
        for one in &mut old {
            one.at = NOW - 11 * MINUTE;
        }
        assert_eq!(infer(&old, NOW), Inference::default());
        let mixed: Vec<_> = (0..10)
            .map(|n| looked(n, "a", if n < 4 { DOWN } else { None }))
            .collect();
        assert_eq!(infer(&mixed, NOW), Inference::default());
    }

    #[test]
    fn many_providers_dark_at_once_is_our_own_way_out() {
        let all: Vec<_> = ["a", "b", "c"]
            .iter()
            .flat_map(|p| (0..3).map(|n| looked(n, p, DARK)))
            .collect();
        let found = infer(&all, NOW);
        assert!(found.own_egress && found.providers.is_empty());
        // Two of them answering: then it is the third's.
        let mut some = all;
        some.iter_mut()
            .filter(|one| one.provider != "a")
            .for_each(|one| one.failed = None);
        let found = infer(&some, NOW);
        assert!(!found.own_egress && found.providers.contains_key("a"));
    }
}
