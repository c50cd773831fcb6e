//! Operations as templates: `GET /v1/invoices/123?x=1` and `GET /v1/invoices/456` are one.

/// Longest template kept, bytes.
const MAX: usize = 200;
/// A longer path segment is no name, bytes.
const MAX_SEGMENT: usize = 64;

/// Turns an operation into a template: host and query dropped, path segments that are identifiers
/// become `{id}`, white space collapsed. Names such as `payroll.submit` stay as they are. Idempotent.
pub fn operation_template(operation: &str) -> String {
    let mut out = String::with_capacity(operation.len().min(MAX));
    for word in operation.split_whitespace() {
        let path = word.split(['?', '#']).next().unwrap_or_default();
        if path.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        if let Some(rest) = path.strip_prefix("https://").or_else(|| path.strip_prefix("http://")) {
            // The host belongs to the integration, not to the operation.
            segments(rest.split_once('/').map_or("", |(_, p)| p), true, &mut out);
        } else {
            segments(path.strip_prefix('/').unwrap_or(path), path.starts_with('/'), &mut out);
        }
        if out.len() > MAX {
            break;
        }
    }
    shorten(&mut out);
    out
}

/// Cuts at a separator, so that no piece of a segment is left that would read differently.
fn shorten(out: &mut String) {
    if out.len() > MAX {
        let end = out
            .char_indices()
            .take_while(|(i, _)| *i <= MAX)
            .filter(|(_, c)| matches!(c, '/' | ' '))
            .last();
        out.truncate(end.map_or(0, |(i, _)| i));
        out.truncate(out.trim_end().len());
    }
}

fn segments(path: &str, rooted: bool, out: &mut String) {
    for (i, segment) in path.split('/').enumerate() {
        if rooted || i > 0 {
            out.push('/');
        }
        out.push_str(if is_identifier(segment) || segment.len() > MAX_SEGMENT {
            "{id}"
        } else {
            segment
        });
    }
}

/// A path segment that names one record: a number, a UUID, hexadecimal, a prefixed id (`cus_4cZ`),
/// or anything long with digits in it.
fn is_identifier(segment: &str) -> bool {
    let digits = segment.bytes().filter(u8::is_ascii_digit).count();
    let plain = segment
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'=' | b'%' | b'~'));
    if digits == 0 || !plain {
        return plain && segment.len() >= 32;
    }
    let hex = segment.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    let mixed = segment.bytes().any(|b| b.is_ascii_uppercase()) && segment.bytes().any(|b| b.is_ascii_lowercase());
    digits == segment.len() || (hex && segment.len() >= 8) || segment.len() >= 20 || (mixed && segment.len() >= 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_become_placeholders() {
        let cases = [
            ("GET /v1/invoices/123?expand=x", "GET /v1/invoices/{id}"),
            (
                "PUT https://api.example.com/v1/companies/7ad0c6c8-3f5a-4b1e-9f6e-0d6c1c9b7e2a/payrolls",
                "PUT /v1/companies/{id}/payrolls",
            ),
            ("payroll.submit", "payroll.submit"),
            ("POST /rest/v1.0/webhooks/hooks", "POST /rest/v1.0/webhooks/hooks"),
            ("GET /v1/customers/cus_4cZVRZAFBY0NUj", "GET /v1/customers/{id}"),
            ("issuing_authorization.updated", "issuing_authorization.updated"),
            ("  GET   /a/b ", "GET /a/b"),
            ("", ""),
        ];
        for (from, to) in cases {
            assert_eq!(operation_template(from), to);
        }
    }
}
