//! The database: whether it opens and is ours, whether its secrets open, whether its audit log is
//! whole, and what time it has.

use lk_engine::Clock;
use lk_store::{MasterKey, Schema, Store, StoreConfig, StoreError, Sweep, Swept};

use super::Finding;
use crate::config::Config;
use crate::wiring;

/// Difference to the database's clock that is spoken of.
const CLOCK_OFF_MS: i64 = 2_000;
/// Difference that breaks things: signatures with a time are refused, sessions end early or late.
const CLOCK_WRONG_MS: i64 = 60_000;

/// Opens the database for reading, if it is there and ours.
pub(super) async fn open(config: &Config, key: Option<&MasterKey>) -> (Option<Store>, Vec<Finding>) {
    let target = wiring::target(config);
    if let StoreConfig::Sqlite { path } = &target
        && !path.exists()
    {
        let none = Finding::warning(
            "database.none",
            format!("There is no data in {} yet.", config.data_dir.display()),
            "Start `linekeeper serve`, which makes it; or name the right folder with --data-dir.",
        );
        return (None, vec![none]);
    }
    // Without the key everything but secrets can still be looked at.
    let key = key.cloned().map_or_else(MasterKey::generate, Ok);
    let opened = async {
        let store = Store::open_for_reading(&target, key?).await?;
        let schema = store.schema().await?;
        Ok::<_, StoreError>((store, schema))
    };
    match opened.await {
        Ok((store, Schema::Current)) => (
            Some(store),
            vec![Finding::ok("database.ok", "The database opens and is ours.")],
        ),
        Ok((_, schema)) => (None, vec![not_current(&schema)]),
        Err(error) => {
            let advice =
                "Check that it runs and that its address, account and password are right; or restore a backup.";
            (
                None,
                vec![Finding::problem("database.unreachable", format!("{error}."), advice)],
            )
        }
    }
}

fn not_current(schema: &Schema) -> Finding {
    match schema {
        Schema::Newer(step) => Finding::problem(
            "database.newer_schema",
            format!("A newer version of Linekeeper wrote the database (it took the step {step})."),
            "Run that version, or restore a backup made before it.",
        ),
        Schema::Older(steps) => Finding::warning(
            "database.older_schema",
            format!("The database is of an older version of Linekeeper: {steps} steps are missing."),
            "The next start of `linekeeper serve` takes them; make a backup before. What is in it was not looked at.",
        ),
        Schema::Empty => Finding::warning(
            "database.none",
            "The database is empty.",
            "Start `linekeeper serve`, which makes its tables.",
        ),
        Schema::Foreign | Schema::Current => Finding::problem(
            "database.not_ours",
            "The database holds tables of another program.",
            "Give Linekeeper a database of its own.",
        ),
    }
}

/// Looks into a database that is ours; `with_key` when there is a master key to open secrets with.
pub(super) async fn check(store: &Store, with_key: bool, clock: &Clock) -> Vec<Finding> {
    let mut found = Vec::new();
    found.extend(time(store, clock).await);
    if !with_key {
        return found;
    }
    if let Err(error) = store.prove_master_key().await {
        found.push(Finding::problem(
            "master_key.wrong",
            format!("The master key is not the one the data was written with: {error}."),
            "Restore the right one from its backup; when it is lost for good, see `linekeeper key lost --help`.",
        ));
        return found;
    }
    found.push(Finding::ok(
        "master_key.ok",
        "The master key is the one the data was written with.",
    ));
    found.push(sealed(store).await);
    found.push(audit_log(store).await);
    found
}

/// Opens every sealed value.
async fn sealed(store: &Store) -> Finding {
    let mut sweep = Sweep::look(store.master_key());
    loop {
        match store.sweep_step(&mut sweep).await {
            Ok(true) => {}
            Ok(false) => return opened(sweep.swept()),
            Err(error) => {
                let message = format!("The sealed values could not all be read: {error}.");
                return Finding::warning("sealed_values.unread", message, "Run this again.");
            }
        }
    }
}

fn opened(swept: &Swept) -> Finding {
    if swept.unopened > 0 {
        return Finding::problem(
            "sealed_values.unopened",
            format!(
                "{} sealed values cannot be opened: {}.",
                swept.unopened,
                swept.told.join("; ")
            ),
            "Restore the key they name, or enter those secrets again.",
        );
    }
    match swept.older_count() {
        0 => Finding::ok("sealed_values.ok", format!("All {} sealed values open.", swept.current)),
        older => Finding::warning(
            "sealed_values.older_key",
            format!("{older} sealed values still name a key before the current one."),
            "Finish the replacement with `linekeeper key rotate-master`.",
        ),
    }
}

async fn audit_log(store: &Store) -> Finding {
    match store.check_audit_log().await {
        Ok(whole) => match whole.problem {
            None => Finding::ok("audit_log.ok", format!("The audit log is whole ({} rows).", whole.rows)),
            Some(problem) => Finding::problem(
                "audit_log.broken",
                format!("The audit log is not whole: {problem}."),
                "Find out who can write to the database beside Linekeeper, and compare with a backup.",
            ),
        },
        Err(error) => {
            let message = format!("The audit log could not be read: {error}.");
            Finding::problem("audit_log.unread", message, "Run this again; else restore a backup.")
        }
    }
}

/// Compares the clocks, where the database has one of its own.
async fn time(store: &Store, clock: &Clock) -> Option<Finding> {
    let before = clock.now();
    let theirs = store.clock().await.ok()??;
    let ours = before + clock.now().since(before) / 2;
    Some(clocks(ours.since(theirs)))
}

/// `ahead_ms`: how far this machine is ahead of the database.
fn clocks(ahead_ms: i64) -> Finding {
    let off = ahead_ms.abs();
    let way = if ahead_ms > 0 { "ahead of" } else { "behind" };
    let message = format!(
        "This machine's clock is {}.{} s {way} the database's.",
        off / 1_000,
        off % 1_000 / 100
    );
    let advice = "Let both follow the same time servers (NTP).";
    match off {
        0..CLOCK_OFF_MS => Finding::ok("clock.ok", "This machine and the database have the same time."),
        CLOCK_OFF_MS..CLOCK_WRONG_MS => Finding::warning("clock.off", message, advice),
        _ => Finding::problem("clock.wrong", message, advice),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_may_differ_a_little() {
        for (ahead_ms, code) in [
            (0, "clock.ok"),
            (-1_999, "clock.ok"),
            (2_000, "clock.off"),
            (-59_999, "clock.off"),
            (60_000, "clock.wrong"),
        ] {
            assert_eq!(clocks(ahead_ms).code, code, "{ahead_ms}");
        }
        assert!(clocks(-2_345).message.contains("2.3 s behind"));
    }
}
