//! Keys whose values are sensitive whatever they look like.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, LazyLock};

/// FNV-1a: keys are a few bytes long, and nobody gains by making them collide with a fixed table.
#[derive(Debug, Clone, Copy)]
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

const MAX_KEY: usize = 48;

/// Key (lowercase, without separators) to label.
type Names = HashMap<String, &'static str, BuildHasherDefault<Fnv>>;

/// Key (lowercase, without separators) to what its value is called in the placeholder.
static BUILT_IN: LazyLock<Arc<Names>> = LazyLock::new(|| {
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
                "tin",
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
    Arc::new(
        lists
            .iter()
            .flat_map(|(label, keys)| keys.iter().map(move |key| ((*key).to_owned(), *label)))
            .collect(),
    )
});

/// Ends that make any key sensitive.
const ENDINGS: &[(&str, &str)] = &[
    ("password", "secret"),
    ("secret", "secret"),
    ("accesstoken", "secret"),
    ("refreshtoken", "secret"),
    ("apikey", "secret"),
    ("privatekey", "secret"),
    ("accesskey", "secret"),
    ("secretkey", "secret"),
    ("signingkey", "secret"),
    ("accountkey", "secret"),
    ("encryptionkey", "secret"),
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
#[derive(Debug, Clone)]
pub(super) struct Keys {
    /// The built-in ones and the provider's own.
    names: Arc<Names>,
    /// Key to the objects it is sensitive in.
    paths: HashMap<String, Vec<String>, BuildHasherDefault<Fnv>>,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            names: Arc::clone(&BUILT_IN),
            paths: HashMap::default(),
        }
    }
}

impl Keys {
    pub(super) fn new(keys: &[String]) -> Self {
        let plain = |key: &str| squeeze(key, &mut [0; MAX_KEY]).to_owned();
        let mut out = Self::default();
        for key in keys {
            if let Some((parent, key)) = key.rsplit_once('.') {
                out.paths.entry(plain(key)).or_default().push(plain(parent));
            } else {
                Arc::make_mut(&mut out.names).entry(plain(key)).or_insert("personal");
            }
        }
        out
    }

    /// The same for a key inside the object that is under `parent`.
    pub(super) fn label_in(&self, parent: &str, key: &str) -> Option<&'static str> {
        self.label(key).or_else(|| {
            let parents = self.paths.get(squeeze(key, &mut [0; MAX_KEY]))?;
            let mut buffer = [0; MAX_KEY];
            let parent = squeeze(parent, &mut buffer);
            parents.iter().any(|known| known == parent).then_some("personal")
        })
    }

    /// The same where nothing tells which object the key is in: what is sensitive in some is
    /// sensitive then.
    pub(super) fn label_in_any(&self, key: &str) -> Option<&'static str> {
        let sensitive = || self.paths.contains_key(squeeze(key, &mut [0; MAX_KEY]));
        self.label(key).or_else(|| sensitive().then_some("personal"))
    }

    /// What a value under `key` is called; nothing when the key is harmless.
    pub(super) fn label(&self, key: &str) -> Option<&'static str> {
        let mut buffer = [0; MAX_KEY];
        let key = squeeze(key, &mut buffer);
        if let Some(label) = self.names.get(key) {
            return Some(label);
        }
        // The last two letters decide for nearly every key that no ending fits.
        let ends = matches!(
            key.as_bytes(),
            [.., b'r', b'd' | b'e']
                | [.., b'e', b't' | b'n' | b'y' | b'r']
                | [.., b'm', b'e']
                | [.., b's', b's' | b'n']
        );
        if !ends {
            return None;
        }
        ENDINGS
            .iter()
            .find(|(end, _)| key.ends_with(end))
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
