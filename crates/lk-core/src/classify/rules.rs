//! The order in which rules are asked. Total: every failure gets a verdict.

use std::sync::Arc;

use super::layer::{Hit, Layer, Text};
use super::{DocCode, Failure, Verdict, doc};
use crate::words::{Category, Transport};

/// Bytes of a message that patterns look at. Longer ones say it in their beginning.
const PATTERN_TEXT: usize = 2048;

/// The rules of one provider over the generic ones.
#[derive(Debug, Clone, Default)]
pub struct RuleSet {
    own: Arc<Layer>,
    generic: Arc<Layer>,
}

impl RuleSet {
    /// Layers a provider's rules over the generic ones.
    pub fn new(own: Layer, generic: Arc<Layer>) -> Self {
        Self {
            own: Arc::new(own),
            generic,
        }
    }

    /// The rules for a provider that has none of its own.
    pub fn generic(generic: Arc<Layer>) -> Self {
        Self {
            own: Arc::default(),
            generic,
        }
    }

    /// The rules below the provider's own.
    pub fn generic_layer(&self) -> &Arc<Layer> {
        &self.generic
    }

    /// Whether a rule names this code: used to recognise codes inside running text.
    pub fn knows_code(&self, code: &str) -> bool {
        self.own.knows_code(code) || self.generic.knows_code(code)
    }

    /// Whether a rule names a family (`prefix*`, `*suffix`) that this code belongs to.
    pub fn knows_family(&self, code: &str) -> bool {
        self.own.knows_family(code) || self.generic.knows_family(code)
    }

    /// Says what a failure is. Order: transport, HTML page, the provider's codes, its patterns, its
    /// statuses, generic codes, generic patterns, vague codes, the HTTP status, unknown.
    pub fn classify(&self, failure: &Failure) -> Verdict {
        self.find(failure).verdict
    }

    /// Where to read more: the link of the rule that decides, else of its document.
    pub fn link(&self, failure: &Failure) -> Option<&str> {
        let hit = self.find(failure);
        hit.link.or_else(|| doc(hit.verdict.doc).link())
    }

    fn find(&self, f: &Failure) -> Hit<'_> {
        let text = Text::of(f);
        if let Some(kind) = f.transport {
            return self
                .own
                .by_transport(f, &text, kind)
                .or_else(|| self.generic.by_transport(f, &text, kind))
                .unwrap_or_else(|| by_transport(kind));
        }
        if f.html {
            return self
                .own
                .by_pattern(f, &text, |_, _| true)
                .unwrap_or_else(|| by_page(f, &text));
        }
        self.own
            .by_code(f, &text, false)
            .or_else(|| self.own.by_pattern(f, &text, |_, _| true))
            .or_else(|| self.own.by_status(f))
            .or_else(|| self.generic.by_code(f, &text, false))
            .or_else(|| {
                self.generic
                    .by_pattern(f, &text, |doc, category| plausible(f.http_status, doc, category))
            })
            .or_else(|| self.own.by_code(f, &text, true))
            .or_else(|| self.generic.by_code(f, &text, true))
            .or_else(|| if guessable(f) { self.generic.by_status(f) } else { None })
            .unwrap_or_else(|| by_status(f))
    }
}

/// Whether a phrase that means `category` in general can mean it under this status. A throttled or
/// broken server's words ("limit", "not found in pool") are not about the record.
fn plausible(status: Option<u16>, doc: DocCode, category: Category) -> bool {
    use Category::{
        Auth, Compliance, Configuration, DataStateMismatch, DataValidation, Network, ProviderOutage, RateLimit,
        SpendingControl,
    };
    let plain = matches!(
        doc.as_str(),
        "data_validation.invalid_field"
            | "data_validation.missing_field"
            | "data_validation.length"
            | "data_validation.amount"
    );
    match status {
        Some(401) => matches!(category, Auth | Configuration | Compliance | RateLimit),
        Some(402) => !matches!(
            category,
            DataValidation | DataStateMismatch | Auth | ProviderOutage | Network
        ),
        Some(403 | 404 | 409 | 410) if plain => false,
        Some(404 | 410) => !matches!(category, Auth | RateLimit | Network) || doc == DocCode::APP_NOT_CONNECTED,
        Some(429) => matches!(category, RateLimit | SpendingControl),
        // Who refuses what was sent is not out of order, whatever it says of those behind it.
        Some(400 | 422) if doc.as_str() == "provider_outage.upstream" => false,
        Some(501) => true,
        // A page behind a broken gateway is the gateway's.
        Some(500..=599) if doc == DocCode::CONFIG_HTML => false,
        Some(500..=599) => matches!(
            category,
            Auth | Configuration | RateLimit | SpendingControl | ProviderOutage | Compliance
        ),
        _ => true,
    }
}

impl Text {
    fn of(f: &Failure) -> Self {
        let mut text = String::with_capacity(f.message.len().min(PATTERN_TEXT) + 64);
        for c in f.message.chars() {
            if text.len() >= PATTERN_TEXT {
                break;
            }
            text.push(match c {
                '\u{2018}' | '\u{2019}' => '\'',
                '\u{201c}' | '\u{201d}' => '"',
                '\n' | '\r' | '\t' => ' ',
                c => c.to_ascii_lowercase(),
            });
        }
        for code in f.codes.iter().take(6) {
            // No phrase reaches from the words into a code.
            text.push('\n');
            spell(code, &mut text);
        }
        Self(text)
    }
}

