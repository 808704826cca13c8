//! What to do about a request that a server does not accept.

/// Adds to a server's message what to do about it. Parameters that a model does not know are left out without asking; what
/// comes here are values and requests that cannot be mended so.
pub(crate) fn with_remedy(message: String) -> String {
    let about = |names: &[&str]| names.iter().any(|name| message.contains(name));
    let remedy = if about(&["max_tokens", "max_completion_tokens"]) {
        "lower `max_tokens` to what the model allows"
    } else if about(&["image"]) {
        "use a model that reads images"
    } else {
        "check `base_url` and the model's name, and whether the server reads such requests"
    };
    format!("{message}. Remedy: {remedy}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_decides() {
        for (message, remedy) in [
            ("max_tokens is too large: 50000", "lower `max_tokens`"),
            ("this model has no support for image_url", "reads images"),
            ("no", "model's name"),
        ] {
            let text = with_remedy(message.into());
            assert!(text.starts_with(message) && text.contains(remedy), "{text}");
        }
    }
}
