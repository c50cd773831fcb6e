//! The closed vocabularies. Each has a stable text (API, manifests) and a stable number (storage).

/// Declares an enum whose variants have a text and a number that never change.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $code:literal $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vmeta])* $variant = $code,)+ }

        impl $name {
            /// Every variant, in declaration order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable text used by the API and in manifests.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The stable number used in storage.
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// The variant whose text is `text`.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }

            /// The variant whose number is `code`.
            pub const fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// The condition of an integration now. Ordered from best to worst, with `Unknown` first
    /// because absence of knowledge never outranks a fact.
    Health {
        /// No data, disabled or not configured.
        Unknown = 0 "unknown",
        /// Works.
        Healthy = 1 "healthy",
        /// Works with trouble.
        Degraded = 2 "degraded",
        /// Does not work.
        Down = 3 "down",
    }
}

words! {
    /// How bad a failure is for the people who depend on it (S0's four).
    Severity {
        /// Heals by itself shortly, or the wanted state already holds.
        Low = 0 "low",
        /// One record or call fails, or a wait of minutes to an hour.
        Medium = 1 "medium",
        /// One workflow or many records are blocked, or an outage lasts.
        High = 2 "high",
        /// The whole connection, payroll or payments stay stopped until a person acts.
        Critical = 3 "critical",
    }
}

words! {
    /// What kind of failure it is: S0's seven plus three.
    Category {
        /// Credentials missing, expired, revoked, too little scope, access policy.
        Auth = 0 "auth",
        /// Throttling, quotas, resource limits.
        RateLimit = 1 "rate_limit",
        /// The request's data is malformed, missing or not allowed.
        DataValidation = 2 "data_validation",
        /// A valid request against the other side's state.
        DataStateMismatch = 3 "data_state_mismatch",
        /// Declines and limits on money, missing funds, billing holds.
        SpendingControl = 4 "spending_control",
        /// Law, tax, KYC, licence, certified payroll, legal review.
        Compliance = 5 "compliance",
        /// Not decidable from what was seen.
        Unknown = 6 "unknown",
        /// DNS, TLS, timeouts, resets.
        Network = 7 "network",
        /// 5xx, maintenance, the provider's internal error.
        ProviderOutage = 8 "provider_outage",
        /// Wrong host, URL, version, environment, feature set-up, HTML where JSON was expected.
        Configuration = 9 "configuration",
    }
}

impl Category {
    /// Whether a failed event of this category says something about the connection itself rather
    /// than about one record (DESIGN section 4, the streak).
    pub const fn concerns_connection(self) -> bool {
        matches!(
            self,
            Self::Auth | Self::Network | Self::ProviderOutage | Self::Configuration | Self::Unknown
        )
    }
}

words! {
    /// What a journal row tells of.
    EventKind {
        /// A delivery that a provider sent.
        Webhook = 0 "webhook",
        /// A check that failed or changed something.
        Check = 1 "check",
        /// A sync run.
        Sync = 2 "sync",
        /// A quick action.
        Action = 3 "action",
        /// A credential or webhook secret changed.
        Credential = 4 "credential",
        /// Health changed.
        Health = 5 "health",
        /// An alert was raised.
        Alert = 6 "alert",
    }
}

words! {
    /// How what an event tells of ended; neutral events have none.
    Outcome {
        /// It worked.
        Success = 0 "success",
        /// It failed.
        Failure = 1 "failure",
    }
}

words! {
    /// Where a problem stands with the people who handle it.
    ProblemState {
        /// Nobody has taken it.
        Open = 0 "open",
        /// Somebody has seen it.
        Acknowledged = 1 "acknowledged",
        /// Somebody says it is fixed; a recurrence opens it again.
        Resolved = 2 "resolved",
        /// Recurrences do not open it.
        Ignored = 3 "ignored",
    }
}

words! {
    /// A person's or key's role in a project, from least to most.
    Role {
        /// Looks.
        Viewer = 0 "viewer",
        /// Works with what is connected.
        Editor = 1 "editor",
        /// Connects, configures, manages people.
        Admin = 2 "admin",
        /// Also deletes and transfers.
        Owner = 3 "owner",
    }
}

impl Role {
    /// What a key of this role can be given.
    pub fn scopes(self) -> impl Iterator<Item = Scope> {
        let all = Scope::ALL.iter().copied();
        all.filter(move |scope| self >= scope.least_role())
    }
}

words! {
    /// What an API key may be used for, within its role.
    Scope {
        /// Look at everything its role sees, but for the admin areas.
        Read = 0 "read",
        /// Mark explanations, handle problems.
        Triage = 1 "triage",
        /// Connect, change and delete integrations and their secrets.
        Integrations = 2 "integrations",
        /// People, keys, the project itself, the audit log.
        Admin = 3 "admin",
    }
}

impl Scope {
    /// The least role that has anything of it.
    pub const fn least_role(self) -> Role {
        match self {
            Self::Read => Role::Viewer,
            Self::Triage => Role::Editor,
            Self::Integrations | Self::Admin => Role::Admin,
        }
    }
}

words! {
    /// How a person proved who they are when a session began.
    SignInMethod {
        /// With a password (and a code, where one is set up).
        Password = 0 "password",
        /// At the identity provider.
        IdentityProvider = 1 "identity_provider",
        /// Through a one-time link.
        Link = 2 "link",
    }
}

words! {
    /// The rungs of a check, from the wire up: the first that fails is the one to mend.
    Rung {
        /// The name resolves.
        Dns = 0 "dns",
        /// A connection is made.
        Tcp = 1 "tcp",
        /// TLS is agreed and the certificate holds.
        Tls = 2 "tls",
        /// An answer in the expected form arrives.
        Http = 3 "http",
        /// The credential is accepted.
        Credential = 4 "credential",
        /// It may do what is needed.
        Scopes = 5 "scopes",
        /// What the integration is for works.
        Capability = 6 "capability",
        /// There is quota left.
        Quota = 7 "quota",
    }
}

words! {
    /// Where an integration's credential stands.
    CredentialState {
        /// Accepted, or nothing is known against it; also where no credential is needed.
        Active = 0 "active",
        /// Works, and ends soon unless a person renews it.
        Expiring = 1 "expiring",
        /// A person has to sign in at the provider again.
        NeedsReauth = 2 "needs_reauth",
        /// Our own client or key is refused; signing in again would not help.
        Misconfigured = 3 "misconfigured",
        /// Access was withdrawn at the provider.
        Revoked = 4 "revoked",
        /// Not connected yet.
        Pending = 5 "pending",
    }
}

words! {
    /// How a call failed before any HTTP answer.
    Transport {
        /// The name did not resolve.
        Dns = 0 "dns",
        /// The connection was refused or not made.
        Connect = 1 "connect",
        /// TLS failed.
        Tls = 2 "tls",
        /// No answer in time.
        Timeout = 3 "timeout",
        /// The connection broke.
        Reset = 4 "reset",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_numbers_round_trip() {
        for c in Category::ALL {
            assert_eq!(Category::parse(c.as_str()), Some(*c));
            assert_eq!(Category::from_code(c.code()), Some(*c));
        }
        for r in Role::ALL {
            assert_eq!(Role::parse(r.as_str()), Some(*r));
        }
        assert_eq!(Category::parse("nonsense"), None);
        assert!(Health::Down > Health::Degraded && Health::Healthy > Health::Unknown);
    }
}
