//! The known name that a misspelt one was probably meant to be.

use strsim::damerau_levenshtein;

/// The nearest of `known`, when it is near: a third of the letters may be wrong.
pub(crate) fn nearest<'a>(unknown: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let unknown = unknown.to_lowercase();
    let distance = |known: &str| damerau_levenshtein(&unknown, &known.to_lowercase());
    let (distance, known) = known.into_iter().map(|known| (distance(known), known)).min()?;
    (distance <= (unknown.chars().count() / 3).max(1)).then_some(known)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_is_near() {
        let known = ["listen", "data_dir", "database", "public_url"];
        for (unknown, meant) in [
            ("listne", Some("listen")),
            ("LISTEN", Some("listen")),
            ("datadir", Some("data_dir")),
            ("publicurl", Some("public_url")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(unknown, known), meant, "{unknown}");
        }
    }
}
