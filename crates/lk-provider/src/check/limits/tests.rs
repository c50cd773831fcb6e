use super::*;
use crate::Manifest;

/// 2026-11-20T12:00:00Z; the provider's clock, where headers have it, is a minute ahead.
const NOW: Time = Time(1_795_176_000_000);
const DATE: (&str, &str) = ("Date", "Fri, 20 Nov 2026 12:01:00 GMT");

fn limits(families: &str) -> Limits {
    let text = format!("key = 'a'\nname = 'A'\nsummary = 's'\n{families}");
    Manifest::parse(&text).unwrap().limits
}

/// Name, limit, remaining, seconds until the reset, window.
type Told = (String, Option<u64>, u64, Option<i64>, Option<u64>);

fn told(families: &str, headers: &[(&str, &str)]) -> Vec<Told> {
    let headers: Headers = headers.iter().copied().collect();
    let found = quotas(&limits(families), &headers, NOW);
    let until = |at: Time| (at.ms() - NOW.ms()) / SECOND;
    let facts = |q: Quota| (q.name, q.limit, q.remaining, q.resets_at.map(until), q.window_s);
    found.into_iter().map(facts).collect()
}

fn one(name: &str, limit: u64, remaining: u64, until: i64, window: Option<u64>) -> Vec<Told> {
    vec![(name.to_owned(), Some(limit), remaining, Some(until), window)]
}

#[test]
fn families_that_many_share() {
    let plain = |reset| {
        [
            ("X-RateLimit-Limit", "100"),
            ("X-RateLimit-Remaining", "7"),
            ("X-RateLimit-Reset", reset),
        ]
    };
    // Epoch seconds, epoch milliseconds, seconds left, a date, a duration.
    for reset in [
        "1795176090",
        "1795176090000",
        "90",
        "2026-11-20T12:01:30Z",
        "1m30s",
        "2026-11-20 12:01:30 UTC",
    ] {
        assert_eq!(told("", &plain(reset)), one("requests", 100, 7, 90, None), "{reset}");
    }
    // By the provider's clock the same epoch is only 30 s away; seconds left stay what they are.
    let mut dated = plain("1795176090").to_vec();
    dated.push(DATE);
    assert_eq!(told("", &dated), one("requests", 100, 7, 30, None));
    let mut dated = plain("90").to_vec();
    dated.push(DATE);
    assert_eq!(told("", &dated), one("requests", 100, 7, 90, None));
    let dashed = [
        ("X-Rate-Limit-Limit", "3600"),
        ("X-Rate-Limit-Remaining", "3599"),
        ("X-Rate-Limit-Reset", "1795176060"),
    ];
    assert_eq!(told("", &dashed), one("requests", 3_600, 3_599, 60, None));
    let mut resource = plain("1795176090").to_vec();
    resource.push(("x-ratelimit-resource", "core"));
    assert_eq!(told("", &resource), one("core", 100, 7, 90, None));
    let window = [
        ("X-RateLimit", "20"),
        ("X-RateLimit-Remaining", "19"),
        ("X-RateLimit-Window-Size", "60s"),
    ];
    assert_eq!(
        told("", &window),
        [("requests".to_owned(), Some(20), 19, None, Some(60))]
    );
}

#[test]
fn named_quotas_and_durations() {
    let headers = [
        ("x-ratelimit-limit-requests", "60"),
        ("x-ratelimit-remaining-requests", "59"),
        ("x-ratelimit-reset-requests", "1s"),
        ("x-ratelimit-limit-tokens", "150000"),
        ("x-ratelimit-remaining-tokens", "149984"),
        ("x-ratelimit-reset-tokens", "6m0s"),
    ];
    let expected = [
        one("requests", 60, 59, 1, None),
        one("tokens", 150_000, 149_984, 360, None),
    ]
    .concat();
    assert_eq!(told("", &headers), expected);
    let shared_reset = [
        ("x-ratelimit-limit-second", "500"),
        ("x-ratelimit-remaining-second", "9"),
        ("ratelimit-reset", "1"),
    ];
    assert_eq!(told("", &shared_reset), one("second", 500, 9, 1, None));
}

#[test]
fn the_standard_in_its_drafts() {
    let eleven = [
        ("RateLimit-Policy", "\"burst\";q=100;w=60, \"day, all\";q=1000;w=86400"),
        ("RateLimit", "\"burst\";r=50;t=30"),
        ("RateLimit", "\"day, all\";r=999;t=7200"),
    ];
    let expected = [
        one("burst", 100, 50, 30, Some(60)),
        one("day, all", 1_000, 999, 7_200, Some(86_400)),
    ]
    .concat();
    assert_eq!(told("", &eleven), expected);
    let seven = [
        ("RateLimit", "limit=100, remaining=50, reset=30"),
        ("RateLimit-Policy", "100;w=60"),
    ];
    assert_eq!(told("", &seven), one("requests", 100, 50, 30, Some(60)));
    let six = [
        ("RateLimit-Limit", "100, 100;w=60"),
        ("RateLimit-Remaining", "50"),
        ("RateLimit-Reset", "30"),
    ];
    assert_eq!(told("", &six), one("requests", 100, 50, 30, Some(60)));
}

