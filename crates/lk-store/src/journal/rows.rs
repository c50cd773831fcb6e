//! Values of rows as both databases store them.

use lk_core::Time;
use lk_core::classify::{DocCode, Fingerprint, Verdict};
use lk_core::effect::Effect;
use lk_core::event::EventDraft;
use lk_core::observation::{IntegrationRid, JudgedFailure};
use lk_core::problem::Problem;
use lk_core::words::{Category, Health, ProblemState, Severity};

use crate::StoreError;

/// Facts about an event packed into one small number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventFlags {
    /// Stored although its body could not be read.
    pub quarantined: bool,
    /// Health before and after, where the event changed it.
    pub health: Option<(Health, Health)>,
}

impl EventFlags {
    const QUARANTINED: i16 = 1;
    const CHANGED: i16 = 2;

    /// The flags of an event.
    pub fn of(draft: &EventDraft) -> Self {
        Self {
            quarantined: draft.quarantined,
            health: draft.health,
        }
    }

    /// The number that is stored.
    pub fn bits(self) -> i16 {
        let quarantined = if self.quarantined { Self::QUARANTINED } else { 0 };
        let health = self.health.map_or(0, |(from, to)| {
            Self::CHANGED | i16::from(from.code()) << 2 | i16::from(to.code()) << 4
        });
        quarantined | health
    }

    /// Reads what [`EventFlags::bits`] wrote.
    pub fn from_bits(bits: i16) -> Self {
        let word = |shift: i16| Health::from_code((bits >> shift & 3) as u8);
        Self {
            quarantined: bits & Self::QUARANTINED != 0,
            health: (bits & Self::CHANGED != 0).then(|| word(2).zip(word(4))).flatten(),
        }
    }
}

/// The columns of a problem that the journal reads.
pub(crate) struct ProblemColumns {
    pub(crate) fingerprint: Vec<u8>,
    pub(crate) state: i16,
    pub(crate) doc: String,
    pub(crate) category: i16,
    pub(crate) severity: i16,
    pub(crate) transient: bool,
    pub(crate) confidence: i16,
    pub(crate) operation: String,
    pub(crate) code: Option<String>,
    pub(crate) http_status: Option<i16>,
    pub(crate) message: String,
    pub(crate) count: i64,
    pub(crate) first_seen: i64,
    pub(crate) last_seen: i64,
    pub(crate) pinned: Option<i16>,
}

impl ProblemColumns {
    pub(crate) fn into_problem(self) -> Result<Problem, StoreError> {
        let damaged = |what| StoreError::corrupt(format!("a problem's {what} cannot be read"));
        Ok(Problem {
            state: ProblemState::from_code(self.state as u8).ok_or_else(|| damaged("state"))?,
            count: self.count as u64,
            first_seen: Time(self.first_seen),
            last_seen: Time(self.last_seen),
            pinned: self.pinned.and_then(|c| Category::from_code(c as u8)),
            failure: JudgedFailure {
                message: self.message,
                code: self.code,
                operation: self.operation,
                http_status: self.http_status.map(|s| s as u16),
                verdict: Verdict {
                    category: Category::from_code(self.category as u8).ok_or_else(|| damaged("category"))?,
                    severity: Severity::from_code(self.severity as u8).ok_or_else(|| damaged("severity"))?,
                    doc: DocCode::parse(&self.doc).unwrap_or(DocCode::UNKNOWN),
                    transient: self.transient,
                    confidence: self.confidence as u8,
                },
                fingerprint: Fingerprint(self.fingerprint.try_into().map_err(|_| damaged("fingerprint"))?),
            },
        })
    }
}

/// Stored number and payload of an effect.
pub(crate) fn effect_columns(effect: &Effect) -> (i16, String) {
    match effect {
        Effect::Explain {
            integration,
            fingerprint,
        } => (0, format!("{} {}", integration.0, hex(&fingerprint.0))),
        Effect::ConfirmWebhook { integration, handshake } => (1, format!("{} {}", integration.0, hex(handshake))),
    }
}

/// Reads what [`effect_columns`] wrote.
pub(crate) fn effect_from(kind: i16, payload: &str) -> Result<Effect, StoreError> {
    let damaged = || StoreError::corrupt(format!("effect of kind {kind} cannot be read"));
    let (integration, rest) = payload.split_once(' ').ok_or_else(damaged)?;
    let integration = IntegrationRid(integration.parse().map_err(|_| damaged())?);
    let bytes = unhex(rest).ok_or_else(damaged)?;
    match kind {
        0 => Ok(Effect::Explain {
            integration,
            fingerprint: Fingerprint(bytes.try_into().map_err(|_| damaged())?),
        }),
        1 => Ok(Effect::ConfirmWebhook {
            integration,
            handshake: bytes,
        }),
        _ => Err(damaged()),
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or('0');
    bytes.iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}

pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let even = text.len().is_multiple_of(2) && text.is_ascii();
    let byte = |i| u8::from_str_radix(text.get(i..i + 2)?, 16).ok();
    even.then(|| (0..text.len()).step_by(2).map(byte).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_and_effects_round_trip() {
        for from in Health::ALL {
            for to in Health::ALL {
                let flags = EventFlags {
                    quarantined: *from == *to,
                    health: Some((*from, *to)),
                };
                assert_eq!(EventFlags::from_bits(flags.bits()), flags);
            }
        }
        let none = EventFlags {
            quarantined: false,
            health: None,
        };
        assert_eq!(EventFlags::from_bits(none.bits()), none);
        for effect in [
            Effect::ConfirmWebhook {
                integration: IntegrationRid(7),
                handshake: vec![0, 255, 16],
            },
            Effect::Explain {
                integration: IntegrationRid(9),
                fingerprint: Fingerprint([200; 16]),
            },
        ] {
            let (kind, payload) = effect_columns(&effect);
            assert_eq!(effect_from(kind, &payload).ok(), Some(effect));
        }
        assert!(effect_from(0, "9 zz").is_err());
    }
}
