//! What went wrong with one attempt, and whether another makes sense.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;

/// Longest message kept of a server's error page, in characters.
const MESSAGE_CHARS: usize = 400;

/// One failed attempt.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Fault {
    pub(crate) class: Class,
    /// The HTTP status, 0 where none came.
    pub(crate) status: u16,
    /// The server's or the transport's words, scrubbed of the key and cut.
    pub(crate) message: String,
    /// How long the server asks to wait.
    pub(crate) retry_after: Option<Duration>,
    /// Whether the request may have reached the server.
    pub(crate) sent: bool,
    /// The parameter that the server names as wrong.
    pub(crate) parameter: Option<String>,
    /// Whether the message is an object of details, which is how Mistral's server passes on what its validation says.
    pub(crate) is_nested: bool,
    codes: Vec<String>,
}

/// What a fault means for the request and the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Too many requests or tokens: wait, and send less.
    RateLimited,
    /// The server is overloaded: wait, and send less.
    Overloaded,
    /// Anything that may pass: 408, 5xx, a timeout, a cut connection, a broken body.
    Transient,
    /// Nobody answers there.
    Unreachable,
    Auth,
    Quota,
    Unsupported,
    ContextTooLong,
    Filtered,
    Rejected,
}

impl Class {
    pub(crate) fn retried(self) -> bool {
        matches!(self, Self::RateLimited | Self::Overloaded | Self::Transient | Self::Unreachable)
    }

    /// The name under which retries are counted.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::RateLimited => "rate_limited",
            Self::Overloaded => "overloaded",
            Self::Transient => "transient",
            Self::Unreachable => "unreachable",
            Self::Auth => "auth",
            Self::Quota => "quota",
            Self::Unsupported => "unsupported",
            Self::ContextTooLong => "context_too_long",
            Self::Filtered => "content_filter",
            Self::Rejected => "rejected_by_server",
        }
    }
}

impl Fault {
    fn new(class: Class, status: u16, message: String) -> Self {
        Self {
            class,
            status,
            message,
            retry_after: None,
            sent: true,
            parameter: None,
            is_nested: false,
            codes: Vec::new(),
        }
    }

    fn of_details(class: Class, status: u16, message: String, details: Details) -> Self {
        let codes = details.code.split(' ').map(str::to_owned).chain([details.kind]).collect();
        let (parameter, is_nested) = (details.parameter, details.is_nested);
        Self { parameter, is_nested, codes, ..Self::new(class, status, message) }
    }

    /// Whether the server's error has one of these codes or types.
    pub(crate) fn is_coded(&self, codes: &[&str]) -> bool {
        self.codes.iter().any(|code| codes.contains(&code.as_str()))
    }

    /// The attempt took longer than the time for its request.
    pub(crate) fn timed_out() -> Self {
        Self::new(Class::Transient, 0, "timed out".into())
    }

    /// An answer whose status is not a success.
    pub(crate) fn from_status(status: StatusCode, body: &[u8], retry_after: Option<Duration>) -> Self {
        let details = Details::read(body);
        let message = if details.message.is_empty() {
            status.canonical_reason().unwrap_or("no message").to_owned()
        } else {
            details.message.clone()
        };
        let class = classify(status.as_u16(), &details, retry_after.is_some());
        let message = format!("HTTP {}: {message}", status.as_u16());
        Self { retry_after, ..Self::of_details(class, status.as_u16(), message, details) }
    }

    /// An error object inside a reply of status 200, as some gateways send it.
    pub(crate) fn from_error_value(error: &Value) -> Self {
        let details = Details::from_value(&serde_json::json!({ "error": error }));
        let status = details.code.parse().ok().filter(|code| (400..600).contains(code)).unwrap_or(500);
        let class = classify(status, &details, false);
        let message = format!("error {status} inside a reply: {}", details.message);
        Self::of_details(class, status, message, details)
    }

