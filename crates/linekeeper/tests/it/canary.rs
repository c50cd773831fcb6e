//! Planted secrets and personal data: none may be found afterwards in anything that was kept.
