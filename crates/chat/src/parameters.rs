//! What is sent instead of the parameters that a model refuses.
//!
//! The first error reply that names a parameter decides for this model at this endpoint: the parameter gets another name where
//! there is one, and is left out otherwise. The decision is kept in the cache folder, so that a later run sends the same
//! requests from the start. The key of a request in the cache is that of the request as it was asked for.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::{Map, Value, json};

use crate::fault::Fault;
use crate::limiter::lock;
use crate::refusal::{RESPONSE_FORMAT, TOKEN_LIMITS, refused};
use crate::{Error, Request, TokenLimitField};

/// Changes of the parameters that a model refuses, by parameter: the name that is sent instead (of `response_format` the
/// type), or `None` where it is left out.
pub type ParameterChanges = BTreeMap<String, Option<String>>;

/// The changes of all models of an endpoint.
#[derive(Debug, Default)]
pub(crate) struct Parameters(Mutex<BTreeMap<String, Known>>);

#[derive(Debug, Default)]
struct Known {
    changes: ParameterChanges,
    /// Raised with each change.
    version: u64,
}

/// What an error reply tells about parameters.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Lesson {
    /// Nothing: the fault is another one.
    None,
    /// What another request learned after this one was sent.
    Known,
    /// A change that is new.
    New {
        /// The parameter, as it is sent by default.
        parameter: String,
        /// What is sent instead.
        instead: Option<String>,
    },
}

impl Parameters {
    /// Notes a change.
    pub(crate) fn change(&self, model: &str, parameter: &str, instead: Option<&str>) {
        let mut models = lock(&self.0);
        let known = models.entry(model.to_owned()).or_default();
        known.changes.insert(parameter.to_owned(), instead.map(str::to_owned));
        known.version += 1;
    }

    /// The changes of all models that have some.
    pub(crate) fn all(&self) -> BTreeMap<String, ParameterChanges> {
        lock(&self.0).iter().map(|(model, known)| (model.clone(), known.changes.clone())).collect()
    }

    /// The changes of a model.
    pub(crate) fn of(&self, model: &str) -> ParameterChanges {
        lock(&self.0).get(model).map(|known| known.changes.clone()).unwrap_or_default()
    }

    /// Whether requests to a model are sent without a token limit.
    pub(crate) fn is_unlimited(&self, model: &str) -> bool {
        let changes = self.of(model);
        TOKEN_LIMITS.iter().any(|name| matches!(changes.get(*name), Some(None)))
    }

    /// Decides what the fault of a body means for the next one to the same model.
    pub(crate) fn learn(&self, model: &str, body: &Body, fault: &Fault) -> Lesson {
        let Some(refused) = refused(fault, &body.sent) else { return Lesson::None };
        let mut models = lock(&self.0);
        let known = models.entry(model.to_owned()).or_default();
        if known.version > body.version {
            return Lesson::Known;
        }
        let name = refused.parameter.as_str();
        // A name that was itself sent instead of another stands for that one.
        let renamed = known.changes.iter().find(|(_, instead)| instead.as_deref() == Some(name));
        let parameter = renamed.map_or(name, |(parameter, _)| parameter.as_str()).to_owned();
        let is_first = !known.changes.contains_key(&parameter);
        let instead = match name {
            RESPONSE_FORMAT => {
                let asks_for_schema = body.sent[RESPONSE_FORMAT]["type"] == "json_schema";
                asks_for_schema.then(|| "json_object".to_owned())
            }
            _ if !is_first => None,
            _ => refused.proposed.or_else(|| other_name(name, fault)),
        };
        known.changes.insert(parameter.clone(), instead.clone());
        known.version += 1;
        Lesson::New { parameter, instead }
    }
}

/// Another name under which a server may know a parameter.
fn other_name(name: &str, fault: &Fault) -> Option<String> {
    let other = match name {
        "max_tokens" => "max_completion_tokens",
        "max_completion_tokens" => "max_tokens",
        // The form of its errors tells Mistral's server, which has a name of its own.
        "seed" if fault.is_nested => "random_seed",
        _ => return None,
    };
    Some(other.to_owned())
}

/// The body of a request, with the parameters that its model accepts as far as is known.
#[derive(Debug)]
pub(crate) struct Body {
    sent: Map<String, Value>,
    /// The parameters as they were asked for.
    asked: Map<String, Value>,
    version: u64,
    /// Whether the messages say which form the reply must have.
    is_instructed: bool,
}

