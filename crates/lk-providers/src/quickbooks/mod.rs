//! QuickBooks Online: until every app has moved to CloudEvents, deliveries also come in the legacy
//! shape, where the company stands outside the changed records.

use lk_provider::manifest::ManifestError;
use lk_provider::observe::split;
use lk_provider::{Described, Folder};
use serde_json::{Value, json};

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

    fn split(&self, body: Value) -> Vec<Value> {
        match body["eventNotifications"].as_array() {
            Some(notifications) => notifications.iter().flat_map(modern).collect(),
            None => match &self.0.manifest().webhook {
                Some(webhook) => split(&webhook.body.batch, body),
                None => vec![body],
            },
        }
    }
}

/// One company's changes as CloudEvents; the identification is what makes a change unique.
fn modern(notification: &Value) -> Vec<Value> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let realm = text(&notification["realmId"]);
    let entities = notification["dataChangeEvent"]["entities"].as_array();
    let one = |entity: &Value| {
        let (name, operation) = (text(&entity["name"]), text(&entity["operation"]));
        let (id, updated) = (text(&entity["id"]), text(&entity["lastUpdated"]));
        json!({
            "id": format!("{realm}:{name}:{id}:{operation}:{updated}"),
            "type": format!("qbo.{}.{}", name.to_lowercase(), operation.to_lowercase()),
            "time": updated,
            "intuitentityid": id,
            "intuitaccountid": realm,
            "legacy": entity,
        })
    };
    entities.into_iter().flatten().map(one).collect()
}
