//! X12 text: reading a file by the separators its ISA declares, and writing envelopes (X12.md §1).
//!
//! Read by `inquiry` and `claim_837`, written by `eligibility` and `remittance`. What must stay true: counts and
//! control numbers of a written envelope always agree, and no value that came from outside can end its own element.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Largest file that is read.
pub(super) const BYTES_MAX: usize = 256 * 1024;
/// Segments of the largest file that is read.
const SEGMENTS_MAX: usize = 5000;

/// A segment with its elements, the name first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment(pub(super) Vec<String>);

impl Segment {
    /// The name, such as `NM1`.
    pub(super) fn name(&self) -> &str {
        self.at(0)
    }

    /// An element by its number in the guides, empty when absent: `at(3)` of NM1 is NM103.
    pub(super) fn at(&self, number: usize) -> &str {
        self.0.get(number).map_or("", String::as_str)
    }
}

/// A file that was split.
#[derive(Debug)]
pub(super) struct File {
    pub(super) segments: Vec<Segment>,
    /// Between the parts of an element.
    pub(super) component: char,
    /// Between repetitions of an element.
    pub(super) repetition: char,
}

/// Splits a file by its own separators.
///
/// # Errors
/// A sentence when it does not start with a whole ISA, or is too large.
pub(super) fn read(bytes: &[u8]) -> Result<File, String> {
    if bytes.len() > BYTES_MAX {
        return Err(format!("The file has more than {BYTES_MAX} bytes: nothing was read."));
    }
    let text =
        std::str::from_utf8(bytes).map_err(|_| "The file is not text: nothing was read.".to_owned())?;
    let head: Vec<char> = text.chars().take(106).collect();
    if head.len() < 106 || !text.starts_with("ISA") {
        return Err("The file does not start with an ISA of 106 characters: nothing was read.".to_owned());
    }
    let (element, repetition, component, end) = (head[3], head[82], head[104], head[105]);
    let segments: Vec<Segment> = text
        .split(end)
        .map(|segment| segment.trim_matches(['\r', '\n', ' ']))
        .filter(|segment| !segment.is_empty())
        .take(SEGMENTS_MAX + 1)
        .map(|segment| Segment(segment.split(element).map(str::to_owned).collect()))
        .collect();
    if segments.len() > SEGMENTS_MAX {
        return Err(format!("The file has more than {SEGMENTS_MAX} segments: nothing was read."));
    }
    Ok(File { segments, component, repetition })
}

/// What goes around a transaction set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Envelope<'a> {
    /// GS01: HB for a 271, HP for an 835.
    pub(super) function: &'a str,
    /// ST01
    pub(super) set: &'a str,
    /// GS08
    pub(super) version: &'a str,
    /// ISA13 and GS06.
    pub(super) control: u64,
    /// Milliseconds since 1970.
    pub(super) now_ms: i64,
}

impl Envelope<'_> {
    /// The whole file: every segment on a line of its own, counts and control numbers right.
    pub(super) fn wrap(&self, body: &[String]) -> String {
        let moment = moment(self.now_ms);
        let (day, time) = (moment.strftime("%Y%m%d").to_string(), moment.strftime("%H%M").to_string());
        let control = self.control % 1_000_000_000;
        // Only the 835 has no version inside ST (X12.md §1).
        let start = match self.set {
            "835" => "ST*835*0001".to_owned(),
            set => format!("ST*{set}*0001*{}", self.version),
        };
        let mut lines = vec![
            format!(
                "ISA*00*          *00*          *ZZ*{:<15}*ZZ*{:<15}*{}*{time}*^*00501*{control:09}*0*T*:",
                PAYER_MAILBOX,
                CLINIC_MAILBOX,
                day.get(2..).unwrap_or_default()
            ),
            format!(
                "GS*{}*{PAYER_MAILBOX}*{CLINIC_MAILBOX}*{day}*{time}*{control}*X*{}",
                self.function, self.version
            ),
            start,
        ];
        lines.extend_from_slice(body);
        lines.push(format!("SE*{}*0001", body.len() + 2));
        lines.push(format!("GE*1*{control}"));
        lines.push(format!("IEA*1*{control:09}"));
        lines.iter().map(|line| format!("{line}~\n")).collect()
    }
}

const PAYER_MAILBOX: &str = "PAYERSBX";
const CLINIC_MAILBOX: &str = "CLINICSBX";

/// A moment of the sandbox's clock, by UTC.
fn moment(now_ms: i64) -> jiff::Zoned {
    Timestamp::from_millisecond(now_ms).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::UTC)
}

/// `YYYYMMDD` of a moment.
pub(super) fn day(now_ms: i64) -> String {
    moment(now_ms).strftime("%Y%m%d").to_string()
}

/// `HHMM` of a moment.
pub(super) fn clock(now_ms: i64) -> String {
    moment(now_ms).strftime("%H%M").to_string()
}

/// A value without the letters that separate, as long as an element may be.
pub(super) fn plain(value: &str) -> String {
    value.chars().filter(|letter| !letter.is_control() && !"*~:^".contains(*letter)).take(60).collect()
}

/// Minor units as X12 writes money: no exponent, two digits after the point.
pub(super) fn money(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    format!("{sign}{}.{:02}", cents / 100, cents % 100)
}

/// Reads money of X12 into minor units; nothing for more than two digits after the point.
pub(super) fn cents(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let part = part.trim_end_matches('0');
    let clean = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() > 12
        || part.len() > 2
        || whole.is_empty() && part.is_empty()
        || !clean(whole)
        || !clean(part)
    {
        return None;
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let part: i64 = if part.is_empty() { 0 } else { format!("{part:0<2}").parse().ok()? };
    Some(sign * (whole * 100 + part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_written_and_read_to_the_cent() {
        for (amount, text) in [(0, "0.00"), (13_000, "130.00"), (-4_205, "-42.05"), (5, "0.05")] {
            assert_eq!(money(amount), text);
            assert_eq!(cents(text), Some(amount));
        }
        assert_eq!((cents("300"), cents(".5"), cents("1.200")), (Some(30_000), Some(50), Some(120)));
        assert_eq!((cents("1.234"), cents("x"), cents(""), cents("1e3")), (None, None, None, None));
    }

    #[test]
    fn an_envelope_counts_itself_and_is_read_by_its_own_separators() {
        let envelope = Envelope {
            function: "HP",
            set: "835",
            version: "005010X221A1",
            control: 7,
            now_ms: 1_795_262_400_000,
        };
        let text = envelope.wrap(&["BPR*I*0.00".to_owned()]);
        assert_eq!(text.find('~'), Some(105));
        let file = read(text.as_bytes()).unwrap();
        let named = |name: &str| file.segments.iter().find(|segment| segment.name() == name).unwrap();
        assert_eq!((named("SE").at(1), named("IEA").at(2)), ("3", "000000007"));
        assert_eq!(
            (named("ISA").at(13), named("GS").at(6), named("GS").at(4)),
            ("000000007", "7", "20261121")
        );
        assert_eq!((file.component, file.repetition), (':', '^'));
    }

    #[test]
    fn what_is_no_interchange_is_refused() {
        assert!(read(b"ISA*00").is_err());
        assert!(read(&vec![b'x'; BYTES_MAX + 1]).is_err());
        assert_eq!(plain("A*B~C:D\n"), "ABCD");
    }
}
