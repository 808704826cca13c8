//! Reads from an error reply which parameter of a request a server refuses.
//!
//! There is no common form. OpenAI and Azure name the parameter in `param` or in quotes, vLLM, SGLang and Mistral pass on what
//! their validation says (`extra_forbidden` with a `loc`), Gemini has `Unknown name "seed"`, gateways have sentences of their own.

use serde_json::{Map, Value};

use crate::fault::{Class, Fault};

/// The two names of the token limit.
pub(crate) const TOKEN_LIMITS: [&str; 2] = ["max_tokens", "max_completion_tokens"];
/// The parameter with the schema of the reply.
pub(crate) const RESPONSE_FORMAT: &str = "response_format";

/// Parts of a request without which it is another request.
const ESSENTIAL: [&str; 3] = ["model", "messages", "stream"];
/// Fields of validation errors that concern what is asked, not how.
const CONTENT: [&str; 6] = ["messages", "message", "input", "prompt", "content", "model"];
/// Codes and types of errors about a parameter: OpenAI's, then those of validation libraries and LiteLLM.
const CODES: [&str; 9] = [
    "unsupported_parameter",
    "unsupported_value",
    "unknown_parameter",
    "unrecognized_parameter",
    "invalid_json_schema",
    "extra_forbidden",
    "unexpected_keyword_argument",
    "UnsupportedParamsError",
    "invalid_parameter",
];
/// How servers say that they do not know a parameter, or do not support it.
const UNKNOWN_WORDS: [&str; 19] = [
    "unsupported",
    "not support",
    "n't support",
    "no support",
    "not accept",
    "n't accept",
    "unrecognized",
    "unrecognised",
    "not recognized",
    "unknown",
    "extra inputs",
    "extra_forbidden",
    "extra fields",
    "extraneous",
    "unexpected",
    "cannot find field",
    "not permitted",
    "drop_params",
    "not implemented",
];
/// How servers say that they do not take a parameter's value, or not now.
const VALUE_WORDS: [&str; 22] = [
    "not allowed",
    "n't allowed",
    "invalid",
    "not valid",
    "only the default",
    "only default",
    "deprecated",
    "unavailable",
    "not available",
    "only available",
    "enabled only",
    "not enabled",
    "disabled",
    "incompatible",
    "not compatible",
    "forbidden",
    "must be",
    "must contain",
    "should be",
    "out of range",
    "cannot be",
    "failed to",
];
/// Words about the size of a token limit. Without a limit the request would be another one, and could cost more.
const SIZE_WORDS: [&str; 11] = [
    "too large",
    "too high",
    "at most",
    "less than",
    "greater than",
    "exceed",
    "valid range",
    "range of",
    "must be between",
    "smaller",
    "maximum",
];
/// How servers call what `response_format` asks for.
const FORMAT_WORDS: [&str; 13] = [
    "response_schema",
    "responseschema",
    "response_mime_type",
    "responsemimetype",
    "json_schema",
    "json schema",
    "json_object",
    "json mode",
    "structured output",
    "guided decoding",
    "guided_json",
    "grammar",
    "additionalproperties",
];

/// A parameter that a server refuses.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// Its name, as it was sent.
    pub(crate) parameter: String,
    /// The name that the server proposes in its place.
    pub(crate) proposed: Option<String>,
}

/// The parameter among those `sent` that the fault is about; `None` where it is about something else.
pub(crate) fn refused(fault: &Fault, sent: &Map<String, Value>) -> Option<Refused> {
    let message = fault.message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    let is_coded = fault.is_coded(&CODES);
    let could_be = match (fault.status, fault.class) {
        (400 | 404 | 415 | 422, Class::Rejected | Class::Unsupported) => true,
        // Some servers fail inside at what they do not know; their words must be plain.
        (500 | 501, Class::Transient | Class::Unsupported) => is_coded || says(&UNKNOWN_WORDS),
        _ => false,
    };
    if !could_be {
        return None;
    }
    // OpenAI names the messages here, since they do not mention the mode.
    if message.contains("the word 'json'") && sent.contains_key(RESPONSE_FORMAT) {
        return Some(Refused { parameter: RESPONSE_FORMAT.to_owned(), proposed: None });
    }
    let (parameter, is_named) = match fault.parameter.as_deref().map(first_segment) {
        Some(field) if sent.contains_key(field) && !ESSENTIAL.contains(&field) => (field.to_owned(), true),
        Some(field) if CONTENT.contains(&field) => return None,
        _ => (mentioned(&message, sent)?, false),
    };
    if !(is_named || is_coded || says(&UNKNOWN_WORDS) || says(&VALUE_WORDS)) {
        return None;
    }
    let is_limit = TOKEN_LIMITS.contains(&parameter.as_str());
    if is_limit && says(&SIZE_WORDS) && !says(&UNKNOWN_WORDS) {
        return None;
    }
    let proposed = proposed(&message).filter(|name| !sent.contains_key(name) && *name != parameter);
    Some(Refused { parameter, proposed })
}

