//! The OpenAPI document, made from the handlers, and what holds for all of them: security, problems, keys.

use utoipa::OpenApi;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, ResponseBuilder};
use utoipa_axum::router::OpenApiRouter;

use crate::app::App;
use crate::problem::ProblemBody;
use crate::resources;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Suture",
        description = "Keeps money, care and books in step. Amounts are in minor units, times are RFC 3339 in UTC, lists are \
                       pages with `items` and `next`, and problems are RFC 9457 with a page for each code.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(ProblemBody))
)]
struct Document;

/// All routes with their documentation.
pub(crate) fn routes() -> OpenApiRouter<App> {
    resources::routes(OpenApiRouter::with_openapi(Document::openapi()))
}

/// Posts that change nothing need no `Idempotency-Key`.
const KEYLESS: [&str; 3] = ["/probe", "/preview", "/check"];

/// The OpenAPI 3.1 document as indented JSON.
#[must_use]
pub fn openapi() -> String {
    let mut document = routes().into_openapi();
    for (path, item) in &mut document.paths.paths {
        let operations = [
            (&mut item.get, false),
            (&mut item.post, true),
            (&mut item.put, false),
            (&mut item.delete, false),
        ];
        let operations = operations.into_iter();
        for (operation, posts) in operations.filter_map(|(found, posts)| Some((found.as_mut()?, posts))) {
            operation.responses.responses.insert("default".to_owned(), RefOr::T(problem()));
            if path.starts_with("/fhir/") {
                operation.security = Some(vec![SecurityRequirement::new("key", [""; 0])]);
            }
            if path.starts_with("/v1/") {
                operation.security = Some(vec![SecurityRequirement::new("key", [""; 0])]);
                if posts && !KEYLESS.iter().any(|end| path.ends_with(end)) {
                    require_key(operation);
                }
            }
        }
    }
    let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    document.components.get_or_insert_default().add_security_scheme("key", scheme);
    document.to_pretty_json().unwrap_or_default() + "\n"
}

fn problem() -> utoipa::openapi::Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new()
        .description("The request was not carried out.")
        .content("application/problem+json", content)
        .build()
}

fn require_key(operation: &mut Operation) {
    let schema =
        ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).max_length(Some(255)).build();
    let parameter = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::True)
        .description(Some(
            "New for each thing that is wanted, the same when it is tried again. The first answer is given again.",
        ))
        .schema(Some(schema))
        .build();
    operation.parameters.get_or_insert_default().push(RefOr::T(parameter));
}