#[test]
fn declared_families_have_their_units() {
    let dated = "[[limits.headers]]\nname = 'tokens'\nlimit = 'acme-tokens-limit'\nremaining = 'acme-tokens-remaining'\nreset = 'acme-tokens-reset'\nunit = 'iso'";
    let headers = [
        ("acme-tokens-limit", "8000"),
        ("acme-tokens-remaining", "0"),
        ("acme-tokens-reset", "2026-11-20T12:00:42Z"),
        ("x-ratelimit-remaining", "3"),
    ];
    assert_eq!(told(dated, &headers), one("tokens", 8_000, 0, 42, None));
    // Only the limit is told, as a float, and a reset in milliseconds with a fraction.
    let hour = "[[limits.headers]]\nname = 'hour'\nlimit = 'hour-limit'\nreset = 'hour-reset'\nunit = 'epoch_ms'";
    let headers = [("hour-limit", "4920.0"), ("hour-reset", "1795176060000.0")];
    assert_eq!(told(hour, &headers), one("hour", 4_920, 4_920, 60, None));
    let headers: Headers = headers.iter().copied().collect();
    assert!(quotas(&limits(hour), &headers, NOW)[0].own_count);
}

#[test]
fn nonsense_tells_nothing() {
    for headers in [
        [("x-ratelimit-remaining", "many"), ("x-ratelimit-reset", "1")],
        [("x-ratelimit-remaining", "NaN"), ("ratelimit", ";;;,,\"")],
        [("x-ratelimit-remainingx", "1"), ("ratelimit", "\"a\";t=1")],
    ] {
        assert_eq!(told("", &headers), [], "{headers:?}");
    }
    let endless = [
        ("x-ratelimit-remaining", "-1"),
        ("x-ratelimit-reset", "99999999999999999999"),
    ];
    let found = told("", &endless);
    assert_eq!((found[0].2, found[0].3), (0, Some(400 * 86_400)));
}

fn wait(headers: &[(&str, &str)], body: &str) -> Option<i64> {
    let headers: Headers = headers.iter().copied().collect();
    let quotas = quotas(&Limits::default(), &headers, NOW);
    let until = not_before(&headers, body.as_bytes(), Rung::Quota, &quotas, NOW)?;
    Some(until.ms() - NOW.ms())
}

#[test]
fn the_longest_wait_counts_within_bounds() {
    assert_eq!(wait(&[], ""), None);
    assert_eq!(wait(&[("Retry-After", "30")], ""), Some(30_000));
    assert_eq!(wait(&[("Retry-After", "0")], ""), Some(1_000));
    assert_eq!(wait(&[("Retry-After", "9999999")], ""), Some(86_400_000));
    assert_eq!(wait(&[("Retry-After", "soon")], ""), None);
    assert_eq!(wait(&[("retry-after-ms", "2500")], ""), Some(2_500));
    // A date counts from the response's own.
    let date = ("Retry-After", "Fri, 20 Nov 2026 12:02:00 GMT");
    assert_eq!(wait(&[date], ""), Some(120_000));
    assert_eq!(wait(&[date, DATE], ""), Some(60_000));
    let spent = [
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", "1795176090"),
        ("Retry-After", "5"),
    ];
    assert_eq!(wait(&spent, ""), Some(90_000));
    let left = [("x-ratelimit-remaining", "4"), ("x-ratelimit-reset", "1795176090")];
    assert_eq!(wait(&left, ""), None);
}

#[test]
fn bodies_tell_waits_too() {
    assert_eq!(
        wait(
            &[],
            r#"{"error":{"reason":{".tag":"too_many_requests"},"retry_after":15}}"#
        ),
        Some(15_000)
    );
    assert_eq!(
        wait(
            &[],
            r#"{"code":"too_many_requests","retryAfter":{"value":7,"str":"7s"}}"#
        ),
        Some(7_000)
    );
    assert_eq!(
        wait(&[], r#"{"error":{"limit":{"remaining":0,"reset":1795176090}}}"#),
        Some(90_000)
    );
    let sentence = r#"{"error":{"message":"User-rate limit exceeded.  Retry after 2026-11-20T12:05:00.000Z"}}"#;
    assert_eq!(wait(&[], sentence), Some(300_000));
}

proptest::proptest! {
    /// Whatever a provider writes, reading ends, and a wait is from a second to a day.
    #[test]
    fn any_header_is_read(values in proptest::collection::vec("[ -~]{0,24}|[0-9]{1,22}(ms|s|h)?|\"a\";r=[0-9]{1,20};t=[0-9]{1,20}", 6), body in ".{0,80}") {
        let names = ["x-ratelimit-remaining", "x-ratelimit-reset", "ratelimit", "ratelimit-policy", "retry-after", "date"];
        let headers: Headers = names.into_iter().zip(values).collect();
        let quotas = quotas(&Limits::default(), &headers, NOW);
        proptest::prop_assert!(quotas.len() <= MAX_QUOTAS);
        if let Some(until) = not_before(&headers, body.as_bytes(), Rung::Quota, &quotas, NOW) {
            proptest::prop_assert!((LEAST..=LONGEST).contains(&(until.ms() - NOW.ms())));
        }
    }
}
