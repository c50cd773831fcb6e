//! Rows as files: CSV and lines of JSON, a piece at a time.

use bytes::Bytes;
use serde::Serialize;

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
