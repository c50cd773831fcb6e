//! Rows as files: CSV and lines of JSON, a piece at a time.

use std::convert::Infallible;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use http::{HeaderValue, header};
use serde::Serialize;
use utoipa::IntoParams;

use crate::error::ApiError;
use crate::extract::{FromParams, Params};

/// Rows read at once for an export.
pub(crate) const PAGE: u32 = 1_000;
/// The formats by name.
const FORMATS: &[&str] = &["csv", "json"];

/// How an export is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Rows of CSV under a header row.
    Csv,
    /// One JSON object a line.
    Json,
}

/// The query parameter that says how.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub(crate) struct FormatParams {
    /// `csv`, or `json` for one object a line.
    #[param(pattern = "^(csv|json)$", default = "csv")]
    format: Option<String>,
}

impl FromParams for FormatParams {
    fn read(params: &mut Params) -> Result<Self, ApiError> {
        let known = |text: &str| FORMATS.contains(&text).then(|| text.to_owned());
        Ok(Self {
            format: params.word("format", known, FORMATS)?,
        })
    }
}

impl FormatParams {
    /// The format asked for.
    pub(crate) fn format(&self) -> Format {
        match self.format.as_deref() {
            Some("json") => Format::Json,
            _ => Format::Csv,
        }
    }
}

/// A file made of `pages`, under a row of `columns` where it is CSV.
pub(crate) fn file(
    name: &str,
    format: Format,
    columns: &[&str],
    pages: impl Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static,
) -> Response {
    let (kind, ending, first) = match format {
        Format::Csv => ("text/csv; charset=utf-8", "csv", csv_rows([columns])),
        Format::Json => ("application/x-ndjson", "jsonl", Bytes::new()),
    };
    let head = futures_util::stream::once(async move { Ok::<_, Infallible>(first) });
    let head = head.map(|chunk| chunk.map_err(|never| match never {}));
    let mut response = Response::new(Body::from_stream(head.chain(pages)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}.{ending}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    response
}

/// Rows of CSV. A cell that a spreadsheet would take for a formula is written as text.
pub(crate) fn csv_rows<R, C>(rows: impl IntoIterator<Item = R>) -> Bytes
where
    R: IntoIterator<Item = C>,
    C: AsRef<str>,
{
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        let cells = row.into_iter().map(|cell| harmless(cell.as_ref()));
        // Writing into memory does not fail, and every row has the same number of cells.
        let _ = writer.write_record(cells);
    }
    Bytes::from(writer.into_inner().unwrap_or_default())
}

fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{cell}")
    } else {
        cell.to_owned()
    }
}

/// One JSON object a line.
pub(crate) fn json_lines<T: Serialize>(rows: impl IntoIterator<Item = T>) -> Bytes {
    let mut out = Vec::new();
    for row in rows {
        if serde_json::to_writer(&mut out, &row).is_ok() {
            out.push(b'\n');
        }
    }
    Bytes::from(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_quotes_stay_inside() {
        let text = csv_rows([["a", "=1+1", "say \"hi\", twice"]]);
        assert_eq!(&text[..], b"a,'=1+1,\"say \"\"hi\"\", twice\"\n");
        assert_eq!(&json_lines([1, 2])[..], b"1\n2\n");
    }
}
