//! Stripe: what the manifest cannot say is that an Issuing authorization is judged by the *last*
//! entry of its history.

use lk_core::words::Outcome;
use lk_provider::manifest::ManifestError;
use lk_provider::observe::Found;
use lk_provider::{Described, Folder, Headers};
use serde_json::Value;

/// The provider.
#[derive(Debug)]
pub(crate) struct Provider(Described);

impl Provider {
    pub(crate) fn load(folder: Folder) -> Result<Self, ManifestError> {
        Described::load(folder).map(Self)
    }
}

impl lk_provider::Provider for Provider {
    fn described(&self) -> &Described {
        &self.0
    }

    fn amend(&self, item: &Value, _headers: &Headers, found: &mut Found) {
        let object = &item["data"]["object"];
        let declined = found.outcome == Some(Outcome::Failure) && object["object"] == "issuing.authorization";
        let Some(last) = object["request_history"].as_array().and_then(|history| history.last()) else {
            return;
        };
        let Some(reason) = last["reason"].as_str().filter(|_| declined) else {
            return;
        };
        let merchant = object["merchant_data"]["name"].as_str().unwrap_or("the merchant");
        found.codes.insert(0, reason.to_owned());
        found.message = Some(match last["reason_message"].as_str().filter(|text| !text.is_empty()) {
            Some(text) => format!("Card purchase at {merchant} declined: {reason}. {text}"),
            None => format!("Card purchase at {merchant} declined: {reason}"),
        });
    }
}
