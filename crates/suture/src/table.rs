//! Tables for a terminal: columns as wide as their widest cell.

/// Renders rows under a header; `right` names the columns that are numbers.
pub(crate) fn render(header: &[&str], rows: &[Vec<String>], right: &[usize]) -> String {
    let mut widths: Vec<usize> = header.iter().map(|cell| cell.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &[String]| {
        let mut text = String::from("  ");
        for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
            let space = " ".repeat(width - cell.chars().count());
            if right.contains(&column) {
                text.push_str(&space);
                text.push_str(cell);
            } else {
                text.push_str(cell);
                text.push_str(&space);
            }
            text.push_str("  ");
        }
        text.trim_end().to_owned() + "\n"
    };
    let head: Vec<String> = header.iter().map(|cell| (*cell).to_owned()).collect();
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    let mut text = line(&head);
    text.push_str(&line(&rule));
    for row in rows {
        text.push_str(&line(row));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_numbers_end_together() {
        let rows = vec![vec!["bank".to_owned(), "9.00".to_owned()], vec!["a".to_owned(), "10.00".to_owned()]];
        let text = render(&["account", "sum"], &rows, &[1]);
        assert_eq!(text, "  account    sum\n  -------  -----\n  bank      9.00\n  a        10.00\n");
    }
}
