//! The data folder and the master key: whether they are there, and who may read them.

use std::path::Path;

use lk_store::MasterKey;

use super::Finding;
use crate::config::Config;
use crate::wiring;

/// Looks at the data folder and reads the master key; makes neither.
pub(super) fn check(config: &Config) -> (Option<MasterKey>, Vec<Finding>) {
    let mut found = Vec::new();
    let folder = &config.data_dir;
    if let Some(mode) = open_to_others(folder) {
        found.push(Finding::warning(
            "data_folder.open_to_others",
            format!(
                "Other accounts of this machine may look into {} (mode {mode:o}).",
                folder.display()
            ),
            format!("Run chmod 700 {}.", folder.display()),
        ));
    }
    let (key, of_key) = match wiring::key_of_environment() {
        Ok(Some(key)) => {
            let message = format!("The master key is in {}.", wiring::KEY_VARIABLE);
            (Some(key), Some(Finding::ok("key_file.ok", message)))
        }
        Ok(None) => key_file(config),
        Err(error) => {
            let advice = "Set it to the 64 hexadecimal digits of the key.";
            (
                None,
                Some(Finding::problem("key_file.unusable", format!("{error:#}."), advice)),
            )
        }
    };
    found.extend(of_key);
    (key, found)
}

fn key_file(config: &Config) -> (Option<MasterKey>, Option<Finding>) {
    let path = wiring::key_file(config);
    if !path.exists() {
        // A folder without data has no key yet, which is what the database's check says.
        let data = config.database.is_some() || wiring::database_file(config).exists();
        let missing = data.then(|| {
            Finding::problem(
                "key_file.missing",
                format!("There is no master key at {}: no secret can be opened.", path.display()),
                format!(
                    "Copy it there from its backup, or set {}. A new one opens nothing.",
                    wiring::KEY_VARIABLE
                ),
            )
        });
        return (None, missing);
    }
    let key = match MasterKey::from_file(&path) {
        Ok(key) => key,
        Err(error) => {
            let advice = "Run this as the account that serves; else restore the file from its backup.";
            return (
                None,
                Some(Finding::problem("key_file.unusable", format!("{error}."), advice)),
            );
        }
    };
    let finding = match open_to_others(&path) {
        Some(mode) => Finding::problem(
            "key_file.open_to_others",
            format!(
                "Other accounts of this machine may read the master key {} (mode {mode:o}).",
                path.display()
            ),
            format!(
                "Run chmod 600 {}, and consider `linekeeper key rotate-master`.",
                path.display()
            ),
        ),
        None => Finding::ok("key_file.ok", format!("Only its owner may read {}.", path.display())),
    };
    (Some(key), Some(finding))
}

/// The mode of a file or folder that others than its owner may use.
#[cfg(unix)]
pub(super) fn open_to_others(path: &Path) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0).then_some(mode)
}

/// Not known here.
#[cfg(not(unix))]
pub(super) fn open_to_others(_path: &Path) -> Option<u32> {
    None
}
