//! How the journal's drivers fail, in the store's words.

use lk_core::codec::Damaged;
use sea_orm::sqlx;
use sea_orm::{DbErr, RuntimeErr};

use crate::StoreError;

impl From<Damaged> for StoreError {
    fn from(error: Damaged) -> Self {
        Self::Corrupt(error.to_string())
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        DbErr::Query(RuntimeErr::SqlxError(error.into())).into()
    }
}
