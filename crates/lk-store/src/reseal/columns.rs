//! The one list of the columns that hold sealed values. Whoever adds such a column adds it here;
//! a test compares the list with the migrations.

use sea_orm::Value;

use crate::Result;
use crate::audit;
use crate::config::{connections, credentials, endpoints, secrets, totp};
use crate::db::Row;
use crate::journal::HANDSHAKE_SEALED_AS;
use crate::journal::rows::{hex, unhex};
use crate::seal::Sealed;

/// A column of the key by which a row is found again, with its type.
#[derive(Debug, Clone, Copy)]
pub(super) enum KeyColumn {
    Text(&'static str),
    Bytes(&'static str),
    Int(&'static str),
}

impl KeyColumn {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Text(name) | Self::Bytes(name) | Self::Int(name) => name,
        }
    }

    pub(super) fn read(self, row: &Row) -> Result<Value> {
        match self {
            Self::Text(name) => row.text(name).map(Value::from),
            Self::Bytes(name) => row.get::<Vec<u8>>(name).map(Value::from),
            Self::Int(name) => row.int(name).map(Value::from),
        }
    }
}

/// How a sealed value is written into its column.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    /// As it is, in a BYTEA column. Empty when the value was wiped.
    Bytes,
    /// In hexadecimal digits at the end of a TEXT column, after the last blank if there is one.
    Hex,
}

/// What a column holds, to be compared with and replaced.
#[derive(Debug, Clone)]
pub(super) enum Stored {
    Bytes(Vec<u8>),
    Text(String),
}

impl Stored {
    pub(super) fn read(form: Form, row: &Row, column: &str) -> Result<Self> {
        match form {
            Form::Bytes => row.get(column).map(Self::Bytes),
            Form::Hex => row.text(column).map(Self::Text),
        }
    }

    fn split(text: &str) -> (&str, &str) {
        text.split_at(text.rfind(' ').map_or(0, |blank| blank + 1))
    }

    /// The sealed value in it; `None` when it was wiped. What is no sealed value at all is one that
    /// does not open.
    pub(super) fn sealed(&self) -> Option<Sealed> {
        let bytes = match self {
            Self::Bytes(bytes) => bytes.clone(),
            Self::Text(text) => {
                let (_, digits) = Self::split(text);
                unhex(digits).unwrap_or_else(|| digits.as_bytes().to_vec())
            }
        };
        (!bytes.is_empty()).then(|| Sealed::from_stored(bytes))
    }

    /// The same with another sealed value in it; without one, wiped.
    pub(super) fn with(&self, sealed: Option<&Sealed>) -> Self {
        let bytes = sealed.map(Sealed::as_bytes).unwrap_or_default();
        match self {
            Self::Bytes(_) => Self::Bytes(bytes.to_vec()),
            Self::Text(text) => Self::Text(format!("{}{}", Self::split(text).0, hex(bytes))),
        }
    }

    pub(super) fn value(&self) -> Value {
        match self {
            Self::Bytes(bytes) => bytes.clone().into(),
            Self::Text(text) => text.as_str().into(),
        }
    }
}

/// A column that holds sealed values.
#[derive(Debug)]
pub(super) struct SealedColumn {
    pub(super) table: &'static str,
    pub(super) column: &'static str,
    pub(super) form: Form,
    /// The table's primary key, in its order.
    pub(super) key: &'static [KeyColumn],
    /// Which rows hold one: an SQL condition.
    pub(super) only: &'static str,
    /// What the values are bound to: the name of the table ...
    pub(super) bound_table: &'static str,
    /// ... and of the row, as an SQL expression. Where it is NULL nobody can open the value any
    /// more, and it is wiped.
    pub(super) bound_row: &'static str,
}

/// Every row of the table.
const ALL: &str = "TRUE";

