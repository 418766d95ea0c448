//! Reads the steps that wait for something that happens outside, or for a person.

use super::durations::duration;
use super::fields::Fields;
use super::layout::Position;
use super::steps::{Reader, one_of};
use crate::problem::Problems;
use crate::step::{Limit, StepKind};

impl Reader<'_> {
    pub(super) fn wait(
        &self,
        fields: &mut Fields,
        at: &Position<'_>,
        problems: &mut Problems,
    ) -> Option<StepKind> {
        let (event, node) = fields.must_text("wait", problems)?;
        one_of(&event, node.place, "event to wait for", &self.vocabulary.waits, problems);
        let key = fields.must_jq("key", problems);
        let key = key.and_then(|text| self.program(&text, at, problems));
        let limit = self.limit(fields, at, problems);
        Some(StepKind::Wait { event, key: key?, limit: limit? })
    }

    pub(super) fn approve(
        &self,
        fields: &mut Fields,
        at: &Position<'_>,
        problems: &mut Problems,
    ) -> Option<StepKind> {
        let question = fields.must_jq("approve", problems);
        let question = question.and_then(|text| self.program(&text, at, problems));
        let role = fields.must_text("by", problems);
        let is_word = |text: &str| {
            !text.is_empty()
                && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c))
        };
        if let Some((role, node)) = role.as_ref().filter(|(role, _)| !is_word(role)) {
            let fix = "name a role in lower-case letters, digits, `_` and `-`";
            problems.add(node.place, format!("{role:?} is not a role"), fix);
        }
        let on_reject = self.otherwise(fields, "on_reject", at, problems);
        let limit = self.limit(fields, at, problems);
        let (question, by) = (question?, role?.0);
        Some(StepKind::Approve { question, by, on_reject: on_reject?, limit: limit? })
    }

    /// `within` and `on_timeout`.
    #[expect(clippy::option_option, reason = "absent, wrong and given are three things")]
    fn limit(
        &self,
        fields: &mut Fields,
        at: &Position<'_>,
        problems: &mut Problems,
    ) -> Option<Option<Limit>> {
        let place = fields.place;
        let named = fields.has("on_timeout");
        let within = duration(fields, "within", problems);
        let then = self.otherwise(fields, "on_timeout", at, problems);
        let within = within?;
        if within.is_none() && named {
            problems.add(place, "`on_timeout` is never used", "add `within: 30d` or remove `on_timeout`");
        }
        let then = then?;
        Some(within.map(|within| Limit { within, then }))
    }
}