impl Body {
    /// The body of a request as it is asked for.
    pub(crate) fn new(request: &Request, limit: TokenLimitField) -> Result<Self, Error> {
        let wire = serde_json::to_value(request.to_wire(limit))
            .map_err(|source| Error::config_caused("a request cannot be written as JSON", source))?;
        let mut asked = match wire {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        let mut sent = Map::new();
        for name in ["model", "messages"] {
            sent.extend(asked.remove(name).map(|value| (name.to_owned(), value)));
        }
        Ok(Self { sent, asked, version: 0, is_instructed: false })
    }

    /// The body with what is known of the model's parameters.
    pub(crate) fn adapted(&mut self, parameters: &Parameters, model: &str) -> &Map<String, Value> {
        let models = lock(&parameters.0);
        let none = Known::default();
        let known = models.get(model).unwrap_or(&none);
        self.version = known.version;
        self.sent.retain(|name, _| name == "model" || name == "messages");
        for (name, value) in &self.asked {
            match known.changes.get(name) {
                None => self.sent.insert(name.clone(), value.clone()),
                Some(None) => None,
                Some(Some(kind)) if name == RESPONSE_FORMAT => {
                    self.sent.insert(name.clone(), json!({ "type": kind }))
                }
                Some(Some(other)) => self.sent.insert(other.clone(), value.clone()),
            };
        }
        if known.changes.contains_key(RESPONSE_FORMAT) {
            self.instruct();
        }
        &self.sent
    }

    /// Puts the schema of the reply into the messages, where the server does not see to it.
    fn instruct(&mut self) {
        let format = self.asked.get(RESPONSE_FORMAT);
        let schema = format.map_or(&Value::Null, |format| &format["json_schema"]["schema"]);
        if schema.is_null() || std::mem::replace(&mut self.is_instructed, true) {
            return;
        }
        let text = format!(
            "Reply with one JSON object and nothing else. It must follow this JSON schema:\n{schema}"
        );
        let Some(Value::Array(messages)) = self.sent.get_mut("messages") else { return };
        match messages.first_mut() {
            Some(first) if first["role"] == "system" && first["content"].is_string() => {
                let own = first["content"].as_str().unwrap_or_default();
                first["content"] = format!("{own}\n\n{text}").into();
            }
            _ => messages.insert(0, json!({"role": "system", "content": text})),
        }
    }
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::*;
    use crate::{ChatMessage, JsonSchema};

    fn request() -> Request {
        Request {
            model: "m".into(),
            messages: vec![ChatMessage::system("a"), ChatMessage::user("b")],
            max_tokens: Some(9),
            temperature: Some(0.5),
            seed: Some(1),
            json_schema: Some(JsonSchema { name: "s".into(), schema: json!({"type": "object"}) }),
            ..Request::default()
        }
    }

    fn fault(message: &str) -> Fault {
        let body = json!({"error": {"message": message}}).to_string();
        Fault::from_status(StatusCode::BAD_REQUEST, body.as_bytes(), None)
    }

    /// The parameters that are sent after these error replies.
    fn after(messages: &[&str]) -> Value {
        let parameters = Parameters::default();
        let mut body = Body::new(&request(), TokenLimitField::MaxTokens).unwrap();
        for message in messages {
            body.adapted(&parameters, "m");
            let lesson = parameters.learn("m", &body, &fault(message));
            assert!(matches!(lesson, Lesson::New { .. }), "{message}: {lesson:?}");
        }
        let mut sent = body.adapted(&parameters, "m").clone();
        sent.remove("model");
        sent.remove("messages");
        Value::Object(sent)
    }

    #[test]
    fn a_refused_parameter_is_renamed_or_left_out() {
        let schema = json!({"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}, "strict": true}});
        assert_eq!(
            after(&["Unsupported parameter: 'max_tokens'", "temperature is not supported"]),
            json!({"max_completion_tokens": 9, "response_format": schema, "seed": 1})
        );
        assert_eq!(
            after(&[
                "unknown: max_tokens",
                "unknown: max_completion_tokens",
                "unknown: seed. Did you mean 'random_seed'?",
                "temperature is deprecated",
                "json_schema is not supported",
            ]),
            json!({"random_seed": 1, "response_format": {"type": "json_object"}})
        );
        assert_eq!(
            after(&["json_schema is unknown", "json_object is unknown", "unknown: seed"]),
            json!({"temperature": 0.5, "max_tokens": 9})
        );
    }

    #[test]
    fn the_schema_goes_into_the_messages_once() {
        let parameters = Parameters::default();
        let mut body = Body::new(&request(), TokenLimitField::MaxTokens).unwrap();
        assert_eq!(body.adapted(&parameters, "m")["messages"][0]["content"], "a");
        parameters.change("m", RESPONSE_FORMAT, Some("json_object"));
        parameters.change("m", RESPONSE_FORMAT, None);
        for _ in 0..2 {
            let text = body.adapted(&parameters, "m")["messages"][0]["content"].to_string();
            assert_eq!(text.matches(r#"{\"type\":\"object\"}"#).count(), 1, "{text}");
        }
        let mut other = Body::new(&request(), TokenLimitField::MaxTokens).unwrap();
        assert_eq!(other.adapted(&parameters, "another")["messages"][0]["content"], "a");
    }

    #[test]
    fn requests_in_flight_learn_together() {
        let parameters = Parameters::default();
        let mut bodies = [(); 2].map(|()| Body::new(&request(), TokenLimitField::MaxTokens).unwrap());
        for body in &mut bodies {
            body.adapted(&parameters, "m");
        }
        let refusal = fault("temperature is not supported");
        let change = Lesson::New { parameter: "temperature".into(), instead: None };
        assert_eq!(parameters.learn("m", &bodies[0], &refusal), change);
        assert_eq!(parameters.learn("m", &bodies[1], &refusal), Lesson::Known);
        assert_eq!(parameters.of("m"), ParameterChanges::from([("temperature".into(), None)]));
    }
}
