//! Where the values of settings come from: the command line, environment variables, and files.
//!
//! Two rules hold for the settings of every command:
//!
//! - An environment variable that is set to an empty text counts as unset.
//! - A secret (a setting with `hide_env_values`) comes from its variable, such as `DATABASE_URL`,
//!   or from the file that `DATABASE_URL_FILE` names. It is refused as a flag: `ps` shows the flags
//!   of a process to every user of the machine.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::path::PathBuf;

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, Parser};

use super::secret_file::{self, SecretFile, SecretFileError};

/// Ending of the variable that names the file of a secret.
const FILE: &str = "_FILE";

/// Why the source of a secret is refused. The text contains no secret.
#[derive(Debug, thiserror::Error)]
enum SourceError {
    #[error("{0} and {0}{FILE} are both set: choose one")]
    Both(String),
    #[error("{0}{FILE}: {1}: {2}")]
    File(String, String, SecretFileError),
    #[error(
        "{0} is a secret, and every user of the machine can read flags with ps: use the environment \
         variable {0}, or {0}{FILE} with the path of a file"
    )]
    Flag(String),
}

/// One secret setting: its variable, and what the variable of its file led to.
#[derive(Debug)]
struct FoundSecret {
    variable: String,
    /// `None` if no file is named.
    file: Option<Result<SecretFile, SourceError>>,
}

/// The secrets of all commands, by the ids of their arguments.
#[derive(Debug, Default)]
struct Secrets(BTreeMap<String, FoundSecret>);

/// Parses the command line of this process. On an error, and on a request for help, it prints the
/// text and ends the process: with code 2 after an error.
#[must_use]
pub fn parse<P: Parser>() -> P {
    let mut secrets = Secrets::default();
    let mut command = secrets.apply_to(P::command(), "");
    let parsed = secrets.parse(&mut command, std::env::args_os());
    let parsed = parsed.and_then(|matches| P::from_arg_matches(&matches));
    parsed.unwrap_or_else(|error| error.exit())
}

/// The value of a variable, unless it is unset or empty.
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

impl Secrets {
    /// Applies the rules to the arguments of a command and of its subcommands. `above` is the name of
    /// the command that it belongs to.
    fn apply_to(&mut self, command: Command, above: &str) -> Command {
        let name = format!("{above} {}", command.get_name()).trim().to_owned();
        let command = command.mut_args(|arg| self.apply(arg));
        let command = command.mut_subcommands(|below| self.apply_to(below, &name));
        let secrets = command.get_arguments().filter_map(|arg| {
            let found = self.0.get(arg.get_id().as_str())?;
            Some(format!("  {}\n          {}", found.variable, arg.get_help()?))
        });
        let lines: Vec<String> = secrets.collect();
        if lines.is_empty() {
            return command;
        }
        let lines = lines.join("\n");
        let optional = |arg: Arg| {
            let is_secret = self.0.contains_key(arg.get_id().as_str());
            if is_secret {
                arg.required(false).required_unless_present(Resettable::Reset)
            } else {
                arg
            }
        };
        let usage = command.clone().mut_args(optional).bin_name(name).render_usage().to_string();
        let command = command.override_usage(usage.trim_start_matches("Usage: ").to_owned());
        command.after_help(format!(
            "Secrets, as environment variables, or in files that NAME{FILE} names:\n{lines}"
        ))
    }

    fn apply(&mut self, arg: Arg) -> Arg {
        let Some(name) = arg.get_env().and_then(OsStr::to_str).map(str::to_owned) else {
            return arg;
        };
        let is_secret = arg.is_hide_env_values_set();
        let arg = if variable(&name).is_none() && std::env::var_os(&name).is_some() {
            arg.env(Resettable::Reset)
        } else {
            arg
        };
        if !is_secret {
            return arg;
        }
        // Several commands have this secret. Its file is read once: it may be a pipe.
        let id = arg.get_id().to_string();
        let found = self.0.entry(id).or_insert_with(|| FoundSecret::find(name));
        let arg = arg.hide(true);
        match &found.file {
            None => arg,
            Some(file) => {
                // A refused secret gets a value too, so that commands that do not need it run.
                let text = file.as_ref().map_or_else(|_| String::new(), |file| file.text.clone());
                let arg = arg.required(false).required_unless_present(Resettable::Reset);
                arg.default_value(text).hide_default_value(true)
            }
        }
    }

    /// Parses the arguments, and checks where the secrets of the chosen command came from.
    fn parse(
        &self,
        command: &mut Command,
        arguments: impl Iterator<Item = OsString>,
    ) -> Result<ArgMatches, clap::Error> {
        let matches = command.try_get_matches_from_mut(arguments);
        let matches = matches.map_err(|error| self.with_variables(error))?;
        let mut level = Some(&matches);
        while let Some(matches) = level {
            for (id, found) in &self.0 {
                // A command that does not have this setting has no source for it.
                let source = matches.ids().find(|it| it.as_str() == id);
                let source = source.and_then(|id| matches.value_source(id.as_str()));
                if let Some(reason) = found.refusal(source) {
                    return Err(command.error(ErrorKind::ValueValidation, reason));
                }
            }
            level = matches.subcommand().map(|(_, below)| below);
        }
        Ok(matches)
    }

    /// Names missing secrets by their variables, because they have no flags.
    fn with_variables(&self, mut error: clap::Error) -> clap::Error {
        if error.kind() != ErrorKind::MissingRequiredArgument {
            return error;
        }
        if let Some(ContextValue::Strings(missing)) = error.get(ContextKind::InvalidArg).cloned() {
            let name = |argument: String| {
                let mut names = self.0.values().map(|found| &found.variable);
                let found = names.find(|name| argument.ends_with(&format!("<{name}>")));
                found.map_or(argument, |name| format!("{name} (or {name}{FILE})"))
            };
            let named = missing.into_iter().map(name).collect();
            error.insert(ContextKind::InvalidArg, ContextValue::Strings(named));
            // It would show the flags.
            error.insert(ContextKind::Usage, ContextValue::None);
        }
        error
    }
}

impl FoundSecret {
    fn find(variable_name: String) -> Self {
        let path = variable(&format!("{variable_name}{FILE}")).map(PathBuf::from);
        let file = path.map(|path| {
            if variable(&variable_name).is_some() {
                return Err(SourceError::Both(variable_name.clone()));
            }
            secret_file::read(&path).map_err(|error| {
                SourceError::File(variable_name.clone(), path.display().to_string(), error)
            })
        });
        Self { variable: variable_name, file }
    }

    /// Why the secret cannot be used by a command that got it from `source`. Warns about a file that
    /// every user of the machine can read.
    fn refusal(&self, source: Option<ValueSource>) -> Option<String> {
        match (source?, &self.file) {
            (ValueSource::CommandLine, _) => {
                Some(SourceError::Flag(self.variable.clone()).to_string())
            }
            (_, Some(Err(error))) => Some(error.to_string()),
            (_, Some(Ok(file))) if file.is_open => {
                // The log has not started yet.
                let path = file.path.display();
                let _ = writeln!(
                    std::io::stderr(),
                    "onsale: warning: {}{FILE}: every user of the machine can read {path}: remove that \
                     right (chmod o-r)",
                    self.variable
                );
                None
            }
            _ => None,
        }
    }
}
