//! Keys whose values are sensitive whatever they look like.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

const MAX_KEY: usize = 48;

/// Key (lowercase, without separators) to what its value is called in the placeholder.
static BUILT_IN: LazyLock<HashMap<&'static str, &'static str>> = LazyLock::new(|| {
    let lists: [(&str, &[&str]); 8] = [
        (
            "secret",
            &[
                "authorization",
                "proxyauthorization",
                "cookie",
                "setcookie",
                "xapikey",
                "apikey",
                "appkey",
                "password",
                "passwd",
                "passphrase",
                "pwd",
                "passcode",
                "secret",
                "secretkey",
                "clientsecret",
                "accesstoken",
                "refreshtoken",
                "idtoken",
                "token",
                "authtoken",
                "bearertoken",
                "sessiontoken",
                "csrftoken",
                "apitoken",
                "bottoken",
                "verificationtoken",
                "privatekey",
                "signingkey",
                "signingsecret",
                "webhooksecret",
                "encryptionkey",
                "credentials",
                "credential",
                "connectionstring",
                "otp",
                "totp",
                "sig",
                "jwt",
                "clientassertion",
                "codeverifier",
                "accesskey",
                "secretaccesskey",
            ],
        ),
        (
            "ssn",
            &[
                "ssn",
                "ssnumber",
                "socialsecuritynumber",
                "socialsecurity",
                "socialinsurancenumber",
                "taxid",
                "taxidnumber",
                "taxidentifier",
                "taxpayerid",
                "itin",
                "ssnlast4",
                "nationalid",
                "personalid",
                "identificationnumber",
            ],
        ),
        (
            "card",
            &[
                "cardnumber",
                "pan",
                "primaryaccountnumber",
                "cvc",
                "cvv",
                "cvv2",
                "cardcvc",
                "securitycode",
                "pinblock",
            ],
        ),
        (
            "account",
            &[
                "accountnumber",
                "acctnumber",
                "bankaccountnumber",
                "bankaccount",
                "routingnumber",
                "routing",
                "abarouting",
                "iban",
                "sortcode",
                "bankroutingnumber",
                "accountno",
                "transitnumber",
            ],
        ),
        ("dob", &["dob", "dateofbirth", "birthdate", "birthday", "birthdt"]),
        (
            "phone",
            &[
                "phone",
                "phonenumber",
                "mobile",
                "mobilephone",
                "homephone",
                "workphone",
                "telephone",
                "cellphone",
                "fax",
                "primaryphone",
            ],
        ),
        (
            "email",
            &["email", "emailaddress", "workemail", "personalemail", "useremail"],
        ),
        (
            "personal",
            &[
                "firstname",
                "lastname",
                "middlename",
                "middleinitial",
                "fullname",
                "givenname",
                "familyname",
                "maidenname",
                "surname",
                "preferredfirstname",
                "cardholdername",
                "nameoncard",
                "street",
                "street1",
                "street2",
                "streetaddress",
                "addressline1",
                "addressline2",
                "homeaddress",
                "mailingaddress",
                "passportnumber",
                "driverslicense",
                "driverlicense",
                "driverslicensenumber",
                "driverlicensenumber",
                "ipaddress",
                "clientip",
            ],
        ),
    ];
    lists
        .iter()
        .flat_map(|(label, keys)| keys.iter().map(move |key| (*key, *label)))
        .collect()
});

/// Ends that make any longer key sensitive.
const ENDINGS: &[(&str, &str)] = &[
    ("password", "secret"),
    ("secret", "secret"),
    ("accesstoken", "secret"),
    ("refreshtoken", "secret"),
    ("apikey", "secret"),
    ("privatekey", "secret"),
    ("signature", "secret"),
    ("authtoken", "secret"),
    ("accountnumber", "account"),
    ("routingnumber", "account"),
    ("firstname", "personal"),
    ("lastname", "personal"),
    ("phonenumber", "phone"),
    ("emailaddress", "email"),
    ("ssn", "ssn"),
];

/// The sensitive keys of one provider.
#[derive(Debug, Clone, Default)]
pub(super) struct Keys {
    names: HashSet<String>,
    /// `parent.key`.
    paths: HashSet<String>,
}

impl Keys {
    pub(super) fn new(keys: &[String]) -> Self {
        let plain = |key: &str| squeeze(key, &mut [0; MAX_KEY]).to_owned();
        let mut out = Self::default();
        for key in keys {
            match key.rsplit_once('.') {
                Some((parent, key)) => out.paths.insert(format!("{}.{}", plain(parent), plain(key))),
                None => out.names.insert(plain(key)),
            };
        }
        out
    }

    /// The same for a key inside the object that is under `parent`.
    pub(super) fn label_in(&self, parent: &str, key: &str) -> Option<&'static str> {
        self.label(key).or_else(|| {
            if self.paths.is_empty() || parent.is_empty() {
                return None;
            }
            let (mut a, mut b) = ([0; MAX_KEY], [0; MAX_KEY]);
            let path = format!("{}.{}", squeeze(parent, &mut a), squeeze(key, &mut b));
            self.paths.contains(&path).then_some("personal")
        })
    }

    /// What a value under `key` is called; nothing when the key is harmless.
    pub(super) fn label(&self, key: &str) -> Option<&'static str> {
        let mut buffer = [0; MAX_KEY];
        let key = squeeze(key, &mut buffer);
        if let Some(label) = BUILT_IN.get(key) {
            return Some(label);
        }
        if self.names.contains(key) {
            return Some("personal");
        }
        ENDINGS
            .iter()
            .find(|(end, _)| key.len() > end.len() && key.ends_with(end))
            .map(|(_, label)| *label)
    }
}

/// Lowercase letters and digits of a key. Longer keys keep their end, where the meaning is.
fn squeeze<'a>(key: &str, buffer: &'a mut [u8; MAX_KEY]) -> &'a str {
    let mut at = MAX_KEY;
    for byte in key.bytes().rev() {
        if byte.is_ascii_alphanumeric() {
            if at == 0 {
                break;
            }
            at -= 1;
            buffer[at] = byte.to_ascii_lowercase();
        }
    }
    std::str::from_utf8(&buffer[at..]).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_without_case_and_separators() {
        let keys = Keys::new(&["employee_name".to_owned()]);
        assert_eq!(keys.label("Access-Token"), Some("secret"));
        assert_eq!(keys.label("employeeName"), Some("personal"));
        assert_eq!(keys.label("stripe_signature"), Some("secret"));
        assert_eq!(keys.label("first_name"), Some("personal"));
        for harmless in [
            "SyncToken",
            "next_page_token",
            "prompt_tokens",
            "token_type",
            "id",
            "name",
            "status",
            "passed",
        ] {
            assert_eq!(keys.label(harmless), None, "{harmless}");
        }
    }
}