/// Writes a code as words: `cardDeclined` and `CARD_DECLINED` both as `card declined`.
fn spell(code: &str, out: &mut String) {
    let mut lower_before = false;
    for c in code.chars().take(120) {
        if c.is_ascii_uppercase() && lower_before {
            out.push(' ');
        }
        lower_before = c.is_ascii_lowercase();
        out.push(if matches!(c, '_' | '.' | '/') {
            ' '
        } else {
            c.to_ascii_lowercase()
        });
    }
}

fn known(code: DocCode, confidence: u8) -> Hit<'static> {
    let d = doc(code);
    Hit {
        verdict: Verdict {
            category: d.category(),
            severity: d.severity(),
            doc: code,
            transient: d.transient(),
            confidence,
        },
        link: None,
    }
}

fn by_transport(kind: Transport) -> Hit<'static> {
    let code = match kind {
        Transport::Dns => DocCode::NETWORK_DNS,
        Transport::Connect => DocCode::NETWORK_REFUSED,
        Transport::Tls => DocCode::NETWORK_TLS,
        Transport::Timeout => DocCode::NETWORK_TIMEOUT,
        Transport::Reset => DocCode::NETWORK_RESET,
    };
    known(code, 95)
}

/// A page where data was expected: the other side's trouble when the status or the page says so,
/// otherwise a wrong address.
fn by_page(f: &Failure, text: &Text) -> Hit<'static> {
    const TROUBLE: [&str; 12] = [
        "bad gateway",
        "service unavailable",
        "gateway time",
        "internal server error",
        "unicorn",
        "origin",
        "maintenance",
        "web server is down",
        "temporarily",
        "error 5",
        "web server is returning",
        "connection timed out",
    ];
    match f.http_status {
        Some(502..=504 | 520..=530) => known(DocCode::OUTAGE_GATEWAY, 92),
        Some(500..=599) => known(DocCode::OUTAGE_INTERNAL, 92),
        Some(429) => known(DocCode::RATE_LIMIT_THROTTLED, 85),
        Some(407) => known(DocCode::CONFIG_PROXY, 90),
        _ if TROUBLE.iter().any(|t| text.0.contains(t)) => known(DocCode::OUTAGE_GATEWAY, 80),
        _ => known(DocCode::CONFIG_HTML, 85),
    }
}

/// What the status alone tells. A bare 400 or 409 tells nothing that helps.
fn by_status(f: &Failure) -> Hit<'static> {
    let Some(status) = f.http_status else {
        return known(DocCode::UNKNOWN, 10);
    };
    let told = says_something(&f.message);
    match status {
        401 => known(DocCode::AUTH_UNAUTHORIZED, 75),
        402 => known(DocCode::SPENDING_PAYMENT_REQUIRED, 65),
        403 => known(DocCode::AUTH_FORBIDDEN, 65),
        404 if told => known(DocCode::STATE_NOT_FOUND, 55),
        404 => known(DocCode::STATE_NOT_FOUND, 45),
        405 | 501 => known(DocCode::CONFIG_ENDPOINT, 60),
        407 => known(DocCode::CONFIG_PROXY, 85),
        408 => known(DocCode::NETWORK_TIMEOUT, 70),
        409 | 412 | 423 | 428 if told => known(DocCode::STATE_CONFLICT, 50),
        412 | 423 | 428 => known(DocCode::STATE_CONFLICT, 40),
        410 => known(DocCode::STATE_GONE, 65),
        411 | 413..=417 | 431 if status != 417 => known(DocCode::DATA_REJECTED, 55),
        406 => known(DocCode::DATA_REJECTED, 45),
        421 => known(DocCode::CONFIG_BASE_URL, 45),
        422 => known(DocCode::DATA_REJECTED, 60),
        425 => known(DocCode::OUTAGE_UNAVAILABLE, 45),
        426 => known(DocCode::CONFIG_VERSION, 50),
        429 => known(DocCode::RATE_LIMIT_THROTTLED, 85),
        451 => known(DocCode::COMPLIANCE_LEGAL, 75),
        495 | 496 | 525 | 526 => known(DocCode::NETWORK_TLS, 60),
        502 | 504 | 520..=524 | 527 | 528 | 530 | 598 | 599 => known(DocCode::OUTAGE_GATEWAY, 75),
        503 | 529 => known(DocCode::OUTAGE_UNAVAILABLE, 75),
        507 => known(DocCode::RATE_LIMIT_STORAGE, 65),
        509 => known(DocCode::RATE_LIMIT_THROTTLED, 65),
        500..=599 => known(DocCode::OUTAGE_INTERNAL, 70),
        400 if told => known(DocCode::DATA_REJECTED, 45),
        _ => known(DocCode::UNKNOWN, 15),
    }
}

/// Whether what was attempted may stand in for what is not said: there are words, and the status
/// is not one that speaks for itself.
fn guessable(f: &Failure) -> bool {
    matches!(f.http_status, None | Some(200..=400)) && says_something(&f.message)
}

/// Whether a message holds words beyond the name of a status.
fn says_something(message: &str) -> bool {
    const EMPTY: [&str; 16] = [
        "error", "bad", "request", "conflict", "http", "status", "code", "failed", "failure", "the", "an", "a", "not",
        "found", "unknown", "invalid",
    ];
    message
        .split(|c: char| !c.is_alphabetic())
        .filter(|w| w.len() > 1)
        .any(|w| !EMPTY.contains(&w.to_ascii_lowercase().as_str()))
}
