//! A step on the command line: its arguments, and the settings that they and a file come to.

use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command as Clap, value_parser};
use serde_json::Value;
use tsumugi_pipeline::{Command, Error};

use crate::flags::{COMMON, argument, given};
use crate::schema::{Field, Node, fields};
use crate::{messages, printed, settings};

/// Flags of every step, which settings of the same name do not replace: the program passes on what it is given.
const SHARED: [&str; 6] = ["threads", "memory", "quiet", "verbose", "allow-empty", "print-config"];

/// A step with the schema of its settings.
pub(crate) struct Step {
    pub(crate) command: &'static dyn Command,
    schema: Value,
    defaults: Value,
    fields: Vec<Field>,
}

impl Step {
    pub(crate) fn new(command: &'static dyn Command) -> Self {
        let (schema, defaults) = (command.schema().to_value(), command.defaults());
        let fields = fields(&schema, &defaults);
        Step { command, schema, defaults, fields }
    }

    /// The subcommand.
    pub(crate) fn clap(&self) -> Clap {
        let own = |flag: &str| self.fields.iter().any(|field| !field.positional && field.flag == flag);
        let single = self.fields.iter().any(|field| field.positional);
        let mut clap = Clap::new(self.command.name()).about(self.command.about());
        if let Some(meaning) = self.schema.get("description").and_then(Value::as_str) {
            let paragraphs: Vec<String> = meaning.split("\n\n").map(crate::flags::one_line).collect();
            clap = clap.long_about(paragraphs.join("\n\n"));
        }
        for field in self.fields.iter().filter(|field| !SHARED.contains(&field.flag.as_str())) {
            clap = clap.arg(argument(field, single));
        }
        if !own("config") {
            let help = "Settings file (TOML); flags win over it";
            clap =
                clap.arg(option("@config", "config", "FILE.toml", help).value_parser(value_parser!(PathBuf)));
        }
        if !own("set") && self.has_tables() {
            let help = "Sets a value of a nested table, such as table.key=3";
            clap = clap.arg(option("@set", "set", "KEY=VALUE", help).action(ArgAction::Append));
        }
        clap.arg(
            Arg::new("@print-config")
                .long("print-config")
                .help("Print all settings with their meaning as a settings file, and do nothing else")
                .help_heading(COMMON)
                .action(ArgAction::SetTrue),
        )
    }

    fn has_tables(&self) -> bool {
        Node::new(&self.schema).properties().iter().any(|(_, node)| node.is_nested())
    }

    /// The settings that defaults, file, environment and flags come to.
    ///
    /// # Errors
    /// A message for the user.
    pub(crate) fn settings(&self, matches: &ArgMatches) -> Result<Value, String> {
        let mut found = self.settings_of_file(matches)?;
        for text in matches.try_get_many::<String>("@set").ok().flatten().into_iter().flatten() {
            let (path, value) = settings::assignment(text, &self.schema)?;
            settings::set(&mut found, &path, value);
        }
        for field in &self.fields {
            let value = match field.flag.as_str() {
                "threads" => given_threads(matches),
                flag if SHARED.contains(&flag) => None,
                _ => given(field, matches)?,
            };
            if let Some(value) = value {
                settings::set(&mut found, &field.path, value);
            }
        }
        Ok(found)
    }

    /// The settings that defaults and the file of `--config` come to.
    ///
    /// # Errors
    /// A message for the user.
    pub(crate) fn settings_of_file(&self, matches: &ArgMatches) -> Result<Value, String> {
        let mut found = self.defaults.clone();
        if let Ok(Some(path)) = matches.try_get_one::<PathBuf>("@config") {
            settings::overlay(Node::new(&self.schema), &mut found, settings::read_file(path, &self.schema)?);
        }
        Ok(found)
    }

    /// Refuses settings that lack what has no default.
    ///
    /// # Errors
    /// A message that names the missing flags.
    pub(crate) fn check_complete(&self, settings: &Value) -> Result<(), String> {
        let is_missing = |field: &&Field| {
            let value = field.path.iter().try_fold(settings, |value, key| value.get(key));
            field.required
                && match value {
                    None | Some(Value::Null) => true,
                    Some(Value::String(text)) => text.is_empty(),
                    Some(Value::Array(values)) => values.is_empty(),
                    Some(_) => false,
                }
        };
        let missing: Vec<String> = self.fields.iter().filter(is_missing).map(usage_of).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(format!("the following required arguments were not provided:\n  {}", missing.join("\n  ")))
    }

    /// The settings as a TOML file that explains itself. A file that they name follows in comments.
    ///
    /// # Errors
    /// Where that file cannot be read.
    pub(crate) fn print_config(&self, settings: &Value) -> Result<String, Error> {
        let mut text = self.own_config(settings);
        if let Some(file) = self.command.file(settings)? {
            text += &printed::print_as_comments(file.about, &file.schema.to_value(), &file.values);
        }
        Ok(text)
    }

    fn own_config(&self, settings: &Value) -> String {
        let about = self.command.about();
        let head = format!("# Settings of `tsumugi {}`: {about}.\n\n", self.command.name());
        head + &printed::print(&self.schema, settings)
    }

    /// The defaults of all settings as a TOML file that explains itself.
    pub(crate) fn default_config(&self) -> String {
        self.own_config(&self.defaults)
    }

    /// What the file is that the settings name, and its defaults as TOML that explains itself.
    pub(crate) fn default_file(&self) -> Option<(&'static str, String)> {
        let file = self.command.file(&self.defaults).ok().flatten()?;
        Some((file.about, printed::print(&file.schema.to_value(), &file.values)))
    }

    /// A message about settings, in the words of the command line.
    pub(crate) fn with_flags(&self, message: &str) -> String {
        messages::with_flags(message, &self.fields)
    }
}

/// The number of threads where the command line names one.
fn given_threads(matches: &ArgMatches) -> Option<Value> {
    let is_given = matches.value_source("@threads") == Some(ValueSource::CommandLine);
    matches.get_one::<usize>("@threads").filter(|_| is_given).map(|threads| Value::from(*threads))
}

fn usage_of(field: &Field) -> String {
    let dots = if matches!(field.kind, crate::schema::Kind::List(_)) { "..." } else { "" };
    if field.positional {
        format!("<{}>{dots}", field.placeholder())
    } else {
        format!("{} <{}>{dots}", field.shown(), field.placeholder())
    }
}

fn option(id: &'static str, flag: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(id).long(flag).value_name(value).help(help).help_heading(COMMON)
}
