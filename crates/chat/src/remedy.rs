//! What to do about a parameter that a server does not accept.

/// Adds to a server's message about a parameter that it does not accept what to do about it.
pub(crate) fn with_remedy(message: String) -> String {
    let about = |names: &[&str]| names.iter().any(|name| message.contains(name));
    let remedy = if about(&["temperature"]) {
        "leave `temperature` out of the prompt files"
    } else if about(&["seed"]) {
        "send no `seed`"
    } else if about(&["max_tokens", "max_completion_tokens"]) {
        "set `token_limit_field` to the field that it accepts"
    } else if about(&["response_format", "json_schema", "schema"]) {
        "use a model and server with structured outputs (response_format json_schema)"
    } else {
        "check `base_url` and the model's name, and whether the server accepts a seed, a temperature, images and JSON schemas"
    };
    format!("{message}. Remedy: {remedy}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameter_decides() {
        for (message, remedy) in [
            ("Unsupported value: 'temperature' does not support 0.2", "prompt files"),
            ("Unrecognized request argument supplied: seed", "`seed`"),
            ("Use 'max_completion_tokens' instead", "token_limit_field"),
            ("response_format is not available", "structured outputs"),
            ("no", "model's name"),
        ] {
            let text = with_remedy(message.into());
            assert!(text.starts_with(message) && text.contains(remedy), "{text}");
        }
    }
}
