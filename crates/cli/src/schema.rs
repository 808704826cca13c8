//! Reads the JSON schema of a step's settings: which settings there are, what each takes, and how it is shown.

use serde_json::Value;

/// A place in a schema. It keeps the whole schema, since `$ref` points into its definitions.
#[derive(Clone, Copy)]
pub(crate) struct Node<'a> {
    root: &'a Value,
    here: &'a Value,
}

/// What a setting takes on the command line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    /// True or false.
    Switch,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// Any text, paths included.
    Text,
    /// A number, a word or a switch: whatever TOML makes of it.
    Scalar,
    /// One of these words, each with its meaning where it has one.
    Choice(Vec<(String, Option<String>)>),
    /// Several of them.
    List(Box<Kind>),
}

/// A setting that has a flag or is positional.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    /// Where it lies in the settings; more than one key for a setting of a nested table.
    pub(crate) path: Vec<String>,
    /// Its flag without dashes.
    pub(crate) flag: String,
    /// What it takes.
    pub(crate) kind: Kind,
    /// Its meaning.
    pub(crate) help: String,
    /// What stands for the value in `--help`.
    pub(crate) value_name: Option<String>,
    /// The environment variable that is read where the flag is absent.
    pub(crate) env: Option<String>,
    /// The value that the flag alone stands for.
    pub(crate) bare: Option<String>,
    /// Given without a flag.
    pub(crate) positional: bool,
    /// There is no useful default.
    pub(crate) required: bool,
    /// May be left unset.
    pub(crate) nullable: bool,
    /// Its default.
    pub(crate) default: Value,
    /// The value that the flag sets, where it takes none.
    pub(crate) fixed: Option<Value>,
}

impl Field {
    /// Its name among clap's arguments.
    pub(crate) fn id(&self) -> String {
        match &self.fixed {
            Some(value) => format!("{}={value}", self.name()),
            None => self.name(),
        }
    }

    /// Its name in messages of libraries.
    pub(crate) fn name(&self) -> String {
        self.path.join(".")
    }

    /// How a user gives it: `--flag`, or the name of the positional value.
    pub(crate) fn shown(&self) -> String {
        if self.positional { self.placeholder() } else { format!("--{}", self.switch()) }
    }

    /// The flag, with `no-` in front for a switch that is on by default.
    pub(crate) fn switch(&self) -> String {
        let off = self.kind == Kind::Switch && self.fixed.is_none() && self.default == Value::Bool(true);
        if off { format!("no-{}", self.flag) } else { self.flag.clone() }
    }

    /// What stands for the value in `--help`.
    pub(crate) fn placeholder(&self) -> String {
        self.value_name.clone().unwrap_or_else(|| self.flag.replace('-', "_").to_uppercase())
    }
}

/// The settings of a schema that have a flag: every property of the top level that is not a table, and what `x-flags` of the
/// schema names: a flag with the path of a nested setting, with `path?value` where the flag alone stands for this value, or with
/// `path=value` for a switch that sets this value.
pub(crate) fn fields(schema: &Value, defaults: &Value) -> Vec<Field> {
    let root = Node::new(schema);
    let mut found: Vec<Field> = Vec::new();
    for (key, property) in root.properties() {
        if let Some(kind) = property.kind() {
            let flag = property.text("x-flag").map_or_else(|| key.replace('_', "-"), str::to_owned);
            found.push(Field::new(root, property, vec![key.to_owned()], flag, kind, defaults));
        }
    }
    let flags = schema.get("x-flags").and_then(Value::as_object);
    for (flag, place) in flags.into_iter().flatten() {
        let place = place.as_str().unwrap_or_default();
        let (path, fixed) = match place.split_once('=') {
            Some((path, value)) => (path, Some(value)),
            None => (place, None),
        };
        let (path, bare) = match path.split_once('?') {
            Some((path, value)) => (path, Some(value)),
            None => (path, None),
        };
        let path: Vec<String> = path.split('.').map(str::to_owned).collect();
        let Some(node) = path.iter().try_fold(root, |node, key| node.child(key, &Value::Null)) else {
            continue;
        };
        match (node.kind(), fixed) {
            (Some(_), Some(value)) => {
                let mut field = Field::new(root, node, path, flag.clone(), Kind::Switch, defaults);
                field.help = format!("Sets `{}` to {value}.", field.name());
                field.fixed = Some(crate::flags::scalar(value));
                found.push(field);
            }
            (Some(kind), None) => {
                let mut field = Field::new(root, node, path, flag.clone(), kind, defaults);
                field.bare = bare.map(str::to_owned).or(field.bare);
                found.push(field);
            }
            (None, _) => {}
        }
    }
    found
}