/// `response_format` of `response_format.json_schema` and `tools` of `tools[0].name`.
fn first_segment(field: &str) -> &str {
    let field = field.trim_start_matches("body.").trim_start_matches("generation_config.");
    field.split(['.', '[']).next().unwrap_or(field)
}

/// The parameter that a message mentions first.
fn mentioned(message: &str, sent: &Map<String, Value>) -> Option<String> {
    let names = sent.keys().filter(|name| !ESSENTIAL.contains(&name.as_str()));
    let places = names.filter_map(|name| Some((word(message, name)?, name.as_str())));
    let format = sent.contains_key(RESPONSE_FORMAT).then(|| {
        let place = FORMAT_WORDS.iter().filter_map(|word| message.find(word)).min();
        place.map(|place| (place, RESPONSE_FORMAT))
    });
    places.chain(format.flatten()).min().map(|(_, name)| name.to_owned())
}

/// Where a name stands as a whole word. One letter must be in quotes: it is a word of many sentences.
fn word(message: &str, name: &str) -> Option<usize> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    message.match_indices(name).map(|(at, _)| at).find(|at| {
        let before = message[..*at].chars().next_back();
        let after = message[at + name.len()..].chars().next();
        let is_word = !before.is_some_and(is_part) && !after.is_some_and(is_part);
        let is_quoted = |c: Option<char>| c.is_some_and(|c| "'\"`".contains(c));
        is_word && (name.len() > 1 || is_quoted(before) && is_quoted(after))
    })
}

