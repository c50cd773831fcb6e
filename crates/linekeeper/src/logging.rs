//! Log output: to standard error, as text or JSON, filtered by `LINEKEEPER_LOG`.

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// What is logged unless `LINEKEEPER_LOG` says otherwise. What `rmcp` meets is told by the check.
const DEFAULT_FILTER: &str = "info,sqlx=warn,sea_orm=warn,sea_orm_migration=warn,hyper=warn,rmcp=off";

/// Starts logging.
pub(crate) fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_env("LINEKEEPER_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT_FILTER));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => builder.with_target(false).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
}