impl Field {
    fn new(
        root: Node<'_>,
        node: Node<'_>,
        path: Vec<String>,
        flag: String,
        kind: Kind,
        defaults: &Value,
    ) -> Field {
        let default =
            path.iter().try_fold(defaults, |value, key| value.get(key)).cloned().unwrap_or_default();
        let is_true = |keyword: &str| node.keyword(keyword) == Some(&Value::Bool(true));
        let text = |keyword: &str| node.text(keyword).map(str::to_owned);
        Field {
            flag,
            kind,
            help: text("description").unwrap_or_default(),
            value_name: text("x-value-name"),
            env: text("x-env"),
            bare: text("x-bare"),
            positional: is_true("x-positional"),
            required: is_true("x-required") || (path.len() == 1 && root.requires(&path[0])),
            nullable: node.is_nullable(),
            default,
            fixed: None,
            path,
        }
    }
}

impl<'a> Node<'a> {
    /// A schema that says nothing.
    pub(crate) const NOTHING: Node<'static> = Node { root: &Value::Null, here: &Value::Null };

    pub(crate) fn new(schema: &'a Value) -> Self {
        Node { root: schema, here: schema }
    }

    fn at(self, here: &'a Value) -> Self {
        Node { here, ..self }
    }

    /// The schema that a `$ref` names, or this one.
    fn target(self) -> Self {
        let pointer = self.here.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix('#'));
        match pointer.and_then(|pointer| self.root.pointer(pointer)) {
            Some(here) => self.at(here).target(),
            None => self,
        }
    }

    /// A keyword here, else where `$ref` leads, else in the only alternative to null.
    pub(crate) fn keyword(self, name: &str) -> Option<&'a Value> {
        self.here.get(name).or_else(|| self.target().here.get(name)).or_else(|| {
            let some = self.unwrap_option()?;
            some.keyword(name)
        })
    }

    /// A keyword that holds text.
    pub(crate) fn text(self, name: &str) -> Option<&'a str> {
        self.keyword(name)?.as_str()
    }

    /// The alternatives of `anyOf`, `oneOf` and `allOf`.
    fn alternatives(self) -> Vec<Node<'a>> {
        let here = self.target();
        let lists =
            ["anyOf", "oneOf", "allOf"].into_iter().filter_map(|name| here.here.get(name)?.as_array());
        lists.flatten().map(|alternative| here.at(alternative)).collect()
    }

    fn is_null(self) -> bool {
        self.target().here.get("type").and_then(Value::as_str) == Some("null")
    }

    /// `T` of a schema that says `T or null`.
    fn unwrap_option(self) -> Option<Node<'a>> {
        let alternatives = self.alternatives();
        let mut some = alternatives.iter().filter(|alternative| !alternative.is_null());
        match (some.next(), some.next()) {
            (Some(only), None) => Some(*only),
            _ => None,
        }
    }

    /// Null is allowed.
    fn is_nullable(self) -> bool {
        self.types().contains(&"null") || self.alternatives().into_iter().any(Node::is_null)
    }

    /// The names of JSON's types that are allowed, null included.
    pub(crate) fn types(self) -> Vec<&'a str> {
        match self.target().here.get("type") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// A table's key has no default.
    pub(crate) fn requires(self, key: &str) -> bool {
        let list = self.target().here.get("required").and_then(Value::as_array);
        list.is_some_and(|list| list.iter().any(|name| name == key))
    }

    /// The properties of a table: its own, and those of a table that may be absent.
    pub(crate) fn properties(self) -> Vec<(&'a str, Node<'a>)> {
        let here = self.target();
        match here.here.get("properties").and_then(Value::as_object) {
            Some(properties) => {
                properties.iter().map(|(key, value)| (key.as_str(), here.at(value))).collect()
            }
            None => here.unwrap_option().map(Node::properties).unwrap_or_default(),
        }
    }

    /// The values of a key that tells the alternatives of a table apart.
    pub(crate) fn constants(self, key: &str) -> Vec<&'a str> {
        let properties = self.alternatives().into_iter().flat_map(Node::properties);
        properties.filter(|(name, _)| *name == key).filter_map(|(_, node)| node.text("const")).collect()
    }

    /// A table of named settings, so that what a file does not name keeps its default.
    pub(crate) fn is_table(self) -> bool {
        !self.properties().is_empty()
    }

    /// A table, a map or a list of them: nothing that a flag can take.
    pub(crate) fn is_nested(self) -> bool {
        self.kind().is_none()
    }

    /// No other keys than the listed ones are allowed.
    pub(crate) fn is_closed(self) -> bool {
        self.keyword("additionalProperties") == Some(&Value::Bool(false))
    }

    /// The schema of a key: of a table, of any of its alternatives that fit the value, or of a map's values.
    pub(crate) fn child(self, key: &str, value: &Value) -> Option<Node<'a>> {
        if let Some((_, node)) = self.properties().into_iter().find(|(name, _)| *name == key) {
            return Some(node);
        }
        let fits = |node: &Node<'_>| {
            node.properties().iter().all(|(name, property)| match property.keyword("const") {
                Some(constant) => value.get(name) == Some(constant),
                None => true,
            })
        };
        let alternative =
            self.alternatives().into_iter().filter(fits).find_map(|node| node.child(key, value));
        alternative.or_else(|| {
            let here = self.target();
            here.here
                .get("additionalProperties")
                .filter(|values| values.is_object())
                .map(|values| here.at(values))
        })
    }

    /// The schema of a list's items.
    pub(crate) fn items(self) -> Option<Node<'a>> {
        let here = self.target();
        match here.here.get("items") {
            Some(items) => Some(here.at(items)),
            None => here.unwrap_option()?.items(),
        }
    }

    /// What a value takes on the command line; none for tables, maps and lists of them.
    fn kind(self) -> Option<Kind> {
        let mut words = Vec::new();
        if self.words(&mut words) {
            return Some(Kind::Choice(words));
        }
        let types: Vec<&str> = self.types().into_iter().filter(|name| *name != "null").collect();
        match types[..] {
            ["boolean"] => Some(Kind::Switch),
            ["integer"] => Some(Kind::Integer),
            ["number"] => Some(Kind::Number),
            ["string"] => Some(Kind::Text),
            ["array"] => Some(Kind::List(Box::new(self.items()?.kind()?))),
            [] => self.unwrap_option()?.kind(),
            _ if types.iter().all(|name| ["boolean", "integer", "number", "string"].contains(name)) => {
                Some(Kind::Scalar)
            }
            _ => None,
        }
    }

    /// The words of an enumeration; none where the schema is not an enumeration.
    pub(crate) fn choices(self) -> Vec<String> {
        let mut words = Vec::new();
        if self.words(&mut words) { words.into_iter().map(|(word, _)| word).collect() } else { Vec::new() }
    }

    /// Collects the words of an enumeration; false where the schema is none.
    fn words(self, words: &mut Vec<(String, Option<String>)>) -> bool {
        let here = self.target().here;
        if let Some(list) = here.get("enum").and_then(Value::as_array) {
            words.extend(list.iter().filter_map(Value::as_str).map(|word| (word.to_owned(), None)));
            return true;
        }
        if let Some(word) = here.get("const").and_then(Value::as_str) {
            words.push((word.to_owned(), self.text("description").map(str::to_owned)));
            return true;
        }
        let alternatives: Vec<Node<'_>> =
            self.alternatives().into_iter().filter(|alternative| !alternative.is_null()).collect();
        !alternatives.is_empty() && alternatives.into_iter().all(|alternative| alternative.words(words))
    }
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Default, Serialize, Deserialize, JsonSchema)]
    #[serde(default)]
    #[schemars(extend("x-flags" = {"contact": "http.contact", "around": "way=around", "tries": "http.retries?3", "lost": "http.nothing"}))]
    struct Settings {
        /// The files.
        #[schemars(extend("x-positional" = true, "x-value-name" = "FILE"))]
        files: Vec<std::path::PathBuf>,
        strict: bool,
        keep_rows: Option<u64>,
        share: f32,
        #[schemars(extend("x-flag" = "how", "x-env" = "HOW"))]
        way: Way,
        maybe: Option<Way>,
        ways: Vec<Way>,
        http: Option<Http>,
        sizes: Vec<Http>,
    }

    #[derive(Default, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "kebab-case")]
    enum Way {
        /// Straight on.
        #[default]
        StraightOn,
        Around,
    }

    #[derive(Default, Serialize, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Http {
        /// Who asks.
        contact: String,
        retries: u32,
    }

    #[test]
    fn kinds_follow_from_types() {
        let schema = schemars::schema_for!(Settings).to_value();
        let fields = fields(&schema, &serde_json::to_value(Settings::default()).unwrap());
        let shown: Vec<(String, String)> = fields.iter().map(|field| (field.id(), field.shown())).collect();
        let shown: Vec<(&str, &str)> = shown.iter().map(|(id, flag)| (id.as_str(), flag.as_str())).collect();
        let expected = [
            ("files", "FILE"),
            ("strict", "--strict"),
            ("keep_rows", "--keep-rows"),
            ("share", "--share"),
            ("way", "--how"),
            ("maybe", "--maybe"),
            ("ways", "--ways"),
            ("http.contact", "--contact"),
            ("way=\"around\"", "--around"),
            ("http.retries", "--tries"),
        ];
        assert_eq!(shown, expected);
        assert_eq!(fields[0].kind, Kind::List(Box::new(Kind::Text)));
        assert_eq!((&fields[1].kind, fields[1].nullable), (&Kind::Switch, false));
        assert_eq!((&fields[2].kind, fields[2].nullable), (&Kind::Integer, true));
        assert_eq!(fields[3].kind, Kind::Number);
        let Kind::Choice(words) = &fields[4].kind else { panic!("{:?}", fields[4].kind) };
        let mut words = words.clone();
        words.sort();
        let expected = [("around", None), ("straight-on", Some("Straight on."))];
        assert_eq!(words, expected.map(|(word, meaning)| (word.to_owned(), meaning.map(str::to_owned))));
        assert_eq!((fields[4].env.as_deref(), fields[0].help.as_str()), (Some("HOW"), "The files."));
        assert!(matches!(&fields[5].kind, Kind::Choice(_)) && fields[5].nullable);
        assert!(matches!(&fields[6].kind, Kind::List(items) if matches!(**items, Kind::Choice(_))));
        assert_eq!((fields[7].help.as_str(), &fields[8].fixed), ("Who asks.", &Some("around".into())));
        assert_eq!(fields[9].bare.as_deref(), Some("3"));
    }

    #[test]
    fn a_key_is_found_below_references_options_and_lists() {
        let schema = schemars::schema_for!(Settings).to_value();
        let value = serde_json::json!({});
        let node = Node::new(&schema);
        let http = node.child("http", &value).unwrap();
        assert!(http.is_closed() && http.is_table());
        assert_eq!(http.child("contact", &value).unwrap().text("description"), Some("Who asks."));
        let item = node.child("sizes", &value).and_then(Node::items).unwrap();
        assert!(item.child("retries", &value).is_some() && item.child("others", &value).is_none());
    }
}
