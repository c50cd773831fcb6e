//! What a token endpoint says: tokens, or why there are none.

use lk_core::Time;
use serde_json::{Map, Value};

use crate::manifest::{AppInstallation, TokenAnswer, TokenErrors, TokenRefusal};
use crate::message::HttpResponse;
use crate::pointer::Pointer;
use crate::template::scalar;
use crate::{Headers, Secret};

/// Longest life of a token that is believed, in seconds: ten years.
const LIFE_MAX_S: i64 = 10 * 366 * 86_400;
/// Longest token that is taken, in bytes.
const TOKEN_BYTES_MAX: usize = 16 << 10;
/// Longest code of an error that is kept.
const CODE_CHARS_MAX: usize = 80;

/// Tokens that were issued.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// What goes on the wire.
    pub access: Secret,
    /// What the next one is got with; `None` leaves the one there is.
    pub refresh: Option<Secret>,
    /// When the access token ends, where that is told.
    pub expires_at: Option<Time>,
    /// When the refresh token ends, where that is told.
    pub refresh_expires_at: Option<Time>,
    /// What was granted; `None` means what was asked for.
    pub scopes: Option<Vec<String>>,
    /// The account, where the answer names it.
    pub account: Option<String>,
}

/// Why no token was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What that asks for.
    pub kind: TokenRefusal,
    /// The endpoint's code, or what stands for it.
    pub code: String,
    /// What it says in words; not redacted.
    pub message: String,
    /// Seconds to wait, where it says so.
    pub retry_after_s: Option<i64>,
}

/// How one kind of answer is read.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// Where it has what.
    pub answer: &'a TokenAnswer,
    /// The provider's own codes.
    pub errors: &'a TokenErrors,
    /// Where it names the account.
    pub account: Option<&'a Pointer>,
    /// When it arrived.
    pub now: Time,
}

/// Reads a token answer: JSON, or a form as some still send. A refusal may come with status 200.
pub fn read(response: &HttpResponse, how: Reading<'_>) -> Result<Tokens, Refused> {
    let body = body_of(response);
    let text = |pointer: &Pointer| pointer.first(&body).and_then(scalar);
    let token = |pointer: &Pointer| token_at(pointer, &body);
    let fine = (200..300).contains(&response.status);
    let access = token(&how.answer.access_token).filter(|_| fine);
    let Some(access) = access else {
        return Err(refused(response, &body, how));
    };
    let ends = |pointer: &Pointer| {
        let seconds = text(pointer)?.parse::<f64>().ok()? as i64;
        (seconds > 0).then(|| how.now + seconds.min(LIFE_MAX_S) * 1_000)
    };
    Ok(Tokens {
        access,
        refresh: token(&how.answer.refresh_token),
        expires_at: ends(&how.answer.expires_in),
        refresh_expires_at: ends(&how.answer.refresh_expires_in),
        scopes: how.answer.scope.first(&body).and_then(scopes),
        account: how.account.and_then(text),
    })
}

/// Reads the answer to an app's assertion: the token and the end of its life as a date.
pub fn read_installation(response: &HttpResponse, auth: &AppInstallation, now: Time) -> Result<Tokens, Refused> {
    let body = body_of(response);
    let text = |pointer: &Pointer| pointer.first(&body).and_then(scalar);
    let access = token_at(&auth.token, &body).filter(|_| (200..300).contains(&response.status));
    let Some(access) = access else {
        let how = Reading {
            answer: &TokenAnswer::default(),
            errors: &TokenErrors::new(),
            account: None,
            now,
        };
        return Err(refused(response, &body, how));
    };
    Ok(Tokens {
        access,
        refresh: None,
        expires_at: text(&auth.expires_at).and_then(|text| crate::check::limits::moment(&text)),
        refresh_expires_at: None,
        scopes: None,
        account: None,
    })
}

/// What was asked for and not granted. Without word of what was granted, it is all there (RFC 6749,
/// section 5.1).
pub fn missing(asked: &[String], granted: Option<&[String]>) -> Vec<String> {
    let Some(granted) = granted else { return Vec::new() };
    let asked = asked.iter();
    asked.filter(|scope| !granted.contains(scope)).cloned().collect()
}

/// A token, whole: texts for people are cut, tokens are longer.
fn token_at(pointer: &Pointer, body: &Value) -> Option<Secret> {
    let text = pointer.first(body)?.as_str()?.trim();
    let fits = !text.is_empty() && text.len() <= TOKEN_BYTES_MAX && !text.chars().any(char::is_control);
    fits.then(|| Secret::new(text))
}

