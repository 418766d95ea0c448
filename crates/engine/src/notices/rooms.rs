//! Where a visit by video takes place. The provider of rooms is pluggable; without one, our own page is the room's door.

/// A visit whose link is made.
#[derive(Debug, Clone, Copy)]
pub struct Visit<'a> {
    /// Our address as patients know it, without a slash at the end.
    pub public_url: &'a str,
    /// The signed pass.
    pub token: &'a str,
    /// A name for the room: the same for the same visit, and not to be guessed from anything that others know.
    pub room: &'a str,
}

/// A provider of rooms.
pub trait VisitRooms: Send + Sync {
    /// The link that a participant opens.
    fn address(&self, visit: &Visit<'_>) -> String;
}

/// Our own page, which looks at the pass.
#[derive(Debug, Clone, Copy, Default)]
pub struct OwnRooms;

impl VisitRooms for OwnRooms {
    fn address(&self, visit: &Visit<'_>) -> String {
        format!("{}/visit/{}", visit.public_url, visit.token)
    }
}

/// Rooms of another system, by an address such as `https://video.example/{room}`. Whoever knows the room's name may knock:
/// the other system must let nobody in without the provider.
#[derive(Debug, Clone)]
pub struct TemplateRooms(String);

impl TemplateRooms {
    /// Rooms at an address.
    ///
    /// # Errors
    /// A sentence when the address is not https, or has no `{room}`.
    pub fn try_new(address: &str) -> Result<Self, String> {
        match address.starts_with("https://") && address.contains("{room}") {
            true => Ok(Self(address.to_owned())),
            false => Err("the address of rooms is not https, or does not say where {room} goes".to_owned()),
        }
    }
}

impl VisitRooms for TemplateRooms {
    fn address(&self, visit: &Visit<'_>) -> String {
        self.0.replace("{room}", visit.room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_behind_our_own_door_or_at_another_system() {
        let visit = Visit { public_url: "https://care.example", token: "tok", room: "r00m" };
        assert_eq!(OwnRooms.address(&visit), "https://care.example/visit/tok");
        let rooms = TemplateRooms::try_new("https://video.example/{room}?lobby=1").unwrap();
        assert_eq!(rooms.address(&visit), "https://video.example/r00m?lobby=1");
        assert!(TemplateRooms::try_new("http://video.example/{room}").is_err());
        assert!(TemplateRooms::try_new("https://video.example/").is_err());
    }
}
