//! Error rules: every file compiles, and documented codes and phrases lead where they should.

use lk_provider::errors::{Call, Explained, Explainers};

fn explainers() -> Explainers {
    let registry = crate::registry().unwrap();
    crate::explainers(&registry).unwrap_or_else(|(key, error)| panic!("{key}: {error}"))
}

fn explain(all: &Explainers, provider: &str, status: Option<u16>, body: &str) -> Explained {
    let call = Call {
        provider,
        provider_name: provider,
        operation: "record.update",
        http_status: status,
    };
    all.of(provider).explain(&call, body, |text| text)
}

#[test]
fn every_rule_compiles() {
    let checked = explainers().check();
    assert!(checked.is_ok(), "{checked:?}");
}

#[test]
fn documented_codes_are_known() {
    let all = explainers();
    let cases: &[(&str, &str)] = &[
        (
            "stripe",
            "card_declined insufficient_funds resource_missing idempotency_key_in_use capability_not_active webhook_timeout spending_controls cardholder_verification_required lock_timeout account_invalid do_not_honor pickup_card",
        ),
        (
            "gusto",
            "suspended soft_suspended pending_payroll_review pending_information_request pending_recovery_case needs_approval eftps_in_error needs_onboarding company_ownership_required contractor_only_company missing_addresses geocode_error geocode_needed missing_bank_info missing_bank_verification missing_employee_setup missing_federal_tax_setup missing_state_tax_setup missing_forms missing_industry_selection missing_pay_schedule pay_schedule_setup_not_complete missing_signatory invalid_signatory",
        ),
        (
            "quickbooks",
            "3200 3100 120 3001 610 2500 5010 5020 6000 6140 6190 6210 6240 6540 10000",
        ),
        (
            "procore",
            "INVALID_TOKEN ACCESS_DENIED NOT_FOUND INVALID_PROPERTY CONCURRENCY_CONFLICT TOO_MANY_REQUESTS",
        ),
        (
            "lcptracker",
            "CPR_RATE_BELOW_WD CPR_FRINGE_SHORT CPR_SOC_MISSING LCP_REJECTED LCP_CRAFT_UNMATCHED LIC_EXPIRED",
        ),
        (
            "openai",
            "insufficient_quota rate_limit_exceeded model_not_found context_length_exceeded server_is_overloaded",
        ),
        (
            "anthropic",
            "authentication_error billing_error overloaded_error enforced_spend_limit_reached",
        ),
        (
            "gmail",
            "authError dailyLimitExceeded userRateLimitExceeded accessNotConfigured domainPolicy backendError",
        ),
        (
            "google_calendar",
            "fullSyncRequired updatedMinTooLongAgo duplicate conditionNotMet timeRangeEmpty",
        ),
        (
            "slack",
            "invalid_auth token_revoked missing_scope not_in_channel is_archived ratelimited fatal_error",
        ),
        (
            "supabase",
            "PGRST301 PGRST205 PGRST204 PGRST003 42501 23505 over_request_rate_limit",
        ),
        (
            "microsoft365",
            "InvalidAuthenticationToken AADSTS700082 AADSTS7000222 resyncRequired activityLimitReached",
        ),
        (
            "vercel",
            "DEPLOYMENT_PAUSED FUNCTION_INVOCATION_TIMEOUT rate_limited forbidden",
        ),
        (
            "dropbox",
            "expired_access_token missing_scope too_many_write_operations reset",
        ),
        (
            "generic",
            "invalid_grant redirect_uri_mismatch -32601 UNAUTHENTICATED THROTTLED",
        ),
    ];
    for (provider, codes) in cases {
        for code in codes.split(' ') {
            assert!(all.of(provider).rules().knows_code(code), "{provider}: {code}");
        }
    }
}

/// Provider, status, body, and the document it leads to.
const CASES: &[(&str, Option<u16>, &str, &str)] = &[
    (
        "stripe",
        Some(402),
        r#"{"error":{"code":"card_declined","decline_code":"lost_card"}}"#,
        "spending_control.fraud_suspected",
    ),
    ("stripe", Some(401), "Invalid API Key provided", "auth.invalid_api_key"),
    (
        "gusto",
        Some(422),
        r#"{"errors":[{"category":"payroll_blocker","metadata":{"key":"missing_signatory"}}]}"#,
        "compliance.signatory",
    ),
    (
        "gusto",
        Some(409),
        r#"{"errors":[{"category":"invalid_resource_version","message":"stale"}]}"#,
        "data_state_mismatch.stale_version",
    ),
    (
        "quickbooks",
        Some(200),
        r#"{"fault":{"error":[{"message":"ThrottleExceeded","code":"3001"}],"type":"SERVICE"}}"#,
        "rate_limit.throttled",
    ),
    (
        "quickbooks",
        Some(400),
        r#"{"Fault":{"Error":[{"Message":"Object Not Found","Detail":"made inactive","code":"610"}]}}"#,
        "data_state_mismatch.inactive_reference",
    ),
    (
        "procore",
        Some(403),
        r#"{"errors":["App is not connected to this company."]}"#,
        "auth.app_not_connected",
    ),
    ("doorloop", Some(405), "", "auth.permission_denied"),
    (
        "openai",
        Some(429),
        r#"{"error":{"type":"insufficient_quota","code":"insufficient_quota"}}"#,
        "spending_control.credits_exhausted",
    ),
    (
        "microsoft365",
        Some(400),
        r#"{"error":"invalid_grant","error_description":"AADSTS50057: disabled"}"#,
        "auth.account_disabled",
    ),
    (
        "vercel",
        Some(503),
        "503: SERVICE_UNAVAILABLE\nCode: DEPLOYMENT_PAUSED",
        "spending_control.paused_for_billing",
    ),
    (
        "nobody",
        Some(502),
        "<html><title>502 Bad Gateway</title></html>",
        "provider_outage.gateway",
    ),
    (
        "nobody",
        None,
        "dial tcp: lookup api.example.com: no such host",
        "network.dns",
    ),
    (
        "nobody",
        Some(429),
        "no more items found in pool",
        "rate_limit.throttled",
    ),
    (
        "nobody",
        Some(500),
        "value is required",
        "provider_outage.internal_error",
    ),
    ("nobody", Some(400), "", "unknown.unclassified"),
    ("nobody", Some(409), "Conflict", "unknown.unclassified"),
    ("nobody", None, "error", "unknown.unclassified"),
];

#[test]
fn failures_lead_to_their_documents() {
    let all = explainers();
    for (provider, status, body, doc) in CASES {
        let found = explain(&all, provider, *status, body);
        assert_eq!(found.verdict.doc.as_str(), *doc, "{provider} {status:?} {body}");
        assert!(!found.explanation.cause.is_empty() && !found.explanation.fix_steps.is_empty());
    }
}

#[test]
fn links_point_to_the_provider() {
    let all = explainers();
    let found = explain(&all, "stripe", Some(400), r#"{"error":{"code":"parameter_missing"}}"#);
    assert_eq!(
        found.explanation.link.as_deref(),
        Some("https://docs.stripe.com/error-codes")
    );
}
