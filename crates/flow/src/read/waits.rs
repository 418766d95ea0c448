//! Reads the steps that wait for something that happens outside.

use super::durations::duration;
use super::fields::Fields;
use super::steps::{Position, Reader, one_of};
use crate::flow::{Limit, OnTimeout, StepKind};
use crate::problem::Problems;

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

    /// `within` and `on_timeout`.
    fn limit(
        &self,
        fields: &mut Fields,
        at: &Position<'_>,
        problems: &mut Problems,
    ) -> Option<Option<Limit>> {
        let place = fields.place;
        let named = fields.has("on_timeout");
        let within = duration(fields, "within", problems);
        let word = fields.peek_text("on_timeout");
        let then = match word.as_deref() {
            None | Some("park") => {
                fields.text("on_timeout", problems);
                Some(OnTimeout::Park)
            }
            Some("continue") => {
                fields.take("on_timeout");
                Some(OnTimeout::Continue)
            }
            Some(_) => self.jump(fields, "on_timeout", at, problems).map(OnTimeout::Go),
        };
        let within = within?;
        if within.is_none() && named {
            problems.add(place, "`on_timeout` is never used", "add `within: 30d` or remove `on_timeout`");
        }
        Some(match within {
            None => None,
            Some(within) => Some(Limit { within, then: then? }),
        })
    }
}
