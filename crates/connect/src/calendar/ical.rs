//! A provider's bookings as an iCalendar feed (RFC 5545), for a calendar program that subscribes to it.
//!
//! Called by the API. The feed leaves the house, so it names the visit type and nothing of the patient: whatever the
//! caller puts into [`Booking`] must be free of personal data. Cancelled bookings stay in the feed as cancelled, since
//! programs keep what they have seen.

use suture_core::time::Timestamp;

/// Octets of a line without its end (RFC 5545 §3.1).
const LINE_MAX: usize = 75;

/// A feed.
#[derive(Debug, Clone, Copy)]
pub struct Feed<'a> {
    /// What programs show as the name of the calendar.
    pub name: &'a str,
    /// When this feed was written; a caller that passes the last change gets the same bytes until the next one.
    pub written_at: Timestamp,
    /// The bookings. RFC 5545 wants at least one; programs accept a calendar without any.
    pub bookings: &'a [Booking<'a>],
}

/// One booking, without the patient.
#[derive(Debug, Clone, Copy)]
pub struct Booking<'a> {
    /// The appointment's id with our host, the same for ever: `apt_018f…@suture.clinic.example`.
    pub uid: &'a str,
    /// The start.
    pub from: Timestamp,
    /// The end.
    pub until: Timestamp,
    /// The name of the visit type, as the clinic offers it to everybody.
    pub visit_type: &'a str,
    /// Whether it stands.
    pub status: Status,
    /// Grows with every change of time or status.
    pub sequence: u32,
    /// When it last changed.
    pub changed_at: Timestamp,
}

/// Whether a booking stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Held until it is paid.
    Held,
    /// Booked.
    Booked,
    /// Cancelled.
    Cancelled,
}

impl Feed<'_> {
    /// The feed as text, to be served as `text/calendar; charset=utf-8`.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = Lines(String::new());
        text.plain("BEGIN:VCALENDAR");
        text.plain("VERSION:2.0");
        text.plain("PRODID:-//Suture//Calendar//EN");
        text.plain("CALSCALE:GREGORIAN");
        text.plain("METHOD:PUBLISH");
        text.words("NAME", self.name);
        // What programs read that do not know NAME (RFC 7986).
        text.words("X-WR-CALNAME", self.name);
        for booking in self.bookings {
            booking.write(self.written_at, &mut text);
        }
        text.plain("END:VCALENDAR");
        text.0
    }
}

impl Booking<'_> {
    fn write(&self, written_at: Timestamp, text: &mut Lines) {
        let (status, transparent, word) = match self.status {
            Status::Held => ("TENTATIVE", "OPAQUE", "Held"),
            Status::Booked => ("CONFIRMED", "OPAQUE", "Booked"),
            Status::Cancelled => ("CANCELLED", "TRANSPARENT", "Cancelled"),
        };
        text.plain("BEGIN:VEVENT");
        text.words("UID", self.uid);
        text.plain(&format!("DTSTAMP:{}", moment(written_at)));
        text.plain(&format!("DTSTART:{}", moment(self.from)));
        text.plain(&format!("DTEND:{}", moment(self.until)));
        text.plain(&format!("LAST-MODIFIED:{}", moment(self.changed_at)));
        text.plain(&format!("SEQUENCE:{}", self.sequence));
        text.plain(&format!("STATUS:{status}"));
        text.plain(&format!("TRANSP:{transparent}"));
        text.plain("CLASS:PRIVATE");
        text.words("SUMMARY", &format!("{word}: {}", self.visit_type));
        text.plain("END:VEVENT");
    }
}

/// `20261121T093000Z`.
fn moment(at: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(at.millis()).unwrap_or_default();
    at.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Folded lines that end as the standard wants it.
struct Lines(String);

impl Lines {
    /// A property whose value is text.
    fn words(&mut self, name: &str, value: &str) {
        self.plain(&format!("{name}:{}", escaped(value)));
    }

    /// A line that is already as it should be, but for its length. A character is never cut.
    fn plain(&mut self, line: &str) {
        let mut octets = 0;
        for letter in line.chars() {
            if octets + letter.len_utf8() > LINE_MAX {
                self.0.push_str("\r\n ");
                octets = 1;
            }
            self.0.push(letter);
            octets += letter.len_utf8();
        }
        self.0.push_str("\r\n");
    }
}

/// Text as a value (RFC 5545 §3.3.11). Control characters, which it may not hold, become spaces.
fn escaped(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for letter in text.replace("\r\n", "\n").chars() {
        match letter {
            '\\' | ';' | ',' => value.extend(['\\', letter]),
            '\n' => value.push_str("\\n"),
            other => value.push(if other.is_control() { ' ' } else { other }),
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    fn booking<'a>(uid: &'a str, visit_type: &'a str, status: Status, sequence: u32) -> Booking<'a> {
        Booking {
            uid,
            from: at("2026-11-21T14:30:00Z"),
            until: at("2026-11-21T15:00:00Z"),
            visit_type,
            status,
            sequence,
            changed_at: at("2026-11-20T08:00:00Z"),
        }
    }

    fn text(bookings: &[Booking<'_>]) -> String {
        Feed { name: "Dr. Lee, cardiology", written_at: at("2026-11-20T09:00:00Z"), bookings }.to_text()
    }

    #[test]
    fn a_feed_is_exactly_this() {
        let feed = text(&[
            booking("apt_1@suture.example", "Follow-up; 30 min", Status::Booked, 0),
            booking("apt_2@suture.example", "First visit", Status::Cancelled, 2),
            booking("apt_3@suture.example", "First visit", Status::Held, 0),
        ]);
        let golden = include_str!("../../tests/fixtures/calendar/feed.ics");
        assert_eq!(feed, golden);
        assert!(feed.ends_with("END:VCALENDAR\r\n"));
    }

    #[test]
    fn long_lines_are_folded_between_characters_at_75_octets() {
        let name = "Überweisung 診察 ".repeat(12);
        let feed = text(&[booking("apt_1@suture.example", &name, Status::Booked, 0)]);
        assert!(feed.split("\r\n").all(|line| line.len() <= 75), "{feed}");
        let unfolded = feed.replace("\r\n ", "");
        assert!(unfolded.contains(&format!("\r\nSUMMARY:Booked: {name}\r\n")), "{unfolded}");
        let exact = "x".repeat(75 - "SUMMARY:Booked: ".len());
        let feed = text(&[booking("apt_1@suture.example", &exact, Status::Booked, 0)]);
        assert!(feed.contains(&format!("SUMMARY:Booked: {exact}\r\nEND:VEVENT")), "75 octets need no fold");
    }

    #[test]
    fn a_name_cannot_add_a_line() {
        let feed = text(&[booking("apt_1@suture.example", "a\\b,c;d\r\nATTENDEE:x\ry\0", Status::Booked, 0)]);
        assert!(feed.contains("\r\nSUMMARY:Booked: a\\\\b\\,c\\;d\\nATTENDEE:x y \r\n"), "{feed}");
        assert_eq!(feed.matches('\r').count(), feed.matches("\r\n").count());
        assert_eq!(feed.matches('\n').count(), feed.matches("\r\n").count());
    }
}