fn body_of(response: &HttpResponse) -> Value {
    if let Ok(json) = serde_json::from_slice(&response.body) {
        return json;
    }
    let text = String::from_utf8_lossy(&response.body);
    if text.trim_start().starts_with('<') {
        return Value::Null;
    }
    let pairs = crate::observe::form::decode(text.trim()).unwrap_or_default();
    let object: Map<String, Value> = pairs
        .into_iter()
        .map(|(key, value)| (key, Value::String(value)))
        .collect();
    Value::Object(object)
}

/// A list, or a text with blanks or commas between the scopes.
fn scopes(value: &Value) -> Option<Vec<String>> {
    if let Value::Array(items) = value {
        return Some(items.iter().filter_map(scalar).collect());
    }
    let text = value.as_str()?;
    let parts = text.split([' ', ',']).filter(|part| !part.is_empty());
    Some(parts.map(str::to_owned).collect())
}

fn refused(response: &HttpResponse, body: &Value, how: Reading<'_>) -> Refused {
    let text = |key: &str| Pointer::key(key).first(body).and_then(scalar);
    let told = how.answer.error.first(body).and_then(scalar);
    let code: Option<String> = told.map(|code| code.chars().take(CODE_CHARS_MAX).collect());
    let headers: Headers = response.headers.iter().map(|(n, v)| (n, v)).collect();
    let retry_after_s = headers.text("retry-after").and_then(|text| text.trim().parse().ok());
    let by_code = code.as_deref().and_then(|code| by_code(code, how.errors));
    let words = text("error_description")
        .or_else(|| text("message"))
        .or_else(|| text("error_message"));
    Refused {
        kind: by_code.unwrap_or_else(|| by_status(response.status)),
        message: words.unwrap_or_else(|| said(response, code.as_deref())),
        code: code.unwrap_or_else(|| format!("http_{}", response.status)),
        retry_after_s,
    }
}

fn said(response: &HttpResponse, code: Option<&str>) -> String {
    match code {
        Some(code) => format!("The provider refused with `{code}`."),
        None if (200..300).contains(&response.status) => "The answer has no access token.".to_owned(),
        None => format!("The provider answered HTTP {} without a reason.", response.status),
    }
}

/// The standard's codes (RFC 6749 section 5.2, OpenID Connect section 3.1.2.6) and the provider's.
fn by_code(code: &str, own: &TokenErrors) -> Option<TokenRefusal> {
    if let Some(kind) = own.get(code) {
        return Some(*kind);
    }
    Some(match code {
        "invalid_grant" | "interaction_required" | "login_required" | "consent_required" | "access_denied" => {
            TokenRefusal::NeedsReauth
        }
        "invalid_client"
        | "unauthorized_client"
        | "invalid_scope"
        | "invalid_request"
        | "unsupported_grant_type"
        | "redirect_uri_mismatch" => TokenRefusal::Misconfigured,
        "temporarily_unavailable" | "server_error" | "slow_down" => TokenRefusal::Transient,
        _ => return None,
    })
}

