//! Printed transition tables: every machine's test prints states × commands and compares with `tests/tables/`.
//!
//! Set `SUTURE_UPDATE_TABLES=1` to write the files after a deliberate change, then review the difference.

/// Compares a table with its file in the repository.
#[expect(clippy::disallowed_methods, reason = "test code: the switch that rewrites the tables")]
pub(crate) fn check(name: &str, columns: &[&str], rows: &[(String, Vec<String>)]) {
    let path = format!("{}/tests/tables/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let printed = print(columns, rows);
    if std::env::var("SUTURE_UPDATE_TABLES").is_ok() {
        std::fs::write(&path, &printed).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == printed, "{path} differs from the machine:\n{printed}");
}

fn print(columns: &[&str], rows: &[(String, Vec<String>)]) -> String {
    let mut table: Vec<Vec<String>> =
        vec![std::iter::once("").chain(columns.iter().copied()).map(Into::into).collect()];
    table.extend(rows.iter().map(|(state, cells)| std::iter::once(state).chain(cells).cloned().collect()));
    let width = |column: usize| table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..=columns.len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells: Vec<String> =
            row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        cells.join(" | ").trim_end().to_owned()
    };
    table.iter().map(line).collect::<Vec<_>>().join("\n") + "\n"
}
