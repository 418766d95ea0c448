//! Trying a policy of missed, moved and cancelled visits before it holds.

use axum::Json;
use serde::{Deserialize, Serialize};
use suture_engine::Error;
use utoipa::ToSchema;

use super::visit_policy_body::{CaseBody, PolicyBody, VerdictBody};
use crate::auth::{Permission, Session};
use crate::bodies::field_invalid;
use crate::once::Posted;
use crate::problem::Problem;

/// Cases of one request at most.
const CASES_MAX: usize = 200;

/// A policy to try.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyCheck {
    policy: PolicyBody,
    /// At most 200 cases to answer.
    #[serde(default)]
    cases: Vec<CaseBody>,
}

/// A policy that holds.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PolicyHolds {
    /// Its version.
    version: String,
    /// How many examples were run.
    examples: usize,
    /// What it says to the cases, in their order.
    answers: Vec<PolicyAnswer>,
}

/// What a policy says to a case.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PolicyAnswer {
    case: CaseBody,
    verdict: VerdictBody,
}

/// Runs a policy's examples and answers cases by it. Stores nothing. Refused with `policy_invalid` and
/// `policy_example_failed`.
#[utoipa::path(post, path = "/v1/visit-policies/check", tag = "practice", request_body = PolicyCheck, responses((status = 200, body = PolicyHolds)))]
pub(super) async fn check_visit_policy(
    session: Session,
    posted: Posted,
) -> Result<Json<PolicyHolds>, Problem> {
    session.may(Permission::ReadSchedule)?;
    let asked: PolicyCheck = posted.parse()?;
    if asked.cases.len() > CASES_MAX {
        return Err(field_invalid("cases", "has at most 200 cases"));
    }
    let policy = asked.policy.understood()?;
    policy.check().map_err(Error::from)?;
    let answer = |body: CaseBody| {
        let case = body.understood()?;
        Ok(PolicyAnswer { case: CaseBody::of(&case), verdict: (&policy.decide(&case)).into() })
    };
    let answers = asked.cases.into_iter().map(answer).collect::<Result<_, Problem>>()?;
    Ok(Json(PolicyHolds { version: policy.version.clone(), examples: policy.examples.len(), answers }))
}
