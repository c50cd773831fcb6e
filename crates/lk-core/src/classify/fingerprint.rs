//! Which failures are the same problem.

use super::{Failure, Verdict, normalise, operation_template};

/// Version of the recipe. A new version re-hashes stored problems on upgrade.
pub const FP_VERSION: u8 = 1;

/// Codes that say only that something failed: the message is needed to tell failures apart.
const VAGUE: [&str; 40] = [
    "400",
    "401",
    "403",
    "404",
    "409",
    "410",
    "422",
    "429",
    "500",
    "502",
    "503",
    "504",
    "-1",
    "1",
    "error",
    "errors",
    "failed",
    "failure",
    "bad_request",
    "badrequest",
    "invalid",
    "invalid_request",
    "invalid_request_error",
    "invalidrequest",
    "invalid_attribute_value",
    "invalid_operation",
    "invalid_parameter",
    "unknown_error",
    "unknown",
    "validation_error",
    "validation_failed",
    "validationfault",
    "custom",
    "generalexception",
    "unprocessable",
    "unprocessable_entity",
    "nested_errors",
    "request_failed",
    "api_error",
    "exception",
];

/// Versioned hash that groups failures into problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 16]);

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Hashes provider, operation template, failure class, status or transport, and the provider's
/// code; the blamed field and the normalised message enter only where no specific code exists.
pub fn fingerprint(failure: &Failure, verdict: &Verdict) -> Fingerprint {
    let mut hash = blake3::Hasher::new();
    let mut part = |bytes: &[u8]| {
        // Lengths keep neighbouring parts apart.
        hash.update(&(bytes.len() as u32).to_le_bytes());
        hash.update(bytes);
    };
    part(&[FP_VERSION]);
    part(failure.provider.as_bytes());
    part(operation_template(&failure.operation).as_bytes());
    part(&[verdict.category.code()]);
    match failure.transport {
        Some(t) => part(t.as_str().as_bytes()),
        None => part(&failure.http_status.unwrap_or(0).to_le_bytes()),
    }
    match failure.code() {
        Some(code) if !is_vague(code) => part(code.to_ascii_lowercase().as_bytes()),
        vague => {
            part(vague.unwrap_or_default().to_ascii_lowercase().as_bytes());
            part(normalise(failure.field.as_deref().unwrap_or_default()).as_bytes());
            part(normalise(&failure.message).as_bytes());
        }
    }
    let mut out = [0; 16];
    hash.finalize_xof().fill(&mut out);
    Fingerprint(out)
}

fn is_vague(code: &str) -> bool {
    let code = code.to_ascii_lowercase();
    VAGUE.contains(&code.as_str())
}
