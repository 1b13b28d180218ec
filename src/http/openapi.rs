//! The description of the API (OpenAPI 3.1).

use serde_json::{Value, json};

/// `/openapi.json`.
pub(super) fn description() -> Value {
    let named = |name: &str, place: &str, text: &str| json!({ "name": name, "in": place, "required": place == "path", "description": text, "schema": { "type": "string" } });
    let list = [
        named("stage", "query", "A stage: only leads that are in it."),
        named("grade", "query", "`SCORE:GRADE`, as it is now; `SCORE:none`: leads without one."),
        named(
            "sort",
            "query",
            "The score to sort by, the largest first; default: the first sum or max, else the first score.",
        ),
        named("limit", "query", "How many, from 1 to 200; default 20."),
    ];
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "qualifyd",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What one instance knows of the leads that it holds. 503 with Retry-After: too many ask, or a worker is busy.",
        },
        "security": [{ "token": [] }],
        "paths": {
            "/live": open(path("The process is there.", "text/plain", &[])),
            "/": open(path("The page.", "text/html", &[])),
            "/ready": path("200 once every assigned partition is restored, else 503; with reasons.", "application/json", &[]),
            "/health": path("How the pipeline runs: partitions, lag, commits, rejections.", "application/json", &[]),
            "/metrics": path("Metrics for Prometheus; OpenMetrics if `Accept` asks for it.", "text/plain", &[]),
            "/funnel": path(
                "Leads by stage and grade, conversions, SLAs, attribution. Counts of leads and SLAs are exact; transitions, \
                 medians, alerts and money are of the time since the start. Attribution: entries into the last credited \
                 step of the funnel. Revenue: by the first attribution model.",
                "application/json", &[]),
            "/leads": path("The leads that count most by a score. May be some seconds old where leads are many.", "application/json", &list),
            "/leads/{id}": path(
                "One lead as it stands now. `curve`: its scores from its first event to 30 days ahead, as decay alone has it: \
                 each signal counts from its latest occurrence on. 404: not known here, with the partition of its key.",
                "application/json", &[named("id", "path", "The lead's id, percent-encoded.")]),
            "/model": path("The model in force: YAML, or Markdown if `Accept` asks for text/markdown.", "application/yaml", &[]),
            "/config": path("The settings in force, secrets hidden.", "application/json", &[]),
            "/events": path(
                "Committed records as they happen (server-sent events `transition`, `alert`, `sla`; data: the record's JSON). Who \
                 reads too slowly misses some.",
                "text/event-stream", &[]),
            "/openapi.json": path("This description.", "application/json", &[]),
        },
        "components": { "securitySchemes": { "token": {
            "type": "http", "scheme": "bearer", "description": "Asked for if http.token is set.",
        } } },
    })
}

fn path(summary: &str, kind: &str, parameters: &[Value]) -> Value {
    json!({ "get": {
        "summary": summary,
        "parameters": parameters,
        "responses": { "200": { "description": "The answer.", "content": { kind: {} } } },
    } })
}

/// Answers without a token.
fn open(mut path: Value) -> Value {
    path["get"]["security"] = json!([]);
    path
}