    /// The connection failed before or during the answer.
    pub(crate) fn from_transport(error: &reqwest::Error) -> Self {
        let class = if error.is_connect() && !error.is_timeout() && !reset(error) {
            Class::Unreachable
        } else {
            Class::Transient
        };
        let message = if error.is_timeout() { "timed out".to_owned() } else { innermost(error) };
        Self { sent: !error.is_connect(), ..Self::new(class, 0, message) }
    }

    /// Whether the server may have done (and charged for) the work: the answer got lost on its way or cannot be read.
    pub(crate) fn may_have_cost(&self) -> bool {
        self.sent
            && matches!(self.class, Class::Transient | Class::Rejected)
            && matches!(self.status, 0 | 200)
    }

    /// Whether the server is well and only wants requests to come later: no number of those is a reason to give up.
    pub(crate) fn asks_for_patience(&self) -> bool {
        match self.class {
            Class::RateLimited => true,
            Class::Overloaded => self.retry_after.is_some(),
            _ => false,
        }
    }

    /// A good status with more bytes than any answer of its kind has; no further attempt would be shorter.
    pub(crate) fn too_large(limit: usize) -> Self {
        Self::new(Class::Rejected, 200, format!("the reply is longer than {} MiB", limit >> 20))
    }

    pub(crate) fn broken(what: &str) -> Self {
        Self::new(Class::Transient, 200, format!("broken reply: {what}"))
    }
}

/// What error bodies say, whatever their shape.
#[derive(Debug, Default)]
struct Details {
    message: String,
    /// Strings as they are, integers as text (vLLM sends those).
    code: String,
    kind: String,
    /// The field that is wrong.
    parameter: Option<String>,
    is_nested: bool,
}

impl Details {
    fn read(body: &[u8]) -> Self {
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => Self::from_value(&value),
            Err(_) => Self { message: plain(&String::from_utf8_lossy(body)), ..Self::default() },
        }
    }

    fn from_value(value: &Value) -> Self {
        // Some gateways wrap the object in a list of one.
        let value = value.as_array().and_then(|list| list.first()).unwrap_or(value);
        let object = match value.get("error") {
            Some(Value::String(message)) => return Self { message: plain(message), ..Self::default() },
            Some(error @ Value::Object(_)) => error,
            _ => value,
        };
        let text = |name: &str| match object.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        };
        let mut message = text("message");
        if message.is_empty() {
            message = text("detail");
        }
        let mut code = text("code");
        // Azure's content filter is told by an inner code.
        if let Some(inner) = object.pointer("/innererror/code").and_then(Value::as_str) {
            code = format!("{code} {inner}");
        }
        let is_nested = object.get("message").is_some_and(Value::is_object);
        let parameter = match object.get("param") {
            Some(Value::String(field)) if !field.is_empty() => Some(field.clone()),
            _ => located(object).or_else(|| located_in_text(&message)),
        };
        Self { message: plain(&message), code, kind: text("type"), parameter, is_nested }
    }

    fn names(&self, names: &[&str]) -> bool {
        self.code.split(' ').chain([self.kind.as_str()]).any(|word| names.contains(&word))
    }
}

/// The field that a validation error is about: the first name in its `loc` besides `body`.
fn located(error: &Value) -> Option<String> {
    let details = error.get("detail").or_else(|| error.pointer("/message/detail"))?;
    let place = details.get(0)?.get("loc")?.as_array()?;
    place.iter().filter_map(Value::as_str).find(|name| *name != "body").map(str::to_owned)
}

/// The same where the error is passed on as Python prints it.
fn located_in_text(message: &str) -> Option<String> {
    let place = &message[message.find("'loc': (")? + 8..];
    let names = place[..place.find(')')?].split(',').map(|name| name.trim().trim_matches('\''));
    names.filter(|name| !name.is_empty() && *name != "body").map(str::to_owned).next()
}