fn by_status(status: u16) -> TokenRefusal {
    match status {
        408 | 425 | 429 | 500.. => TokenRefusal::Transient,
        // 2xx without a token, redirects and refusals: another address or other settings are needed.
        _ => TokenRefusal::Misconfigured,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Time = Time(1_800_000_000_000);

    fn how(answer: &TokenAnswer, errors: &TokenErrors, account: Option<&Pointer>, f: impl Fn(Reading<'_>)) {
        f(Reading {
            answer,
            errors,
            account,
            now: NOW,
        });
    }

    fn standard(response: &HttpResponse) -> Result<Tokens, Refused> {
        let (answer, errors) = (TokenAnswer::default(), TokenErrors::new());
        let how = Reading {
            answer: &answer,
            errors: &errors,
            account: None,
            now: NOW,
        };
        read(response, how)
    }

    fn refusal(status: u16, body: &Value) -> (TokenRefusal, String) {
        let refused = standard(&HttpResponse::json(status, body)).unwrap_err();
        (refused.kind, refused.code)
    }

    #[test]
    fn tokens_are_read_from_json_and_from_forms() {
        let body = json!({"access_token": "at", "refresh_token": "rt", "expires_in": 3600, "token_type": "bearer",
            "scope": "read write", "refresh_token_expires_in": "7200"});
        let tokens = standard(&HttpResponse::json(200, &body)).unwrap();
        assert_eq!(tokens.access.expose(), "at");
        assert_eq!(tokens.refresh.as_ref().map(Secret::expose), Some("rt"));
        assert_eq!(tokens.expires_at, Some(NOW + 3_600_000));
        assert_eq!(tokens.refresh_expires_at, Some(NOW + 7_200_000));
        assert_eq!(tokens.scopes, Some(vec!["read".to_owned(), "write".to_owned()]));
        assert!(!format!("{tokens:?}").contains("\"at\""));
        let form = HttpResponse::text(200, "access_token=gho_x%2By&scope=repo%2Cgist&token_type=bearer");
        let tokens = standard(&form).unwrap();
        assert_eq!(tokens.access.expose(), "gho_x+y");
        assert_eq!(tokens.scopes, Some(vec!["repo".to_owned(), "gist".to_owned()]));
        assert_eq!((tokens.refresh.is_none(), tokens.expires_at), (true, None));
        for odd in [json!(-5), json!("soon"), json!(null), json!({})] {
            let body = json!({"access_token": "at", "expires_in": odd});
            assert_eq!(standard(&HttpResponse::json(200, &body)).unwrap().expires_at, None);
        }
        let forever = json!({"access_token": "at", "expires_in": i64::MAX});
        let ends = standard(&HttpResponse::json(200, &forever)).unwrap().expires_at;
        assert_eq!(ends, Some(NOW + LIFE_MAX_S * 1_000));
    }

    #[test]
    fn a_long_token_is_kept_whole_and_an_absurd_one_is_none() {
        let read = |token: String| standard(&HttpResponse::json(200, &json!({"access_token": token})));
        assert_eq!(read("t".repeat(5_000)).unwrap().access.expose().len(), 5_000);
        assert!(read("t".repeat(TOKEN_BYTES_MAX + 1)).is_err());
        assert!(read("a\r\nx-evil: 1".to_owned()).is_err());
    }

    #[test]
    fn pointers_find_what_lies_elsewhere() {
        let answer = TokenAnswer {
            access_token: Pointer::parse("/authed_user/access_token").unwrap(),
            scope: Pointer::parse("/authed_user/scope").unwrap(),
            ..TokenAnswer::default()
        };
        let team = Pointer::parse("/team/id").unwrap();
        let body = json!({"ok": true, "access_token": "bot", "team": {"id": "T1"},
            "authed_user": {"access_token": "user", "scope": "a,b"}});
        how(&answer, &TokenErrors::new(), Some(&team), |how| {
            let tokens = read(&HttpResponse::json(200, &body), how).unwrap();
            assert_eq!(
                (tokens.access.expose(), tokens.account.as_deref()),
                ("user", Some("T1"))
            );
            assert_eq!(tokens.scopes.as_ref().map(Vec::len), Some(2));
        });
    }

    #[test]
    fn refusals_are_told_apart() {
        use TokenRefusal::{Misconfigured, NeedsReauth, Transient};
        let error = |code: &str| json!({"error": code, "error_description": "words"});
        for (status, body, kind) in [
            (400, error("invalid_grant"), NeedsReauth),
            (200, error("invalid_grant"), NeedsReauth),
            (401, error("invalid_client"), Misconfigured),
            (400, error("unauthorized_client"), Misconfigured),
            (400, error("invalid_scope"), Misconfigured),
            (503, error("temporarily_unavailable"), Transient),
            (400, error("temporarily_unavailable"), Transient),
            (500, json!({}), Transient),
            (502, json!("x"), Transient),
            (429, json!({"message": "slow"}), Transient),
            (404, json!({}), Misconfigured),
            (200, json!({"token_type": "bearer"}), Misconfigured),
            (302, json!({}), Misconfigured),
        ] {
            assert_eq!(refusal(status, &body).0, kind, "{status} {body}");
        }
        let html = HttpResponse::text(200, "<html>access_token=x</html>");
        assert_eq!(standard(&html).unwrap_err().kind, Misconfigured);
        let html = HttpResponse::text(502, "<html>bad gateway</html>");
        assert_eq!(standard(&html).unwrap_err().kind, Transient);
        // A token in an answer that is none is not taken.
        let odd = json!({"access_token": "at"});
        assert_eq!(refusal(400, &odd), (Misconfigured, "http_400".to_owned()));
        let own = TokenErrors::from([("bad_refresh_token".to_owned(), NeedsReauth)]);
        how(&TokenAnswer::default(), &own, None, |how| {
            let body = json!({"error": "bad_refresh_token"});
            assert_eq!(
                read(&HttpResponse::json(200, &body), how).unwrap_err().kind,
                NeedsReauth
            );
        });
        let slack = json!({"ok": false, "error": "x".repeat(200)});
        assert_eq!(refusal(200, &slack).1.len(), CODE_CHARS_MAX);
        let mut busy = HttpResponse::json(429, &json!({}));
        busy.headers.push(("retry-after".to_owned(), "7".to_owned()));
        assert_eq!(standard(&busy).unwrap_err().retry_after_s, Some(7));
    }

    #[test]
    fn what_was_asked_for_is_compared_with_what_was_granted() {
        let list = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let asked = list(&["read", "write"]);
        assert!(missing(&asked, None).is_empty());
        assert!(missing(&asked, Some(&list(&["write", "read", "more"]))).is_empty());
        assert_eq!(missing(&asked, Some(&list(&["read"]))), ["write"]);
    }
}
