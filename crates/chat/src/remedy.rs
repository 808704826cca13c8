//! What to do about a parameter that a server does not take.

/// A server's words about a parameter that it does not take, with what to do.
pub(crate) fn with_remedy(message: String) -> String {
    let about = |names: &[&str]| names.iter().any(|name| message.contains(name));
    let remedy = if about(&["temperature"]) {
        "leave `temperature` out of the prompt files (--prompts)"
    } else if about(&["seed"]) {
        "send no seed (--seed none)"
    } else if about(&["max_tokens", "max_completion_tokens"]) {
        "set the field for the token limit (token_limit_field) to the one that it takes"
    } else if about(&["response_format", "json_schema", "schema"]) {
        "use a model and server with structured outputs (response_format json_schema)"
    } else {
        "check the base URL and the model's name, and whether it takes seed (--seed none), temperature, pictures and JSON schemas"
    };
    format!("{message}. Remedy: {remedy}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameter_decides() {
        for (message, remedy) in [
            ("Unsupported value: 'temperature' does not support 0.2", "--prompts"),
            ("Unrecognized request argument supplied: seed", "--seed none"),
            ("Use 'max_completion_tokens' instead", "token_limit_field"),
            ("response_format is not available", "structured outputs"),
            ("no", "model's name"),
        ] {
            let text = with_remedy(message.into());
            assert!(text.starts_with(message) && text.contains(remedy), "{text}");
        }
    }
}