/// Codes and types by which servers say that the money is gone (OpenAI's, then LiteLLM's).
const QUOTA_CODES: [&str; 4] =
    ["insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "budget_exceeded"];
/// The same in words, for gateways that pass on the message without its code.
const QUOTA_WORDS: [&str; 5] = [
    "exceeded your current quota",
    "budget has been exceeded",
    "credit balance is too low",
    "insufficient balance",
    "insufficient credits",
];
/// Words that make of the above a limit of the moment (Gemini calls its limits a minute a quota).
const PASSING_WORDS: [&str; 4] = ["retry in", "per minute", "perminute", "rate-limits"];
/// How servers say that a request is longer than the model reads: OpenAI, vLLM, SGLang, llama.cpp, Anthropic, TGI, Gemini, Mistral.
const TOO_LONG_WORDS: [&str; 13] = [
    "context length",
    "maximum context",
    "too long to fit",
    "reduce the length",
    "context window",
    "context size",
    "model length",
    "prompt is too long",
    "input is too long",
    "maximum input length",
    "max_new_tokens` must be",
    "input token count",
    "too large for model",
];

fn classify(status: u16, details: &Details, asked_to_wait: bool) -> Class {
    let message = details.message.to_lowercase();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| message.contains(phrase));
    let refused = (400..500).contains(&status);
    if status == 402
        || details.names(&QUOTA_CODES)
        || (refused && !asked_to_wait && says(&QUOTA_WORDS) && !says(&PASSING_WORDS))
    {
        return Class::Quota;
    }
    if details.names(&["content_filter", "content_policy_violation", "ResponsibleAIPolicyViolation"])
        || (status == 403 && says(&["was flagged", "moderation"]))
    {
        return Class::Filtered;
    }
    // Gateways pass it on inside a 200 or as a 5xx too; the longest wait makes no message shorter.
    if status != 429
        && (details.names(&["context_length_exceeded", "string_above_max_length"]) || says(&TOO_LONG_WORDS))
    {
        return Class::ContextTooLong;
    }
    match status {
        401 | 403 => Class::Auth,
        408 | 409 | 425 => Class::Transient,
        // One request above the whole allowance of a minute: no wait will make it fit.
        429 if says(&["request too large"]) => Class::Rejected,
        429 => Class::RateLimited,
        503 | 529 => Class::Overloaded,
        501 | 505 => Class::Unsupported,
        500..=599 => Class::Transient,
        300..=399 | 404 | 405 => Class::Unsupported,
        _ if details.names(&[
            "model_not_found",
            "unsupported_parameter",
            "unsupported_value",
            "unknown_parameter",
        ]) =>
        {
            Class::Unsupported
        }
        _ => Class::Rejected,
    }
}

/// Text of a possibly-HTML body: tags dropped, white space joined, cut.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut in_tag = false;
    let html = text.trim_start().starts_with('<');
    for c in text.chars() {
        match c {
            '<' if html => in_tag = true,
            '>' if html && in_tag => {
                in_tag = false;
                out.push(' ');
            }
            c if !in_tag => out.push(if c.is_control() { ' ' } else { c }),
            _ => {}
        }
        if out.len() > 64 * MESSAGE_CHARS {
            break;
        }
    }
    let joined = out.split_whitespace().collect::<Vec<_>>().join(" ");
    match joined.char_indices().nth(MESSAGE_CHARS) {
        Some((at, _)) => format!("{}...", &joined[..at]),
        None => joined,
    }
}

fn sources<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}

/// Whether the peer closed an accepted connection, as a restarting server does.
fn reset(error: &reqwest::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    sources(error)
        .filter_map(|source| source.downcast_ref::<std::io::Error>())
        .any(|io| matches!(io.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof))
}