/// Every sealed column, walked in this order.
pub(super) const SEALED_COLUMNS: &[SealedColumn] = &[
    SealedColumn {
        table: "webhook_secrets",
        column: "sealed",
        form: Form::Bytes,
        key: &[KeyColumn::Text("id")],
        only: ALL,
        bound_table: secrets::TABLE,
        bound_row: "id",
    },
    SealedColumn {
        table: "webhook_endpoints",
        column: "key_sealed",
        form: Form::Bytes,
        key: &[KeyColumn::Bytes("key_hash")],
        only: ALL,
        bound_table: endpoints::TABLE,
        bound_row: "integration_id",
    },
    SealedColumn {
        table: "integration_credentials",
        column: "sealed",
        form: Form::Bytes,
        key: &[KeyColumn::Text("integration_id"), KeyColumn::Text("field")],
        only: ALL,
        bound_table: credentials::TABLE,
        bound_row: "integration_id || '.' || field",
    },
    SealedColumn {
        table: "integration_connections",
        column: "access_sealed",
        form: Form::Bytes,
        key: &[KeyColumn::Text("integration_id")],
        only: "access_sealed IS NOT NULL",
        bound_table: connections::TABLE,
        bound_row: "integration_id || '.access'",
    },
    SealedColumn {
        table: "integration_connections",
        column: "refresh_sealed",
        form: Form::Bytes,
        key: &[KeyColumn::Text("integration_id")],
        only: "refresh_sealed IS NOT NULL",
        bound_table: connections::TABLE,
        bound_row: "integration_id || '.refresh'",
    },
    SealedColumn {
        table: "connect_flows",
        column: "verifier_sealed",
        form: Form::Bytes,
        key: &[KeyColumn::Text("id")],
        only: ALL,
        bound_table: connections::FLOWS_TABLE,
        bound_row: "id",
    },
    SealedColumn {
        table: "user_totp",
        column: "sealed",
        form: Form::Bytes,
        key: &[KeyColumn::Text("user_id")],
        only: ALL,
        bound_table: totp::TABLE,
        bound_row: "user_id",
    },
    SealedColumn {
        table: "sealed_keys",
        column: "sealed",
        form: Form::Bytes,
        key: &[KeyColumn::Text("name")],
        only: ALL,
        bound_table: audit::KEYS_TABLE,
        bound_row: "name",
    },
    // A handshake waiting for its confirmation, and, until it is forgotten a week later, one that
    // was confirmed: "row number of the integration, blank, digits". When the integration is gone
    // for good the effect has nothing left to do, and its executor does not open it.
    SealedColumn {
        table: "outbox",
        column: "payload",
        form: Form::Hex,
        key: &[KeyColumn::Int("id")],
        only: "kind = 1",
        bound_table: HANDSHAKE_SEALED_AS,
        bound_row: "(SELECT i.id FROM project_integrations i
                     WHERE outbox.payload LIKE CAST(i.rid AS TEXT) || ' %')",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migration;

    /// The columns of a migration whose name says that they hold something sealed: those of
    /// `CREATE TABLE t (` with one column a line, and those of `ALTER TABLE t ADD COLUMN c`.
    fn sealed_columns(sql: &str) -> Vec<(String, String)> {
        let (mut found, mut table) = (Vec::new(), String::new());
        for line in sql.lines().filter(|l| !l.trim_start().starts_with("--")) {
            let words: Vec<&str> = line
                .split(|c: char| !(c.is_alphanumeric() || c == '_'))
                .filter(|w| !w.is_empty())
                .collect();
            let upper: Vec<String> = words.iter().map(|w| w.to_uppercase()).collect();
            let upper: Vec<&str> = upper.iter().map(String::as_str).collect();
            let column = match upper.as_slice() {
                ["CREATE", "TABLE", "IF", "NOT", "EXISTS", ..] => {
                    words[5].clone_into(&mut table);
                    continue;
                }
                ["CREATE", "TABLE", ..] => {
                    words[2].clone_into(&mut table);
                    continue;
                }
                ["ALTER", "TABLE", _, "ADD", "COLUMN", _, ..] => {
                    words[2].clone_into(&mut table);
                    words[5]
                }
                [_, ..] => words[0],
                [] => continue,
            };
            if column == "sealed" || column.ends_with("_sealed") || column.starts_with("sealed_") {
                found.push((table.clone(), column.to_owned()));
            }
        }
        found
    }

    #[test]
    fn every_sealed_column_of_the_schema_is_on_the_list() {
        let mut count = 0;
        for (name, sql) in migration::FILES {
            for (table, column) in sealed_columns(sql) {
                count += 1;
                assert!(
                    SEALED_COLUMNS.iter().any(|c| c.table == table && c.column == column),
                    "{name}: {table}.{column} is not among SEALED_COLUMNS: values in it would be lost when the \
                     master key is replaced"
                );
            }
        }
        assert!(count >= 3, "the migrations are not read as they are written");
    }

    #[test]
    fn sealed_columns_are_found_however_they_are_added() {
        let sql = "CREATE TABLE a (\n  id TEXT,\n  -- sealed BYTEA\n  sealed BYTEA NOT NULL\n){table};\n\
                   ALTER TABLE b ADD COLUMN token_sealed BYTEA;\nCREATE TABLE IF NOT EXISTS c (\n  Sealed TEXT,\n  sealed BYTEA\n);";
        let pair = |t: &str, c: &str| (t.to_owned(), c.to_owned());
        let expected = [pair("a", "sealed"), pair("b", "token_sealed"), pair("c", "sealed")];
        assert_eq!(sealed_columns(sql), expected);
    }

    #[test]
    fn a_value_is_replaced_in_its_form() {
        let sealed = Sealed::from_stored(vec![1, 255]);
        let text = Stored::Text("7 0102".into());
        assert!(matches!(text.with(Some(&sealed)), Stored::Text(t) if t == "7 01ff"));
        assert!(matches!(text.with(None), Stored::Text(t) if t == "7 "));
        assert!(text.with(None).sealed().is_none());
        assert_eq!(text.sealed().map(|s| s.as_bytes().to_vec()), Some(vec![1, 2]));
        assert!(matches!(Stored::Text("0102".into()).with(Some(&sealed)), Stored::Text(t) if t == "01ff"));
        assert!(Stored::Bytes(Vec::new()).sealed().is_none());
    }
}
