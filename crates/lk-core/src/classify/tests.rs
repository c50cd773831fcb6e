//! Properties and the order of the rules.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::words::Transport;

fn rule(codes: &[&str], pattern: Option<&str>, doc: &str) -> Rule {
    Rule {
        codes: codes.iter().map(|c| (*c).to_owned()).collect(),
        pattern: pattern.map(str::to_owned),
        doc: doc.to_owned(),
        ..Rule::default()
    }
}

fn rules() -> RuleSet {
    let own = Layer::compile(vec![
        rule(&["card_declined"], None, "spending_control.card_declined"),
        rule(&["card_declined"], Some("stolen"), "spending_control.fraud_suspected"),
        rule(&["invalid_*"], None, "data_validation.invalid_field"),
        Rule {
            vague: true,
            ..rule(&["invalid_request"], None, "data_validation.rejected")
        },
        Rule {
            statuses: vec![405],
            ..rule(&[], None, "auth.permission_denied")
        },
    ])
    .expect("own rules");
    let generic = Layer::compile(vec![
        rule(&[], Some(r"already (exists|taken)"), "data_state_mismatch.duplicate"),
        rule(&[], Some("no eligible funding"), "spending_control.balance_empty"),
        Rule {
            transports: vec![Transport::Dns],
            ..rule(&[], Some("localhost"), "configuration.address_unreachable")
        },
    ])
    .expect("generic rules");
    RuleSet::new(own, Arc::new(generic))
}

fn failure(codes: &[&str], status: Option<u16>, message: &str) -> Failure {
    Failure {
        codes: codes.iter().map(|c| (*c).to_owned()).collect(),
        http_status: status,
        message: message.to_owned(),
        ..Failure::default()
    }
}

#[test]
fn rules_are_asked_in_order() {
    let rules = rules();
    let doc_of = |f: &Failure| rules.classify(f).doc.as_str();
    assert_eq!(
        doc_of(&failure(&["card_declined"], Some(402), "no")),
        "spending_control.card_declined"
    );
    assert_eq!(
        doc_of(&failure(&["card_declined"], Some(402), "Stolen card")),
        "spending_control.fraud_suspected"
    );
    assert_eq!(
        doc_of(&failure(&["new_reason", "card_declined"], None, "")),
        "spending_control.card_declined"
    );
    assert_eq!(
        doc_of(&failure(&["invalid_colour"], None, "already exists")),
        "data_validation.invalid_field"
    );
    assert_eq!(doc_of(&failure(&[], Some(405), "x")), "auth.permission_denied");
    assert_eq!(
        doc_of(&failure(&["NO_ELIGIBLE_FUNDING_SOURCE"], None, "")),
        "spending_control.balance_empty"
    );
    assert_eq!(
        doc_of(&failure(&["noEligibleFundingSource"], None, "")),
        "spending_control.balance_empty"
    );
    assert_eq!(doc_of(&failure(&[], Some(401), "")), "auth.credentials_rejected");
    assert_eq!(doc_of(&failure(&[], Some(400), "Bad Request")), "unknown.unclassified");
    assert_eq!(doc_of(&failure(&[], Some(409), "error")), "unknown.unclassified");
    assert_eq!(doc_of(&failure(&[], None, "")), "unknown.unclassified");
    assert_eq!(
        RuleSet::default().classify(&failure(&[], Some(503), "")).doc.as_str(),
        "provider_outage.unavailable"
    );
}

#[test]
fn transport_and_pages_come_first() {
    let rules = rules();
    let mut f = failure(&["card_declined"], None, "getaddrinfo localhost");
    f.transport = Some(Transport::Dns);
    assert_eq!(rules.classify(&f).doc.as_str(), "configuration.address_unreachable");
    f.message = "x".to_owned();
    assert_eq!(rules.classify(&f).doc.as_str(), "network.dns");
    let mut page = failure(&[], Some(200), "Sign in");
    page.html = true;
    assert_eq!(rules.classify(&page).doc.as_str(), "configuration.html_response");
    page.http_status = Some(522);
    assert_eq!(rules.classify(&page).doc.as_str(), "provider_outage.gateway");
}

#[test]
fn bad_rules_are_refused() {
    assert!(matches!(
        Layer::compile(vec![rule(&["x"], None, "auth.nonsense")]),
        Err(RuleError::UnknownDoc { .. })
    ));
    assert!(matches!(
        Layer::compile(vec![rule(&[], None, "auth.token_expired")]),
        Err(RuleError::Unconditional { .. })
    ));
    assert!(Layer::compile(vec![rule(&[], Some("("), "auth.token_expired")]).is_err());
    assert!(matches!(
        Layer::compile(vec![rule(&["a*b"], None, "auth.token_expired")]),
        Err(RuleError::Code { .. })
    ));
}

#[test]
fn a_problem_is_told_by_its_code_or_its_message() {
    let rules = rules();
    let fp = |f: &Failure| fingerprint(f, &rules.classify(f));
    let (a, b) = (
        failure(&["card_declined"], Some(402), "one"),
        failure(&["card_declined"], Some(402), "two"),
    );
    assert_eq!(fp(&a), fp(&b));
    let (a, b) = (
        failure(&["invalid_request"], Some(400), "No name"),
        failure(&["invalid_request"], Some(400), "No date"),
    );
    assert_ne!(fp(&a), fp(&b));
    let (a, b) = (
        failure(&[], Some(404), "No invoice 17"),
        failure(&[], Some(404), "No invoice 18"),
    );
    assert_eq!(fp(&a), fp(&b));
    let mut c = b.clone();
    c.operation = "GET /invoices/18".to_owned();
    assert_ne!(fp(&b), fp(&c));
    let mut d = c.clone();
    d.operation = "GET /invoices/19?x=1".to_owned();
    assert_eq!(fp(&c), fp(&d));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn normalise_is_idempotent(text in any::<String>()) {
        let once = normalise(&text);
        prop_assert_eq!(normalise(&once), once);
    }

    #[test]
    fn normalise_is_idempotent_on_message_like_text(text in "([a-z]{1,8}|[0-9]{1,12}|[:=/._@'\"<>$ -]|[0-9a-f]{8}|cus_|https://){0,40}") {
        let once = normalise(&text);
        prop_assert_eq!(normalise(&once), once);
    }

    #[test]
    fn templates_are_idempotent(text in "([A-Z]{3,4} )?(https?://)?([a-zA-Z0-9._{}?#= -]{0,40}/?){0,8}") {
        let once = operation_template(&text);
        prop_assert_eq!(operation_template(&once), once);
    }

    #[test]
    fn templates_never_panic(text in any::<String>()) {
        let once = operation_template(&text);
        prop_assert_eq!(operation_template(&once), once);
    }

    #[test]
    fn classification_is_total(
        message in any::<String>(), codes in prop::collection::vec(any::<String>(), 0..4),
        status in prop::option::of(any::<u16>()), html in any::<bool>(), transport in prop::option::of(0u8..5),
    ) {
        let f = Failure {
            provider: "p".to_owned(), operation: message.clone(), http_status: status, codes, field: None, message,
            transport: transport.and_then(Transport::from_code), html,
        };
        let verdict = rules().classify(&f);
        prop_assert_eq!(doc(verdict.doc).code(), verdict.doc);
        fingerprint(&f, &verdict);
    }
}
