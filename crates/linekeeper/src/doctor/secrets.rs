//! The shape of secrets: what was pasted with something around it, or is no secret at all.

/// What stands before a token in a header or a file and does not belong to it.
const PREFIXES: [&str; 6] = ["bearer ", "basic ", "token ", "authorization:", "export ", "apikey "];
/// Characters that a text editor or a chat puts around or into what is copied.
const QUOTES: [char; 9] = [
    '"', '\'', '`', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}', '\u{ab}', '\u{bb}',
];
/// Characters that nobody sees.
const UNSEEN: [char; 5] = ['\u{feff}', '\u{200b}', '\u{200c}', '\u{200d}', '\u{a0}'];
/// Words that stand where the real value was to be put.
const PLACEHOLDERS: [&str; 14] = [
    "your_",
    "your-",
    "yourtoken",
    "yourkey",
    "changeme",
    "change_me",
    "change-me",
    "replace_me",
    "replace-me",
    "placeholder",
    "insert_",
    "xxxxxx",
    "******",
    "......",
];
/// Whole values that say that there is none.
const NOTHING: [&str; 8] = ["null", "none", "undefined", "nil", "todo", "tbd", "secret", "token"];
/// Secrets shorter than this are not shown by their end: four characters would be too much of them.
const SHOWN_FROM_CHARS: usize = 12;

/// What is wrong with the shape of a secret, as the rest of a sentence, and what to do.
pub(super) fn misshapen(secret: &str) -> Option<(&'static str, &'static str)> {
    // Keys in PEM form and credentials in JSON have lines, spaces and quotes of their own.
    if secret.trim_start().starts_with("-----BEGIN") || secret.trim_start().starts_with('{') && !is_variable(secret) {
        return None;
    }
    let lower = secret.trim().to_lowercase();
    if PLACEHOLDERS.iter().any(|word| lower.contains(word))
        || NOTHING.contains(&lower.as_str())
        || (lower.starts_with('<') && lower.ends_with('>'))
    {
        return Some(("is a placeholder, not a secret", "Enter the real value."));
    }
    if is_variable(secret) {
        return Some((
            "is the name of a variable that nobody filled in",
            "Enter the value of the variable.",
        ));
    }
    if secret.trim() != secret {
        return Some(("has white space around it", "Enter it again without."));
    }
    if secret.starts_with(QUOTES) || secret.ends_with(QUOTES) {
        return Some(("has quotes around it", "Enter it again without them."));
    }
    if PREFIXES.iter().any(|prefix| lower.starts_with(prefix)) {
        return Some((
            "begins with a word that belongs to the header, not to the secret",
            "Enter it again without that word.",
        ));
    }
    if is_assignment(secret) {
        return Some((
            "is a whole line of a configuration, NAME=value",
            "Enter only what stands after the equals sign.",
        ));
    }
    if secret.contains(UNSEEN) || secret.chars().any(char::is_control) {
        return Some((
            "has characters in it that cannot be seen",
            "Copy it again from where the provider shows it.",
        ));
    }
    if lower.starts_with("https://") || lower.starts_with("http://") {
        return Some(("is an address, not a secret", "Enter the secret itself."));
    }
    None
}

/// `${NAME}`, `{{ name }}`, `$NAME`, `%NAME%`.
fn is_variable(text: &str) -> bool {
    let text = text.trim();
    let inside = |open: &str, close: &str| text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close));
    let named = inside("${", "}")
        .or_else(|| inside("{{", "}}"))
        .or_else(|| inside("%", "%"));
    let named = named.or_else(|| text.strip_prefix('$'));
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
    };
    named.is_some_and(|name| is_name(name.trim()))
}

/// A name in capitals, `=`, and something: not the `=` that base64 ends in.
fn is_assignment(text: &str) -> bool {
    let Some((name, value)) = text.split_once('=') else {
        return false;
    };
    let capitals = name
        .chars()
        .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    capitals && name.contains('_') && name.len() >= 3 && !value.trim_matches('=').is_empty()
}

/// The end of a secret, for recognising it.
pub(super) fn masked(secret: &str) -> String {
    let chars: Vec<char> = secret.trim().chars().collect();
    let shown = if chars.len() < SHOWN_FROM_CHARS {
        &[][..]
    } else {
        &chars[chars.len() - 4..]
    };
    // What cannot be printed on one line is not.
    let end: String = shown.iter().map(|c| if c.is_control() { '?' } else { *c }).collect();
    format!("\u{2026}{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_pasted_wrong_is_seen_and_the_rest_left_alone() {
        for (secret, words) in [
            ("your_token", "placeholder"),
            ("<api key>", "placeholder"),
            ("sk_live_xxxxxxxxxxxx", "placeholder"),
            ("None", "placeholder"),
            ("${ACME_TOKEN}", "variable"),
            ("{{ acme.token }}", "variable"),
            ("$ACME_TOKEN", "variable"),
            (" abc123def456 ", "white space"),
            ("\"abc123def456\"", "quotes"),
            ("\u{201c}abc123def456\u{201d}", "quotes"),
            ("Bearer abc123def456", "header"),
            ("authorization: abc123", "header"),
            ("API_KEY=abc123def456", "NAME=value"),
            ("abc123\u{200b}def456", "cannot be seen"),
            ("abc123\ndef456", "cannot be seen"),
            ("https://acme.example.com/hook", "address"),
        ] {
            let (found, _) = misshapen(secret).unwrap_or_else(|| panic!("{secret:?}"));
            assert!(found.contains(words), "{secret:?}: {found}");
        }
        for secret in [
            "abc123def456",
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "TGlua2VlcGVy==",
            "AB12CD34EF==",
            "$2b$12$abcdefghijklmnopqrstuv",
            "-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n",
            "{\"client_email\": \"a@example.com\"}",
            "correct horse battery staple",
        ] {
            assert_eq!(misshapen(secret), None, "{secret:?}");
        }
    }

    #[test]
    fn only_the_end_of_a_long_one_is_shown() {
        assert_eq!(masked("abcdefgh1234"), "\u{2026}1234");
        assert_eq!(masked("abcdefg1234"), "\u{2026}");
        assert_eq!(masked("abcdefghij\u{1}234"), "\u{2026}?234");
    }
}