/// The name in "use 'NAME' instead" or "did you mean `NAME`".
fn proposed(message: &str) -> Option<String> {
    let after = ["use ", "did you mean ", "replaced by ", "renamed to "].iter().find_map(|phrase| {
        let rest = &message[message.find(phrase)? + phrase.len()..];
        rest.strip_prefix(['\'', '"', '`'])
    })?;
    let name: String = after.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
    let is_closed = after[name.len()..].starts_with(['\'', '"', '`']);
    (is_closed && !name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;
    use serde_json::json;

    use super::*;

    /// What a server with this answer refuses of a request with all parameters.
    fn found(status: u16, body: &str) -> Option<String> {
        let sent = json!({"temperature": 0.0, "top_p": 1.0, "seed": 0, "max_tokens": 9, "stop": "x", "n": 1,
            "response_format": {"type": "json_schema"}});
        let fault = Fault::from_status(StatusCode::from_u16(status).unwrap(), body.as_bytes(), None);
        refused(&fault, sent.as_object().unwrap()).map(|refused| match refused.proposed {
            Some(name) => format!("{} -> {name}", refused.parameter),
            None => refused.parameter,
        })
    }

    #[test]
    fn each_dialect_names_its_parameter() {
        let cases: &[(u16, &str, &str)] = &[
            // OpenAI.
            (
                400,
                r#"{"error":{"message":"Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.","type":"invalid_request_error","param":"temperature","code":"unsupported_value"}}"#,
                "temperature",
            ),
            (
                400,
                r#"{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}}"#,
                "max_tokens -> max_completion_tokens",
            ),
            (
                400,
                r#"{"error":{"message":"Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.","type":"invalid_request_error","param":null,"code":null}}"#,
                "response_format",
            ),
            (
                400,
                r#"{"error":{"message":"Invalid schema for response_format 'tsumugi_photo': In context=(), 'required' is missing","type":"invalid_request_error","param":"response_format","code":null}}"#,
                "response_format",
            ),
            (
                400,
                r#"{"error":{"message":"'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.","type":"invalid_request_error","param":"messages","code":null}}"#,
                "response_format",
            ),
            (
                400,
                r#"{"error":{"message":"Unrecognized request argument supplied: seed","type":"invalid_request_error","param":null,"code":null}}"#,
                "seed",
            ),
            (
                400,
                r#"{"error":{"message":"Unknown parameter: 'n'.","type":"invalid_request_error","param":"n","code":"unknown_parameter"}}"#,
                "n",
            ),
            (
                400,
                r#"{"error":{"message":"Unsupported parameter: 'stop' is not supported with this model.","type":"invalid_request_error","param":"stop","code":"unsupported_parameter"}}"#,
                "stop",
            ),
            // Azure.
            (
                400,
                r#"{"error":{"message":"response_format value as json_schema is enabled only for api versions 2024-08-01-preview and later","type":"invalid_request_error","param":"response_format","code":null}}"#,
                "response_format",
            ),
            (
                400,
                r#"{"error":{"message":"Additional properties are not allowed ('seed' was unexpected) - 'seed'","type":"invalid_request_error","param":null,"code":null}}"#,
                "seed",
            ),
            // vLLM.
            (
                400,
                r#"{"object":"error","message":"[{'type': 'extra_forbidden', 'loc': ('body', 'seed'), 'msg': 'Extra inputs are not permitted', 'input': 0}]","type":"BadRequestError","param":null,"code":400}"#,
                "seed",
            ),
            (
                400,
                r#"{"error":{"message":"top_p must be in (0, 1], got 0.0.","type":"BadRequestError","param":"top_p","code":400}}"#,
                "top_p",
            ),
            (
                400,
                r#"{"object":"error","message":"The provided JSON schema contains features not supported by xgrammar.","type":"BadRequestError","param":null,"code":400}"#,
                "response_format",
            ),
            (
                500,
                r#"{"object":"error","message":"create() got an unexpected keyword argument 'seed'","type":"InternalServerError","code":500}"#,
                "seed",
            ),
            // SGLang.
            (
                422,
                r#"{"detail":[{"type":"extra_forbidden","loc":["body","seed"],"msg":"Extra inputs are not permitted","input":0}]}"#,
                "seed",
            ),
            (
                400,
                r#"{"object":"error","message":"1 validation error for ChatCompletionRequest\nmax_tokens\n  Extra inputs are not permitted [type=extra_forbidden, input_value=9, input_type=int]","type":"BadRequestError","code":400}"#,
                "max_tokens",
            ),
            (
                400,
                r#"{"object":"error","message":"Grammar-based generation (json_schema, regex) is not supported when the server is launched with --grammar-backend none","code":400}"#,
                "response_format",
            ),
            // Gemini.
            (
                400,
                r#"[{"error":{"code":400,"message":"Invalid JSON payload received. Unknown name \"seed\": Cannot find field.","status":"INVALID_ARGUMENT"}}]"#,
                "seed",
            ),
            (
                400,
                r#"[{"error":{"code":400,"message":"Invalid JSON payload received. Unknown name \"additionalProperties\" at 'generation_config.response_schema': Cannot find field.","status":"INVALID_ARGUMENT"}}]"#,
                "response_format",
            ),
            // Mistral.
            (
                422,
                r#"{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","seed"],"msg":"Extra inputs are not permitted","input":0}]},"type":"invalid_request_error","param":null,"code":null}"#,
                "seed",
            ),
            // TGI, Bedrock, Groq, LiteLLM, DeepSeek.
            (
                422,
                r#"{"error":"Input validation error: `temperature` must be strictly positive","error_type":"validation"}"#,
                "temperature",
            ),
            (
                422,
                r#"{"error":"Failed to deserialize the JSON body: response_format: unknown variant `json_schema`, expected `json` or `regex`"}"#,
                "response_format",
            ),
            (
                400,
                r#"{"message":"Malformed input request: #: extraneous key [seed] is not permitted, please reformat your input and try again."}"#,
                "seed",
            ),
            (
                400,
                r#"{"error":{"message":"property 'seed' is unsupported","type":"invalid_request_error"}}"#,
                "seed",
            ),
            (
                400,
                r#"{"error":{"message":"litellm.UnsupportedParamsError: o1 does not support parameters: ['temperature', 'seed'], for model=o1. To drop these, set `litellm.drop_params=True`","type":"None","param":null,"code":"400"}}"#,
                "temperature",
            ),
            (
                400,
                r#"{"error":{"message":"This response_format type is unavailable now","type":"invalid_request_error"}}"#,
                "response_format",
            ),
            (
                400,
                r#"{"error":{"message":"`temperature` is deprecated for this model.","type":"invalid_request_error"}}"#,
                "temperature",
            ),
        ];
        for (status, body, expected) in cases {
            assert_eq!(found(*status, body).as_deref(), Some(*expected), "{status} {body}");
        }
    }

    #[test]
    fn other_faults_refuse_no_parameter() {
        for (status, body) in [
            (429, r#"{"error":{"message":"temperature is not supported"}}"#),
            (401, r#"{"error":{"message":"seed is not supported"}}"#),
            (500, r#"{"error":{"message":"failed at temperature 0.2"}}"#),
            (
                400,
                r#"{"error":{"message":"max_tokens is too large: 50000. This model supports at most 4096 completion tokens.","param":"max_tokens","code":"invalid_value"}}"#,
            ),
            (
                400,
                r#"{"error":{"message":"Invalid max_tokens value, the valid range of max_tokens is [1, 8192]"}}"#,
            ),
            (
                400,
                r#"{"error":{"message":"This model's maximum context length is 10 tokens, max_tokens must be smaller","code":400}}"#,
            ),
            (
                400,
                r#"{"error":{"message":"Invalid image data","param":"messages.[1].content.[1].image_url","code":"invalid_image"}}"#,
            ),
            (
                422,
                r#"{"detail":[{"type":"string_type","loc":["body","messages",1,"content"],"msg":"unknown","input":"a seed and its temperature"}]}"#,
            ),
            (404, r#"{"error":{"message":"The model `m` does not exist","code":"model_not_found"}}"#),
            (400, r#"{"error":{"message":"filtered for its temperature","code":"content_filter"}}"#),
            (400, r#"{"error":{"message":"seedling, topping and stopping are invalid: n"}}"#),
            (400, ""),
        ] {
            assert_eq!(found(status, body), None, "{status} {body}");
        }
    }

    #[test]
    fn a_proposal_is_a_name_in_quotes() {
        assert_eq!(proposed("use `random_seed` instead").as_deref(), Some("random_seed"));
        assert_eq!(proposed("did you mean 'a b'?"), None);
        assert_eq!(proposed("use it"), None);
    }
}
