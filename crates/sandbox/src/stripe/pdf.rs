//! Writes a small PDF: lines of text on as many pages as they need.
//!
//! Called by `page` for invoices, receipts and credit notes. PDF 1.4 (ISO 32000-1 §7.5): a header, numbered objects, a
//! table of their byte offsets, a trailer. What must stay true: every offset of the table is where its object starts,
//! and text can never end its own string.

/// Lines on one page: 792 points high, 14 points per line, margins of 56.
const LINES_PER_PAGE: usize = 48;

/// A PDF of these lines, the first one larger.
pub(crate) fn of_lines(lines: &[String]) -> Vec<u8> {
    let pages: Vec<&[String]> =
        if lines.is_empty() { vec![lines] } else { lines.chunks(LINES_PER_PAGE).collect() };
    // Objects: 1 catalog, 2 list of pages, 3 font, then a page and its content for each page.
    let kids: Vec<String> = (0..pages.len()).map(|at| format!("{} 0 R", 4 + at * 2)).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Kids [{}] /Count {} >>", kids.join(" "), pages.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
    ];
    for (at, page) in pages.iter().enumerate() {
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {} 0 R /Resources << /Font << /F1 3 0 R \
             >> >> >>",
            5 + at * 2
        ));
        let text = content(page, at == 0);
        objects.push(format!("<< /Length {} >>\nstream\n{text}\nendstream", text.len()));
    }
    assemble(&objects)
}

fn content(lines: &[String], first_page: bool) -> String {
    let mut text = String::from("BT\n56 736 Td\n14 TL\n");
    for (at, line) in lines.iter().enumerate() {
        let size = if first_page && at == 0 { 14 } else { 10 };
        text.push_str(&format!("/F1 {size} Tf\n({}) Tj\nT*\n", escaped(line)));
    }
    text.push_str("ET");
    text
}

/// Letters of Latin-1 as they are or in octal; what the font does not have becomes a question mark.
fn escaped(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    for letter in line.chars() {
        match letter {
            '(' | ')' | '\\' => {
                text.push('\\');
                text.push(letter);
            }
            ' '..='~' => text.push(letter),
            '\u{a0}'..='\u{ff}' => text.push_str(&format!("\\{:03o}", u32::from(letter))),
            _ => text.push('?'),
        }
    }
    text
}

fn assemble(objects: &[String]) -> Vec<u8> {
    let mut text = String::from("%PDF-1.4\n");
    let mut offsets = Vec::with_capacity(objects.len());
    for (at, object) in objects.iter().enumerate() {
        offsets.push(text.len());
        text.push_str(&format!("{} 0 obj\n{object}\nendobj\n", at + 1));
    }
    let table = text.len();
    text.push_str(&format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1));
    for offset in offsets {
        text.push_str(&format!("{offset:010} 00000 n \n"));
    }
    text.push_str(&format!(
        "trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n",
        objects.len() + 1
    ));
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(lines: &[&str]) -> String {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        String::from_utf8(of_lines(&lines)).expect("only ASCII is written")
    }

    /// Follows the table like a reader does.
    fn check(pdf: &str) {
        let start: usize = pdf.rsplit("startxref\n").next().unwrap().lines().next().unwrap().parse().unwrap();
        let table = &pdf[start..];
        assert!(table.starts_with("xref\n0 "));
        let rows: Vec<&str> = table.lines().skip(2).take_while(|row| row.len() == 19).collect();
        for (number, row) in rows.iter().enumerate().skip(1) {
            let offset: usize = row[..10].parse().unwrap();
            assert!(pdf[offset..].starts_with(&format!("{number} 0 obj\n")), "object {number}");
        }
        assert!(table.contains(&format!("/Size {} /Root 1 0 R", rows.len())));
    }

    #[test]
    fn a_reader_finds_every_object_by_the_table() {
        let short = text(&["Invoice (draft)", "Größe: 10 €"]);
        check(&short);
        assert!(short.contains("(Invoice \\(draft\\)) Tj"));
        assert!(short.contains("(Gr\\366\\337e: 10 ?) Tj"));
        check(&text(&[]));
    }

    #[test]
    fn long_papers_have_more_pages() {
        let lines: Vec<String> = (0..100).map(|line| format!("line {line}")).collect();
        let pdf = String::from_utf8(of_lines(&lines)).unwrap();
        check(&pdf);
        assert!(pdf.contains("/Count 3"));
        assert_eq!(pdf.matches("stream\nBT").count(), 3);
    }

    #[test]
    fn the_length_of_a_stream_is_what_is_between_its_words() {
        let pdf = text(&["one line"]);
        let (head, rest) = pdf.split_once("\nstream\n").unwrap();
        let length: usize = head.rsplit("/Length ").next().unwrap().trim_end_matches(" >>").parse().unwrap();
        assert_eq!(rest.find("\nendstream"), Some(length));
    }
}