/// The last two causes: reqwest's own words name only the request.
fn innermost(error: &reqwest::Error) -> String {
    let all: Vec<String> = sources(error).map(ToString::to_string).collect();
    let mut tail: Vec<&str> = all.iter().rev().take(2).map(String::as_str).collect();
    tail.reverse();
    tail.dedup();
    plain(&tail.join(": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASES: &[(u16, &str, Class)] = &[
        (
            429,
            r#"{"error":{"message":"slow down","type":"requests","param":null,"code":"rate_limit_exceeded"}}"#,
            Class::RateLimited,
        ),
        (
            429,
            r#"{"object":"error","message":"slow","type":"TooManyRequests","param":null,"code":429}"#,
            Class::RateLimited,
        ),
        (429, "<html><title>429 Too Many Requests</title></html>", Class::RateLimited),
        (
            429,
            r#"{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}"#,
            Class::Quota,
        ),
        (402, "{}", Class::Quota),
        (
            429,
            r#"{"error":{"message":"litellm.RateLimitError: OpenAIException - You exceeded your current quota, please check your plan","type":"throttling_error","code":"429"}}"#,
            Class::Quota,
        ),
        (
            429,
            r#"[{"error":{"code":429,"message":"You exceeded your current quota. Please retry in 18.4s.","status":"RESOURCE_EXHAUSTED"}}]"#,
            Class::RateLimited,
        ),
        (
            429,
            r#"{"error":{"message":"Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 45000.","type":"tokens","code":"rate_limit_exceeded"}}"#,
            Class::Rejected,
        ),
        (403, r#"{"error":{"message":"Your input was flagged","code":403}}"#, Class::Filtered),
        (403, r#"{"error":{"message":"Country not supported"}}"#, Class::Auth),
        (503, "", Class::Overloaded),
        (500, "<html>oops</html>", Class::Transient),
        (408, "", Class::Transient),
        (401, r#"{"error":"bad key"}"#, Class::Auth),
        (
            400,
            r#"{"error":{"message":"This model's maximum context length is 128000 tokens.","code":"context_length_exceeded"}}"#,
            Class::ContextTooLong,
        ),
        (
            400,
            r#"{"object":"error","message":"This model's maximum context length is 10 tokens","code":400}"#,
            Class::ContextTooLong,
        ),
        (
            400,
            r#"{"error":{"code":400,"message":"the request exceeds the available context size. try increasing the context size","type":"exceed_context_size_error"}}"#,
            Class::ContextTooLong,
        ),
        (400, r#"{"error":{"message":"filtered","code":"content_filter"}}"#, Class::Filtered),
        (400, r#"{"error":{"message":"no","code":"unsupported_parameter"}}"#, Class::Unsupported),
        (404, r#"{"detail":"Not Found"}"#, Class::Unsupported),
        (
            500,
            r#"{"error":{"message":"This model's maximum context length is 8192 tokens.","code":500}}"#,
            Class::ContextTooLong,
        ),
        (
            400,
            r#"{"object":"error","message":"The decoder prompt (length 9000) is too long to fit into the model","code":400}"#,
            Class::ContextTooLong,
        ),
        (400, r#"{"error":{"message":"Please reduce the length of the messages."}}"#, Class::ContextTooLong),
        (422, r#"{"detail":[{"msg":"bad"}]}"#, Class::Rejected),
        (400, "", Class::Rejected),
    ];

    #[test]
    fn bodies_of_all_shapes_are_classified() {
        for (status, body, class) in CASES {
            let fault = Fault::from_status(StatusCode::from_u16(*status).unwrap(), body.as_bytes(), None);
            assert_eq!(fault.class, *class, "{status} {body}");
            assert!(!fault.message.is_empty() && !fault.message.contains('<'), "{}", fault.message);
        }
    }

    #[test]
    fn errors_inside_a_reply_keep_their_code() {
        let fault = Fault::from_error_value(&serde_json::json!({"message": "busy", "code": 429}));
        assert_eq!((fault.class, fault.status), (Class::RateLimited, 429));
        assert_eq!(Fault::from_error_value(&serde_json::json!("odd")).class, Class::Transient);
        let long = serde_json::json!({"message": "no", "code": "context_length_exceeded"});
        assert_eq!(Fault::from_error_value(&long).class, Class::ContextTooLong);
    }

    #[test]
    fn long_messages_are_cut() {
        assert_eq!(plain(&"長".repeat(1000)).chars().count(), MESSAGE_CHARS + 3);
    }
}
